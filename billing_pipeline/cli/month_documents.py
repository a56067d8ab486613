"""What a run of drafts came to: the documents of a month, and why customers have none."""

from dataclasses import dataclass
from decimal import Decimal

from billing_pipeline.ledger.documents import list_errors, list_invoices
from billing_pipeline.ledger.life import VOID
from billing_pipeline.periods import BillingPeriod
from resources.ledger import open_ledger, reading
from resources.workspace import Workspace


@dataclass(frozen=True)
class MonthDocuments:
    """The documents of a month that are not void: how many, why some are missing, and totals per currency."""

    count: int
    missing: int
    problems: tuple[str, ...]
    notices: tuple[str, ...]
    totals: dict[str, Decimal]


def documents_of(workspace: Workspace, month: BillingPeriod | None) -> MonthDocuments:
    """Read the documents of a month from the ledger; none for no month."""
    if month is None:
        return MonthDocuments(0, 0, (), (), {})
    engine = open_ledger(workspace.load_config().ledger.url, workspace.home)
    with reading(engine).connect() as connection:
        found = [head for head in list_invoices(connection, period=month.text) if head.status != VOID]
        errors = list_errors(connection, month.text)
    totals: dict[str, Decimal] = {}
    for summary in found:
        totals[summary.currency] = totals.get(summary.currency, Decimal(0)) + summary.total
    # A vendor that still estimates is a state, not a failure; nor is a customer who was invoiced before.
    failed = {error.customer_id for error in errors if error.kind not in ("unsettled", "already_invoiced")}
    texts = {error: f"no draft for customer {error.customer_id}: {error.reason}" for error in errors}
    return MonthDocuments(
        len(found),
        len({error.customer_id for error in errors}),
        tuple(text for error, text in texts.items() if error.customer_id in failed),
        tuple(text for error, text in texts.items() if error.customer_id not in failed),
        totals,
    )
