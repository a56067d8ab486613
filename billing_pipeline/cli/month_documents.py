"""What a run of drafts came to: the documents of a month, and why customers have none."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from billing_pipeline.cli.output import complain
from billing_pipeline.invoicing import InvoiceError
from billing_pipeline.ledger.documents import list_errors, list_invoices
from billing_pipeline.ledger.life import VOID
from billing_pipeline.periods import BillingPeriod
from resources.ledger import open_ledger, reading
from resources.workspace import Workspace

ALREADY_INVOICED: Final = "already_invoiced"


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
    failed = {error.customer_id for error in errors if error.kind not in ("unsettled", ALREADY_INVOICED)}
    texts = {error: _sentence(error) for error in errors}
    return MonthDocuments(
        len(found),
        len({error.customer_id for error in errors}),
        tuple(text for error, text in texts.items() if error.customer_id in failed),
        tuple(text for error, text in texts.items() if error.customer_id not in failed),
        totals,
    )


def complain_of_missing(errors: Sequence[InvoiceError]) -> bool:
    """Say on stderr which customers got no draft, and why.

    Returns:
        Whether that is a failure: a customer whose month is invoiced needs no draft, and is only named.
    """
    missing = {error.customer_id for error in errors if error.kind != ALREADY_INVOICED}
    for error in errors:
        complain(_sentence(error))
    if missing:
        complain(f"{len(missing)} customer(s) without draft")
    return bool(missing)


def _sentence(error: InvoiceError) -> str:
    what = "no change" if error.kind == ALREADY_INVOICED else "no draft"
    return f"{what} for customer {error.customer_id}: {error.reason}"
