"""Taxes, credits and rates on documents; numbers, issued contents and the mail queue; triggers that keep the record."""

import sqlalchemy as sa
from alembic import op

from billing_pipeline.ledger.column_types import ExactDecimal, Instant, JsonText
from billing_pipeline.ledger.revisions.triggers_0003 import triggers

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what a document's life needs."""
    for column in (
        sa.Column("document_type", sa.String(20), nullable=False, server_default="invoice"),
        sa.Column("corrects", sa.String(100)),
        sa.Column("issued_on", sa.Date),
        sa.Column("taxes", JsonText, nullable=False, server_default="[]"),
        sa.Column("exchange_rates", JsonText, nullable=False, server_default="[]"),
        sa.Column("paid_on", sa.Date),
        sa.Column("void_reason", sa.Text),
    ):
        op.add_column("invoices", column)
    for column in (
        sa.Column("charged_currency", sa.String(3)),
        sa.Column("charged_amount", ExactDecimal),
        sa.Column("service_period", sa.String(7)),
        sa.Column("reference", sa.Text),
    ):
        op.add_column("invoice_lines", column)
    _new_tables()
    # Revisions before this one were counted in a table of their own, which an empty database has never had.
    op.execute("drop table if exists schema_version")
    for statement in triggers(op.get_bind().dialect.name):
        op.execute(statement)


def _new_tables() -> None:
    op.create_table(
        "credit_uses",
        sa.Column(
            "invoice_id", sa.String(200), sa.ForeignKey("invoices.invoice_id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("credit_id", sa.String(200), nullable=False, index=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("amount", ExactDecimal, nullable=False),
        sa.Column("left", ExactDecimal, nullable=False),
        sa.Column("expires_on", sa.Date),
        sa.Column("vendor", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "invoice_numbers",
        sa.Column("organisation_id", sa.String(200), primary_key=True),
        sa.Column("series", sa.String(100), primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last_number", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "issued_contents",
        sa.Column("invoice_id", sa.String(200), sa.ForeignKey("invoices.invoice_id"), primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mail_outbox",
        sa.Column("mail_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("invoice_id", sa.String(200), sa.ForeignKey("invoices.invoice_id"), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", Instant),
        sa.Column("last_error", sa.Text),
        sa.Column("message_id", sa.String(300), nullable=False),
        sa.Column("queued_at", Instant, nullable=False),
        sa.Column("sent_at", Instant),
        sa.UniqueConstraint("invoice_id", "kind"),
        sa.Index(None, "status", "next_attempt_at"),
        sqlite_autoincrement=True,
    )
