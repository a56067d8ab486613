"""The three carriers of the distributor invoice: CSV, JSON and XLSX, from the same rows.

The format is described for users in `docs/distributor-invoice.md`.
"""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import xlsxwriter

from billing_pipeline.samples.catalogue import CURRENCY
from billing_pipeline.samples.csv_text import EXACT, plain_decimal, times
from billing_pipeline.samples.distributor_items import DistributorInvoice, Item

HEADER_FIELDS = (
    "invoice_number", "invoice_date", "issued_at", "type", "status", "order_channel", "origin", "currency",
    "credits_invoice_number", "net_total", "tax_total",
)  # fmt: skip
ITEM_FIELDS = (
    "line_number", "customer_id", "customer_name", "product_id", "product_name", "product_type", "pay_per_use",
    "description", "installment_number", "installment_count", "start_date", "end_date", "quantity", "unit",
    "list_price", "unit_cost", "order_id", "ordered_at", "credits_line_number",
)  # fmt: skip
FIELDS = HEADER_FIELDS + ITEM_FIELDS
_NUMBERS = frozenset({"net_total", "tax_total", "quantity", "list_price", "unit_cost"})
_DAYS = frozenset({"invoice_date", "start_date", "end_date"})
# A spreadsheet keeps numbers as floating point with 15 significant digits; what is longer goes in as text.
_DIGITS_OF_A_SHEET = 15
_TAX = Decimal("0.24")


def header_values(invoice: DistributorInvoice) -> dict[str, str]:
    """Return the fields of an invoice that all its items repeat, as text."""
    return {
        "invoice_number": invoice.invoice_number,
        "invoice_date": invoice.invoice_date.isoformat(),
        "issued_at": _instant(invoice.invoice_date, 9),
        "type": invoice.kind,
        "status": invoice.status,
        "order_channel": invoice.order_channel,
        "origin": invoice.origin,
        "currency": CURRENCY,
        "credits_invoice_number": invoice.credits_invoice_number,
        "net_total": plain_decimal(invoice.net_total),
        "tax_total": plain_decimal(times(invoice.net_total, _TAX, 2)),
    }


def item_values(item: Item, invoice_date: date) -> dict[str, str]:
    """Return the fields of one item, as text; what is absent is empty."""
    licence = item.licence
    number, count = item.installment or ("", "")
    return {
        "line_number": item.line_number,
        "customer_id": item.customer.customer_id,
        "customer_name": item.customer.name,
        "product_id": licence.product_id,
        "product_name": licence.name,
        "product_type": licence.product_type,
        "pay_per_use": "true" if licence.is_pay_per_use else "false",
        "description": item.description,
        "installment_number": str(number),
        "installment_count": str(count),
        "start_date": item.start_date.isoformat(),
        "end_date": item.end_date.isoformat(),
        "quantity": plain_decimal(item.quantity),
        "unit": licence.unit,
        "list_price": _list_price(item),
        "unit_cost": plain_decimal(item.unit_cost),
        "order_id": item.order_id,
        "ordered_at": _instant(invoice_date - timedelta(days=item.ordered_before_days), 7),
        "credits_line_number": item.credits_line_number,
    }


def as_csv(invoices: Sequence[DistributorInvoice]) -> bytes:
    """Return invoices as CSV: one row per item, header values repeated."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(_rows(invoices))
    return text.getvalue().encode()


def as_json(invoices: Sequence[DistributorInvoice]) -> bytes:
    """Return invoices as JSON; numbers are text, so that no reader makes floating point of them."""
    document = {
        "invoices": [
            {
                **_filled(header_values(invoice)),
                "items": [_filled(item_values(item, invoice.invoice_date)) for item in invoice.items],
            }
            for invoice in invoices
        ]
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def as_xlsx(invoices: Sequence[DistributorInvoice]) -> bytes:
    """Return invoices as a workbook whose first sheet looks like the CSV; the same invoices give the same bytes."""
    target = io.BytesIO()
    workbook = xlsxwriter.Workbook(target, {"in_memory": True})
    # Without it the workbook carries the time at which it was written.
    workbook.set_properties({"created": datetime(2026, 1, 1)})  # noqa: DTZ001 xlsxwriter wants it without zone
    bold = workbook.add_format({"bold": True})
    day_format = workbook.add_format({"num_format": "yyyy-mm-dd"})
    sheet = workbook.add_worksheet("Invoice")
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(FIELDS) - 1, 18)
    sheet.write_row(0, 0, FIELDS, bold)
    for row_index, row in enumerate(_rows(invoices), start=1):
        for column_index, name in enumerate(FIELDS):
            text = row[name]
            if name in _DAYS and text:
                sheet.write_datetime(row_index, column_index, datetime.fromisoformat(text), day_format)
            elif name in _NUMBERS and text and sum(map(str.isdigit, text)) <= _DIGITS_OF_A_SHEET:
                sheet.write_number(row_index, column_index, Decimal(text))
            elif text:
                sheet.write_string(row_index, column_index, text)
    workbook.close()
    return target.getvalue()


def _rows(invoices: Sequence[DistributorInvoice]) -> list[dict[str, str]]:
    return [
        {**header_values(invoice), **item_values(item, invoice.invoice_date)}
        for invoice in invoices
        for item in invoice.items
    ]


def _filled(values: dict[str, str]) -> dict[str, str | bool | None]:
    """Return the values as JSON has them: absent ones null, truth values true and false."""
    return {name: (text == "true") if name == "pay_per_use" else text or None for name, text in values.items()}


def _list_price(item: Item) -> str:
    """Return the SRP for what one unit of the item is: an installment's and a part month's share of it."""
    if item.licence.list_price is None:
        return ""
    share = EXACT.divide(item.unit_cost, item.licence.unit_cost)
    return plain_decimal(times(item.licence.list_price, share, 9))


def _instant(day: date, hour: int) -> str:
    return f"{datetime.combine(day, time(hour), UTC):%Y-%m-%dT%H:%M:%SZ}"
