"""The charges behind a document leave the ledger for a snapshot beside it.

Before it there were drafts alone: each is drafted again by the next run of its period, with its snapshot. A document
that is no draft could not be, and no program of that revision has made one.
"""

import sqlalchemy as sa
from alembic import op

from billing_pipeline.ledger.migrations import CannotMigrate

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Drop the ids of the charges, and make room for the snapshot's name.

    Raises:
        CannotMigrate: a document is no draft.
    """
    approved = op.get_bind().scalar(sa.text("select invoice_id from invoices where status <> 'draft' limit 1"))
    if approved is not None:
        raise CannotMigrate(f"its document {approved} is no draft, and the charges behind it cannot be kept as billed")
    op.add_column("invoices", sa.Column("charges_sha256", sa.String(64)))
    op.add_column("invoice_lines", sa.Column("charge_count", sa.Integer, nullable=False, server_default="0"))
    op.add_column("invoice_lines", sa.Column("charges_sha256", sa.String(64)))
    op.drop_table("invoice_line_charges")
