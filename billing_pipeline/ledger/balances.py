"""What documents take of credits: the sum that drafts reckon with, and the one that approval checks.

What does not belong here: which credits a customer has (`billing_pipeline.credits`).
"""

from collections.abc import Iterable
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from billing_pipeline.ledger.tables import credit_uses, invoices
from billing_pipeline.money import EXACT
from billing_pipeline.periods import BillingPeriod


def used_credits(connection: Connection, before: BillingPeriod) -> dict[str, Decimal]:
    """Return what documents take of each credit, as the drafts of a period reckon with it.

    Args:
        before: the period that is drafted. Documents that are neither void nor drafts count, whatever their period;
            of drafts only those of earlier periods.

    Returns:
        Credit id to an amount in the credit's currency.
    """
    earlier = and_(invoices.c.status == "draft", invoices.c.billing_period < before.text)
    return _sums(connection, or_(_ISSUED, earlier))


def used_by_issued(connection: Connection, credit_ids: Iterable[str]) -> dict[str, Decimal]:
    """Return what documents that are neither void nor drafts take of some credits, in the credit's currency."""
    return _sums(connection, and_(_ISSUED, credit_uses.c.credit_id.in_(sorted(credit_ids))))


_ISSUED = invoices.c.status.not_in(("draft", "void"))


def _sums(connection: Connection, chosen: ColumnElement[bool]) -> dict[str, Decimal]:
    # Added here: SQLite would add the texts in which it keeps decimals as floating point.
    columns = (credit_uses.c.credit_id, credit_uses.c.amount)
    rows = connection.execute(select(*columns).join_from(credit_uses, invoices).where(chosen))
    sums: dict[str, Decimal] = {}
    for credit_id, amount in rows:
        sums[credit_id] = EXACT.add(sums.get(credit_id, Decimal(0)), amount)
    return sums
