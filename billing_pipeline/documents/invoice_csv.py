"""An invoice as CSV: one row per line, for other programs and spreadsheets.

What does not belong here: a row per charge (the detailed CSV), totals, layout.
"""

import csv
import io

from billing_pipeline.documents.formatting import plain_decimal, text_cell
from billing_pipeline.invoicing import Invoice, InvoiceLine
from billing_pipeline.money import minor_units

COLUMNS = (
    "invoice_id", "invoice_number", "status", "customer_id", "customer_name", "billing_period", "line_number",
    "product_type", "product_id", "product_name", "description", "quantity", "unit", "amount", "currency",
    "tax_category", "line_kind", "service_period", "reference",
)  # fmt: skip


def invoice_csv(invoice: Invoice) -> bytes:
    r"""Write an invoice's lines as CSV.

    Args:
        invoice: the document; `amount` is each line's payable amount in `invoice.currency`.

    Returns:
        UTF-8 without BOM after RFC 4180: a header, a row per line, `\r\n`, quotes only where needed. Amounts keep the
        currency's decimals, numbers have no thousands' separator. `service_period` and `reference` say which month
        and which line of which document an adjustment, or a credit note's line, belongs to. Text that a spreadsheet
        would take for a formula gets a leading apostrophe (`text_cell`).

    Raises:
        UnknownCurrency: the document's currency is not in ISO 4217.
    """
    decimals = minor_units(invoice.currency)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(invoice, line, decimals) for line in invoice.shown_lines)
    return buffer.getvalue().encode("utf-8")


def _row(invoice: Invoice, line: InvoiceLine, decimals: int) -> list[str]:
    return [
        text_cell(invoice.invoice_id),
        text_cell(invoice.invoice_number or ""),
        text_cell(invoice.status),
        text_cell(invoice.customer.id),
        text_cell(invoice.customer.name),
        invoice.billing_period,
        str(line.line_number),
        text_cell(line.product_type),
        text_cell(line.product_id),
        text_cell(line.product_name),
        text_cell(line.description),
        "" if line.quantity is None else plain_decimal(line.quantity),
        text_cell(line.unit or ""),
        plain_decimal(line.amount, decimals),
        invoice.currency,
        text_cell(line.tax_category),
        line.line_kind,
        line.service_period or "",
        text_cell(line.reference or ""),
    ]
