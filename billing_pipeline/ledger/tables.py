"""Tables of the ledger: documents, their lines, why others got none, and what happened to them.

The SQL is plain enough for SQLite and PostgreSQL. What does not belong here: reading and writing
(`ledger.operations`), the database's address (`resources.ledger`).
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from billing_pipeline.ledger.column_types import ExactDecimal, Instant, JsonText

SCHEMA_VERSION = 1

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# One row: the version of this schema, so that an older program refuses a newer ledger.
schema_version = Table(
    "schema_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
)

# One row per document. Amounts in `currency`; parties as they were when the document was made.
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
    Column("customer", JsonText, nullable=False),
    Column("organisation", JsonText, nullable=False),
    Column("options", JsonText, nullable=False),
    Column("notes", JsonText, nullable=False),
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
    sqlite_with_rowid=False,
)

# One row per charge behind a line: from the document to the priced charges, and through them to file and row.
invoice_line_charges = Table(
    "invoice_line_charges",
    metadata,
    Column("invoice_id", String(200), primary_key=True),
    Column("line_number", Integer, primary_key=True, autoincrement=False),
    Column("charge_id", String(400), primary_key=True),
    ForeignKeyConstraint(
        ["invoice_id", "line_number"],
        ["invoice_lines.invoice_id", "invoice_lines.line_number"],
        ondelete="CASCADE",
    ),
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
