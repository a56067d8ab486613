"""Documents as files, and documents as they read in another currency."""

from collections.abc import Sequence
from pathlib import Path

from billing_pipeline.cli.document_choice import ChoiceInvalid
from billing_pipeline.documents.detailed_csv import COST_COLUMNS
from billing_pipeline.invoicing import Invoice
from billing_pipeline.ledger.documents import load_invoices
from resources.document_charges import DocumentCharges
from resources.document_files import DETAILED, FORMATS, USUAL_FORMATS, Layout, Templates, write_documents
from resources.lake import Lake
from resources.ledger import open_ledger, reading
from resources.statement_currency import StatementCurrency
from resources.workspace import Workspace

COST_HELP = f"The detailed CSV shows your cost too: {', '.join(COST_COLUMNS)}."


def formats_of(text: str) -> tuple[str, ...]:
    """Return the formats that `--format` lists.

    Raises:
        ChoiceInvalid: one is unknown, or there is none.
    """
    wanted = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        raise ChoiceInvalid(f"format {', '.join(unknown) or 'none'} is unknown; there are {', '.join(FORMATS)}")
    return wanted


def export_documents(
    workspace: Workspace,
    period: str | None,
    customers: Sequence[str] | None,
    formats: Sequence[str] = USUAL_FORMATS,
    out: Path | None = None,
    invoice_ids: Sequence[str] | None = None,
    *,
    with_cost: bool = False,
    currency: str | None = None,
) -> list[Path]:
    """Write documents as files, each whole or not at all; the same document gives the same bytes.

    Args:
        formats: of `FORMATS`.
        out: folder; None for a folder per billing period in exports/invoices.
        with_cost: whether the detailed CSV shows the reseller's cost.
        currency: another currency that every chosen customer has enabled; the documents themselves stay as they are.

    Returns:
        The files, in the order of the documents.

    Raises:
        ChoiceInvalid: a document that was named does not exist, or the detailed CSV, which has the charges' own
            currencies, was asked for in another currency.
        CurrencyNotEnabled, RateMissing: a document cannot be shown in that currency.
    """
    if currency is not None and DETAILED in formats:
        raise ChoiceInvalid(f"{DETAILED} is in the currencies of the charges; leave out --currency")
    config = workspace.load_config()
    engine = open_ledger(config.ledger.url, workspace.home)
    with reading(engine).connect() as connection:
        found = load_invoices(connection, period=period, invoice_ids=invoice_ids)
    chosen = [invoice for invoice in found if not customers or invoice.customer.id in customers]
    missing = sorted(set(invoice_ids or ()) - {invoice.invoice_id for invoice in chosen})
    if missing:
        raise ChoiceInvalid(f"there is no document {', '.join(missing)}")
    exports = workspace.exports / "invoices"
    shown = shown_in(workspace, chosen, currency)
    suffix = f"-{currency.upper()}" if currency is not None else ""
    layout = Layout(formats, Templates.of_workspace(workspace.home, config.documents), with_cost, suffix)
    charges = DocumentCharges(engine, Lake(workspace.lake), chosen) if DETAILED in formats else None
    return write_documents(
        shown,
        lambda invoice: out or exports / invoice.billing_period,
        lambda logo: workspace.home / logo,
        layout,
        charges,
    )


def shown_in(workspace: Workspace, invoices: Sequence[Invoice], currency: str | None) -> list[Invoice]:
    """Return documents as they read in another currency; as they are where none is asked for.

    Raises:
        CurrencyNotEnabled, RateMissing: see `StatementCurrency.show`.
    """
    if currency is None:
        return list(invoices)
    statement_currency = StatementCurrency.of_workspace(workspace, currency.upper())
    return [statement_currency.show(invoice) for invoice in invoices]
