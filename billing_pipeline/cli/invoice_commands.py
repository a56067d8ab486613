"""`billing invoices`: drafts, lists, statements in the terminal, documents as files."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from billing_pipeline.cli import invoice_operations
from billing_pipeline.cli.document_choice import ChoiceInvalid
from billing_pipeline.cli.document_exports import COST_HELP, export_documents, formats_of, shown_in
from billing_pipeline.cli.draft_options import (
    ApplyCredits,
    IncludeMarketplaceFees,
    IncludeTax,
    OverrideUnsettled,
    UseCreditsForMarketplaceFees,
    draft_config,
    draft_options,
)
from billing_pipeline.cli.jobs import open_jobs
from billing_pipeline.cli.output import OUT, complain, show_table
from billing_pipeline.cli.reference_notices import take_reference
from billing_pipeline.documents.formatting import format_amount, format_quantity, plain_decimal
from billing_pipeline.documents.view import invoice_view
from billing_pipeline.invoicing import Invoice
from billing_pipeline.ledger.documents import list_errors, list_invoices, load_invoice
from billing_pipeline.periods import BillingPeriod
from resources.document_files import FORMATS
from resources.ledger import open_ledger, reading
from resources.workspace import Workspace

app = typer.Typer(help="Invoice documents of end customers.", no_args_is_help=True)
invoice_operations.register(app)

MonthOption = Annotated[str | None, typer.Option("--month", metavar="YYYY-MM", help="Billing period.")]
CustomerOption = Annotated[list[str] | None, typer.Option("--customer", metavar="ID", help="Customer; repeatable.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

CurrencyOption = Annotated[
    str | None,
    typer.Option("--currency", metavar="CODE", help="For information, in another currency that the customer enabled."),
]
_FORMAT_HELP = f"Of {', '.join(FORMATS)}."

_COLUMNS = (
    "invoice_id",
    "invoice_number",
    "status",
    "customer_id",
    "customer_name",
    "billing_period",
    "currency",
    "subtotal",
    "tax_total",
    "credits_applied",
    "total",
    "due_date",
)
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
)


@app.command("draft")
def draft_command(
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="Billing period.")],
    customer: CustomerOption = None,
    apply_credits: ApplyCredits = False,
    include_tax: IncludeTax = False,
    include_marketplace_fees: IncludeMarketplaceFees = False,
    use_credits_for_marketplace_fees: UseCreditsForMarketplaceFees = False,
    override_unsettled: OverrideUnsettled = None,
    as_json: JsonOption = False,
) -> None:
    """Make or replace the drafts of a billing period from what the lake holds; other documents are never touched."""
    options = draft_options(
        apply_credits,
        include_tax,
        include_marketplace_fees,
        use_credits_for_marketplace_fees,
        override_unsettled,
        customer,
    )
    workspace, period = Workspace.from_environment(), BillingPeriod.parse(month)
    refused = take_reference(workspace)
    with open_jobs(workspace) as jobs:
        jobs.run_month(period, draft_config(options, "billing invoices draft"))
    _list(workspace, period.text, customer, None, as_json)
    with reading(open_ledger(workspace.load_config().ledger.url, workspace.home)).connect() as connection:
        errors = [
            error for error in list_errors(connection, period.text) if not customer or error.customer_id in customer
        ]
    for error in errors:
        complain(f"no draft for customer {error.customer_id}: {error.reason}")
    if errors:
        complain(f"{len({error.customer_id for error in errors})} customer(s) without draft")
    if errors or refused:
        raise typer.Exit(1)


@app.command("list")
def list_command(
    month: MonthOption = None,
    customer: CustomerOption = None,
    status: Annotated[str | None, typer.Option("--status", help="draft, open, past due, closed or void.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List documents."""
    period = None if month is None else BillingPeriod.parse(month).text
    _list(Workspace.from_environment(), period, customer, status, as_json)


