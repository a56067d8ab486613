"""`billing invoices`: drafts, lists, statements in the terminal, documents as files."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from billing_pipeline.cli.jobs import open_jobs
from billing_pipeline.cli.output import OUT, complain, show_table
from billing_pipeline.documents.formatting import format_amount, format_quantity
from billing_pipeline.documents.invoice_csv import invoice_csv
from billing_pipeline.documents.invoice_pdf import PdfCompiler
from billing_pipeline.errors import WrongUsage
from billing_pipeline.identifiers import file_name_of
from billing_pipeline.invoicing import Invoice
from billing_pipeline.ledger.documents import list_errors, list_invoices, load_invoice, load_invoices
from billing_pipeline.periods import BillingPeriod
from resources.lake import replacing
from resources.ledger import open_ledger, reading
from resources.workspace import Workspace

app = typer.Typer(help="Invoice documents of end customers.", no_args_is_help=True)

MonthOption = Annotated[str | None, typer.Option("--month", metavar="YYYY-MM", help="Billing period.")]
CustomerOption = Annotated[list[str] | None, typer.Option("--customer", metavar="ID", help="Customer; repeatable.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

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


class ChoiceInvalid(WrongUsage):
    """The documents were not named in a way that can be followed."""


def reject_empty_reason(override_unsettled: str | None) -> None:
    """Refuse an override without a reason: it is printed on the drafts and kept.

    Raises:
        ChoiceInvalid: the reason is empty.
    """
    if override_unsettled is not None and not override_unsettled.strip():
        raise ChoiceInvalid("--override-unsettled needs a reason")


@app.command("draft")
def draft_command(
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="Billing period.")],
    customer: CustomerOption = None,
    include_marketplace_fees: Annotated[
        bool, typer.Option("--include-marketplace-fees", help="Pass marketplace fees through at cost, margin 0.")
    ] = False,
    override_unsettled: Annotated[
        str | None,
        typer.Option("--override-unsettled", metavar="REASON", help="Draft although vendors still estimate."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make or replace the drafts of a billing period from what the lake holds; other documents are never touched."""
    reject_empty_reason(override_unsettled)
    workspace, period = Workspace.from_environment(), BillingPeriod.parse(month)
    with open_jobs(workspace) as jobs:
        jobs.run_month(
            period,
            {
                "customers": customer or [],
                "include_marketplace_fees": include_marketplace_fees,
                "override_unsettled": override_unsettled or "",
                "who": "billing invoices draft",
            },
        )
    _list(workspace, period.text, customer, None, as_json)
    with reading(open_ledger(workspace.load_config().ledger.url, workspace.home)).connect() as connection:
        errors = [
            error for error in list_errors(connection, period.text) if not customer or error.customer_id in customer
        ]
    for error in errors:
        complain(f"no draft for customer {error.customer_id}: {error.reason}")
    if errors:
        complain(f"{len({error.customer_id for error in errors})} customer(s) without draft")
        raise typer.Exit(1)


@app.command("list")
def list_command(
    month: MonthOption = None,
    customer: CustomerOption = None,
    status: Annotated[str | None, typer.Option("--status", help="draft, open, ...")] = None,
    as_json: JsonOption = False,
) -> None:
    """List documents."""
    period = None if month is None else BillingPeriod.parse(month).text
    _list(Workspace.from_environment(), period, customer, status, as_json)


@app.command("show")
def show_command(
    invoice_id: Annotated[str, typer.Argument(metavar="ID", help="Document, as `billing invoices list` names it.")],
    as_json: JsonOption = False,
) -> None:
    """Show one document in the terminal, as a statement."""
    workspace = Workspace.from_environment()
    with reading(open_ledger(workspace.load_config().ledger.url, workspace.home)).connect() as connection:
        invoice = load_invoice(connection, invoice_id)
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
    formats: Annotated[str, typer.Option("--format", metavar="pdf,csv", help="Formats.")] = "pdf,csv",
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder; default exports/invoices.")] = None,
) -> None:
    """Write documents as PDF and CSV files, chosen by id, --customer, --month or --all."""
    if not (invoice_ids or month or customer or everything):
        raise ChoiceInvalid("name documents by id, --customer, --month or --all")
    wanted = tuple(name.strip().lower() for name in formats.split(",") if name.strip())
    unknown = [name for name in wanted if name not in ("pdf", "csv")]
    if unknown or not wanted:
        raise ChoiceInvalid(f"format {', '.join(unknown) or 'none'} is unknown; there are pdf and csv")
    workspace = Workspace.from_environment()
    period = None if month is None else BillingPeriod.parse(month).text
    for path in export_documents(workspace, period, customer, wanted, out, invoice_ids):
        OUT.print(str(path), markup=False, soft_wrap=True)


def export_documents(
    workspace: Workspace,
    period: str | None,
    customers: Sequence[str] | None,
    formats: Sequence[str],
    out: Path | None = None,
    invoice_ids: Sequence[str] | None = None,
) -> list[Path]:
    """Write documents as files, each whole or not at all; the same document gives the same bytes.

    Args:
        formats: of `pdf` and `csv`.
        out: folder; None for a folder per billing period in exports/invoices.

    Returns:
        The files, in the order of the documents.

    Raises:
        ChoiceInvalid: a document that was named does not exist, or nothing was found.
    """
    with reading(open_ledger(workspace.load_config().ledger.url, workspace.home)).connect() as connection:
        found = load_invoices(connection, period=period, invoice_ids=invoice_ids)
    chosen = [invoice for invoice in found if not customers or invoice.customer.id in customers]
    missing = sorted(set(invoice_ids or ()) - {invoice.invoice_id for invoice in chosen})
    if missing:
        raise ChoiceInvalid(f"there is no document {', '.join(missing)}")
    compiler = PdfCompiler()
    written = []
    for invoice in chosen:
        folder = out or workspace.exports / "invoices" / invoice.billing_period
        for name in formats:
            target = folder / f"{file_name_of(invoice.invoice_id)}.{name}"
            content = compiler.render(_with_logo(invoice, workspace)) if name == "pdf" else invoice_csv(invoice)
            with replacing(target) as temporary:
                temporary.write_bytes(content)
            written.append(target)
    return written


def _with_logo(invoice: Invoice, workspace: Workspace) -> Invoice:
    """Return the document with its logo's path below the workspace."""
    logo = invoice.organisation.logo
    if logo is None:
        return invoice
    return replace(invoice, organisation=replace(invoice.organisation, logo=str(workspace.home / logo)))


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
            summary.invoice_number or summary.status,
            summary.customer_name,
            format_amount(summary.total, summary.currency),
            summary.currency,
            summary.due_date,
        ]
        for summary in chosen
    ]
    show_table("Invoices", ["invoice_id", "number", "customer", "total", "", "due_date"], rows, as_json=False)


def _print_statement(invoice: Invoice) -> None:
    currency = invoice.currency
    heading = f"{invoice.organisation.name}  -  statement {invoice.invoice_number or '(draft)'}"
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
