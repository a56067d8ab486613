"""Tables of the ledger: documents, their lines, credits and numbers, what happened to them, and the mails to send.

The SQL is plain enough for SQLite and PostgreSQL. The tables are made by the migrations (`ledger.revisions`), which
also hold the triggers; a test compares both. What does not belong here: reading and writing (`ledger.operations`,
`ledger.life`), the database's address (`resources.ledger`).
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from billing_pipeline.ledger.column_types import ExactDecimal, Instant, JsonText

# The newest revision in `ledger.revisions`: what this program works with.
SCHEMA_VERSION = "0004"

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# One row per document. Amounts in `currency`; parties as they were when the document was made. What is no draft keeps
# its content: triggers refuse every change but of status, closed_at, paid_on and void_reason.
invoices = Table(
    "invoices",
    metadata,
    Column("invoice_id", String(200), primary_key=True),
    Column("invoice_number", String(100), unique=True),
    Column("status", String(20), nullable=False),
    Column("customer_id", String(200), nullable=False),
    Column("billing_period", String(7), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("subtotal", ExactDecimal, nullable=False),
    Column("tax_total", ExactDecimal, nullable=False),
    Column("credits_applied", ExactDecimal, nullable=False),
    Column("total", ExactDecimal, nullable=False),
    Column("due_date", Date),
    Column("created_at", Instant, nullable=False),
    Column("opened_at", Instant),
    Column("closed_at", Instant),
    Column("content_sha256", String(64), nullable=False),
    # Names the snapshot of the charges behind the document, in the lake; null where there are none.
    Column("charges_sha256", String(64)),
    Column("customer", JsonText, nullable=False),
    Column("organisation", JsonText, nullable=False),
    Column("options", JsonText, nullable=False),
    Column("notes", JsonText, nullable=False),
    Column("document_type", String(20), nullable=False, server_default="invoice"),
    # Number of the document that a credit note corrects.
    Column("corrects", String(100)),
    # Day of approval in the organisation's zone.
    Column("issued_on", Date),
    Column("taxes", JsonText, nullable=False, server_default="[]"),
    Column("exchange_rates", JsonText, nullable=False, server_default="[]"),
    Column("paid_on", Date),
    Column("void_reason", Text),
    CheckConstraint("(status = 'draft') = (invoice_number is null)", name="number_from_approval_on"),
    Index(None, "billing_period", "customer_id"),
)

# One row per line of a document; line_number counts from 1 in the document's order.
invoice_lines = Table(
    "invoice_lines",
    metadata,
    Column("invoice_id", ForeignKey("invoices.invoice_id", ondelete="CASCADE"), primary_key=True),
    Column("line_number", Integer, primary_key=True, autoincrement=False),
    Column("product_type", Text, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("product_name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("quantity", ExactDecimal),
    Column("unit", Text),
    Column("amount_precise", ExactDecimal, nullable=False),
    Column("amount", ExactDecimal, nullable=False),
    Column("tax_category", Text, nullable=False),
    Column("line_kind", String(20), nullable=False),
    # The charges themselves are in the document's snapshot: a month has more of them than a ledger should hold.
    Column("charge_count", Integer, nullable=False, server_default="0"),
    Column("charges_sha256", String(64)),
    # Currency and exact amount of the charges, where they were converted.
    Column("charged_currency", String(3)),
    Column("charged_amount", ExactDecimal),
    Column("service_period", String(7)),
    Column("reference", Text),
    sqlite_with_rowid=False,
)

# One row per credit that a document takes of, in the document's order; amount and left in the document's currency.
credit_uses = Table(
    "credit_uses",
    metadata,
    Column("invoice_id", ForeignKey("invoices.invoice_id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("credit_id", String(200), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("amount", ExactDecimal, nullable=False),
    Column("left", ExactDecimal, nullable=False),
    Column("expires_on", Date),
    Column("vendor", Text),
    sqlite_with_rowid=False,
)

# One row per series of numbers: the last number given. Whoever gives one locks the row until the document has it.
invoice_numbers = Table(
    "invoice_numbers",
    metadata,
    Column("organisation_id", String(200), primary_key=True),
    Column("series", String(100), primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("last_number", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# One row per document that has been approved: its content at that moment, in the bytes that are hashed.
issued_contents = Table(
    "issued_contents",
    metadata,
    Column("invoice_id", ForeignKey("invoices.invoice_id"), primary_key=True),
    Column("content", Text, nullable=False),
    sqlite_with_rowid=False,
)

# One row per reason why a customer got no draft for a billing period; position counts from 1 in the order found.
invoice_errors = Table(
    "invoice_errors",
    metadata,
    Column("billing_period", String(7), primary_key=True),
    Column("customer_id", String(200), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(40), nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_with_rowid=False,
)

# One row per thing done to a document, in order, never changed. It outlives a removed draft, hence no foreign key.
events = Table(
    "events",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("invoice_id", String(200), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("who", String(200), nullable=False),
    Column("action", String(40), nullable=False),
    Column("from_status", String(20)),
    Column("to_status", String(20)),
    Column("detail", Text),
    sqlite_autoincrement=True,
)

# One row per difference between a vendor's total and its rows that somebody accepted, in order, never changed. It holds
# while differences (in `currency`) and basis_sha256 are the same.
accepted_differences = Table(
    "accepted_differences",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("source", String(200), nullable=False),
    Column("billing_account_id", String(200), nullable=False),
    Column("billing_period", String(7), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("difference", ExactDecimal),
    Column("tax_difference", ExactDecimal),
    Column("basis_sha256", String(64), nullable=False),
    Column("deliveries", JsonText, nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", String(200), nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "billing_period", "source"),
    sqlite_autoincrement=True,
)

# One row per mail about a document: one of each kind, ever. Queued in the transaction that makes it true.
mail_outbox = Table(
    "mail_outbox",
    metadata,
    Column("mail_id", Integer, primary_key=True, autoincrement=True),
    Column("invoice_id", ForeignKey("invoices.invoice_id"), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("recipient", Text, nullable=False),
    Column("subject", Text, nullable=False),
    # queued, sending, sent, failed (which is not tried again)
    Column("status", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    # When it may be tried; while it is being sent, when the sender is taken for dead.
    Column("next_attempt_at", Instant),
    Column("last_error", Text),
    # The same at every attempt, so that a receiving server can tell a repeated mail.
    Column("message_id", String(300), nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("sent_at", Instant),
    UniqueConstraint("invoice_id", "kind"),
    Index(None, "status", "next_attempt_at"),
    sqlite_autoincrement=True,
)
