"""An invoice as a workbook: the lines on one sheet, totals, taxes, credits and rates on another, in typed cells.

Text is written as text, whatever it begins with; there is no formula and no link in the workbook. What does not belong
here: the list of customer charges, which is long (`resources.workbook`).
"""

import io
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import xlsxwriter

from billing_pipeline.documents.view import invoice_view
from billing_pipeline.invoicing import Invoice, InvoiceLine
from billing_pipeline.money import minor_units
from billing_pipeline.periods import BillingPeriod

LINE_COLUMNS = (
    ("Line", 6), ("Product type", 20), ("Product", 32), ("Description", 44), ("Quantity", 14), ("Unit", 14),
    ("Amount", 16), ("Currency", 10), ("Tax category", 14), ("Kind", 13), ("Service period", 14), ("Reference", 24),
)  # fmt: skip
_LINE_FIGURES = (0, 4, 6)
_LINE_AMOUNTS = (6,)
_A4 = 9
# A cell is a double: more significant digits than these would change, so they are written as text.
_CELL_DIGITS = 15
_UNWRITABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")
# The longest text a cell may hold.
_CELL_LENGTH = 32_767


def invoice_xlsx(invoice: Invoice) -> bytes:
    """Write an invoice as a workbook with the sheets Lines and Totals.

    Args:
        invoice: the document.

    Returns:
        An xlsx file. Payable amounts are numbers with the currency's decimals, days are dates; figures of more than 15
        digits are text, because a spreadsheet would change them. The same invoice gives the same bytes.

    Raises:
        UnknownCurrency, PeriodInvalid: the document's currency or period is malformed.
    """
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    view = invoice_view(invoice)
    day = invoice.issued_on or BillingPeriod.parse(invoice.billing_period).end_day - timedelta(days=1)
    workbook.set_properties(
        {
            "title": f"{view['title']} {view['number']}",
            "author": invoice.organisation.name[:255],
            # The document's own day, so that no clock takes part and the bytes repeat.
            "created": datetime(day.year, day.month, day.day, tzinfo=UTC).replace(tzinfo=None),
        }
    )
    cells = _Cells(workbook, invoice.currency)
    _write_lines(cells, workbook.add_worksheet("Lines"), invoice)
    _write_totals(cells, workbook.add_worksheet("Totals"), invoice, view)
    workbook.close()
    return buffer.getvalue()


class _Cells:
    """Writes values into cells by their type, with the formats of one document.

    Figures stand on the right, all else on the left; where text follows a figure, a little space keeps them apart.
    """

    def __init__(self, workbook: Any, currency: str) -> None:
        decimals = minor_units(currency)
        self.bold = workbook.add_format({"bold": True})
        self._amount = "#,##0" + ("." + "0" * decimals if decimals else "")
        self._workbook = workbook
        self._formats: dict[tuple[tuple[str, object], ...], Any] = {}

    def write_heads(self, sheet: Any, row: int, heads: Sequence[str], figures: Sequence[int]) -> None:
        """Write a row of column names, each on the side of what stands below it."""
        colours = {"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F3A5F"}
        for column, head in enumerate(heads):
            sheet.write_string(row, column, head, self._placed(column, figures, **colours))

    def write_row(
        self, sheet: Any, row: int, values: Sequence[object], figures: Sequence[int], amounts: Sequence[int]
    ) -> None:
        """Write a row: text as text, decimals as numbers, days as dates, None as nothing.

        Args:
            figures: columns of numbers.
            amounts: those of them that have the currency's decimals.
        """
        for column, value in enumerate(values):
            if value is not None and value != "":
                self._write(sheet, row, column, value, figures, column in amounts)

    def _write(self, sheet: Any, row: int, column: int, value: object, figures: Sequence[int], is_amount: bool) -> None:
        if isinstance(value, Decimal) and len(value.normalize().as_tuple().digits) <= _CELL_DIGITS:
            plain = "#,##0" if value == value.to_integral_value() else "#,##0.##########"
            shown = self._placed(column, figures, num_format=self._amount if is_amount else plain)
            sheet.write_number(row, column, value, shown)
        elif isinstance(value, int):
            sheet.write_number(row, column, value, self._placed(column, figures))
        elif isinstance(value, date):
            day = datetime(value.year, value.month, value.day)  # noqa: DTZ001 a cell has no zone
            sheet.write_datetime(row, column, day, self._placed(column, figures, num_format="yyyy-mm-dd"))
        else:
            text = format(value, "f") if isinstance(value, Decimal) else _writable(str(value))[:_CELL_LENGTH]
            sheet.write_string(row, column, text, self._placed(column, figures, num_format="@"))

    def _placed(self, column: int, figures: Sequence[int], **properties: object) -> Any:
        """Return the format of a column's cells, made once."""
        properties["align"] = "right" if column in figures else "left"
        if column not in figures and column - 1 in figures:
            properties["indent"] = 1
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self._workbook.add_format({**properties, "valign": "top"})
        return self._formats[key]


def _writable(text: str) -> str:
    """Return text without what XML 1.0 cannot hold even as a reference: surrogates and two noncharacters."""
    return "".join(
        "\ufffd" if "\ud800" <= letter <= "\udfff" or letter in "\ufffe\uffff" else letter for letter in text
    )


def _write_lines(cells: _Cells, sheet: Any, invoice: Invoice) -> None:
    for column, (_, width) in enumerate(LINE_COLUMNS):
        sheet.set_column(column, column, width)
    cells.write_heads(sheet, 0, [name for name, _ in LINE_COLUMNS], _LINE_FIGURES)
    for row, line in enumerate(invoice.shown_lines, start=1):
        cells.write_row(sheet, row, _line_values(line, invoice.currency), _LINE_FIGURES, _LINE_AMOUNTS)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(invoice.shown_lines), 1), len(LINE_COLUMNS) - 1)
    _print_across_a4(sheet)
    sheet.repeat_rows(0)


def _print_across_a4(sheet: Any) -> None:
    """Print on landscape A4, one page wide."""
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)


def _line_values(line: InvoiceLine, currency: str) -> tuple[object, ...]:
    return (
        line.line_number, line.product_type, line.product_name, line.description, line.quantity, line.unit, line.amount,
        currency, line.tax_category, line.line_kind, line.service_period, line.reference,
    )  # fmt: skip


def _write_totals(cells: _Cells, sheet: Any, invoice: Invoice, view: dict[str, Any]) -> None:
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 5, 18)
    _print_across_a4(sheet)
    row = _write_block(cells, sheet, 0, view["title"], (), [
        ("Number" if view["is_numbered"] else "Draft", view["number"]),
        ("Corrects", invoice.corrects),
        ("Status", view["status"]),
        ("Issuer", invoice.organisation.name),
        ("Customer", invoice.customer.name),
        ("Customer number", invoice.customer.id),
        ("Billing period", invoice.billing_period),
        ("Issued", invoice.issued_on),
        ("Due date", invoice.payable_by),
        ("Currency", invoice.currency),
        ("Options", view["options"] or None),
    ])  # fmt: skip
    row = _write_block(cells, sheet, row, "Totals", (), [
        ("Subtotal", invoice.subtotal),
        ("Tax", invoice.tax_total),
        ("Credits applied", -invoice.credits_applied),
        (view["totals"][-1]["label"], -invoice.total if invoice.is_in_favour else invoice.total),
    ], figures=(1,), amounts=(1,))  # fmt: skip
    row = _write_block(
        cells, sheet, row, "Taxes", ("Category", "Tax", "Percent", "Taxable", "Tax amount", "Reason"),
        [(tax.tax_category, tax.name, tax.percent, tax.base, tax.amount, tax.reason) for tax in invoice.taxes],
        figures=(2, 3, 4), amounts=(3, 4),
    )  # fmt: skip
    row = _write_block(
        cells, sheet, row, "Credits", ("Credit", "Kind", "Granted by", "Usable until before", "Applied", "Left"),
        [(use.credit_id, use.kind, use.vendor, use.expires_on, use.amount, use.left) for use in invoice.credits],
        figures=(4, 5), amounts=(4, 5),
    )  # fmt: skip
    row = _write_block(
        cells, sheet, row, "Exchange rates", ("One unit of", "is in", "Rate", "Day", "Source"),
        [(rate.base_currency, rate.quote_currency, rate.rate, rate.rate_date, rate.source)
         for rate in invoice.exchange_rates],
        figures=(2,),
    )  # fmt: skip
    _write_block(cells, sheet, row, "Notes", (), [(note,) for note in invoice.notes])


def _write_block(
    cells: _Cells,
    sheet: Any,
    first: int,
    title: str,
    heads: tuple[str, ...],
    rows: list[tuple[object, ...]],
    figures: tuple[int, ...] = (),
    amounts: tuple[int, ...] = (),
) -> int:
    """Write a titled block and return the row after the empty one below it; nothing for a block without rows."""
    if not rows:
        return first
    sheet.write_string(first, 0, title, cells.bold)
    row = first + 1
    cells.write_heads(sheet, row, heads, figures)
    row += 1 if heads else 0
    for values in rows:
        if len(values) > 1 and values[1:] == (None,):
            continue
        cells.write_row(sheet, row, values, figures, amounts)
        row += 1
    return row + 1
