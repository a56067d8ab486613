"""Documents as files, and documents as they read in another currency."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from billing_pipeline.cli.document_choice import ChoiceInvalid
from billing_pipeline.documents.detailed_csv import COST_COLUMNS
from billing_pipeline.invoicing import Invoice
from billing_pipeline.ledger.documents import list_invoices, load_invoices
from billing_pipeline.ledger.life import DRAFT
from resources.document_charges import DocumentCharges
from resources.document_files import DETAILED, FORMATS, USUAL_FORMATS, Layout, Templates, write_documents
from resources.lake import Lake
from resources.ledger import open_ledger, reading
from resources.logo_versions import LogoVersions
from resources.statement_currency import StatementCurrency
from resources.workspace import Workspace

CurrencyOption = Annotated[
    str | None,
    typer.Option("--currency", metavar="CODE", help="For information, in another currency that the customer enabled."),
]
ForCustomersOption = Annotated[
    bool, typer.Option("--for-customers", help="Only what customers may see: everything but drafts.")
]
COST_HELP = f"The detailed CSV shows your cost too: {', '.join(COST_COLUMNS)}."


def formats_of(text: str, known: Sequence[str] = FORMATS) -> tuple[str, ...]:
    """Return the formats that `--format` lists, of those that are known.

    Raises:
        ChoiceInvalid: one is unknown, or there is none.
    """
    wanted = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        raise ChoiceInvalid(f"format {', '.join(unknown) or 'none'} is unknown; there are {', '.join(known)}")
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
    for_customers: bool = False,
) -> list[Path]:
    """Write documents as files, each whole or not at all; the same document gives the same bytes.

    Args:
        formats: of `FORMATS`.
        out: folder; None for a folder per billing period in exports/invoices.
        with_cost: whether the detailed CSV shows the reseller's cost.
        for_customers: leave out drafts, which customers never see.
        currency: another currency that every chosen customer has enabled; the documents themselves stay as they are.

    Returns:
        The files, in the order of the documents.

    Raises:
        ChoiceInvalid: a document that was named does not exist or is not for customers, or the detailed CSV, which has
            the charges' own currencies, was asked for in another currency.
        CurrencyNotEnabled, RateMissing: a document cannot be shown in that currency.
    """
    if currency is not None and DETAILED in formats:
        raise ChoiceInvalid(f"{DETAILED} is in the currencies of the charges; leave out --currency")
    config = workspace.load_config()
    engine = open_ledger(config.ledger.url, workspace.home)
    with reading(engine).connect() as connection:
        found = load_invoices(connection, period=period, invoice_ids=invoice_ids)
        opened_at = {head.invoice_id: head.opened_at for head in list_invoices(connection, period=period)}
    chosen = [invoice for invoice in found if not customers or invoice.customer.id in customers]
    if for_customers:
        drafts = [invoice.invoice_id for invoice in chosen if invoice.status == DRAFT]
        if drafts and invoice_ids:
            raise ChoiceInvalid(f"{', '.join(drafts)}: customers do not see drafts")
        chosen = [invoice for invoice in chosen if invoice.status != DRAFT]
    missing = sorted(set(invoice_ids or ()) - {invoice.invoice_id for invoice in chosen})
    if missing:
        raise ChoiceInvalid(f"there is no document {', '.join(missing)}")
    exports = workspace.exports / "invoices"
    shown = _with_logos_of_issue(workspace, shown_in(workspace, chosen, currency), opened_at)
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


def _with_logos_of_issue(
    workspace: Workspace, invoices: Sequence[Invoice], opened_at: Mapping[str, datetime | None]
) -> list[Invoice]:
    """Return documents with the logo that was in use when each was issued; drafts carry the one of today."""
    logos = LogoVersions(workspace.home)
    found = []
    for invoice in invoices:
        name, at = invoice.organisation.logo, opened_at[invoice.invoice_id]
        logo = None if name is None or at is None else logos.find(name, at)
        organisation = invoice.organisation if logo is None else replace(invoice.organisation, logo=str(logo))
        found.append(replace(invoice, organisation=organisation))
    return found


def shown_in(workspace: Workspace, invoices: Sequence[Invoice], currency: str | None) -> list[Invoice]:
    """Return documents as they read in another currency; as they are where none is asked for.

    Raises:
        CurrencyNotEnabled, RateMissing: see `StatementCurrency.show`.
    """
    if currency is None:
        return list(invoices)
    statement_currency = StatementCurrency.of_workspace(workspace, currency.upper())
    return [statement_currency.show(invoice) for invoice in invoices]