@app.command("show")
def show_command(
    invoice_id: Annotated[str, typer.Argument(metavar="ID", help="Document, as `billing invoices list` names it.")],
    currency: CurrencyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one document in the terminal, as a statement."""
    workspace = Workspace.from_environment()
    with reading(open_ledger(workspace.load_config().ledger.url, workspace.home)).connect() as connection:
        invoice = load_invoice(connection, invoice_id)
    (invoice,) = shown_in(workspace, [invoice], currency)
    if as_json:
        rows = [[getattr(line, name, invoice.currency) for name in _LINE_COLUMNS] for line in invoice.lines]
        show_table(invoice.invoice_id, _LINE_COLUMNS, rows, as_json=True)
        return
    _print_statement(invoice)


@app.command("export")
def export_command(
    invoice_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Documents.")] = None,
    month: MonthOption = None,
    customer: CustomerOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Every document.")] = False,
    formats: Annotated[str, typer.Option("--format", metavar="pdf,csv", help=_FORMAT_HELP)] = "pdf,csv",
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder; default exports/invoices.")] = None,
    with_cost: Annotated[bool, typer.Option("--with-cost", help=COST_HELP)] = False,
    currency: CurrencyOption = None,
) -> None:
    """Write documents as files, chosen by id, --customer, --month or --all."""
    if not (invoice_ids or month or customer or everything):
        raise ChoiceInvalid("name documents by id, --customer, --month or --all")
    wanted = formats_of(formats)
    workspace = Workspace.from_environment()
    period = None if month is None else BillingPeriod.parse(month).text
    for path in export_documents(
        workspace, period, customer, wanted, out, invoice_ids, with_cost=with_cost, currency=currency
    ):
        OUT.print(str(path), markup=False, soft_wrap=True)


def _list(
    workspace: Workspace, period: str | None, customers: Sequence[str] | None, status: str | None, as_json: bool
) -> None:
    with reading(open_ledger(workspace.load_config().ledger.url, workspace.home)).connect() as connection:
        found = list_invoices(connection, period=period, status=status)
    chosen = [summary for summary in found if not customers or summary.customer_id in customers]
    if as_json:
        show_table("Invoices", _COLUMNS, [[getattr(summary, name) for name in _COLUMNS] for summary in chosen], True)
        return
    rows = [
        [
            summary.invoice_id,
            summary.invoice_number,
            summary.status,
            summary.customer_name,
            format_amount(summary.total, summary.currency),
            summary.currency,
            summary.due_date,
        ]
        for summary in chosen
    ]
    show_table("Invoices", ["invoice_id", "number", "status", "customer", "total", "", "due_date"], rows, as_json=False)


def _print_statement(invoice: Invoice) -> None:
    currency, view = invoice.currency, invoice_view(invoice)
    heading = f"{invoice.organisation.name}  -  {view['title']} {invoice.invoice_number or ''}".rstrip()
    OUT.print(heading, style="bold", markup=False)
    OUT.print(f"Customer  {invoice.customer.name} ({invoice.customer.id})", markup=False)
    OUT.print(f"Period    {invoice.billing_period}    Status {invoice.status}    Due {invoice.due_date}", markup=False)
    OUT.print(_line_table(invoice))
    totals = (
        ("Subtotal", invoice.subtotal),
        ("Tax", invoice.tax_total),
        ("Credits", -invoice.credits_applied),
        ("Total", invoice.total),
    )
    for name, amount in totals:
        OUT.print(f"{name:<10}{format_amount(amount, currency):>20} {currency}", markup=False)
    for tax in invoice.taxes:
        taxed = f"{tax.name}, {plain_decimal(tax.percent)} % of {format_amount(tax.base, currency)}"
        OUT.print(f"Tax       {format_amount(tax.amount, currency)} {currency}: {taxed}", markup=False)
    for use in invoice.credits:
        left = f"{format_amount(use.left, currency)} left" + (f" until {use.expires_on}" if use.expires_on else "")
        OUT.print(f"Credit    {use.credit_id}: {format_amount(use.amount, currency)} {currency}, {left}", markup=False)
    for rate in invoice.exchange_rates:
        quoted = f"1 {rate.base_currency} = {plain_decimal(rate.rate)} {rate.quote_currency}"
        OUT.print(f"Rate      {quoted}, {rate.source or 'no source'}, {rate.rate_date}", markup=False)
    if view["options"]:
        OUT.print(f"Options   {view['options']}", markup=False)
    for note in invoice.notes:
        OUT.print(note, markup=False)


def _line_table(invoice: Invoice) -> Table:
    """Return the lines as a table, under their product types with subtotals."""
    currency = invoice.currency
    table = Table(show_edge=False, header_style="bold")
    table.add_column("", justify="right")
    table.add_column("Description", overflow="fold")
    table.add_column("Quantity", justify="right")
    table.add_column("Unit", overflow="fold")
    table.add_column(currency, justify="right")
    for product_type, group in groupby(invoice.lines, key=lambda line: line.product_type):
        lines = list(group)
        subtotal = format_amount(sum((line.amount for line in lines), Decimal(0)), currency)
        table.add_section()
        table.add_row("", f"[bold]{_plain(product_type)}[/bold]", "", "", f"[bold]{subtotal}[/bold]")
        for line in lines:
            table.add_row(
                str(line.line_number),
                _plain(line.description),
                "" if line.quantity is None else format_quantity(line.quantity),
                _plain(line.unit or ""),
                format_amount(line.amount, currency),
            )
    return table


def _plain(text: str) -> str:
    """Return a text that Rich prints as it is, without reading markup in it."""
    return text.replace("[", r"\[")
