"""A document in the terminal, as a statement reads."""

from decimal import Decimal
from itertools import groupby

from rich.table import Table

from billing_pipeline.cli.output import OUT
from billing_pipeline.documents.formatting import format_amount, format_quantity, plain_decimal
from billing_pipeline.documents.view import invoice_view
from billing_pipeline.invoicing import Invoice, InvoiceLine


def print_statement(invoice: Invoice) -> None:
    """Print a document: who, when, its lines under their product types, totals, taxes, credits, rates, options."""
    currency, view = invoice.currency, invoice_view(invoice)
    heading = f"{invoice.organisation.name}  -  {view['title']} {invoice.invoice_number or ''}".rstrip()
    OUT.print(heading, style="bold", markup=False)
    due = "" if invoice.payable_by is None else f"    Due {invoice.payable_by}"
    OUT.print(f"Customer  {invoice.customer.name} ({invoice.customer.id})", markup=False)
    OUT.print(f"Period    {invoice.billing_period}    Status {invoice.status}{due}", markup=False)
    OUT.print(_line_table(invoice))
    totals = (
        ("Subtotal", invoice.subtotal),
        ("Tax", invoice.tax_total),
        ("Credits", -invoice.credits_applied),
        ("In favour", -invoice.total) if invoice.is_in_favour else ("Total", invoice.total),
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
    for product_type, group in groupby(invoice.shown_lines, key=lambda line: line.product_type):
        lines = list(group)
        subtotal = format_amount(sum((line.amount for line in lines), Decimal(0)), currency)
        table.add_section()
        table.add_row("", f"[bold]{_plain(product_type)}[/bold]", "", "", f"[bold]{subtotal}[/bold]")
        for line in lines:
            table.add_row(
                str(line.line_number),
                _plain(_described(line)),
                "" if line.quantity is None else format_quantity(line.quantity),
                _plain(line.unit or ""),
                format_amount(line.amount, currency),
            )
    return table


def _described(line: InvoiceLine) -> str:
    """Return what a line is, and below it the month and the line of another document that it belongs to."""
    period = None if line.service_period is None else f"service period {line.service_period}"
    reference = None if line.reference is None else f"refers to {line.reference}"
    belongs = ", ".join(part for part in (period, reference) if part is not None)
    return f"{line.description}\n  {belongs}" if belongs else line.description


def _plain(text: str) -> str:
    """Return a text that Rich prints as it is, without reading markup in it."""
    return text.replace("[", r"\[")
