"""The ledger as it first was: drafts, their lines and the ids of their charges, errors and events."""

import sqlalchemy as sa
from alembic import op

from billing_pipeline.ledger.column_types import ExactDecimal, Instant, JsonText

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of an empty database."""
    _documents()
    op.create_table(
        "invoice_errors",
        sa.Column("billing_period", sa.String(7), primary_key=True),
        sa.Column("customer_id", sa.String(200), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("invoice_id", sa.String(200), nullable=False, index=True),
        sa.Column("at", Instant, nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("from_status", sa.String(20)),
        sa.Column("to_status", sa.String(20)),
        sa.Column("detail", sa.Text),
        sqlite_autoincrement=True,
    )


def _documents() -> None:
    op.create_table(
        "invoices",
        sa.Column("invoice_id", sa.String(200), primary_key=True),
        sa.Column("invoice_number", sa.String(100), unique=True),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("customer_id", sa.String(200), nullable=False),
        sa.Column("billing_period", sa.String(7), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("subtotal", ExactDecimal, nullable=False),
        sa.Column("tax_total", ExactDecimal, nullable=False),
        sa.Column("credits_applied", ExactDecimal, nullable=False),
        sa.Column("total", ExactDecimal, nullable=False),
        sa.Column("due_date", sa.Date),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("opened_at", Instant),
        sa.Column("closed_at", Instant),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("customer", JsonText, nullable=False),
        sa.Column("organisation", JsonText, nullable=False),
        sa.Column("options", JsonText, nullable=False),
        sa.Column("notes", JsonText, nullable=False),
        sa.CheckConstraint("(status = 'draft') = (invoice_number is null)", name="number_from_approval_on"),
        sa.Index(None, "billing_period", "customer_id"),
    )
    op.create_table(
        "invoice_lines",
        sa.Column(
            "invoice_id", sa.String(200), sa.ForeignKey("invoices.invoice_id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("line_number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("product_type", sa.Text, nullable=False),
        sa.Column("product_id", sa.Text, nullable=False),
        sa.Column("product_name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("quantity", ExactDecimal),
        sa.Column("unit", sa.Text),
        sa.Column("amount_precise", ExactDecimal, nullable=False),
        sa.Column("amount", ExactDecimal, nullable=False),
        sa.Column("tax_category", sa.Text, nullable=False),
        sa.Column("line_kind", sa.String(20), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "invoice_line_charges",
        sa.Column("invoice_id", sa.String(200), primary_key=True),
        sa.Column("line_number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("charge_id", sa.String(400), primary_key=True),
        sa.ForeignKeyConstraint(
            ["invoice_id", "line_number"],
            ["invoice_lines.invoice_id", "invoice_lines.line_number"],
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )
