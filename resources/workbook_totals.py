"""The last sheet of a workbook of charges: totals per currency, and below them what the list shows."""

from collections.abc import Mapping
from decimal import Decimal

from billing_pipeline.documents.formatting import plain_decimal
from billing_pipeline.money import minor_units
from resources.charge_cells import STYLE_DEFAULT, STYLE_HEADER_NOTE, STYLE_WHOLE, column_letters, total_style
from resources.charge_totals import ListTotals
from resources.workbook_sheet import SheetColumn, number_cell, sheet_end, sheet_start, text_cell

SHEET_NAME = "Totals"
_NARROWEST, _AIR = 14, 4


def totals_sheet(totals: ListTotals, notes: Mapping[str, str]) -> str:
    """Return the sheet's XML.

    Args:
        totals: the sums per currency, written exactly and shown with the currency's decimals.
        notes: what is said about the list, by its heading: filter, order, days.
    """
    columns = [
        SheetColumn("Currency", _NARROWEST),
        SheetColumn("Charges", _NARROWEST, is_number=True),
        *(
            SheetColumn(header, _width(header, [one.amounts[index] for one in totals.currencies]), is_number=True)
            for index, header in enumerate(totals.headers)
        ),
    ]
    rows = []
    for number, one in enumerate(totals.currencies, start=2):
        style = total_style(minor_units(one.currency))
        cells = [
            text_cell(f"A{number}", one.currency, STYLE_DEFAULT),
            number_cell(f"B{number}", str(one.rows), STYLE_WHOLE),
            *(
                number_cell(f"{column_letters(index)}{number}", plain_decimal(amount), style)
                for index, amount in enumerate(one.amounts, start=2)
            ),
        ]
        rows.append(f'<row r="{number}">{"".join(cells)}</row>')
    first_note = len(totals.currencies) + 3
    for number, (heading, text) in enumerate(notes.items(), start=first_note):
        cells = [text_cell(f"A{number}", heading, STYLE_HEADER_NOTE), text_cell(f"B{number}", text, STYLE_DEFAULT)]
        rows.append(f'<row r="{number}">{"".join(cells)}</row>')
    last_row = first_note + len(notes) - 2 if notes else len(totals.currencies)
    return sheet_start(columns, last_row, is_first=False) + "".join(rows) + sheet_end()


def _width(header: str, amounts: list[Decimal]) -> int:
    widest = max((len(f"{amount:,.4f}") for amount in amounts), default=0)
    return max(_NARROWEST, len(header) + _AIR, widest + _AIR)
