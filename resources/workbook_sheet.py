"""What every sheet of a workbook of charges begins and ends with: frozen header, widths, print settings."""

from collections.abc import Sequence
from dataclasses import dataclass

from resources.charge_cells import STYLE_HEADER, STYLE_HEADER_NUMBER, column_letters
from resources.workbook_parts import DECLARATION, MAIN_NAMESPACE, OFFICE_RELATIONS, area, safe_text

_SELECTED = 'tabSelected="1" '


@dataclass(frozen=True)
class SheetColumn:
    """One column of a sheet.

    Attributes:
        width: in characters of the default font.
        link_template: address that the column's cells link to, with `{invoice_number}`; at most one column has one.
        is_number: whether its header stands on the right, as numbers do.
    """

    header: str
    width: int
    link_template: str | None = None
    is_number: bool = False


def sheet_start(columns: Sequence[SheetColumn], row_count: int, is_first: bool) -> str:
    """Return a sheet up to and with its header row; `row_count` rows follow below it."""
    widths = "".join(
        f'<col min="{index}" max="{index}" width="{column.width}" customWidth="1"/>'
        for index, column in enumerate(columns, start=1)
    )
    headers = "".join(
        text_cell(f"{column_letters(index)}1", column.header, STYLE_HEADER_NUMBER if column.is_number else STYLE_HEADER)
        for index, column in enumerate(columns)
    )
    return (
        f'{DECLARATION}<worksheet xmlns="{MAIN_NAMESPACE}" xmlns:r="{OFFICE_RELATIONS}">'
        '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
        f'<dimension ref="{area(len(columns), row_count)}"/>'
        f'<sheetViews><sheetView {_SELECTED if is_first else ""}workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        '<selection pane="bottomLeft" activeCell="A2" sqref="A2"/></sheetView></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/><cols>{widths}</cols><sheetData><row r="1">{headers}</row>'
    )


def sheet_end(between: str = "") -> str:
    """Return the end of a sheet.

    Args:
        between: what stands between rows and print settings: filter and links, in that order.
    """
    return (
        f"</sheetData>{between}"
        '<pageMargins left="0.5" right="0.5" top="0.6" bottom="0.6" header="0.3" footer="0.3"/>'
        '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/>'
        "<headerFooter><oddFooter>&amp;L&amp;A&amp;RPage &amp;P of &amp;N</oddFooter></headerFooter></worksheet>"
    )


def text_cell(reference: str, text: str, style: int) -> str:
    """Return a cell with text of ours or of whoever asked for the list; what XML cannot hold becomes a blank."""
    return f'<c r="{reference}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{safe_text(text)}</t></is></c>'


def number_cell(reference: str, number: str, style: int) -> str:
    """Return a cell with a number, given as its digits."""
    return f'<c r="{reference}" s="{style}"><v>{number}</v></c>'
