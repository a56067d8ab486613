"""`billing invoices show` and `preview`: statements in the terminal, of documents and of what would become drafts."""

from pathlib import Path
from typing import Annotated

import typer

from billing_pipeline.cli.document_choice import AllOption, CustomerOption, IdsArgument, JsonOption, MonthOption, choose
from billing_pipeline.cli.document_exports import CurrencyOption, formats_of, shown_in
from billing_pipeline.cli.draft_options import (
    ApplyCredits,
    IncludeMarketplaceFees,
    IncludeTax,
    OverrideUnsettled,
    UseCreditsForMarketplaceFees,
    draft_options,
    period_to_draft,
)
from billing_pipeline.cli.month_documents import complain_of_missing
from billing_pipeline.cli.output import OUT, complain, show_table
from billing_pipeline.cli.reference_notices import take_reference
from billing_pipeline.cli.statements import print_statement
from billing_pipeline.invoicing import Invoice
from billing_pipeline.ledger.documents import list_invoices, load_invoices
from billing_pipeline.periods import BillingPeriod
from resources.document_files import DETAILED, FORMATS, Layout, Templates, write_documents
from resources.invoice_previews import preview_month
from resources.ledger import open_ledger, reading
from resources.workspace import Workspace

_LINE_COLUMNS = (
    "line_number",
    "product_type",
    "product_name",
    "description",
    "quantity",
    "unit",
    "amount",
    "currency",
    "line_kind",
    "service_period",
    "reference",
)
_PREVIEWED = tuple(name for name in FORMATS if name != DETAILED)


def register(app: typer.Typer) -> None:
    """Add the commands to `billing invoices`."""
    app.command("show")(show_command)
    app.command("preview")(preview_command)


def show_command(
    invoice_ids: IdsArgument = None,
    month: MonthOption = None,
    customer: CustomerOption = None,
    everything: AllOption = False,
    currency: CurrencyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show documents in the terminal, as statements, chosen by id, --customer, --month or --all."""
    workspace = Workspace.from_environment()
    period = None if month is None else BillingPeriod.parse(month).text
    with reading(open_ledger(workspace.load_config().ledger.url, workspace.home)).connect() as connection:
        choice = choose(
            list_invoices(connection, period=period), invoice_ids, customer, everything or period is not None
        )
        ids = [head.invoice_id for head in choice.documents]
        found = {invoice.invoice_id: invoice for invoice in load_invoices(connection, invoice_ids=ids)}
    _show(shown_in(workspace, [found[name] for name in ids], currency), as_json)
    for problem in choice.problems:
        complain(f"{problem}; `billing invoices list` shows all")
    if choice.problems:
        raise typer.Exit(1)


def preview_command(
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", help="Billing period; default: last month.")
    ] = None,
    customer: CustomerOption = None,
    apply_credits: ApplyCredits = False,
    include_tax: IncludeTax = False,
    include_marketplace_fees: IncludeMarketplaceFees = False,
    use_credits_for_marketplace_fees: UseCreditsForMarketplaceFees = False,
    override_unsettled: OverrideUnsettled = None,
    currency: CurrencyOption = None,
    formats: Annotated[
        str, typer.Option("--format", metavar="pdf,csv", help=f"Of {', '.join(_PREVIEWED)}; with --out.")
    ] = "pdf",
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write files there instead.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what `billing invoices draft` would make, and make nothing: no draft is written, no month locked.

    Exits 1 if a customer would get no draft; stderr says why. Customers whose month is invoiced are named there, too.
    """
    options = draft_options(
        apply_credits,
        include_tax,
        include_marketplace_fees,
        use_credits_for_marketplace_fees,
        override_unsettled,
        customer,
    )
    wanted = formats_of(formats, _PREVIEWED)
    workspace = Workspace.from_environment()
    period = period_to_draft(workspace, month)
    refused = take_reference(workspace)
    drafted = preview_month(workspace, period, options)
    shown = shown_in(workspace, drafted.invoices, currency)
    if out is None:
        _show(shown, as_json)
    else:
        layout = Layout(wanted, Templates.of_workspace(workspace.home, workspace.load_config().documents))
        for path in write_documents(shown, lambda _: out, lambda logo: workspace.home / logo, layout):
            OUT.print(str(path), markup=False, soft_wrap=True)
    if complain_of_missing(drafted.errors) or refused:
        raise typer.Exit(1)


def _show(invoices: list[Invoice], as_json: bool) -> None:
    if as_json:
        rows = [
            [invoice.invoice_id, *(getattr(line, name, invoice.currency) for name in _LINE_COLUMNS)]
            for invoice in invoices
            for line in invoice.shown_lines
        ]
        show_table("Lines", ("invoice_id", *_LINE_COLUMNS), rows, as_json=True)
        return
    for number, invoice in enumerate(invoices):
        if number:
            OUT.print()
        print_statement(invoice)
