"""An invoice as detailed CSV: one row per charge, in full precision, with the vendor's file and rows it came from.

What does not belong here: finding charges and files (`resources.document_charges`), rounded amounts (`invoice_csv`).
"""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from billing_pipeline.documents.formatting import plain_decimal, text_cell
from billing_pipeline.explaining.row_ranges import ranges_text, row_ranges
from billing_pipeline.invoicing import Invoice, InvoiceLine

COLUMNS = (
    "invoice_id", "invoice_number", "line_number", "line_kind", "charge_id", "customer_id", "customer_name",
    "product_type", "product_id", "product_name", "description", "billing_period", "period_start", "period_end",
    "quantity", "unit", "amount", "currency", "price_term", "price_term_id", "source", "delivery_id", "file_name",
    "file_sha256", "row_numbers", "reference", "cause",
)  # fmt: skip
COST_COLUMNS = ("total_cost", "margin")
# Between the files of a charge that came in several; their hashes and rows follow the same order.
_BETWEEN_FILES = "; "


def detailed_csv(invoice: Invoice, charges: Iterable[Mapping[str, Any]], with_cost: bool = False) -> bytes:
    r"""Write the charges behind an invoice as CSV.

    Args:
        invoice: the document.
        charges: those behind it, sorted by line: columns of `billed_charges`, and `files`, a list of (file_name,
            file_sha256, sorted row numbers).
        with_cost: whether the reseller's cost and margin of each charge are written too.

    Returns:
        UTF-8 without BOM after RFC 4180, `\r\n`. A line without charges, such as support or a custom charge, has a row
        of its own without `charge_id`, so that the rows of each line add up to its exact amount. `amount` is exact
        and in the charge's own `currency`, before it was converted and rounded. `row_numbers` are runs such as
        `1-5, 9`, counted from the first row below the header. `reference` names document and line that an adjustment or
        a credit note's line refers to, `cause` why a charge is adjusted. Text that a spreadsheet would take for a
        formula gets a leading apostrophe.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow((*COLUMNS, *COST_COLUMNS) if with_cost else COLUMNS)
    of_line: dict[int, list[Mapping[str, Any]]] = {}
    for charge in charges:
        of_line.setdefault(charge["line_number"], []).append(charge)
    # An adjustment of nothing tells about the reseller's cost, so it is for those who may see that.
    for line in invoice.lines if with_cost else invoice.shown_lines:
        own = of_line.get(line.line_number)
        if own is None:
            writer.writerow(_row_without_charge(invoice, line) + ([""] * len(COST_COLUMNS) if with_cost else []))
            continue
        writer.writerows(_row(invoice, line, charge) + (_cost(charge) if with_cost else []) for charge in own)
    return buffer.getvalue().encode("utf-8")


def _row(invoice: Invoice, line: InvoiceLine, charge: Mapping[str, Any]) -> list[str]:
    quantity, files = charge["quantity"], charge["files"]
    return [
        *_head(invoice, line, charge["charge_id"]),
        charge["billing_period"],
        _text(charge["period_start"]),
        _text(charge["period_end"]),
        "" if quantity is None else plain_decimal(quantity),
        text_cell(charge["unit"] or ""),
        plain_decimal(charge["amount_precise"]),
        charge["currency"],
        text_cell(charge["price_term"] or ""),
        text_cell(charge["price_term_id"] or ""),
        text_cell(charge["source"]),
        text_cell(charge["delivery_id"]),
        text_cell(_BETWEEN_FILES.join(name for name, _, _ in files)),
        _BETWEEN_FILES.join(sha256 for _, sha256, _ in files),
        _BETWEEN_FILES.join(ranges_text(row_ranges(rows)) for _, _, rows in files),
        text_cell(line.reference or ""),
        charge["cause"] or "",
    ]


def _row_without_charge(invoice: Invoice, line: InvoiceLine) -> list[str]:
    amount = line.amount_precise if line.charged_amount is None else line.charged_amount
    return [
        *_head(invoice, line, ""),
        line.service_period or invoice.billing_period,
        "",
        "",
        "" if line.quantity is None else plain_decimal(line.quantity),
        text_cell(line.unit or ""),
        plain_decimal(amount),
        line.charged_currency or invoice.currency,
        *[""] * 7,
        text_cell(line.reference or ""),
        "",
    ]


def _head(invoice: Invoice, line: InvoiceLine, charge_id: str) -> list[str]:
    return [
        text_cell(invoice.invoice_id),
        text_cell(invoice.invoice_number or ""),
        str(line.line_number),
        line.line_kind,
        text_cell(charge_id),
        text_cell(invoice.customer.id),
        text_cell(invoice.customer.name),
        text_cell(line.product_type),
        text_cell(line.product_id),
        text_cell(line.product_name),
        text_cell(line.description),
    ]


def _cost(charge: Mapping[str, Any]) -> list[str]:
    cost, amount = charge["total_cost"], charge["amount_precise"]
    return [plain_decimal(cost), plain_decimal(amount - cost)]


def _text(day: object) -> str:
    return "" if day is None else str(day)
