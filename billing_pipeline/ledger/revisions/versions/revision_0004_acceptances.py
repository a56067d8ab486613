"""Differences that somebody accepted, and the triggers that keep them as they were written."""

import sqlalchemy as sa
from alembic import op

from billing_pipeline.ledger.column_types import ExactDecimal, Instant, JsonText
from billing_pipeline.ledger.revisions.triggers_0004 import triggers

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the record of accepted differences."""
    op.create_table(
        "accepted_differences",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("billing_account_id", sa.String(200), nullable=False),
        sa.Column("billing_period", sa.String(7), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("difference", ExactDecimal),
        sa.Column("tax_difference", ExactDecimal),
        sa.Column("basis_sha256", sa.String(64), nullable=False),
        sa.Column("deliveries", JsonText, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Index(None, "billing_period", "source"),
        sqlite_autoincrement=True,
    )
    for statement in triggers(op.get_bind().dialect.name):
        op.execute(statement)
