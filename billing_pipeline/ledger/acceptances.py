"""Differences between a vendor's total and its rows that somebody accepted. Nothing here is changed or removed.

What does not belong here: which difference there is (`billing_pipeline.reconciliation`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, insert, select

from billing_pipeline.ledger.tables import accepted_differences


@dataclass(frozen=True)
class Acceptance:
    """One difference that was accepted.

    Attributes:
        difference, tax_difference: in `currency`, as they were seen; None where there was none to compare.
        basis_sha256: of the deliveries and totals that were compared.
        deliveries: their ids.
        reason: why it is accepted.
        who: user.
        at: in UTC.
    """

    source: str
    billing_account_id: str
    billing_period: str
    currency: str
    difference: Decimal | None
    tax_difference: Decimal | None
    basis_sha256: str
    deliveries: tuple[str, ...]
    reason: str
    who: str
    at: datetime


def record_acceptances(connection: Connection, accepted: Sequence[Acceptance]) -> None:
    """Write acceptances down, in a transaction that may write."""
    if accepted:
        connection.execute(insert(accepted_differences), [vars(one) for one in accepted])


def list_acceptances(connection: Connection, period: str | None = None) -> tuple[tuple[int, Acceptance], ...]:
    """Return the acceptances of a billing period or of all, with their sequence, the oldest first."""
    query = select(accepted_differences).order_by(accepted_differences.c.sequence)
    if period is not None:
        query = query.where(accepted_differences.c.billing_period == period)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return tuple((row.pop("sequence"), Acceptance(**{**row, "deliveries": tuple(row["deliveries"])})) for row in rows)
