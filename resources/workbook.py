"""A workbook as a stream: rows of ready XML in, a valid .xlsx out, in constant memory, the same bytes each time.

The two libraries for long lists both stamp the current time into the file; the fast one cannot give a cell a link or
a number format of its own, the other takes 150 CPU seconds for a million rows. What does not belong here: what a cell
says (`charge_cells`), small styled workbooks (openpyxl does those).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

from resources.charge_cells import (
    LINK_STYLE,
    ROW_NUMBER,
    STYLE_DEFAULT,
    STYLE_HEADER,
    STYLE_LINK,
    column_letters,
)
from resources.workbook_parts import (
    DECLARATION,
    MAIN_NAMESPACE,
    OFFICE_RELATIONS,
    area,
    package_members,
    relations_xml,
)

# A sheet holds 1,048,576 rows; the first is the header.
MOST_DATA_ROWS = 1_048_575
# Excel drops links beyond this number from a sheet, and calls the file damaged.
MOST_LINKS = 65_530
_MOST_LINK_CHARACTERS = 2_079
_ROWS_AT_ONCE = 2_048
# zipfile needs to be told beforehand of members beyond this size.
_LARGEST_PLAIN_MEMBER = 2**31 - 1
_BYTES_PER_CELL = 75
_COMPRESSION_LEVEL = 3


@dataclass(frozen=True)
class SheetColumn:
    """One column of a sheet.

    Attributes:
        width: in characters of the default font.
        link_template: address that the column's cells link to, with `{invoice_number}`; at most one column has one.
    """

    header: str
    width: int
    link_template: str | None = None


@dataclass(frozen=True)
class WorkbookSummary:
    """What was written.

    Attributes:
        sheets: names, in order.
        rows_without_link: rows whose link had to be left out, since Excel takes 65,530 links a sheet.
    """

    sheets: tuple[str, ...]
    rows_without_link: int


def write_workbook(
    path: Path,
    title: str,
    columns: Sequence[SheetColumn],
    rows: Iterable[tuple[str, str | None]],
    row_count: int,
    text_bytes: int,
    rows_per_sheet: int = MOST_DATA_ROWS,
) -> WorkbookSummary:
    """Write a list as a workbook with frozen, filterable headers; what is longer goes on in further sheets.

    Args:
        path: where to write, any name.
        title: name of the first sheet; the next ones are `title 2`, `title 3`, ...
        columns: headers and widths, in order.
        rows: the rows in order, each its `row` element, with `ROW_NUMBER` and `LINK_STYLE` standing in for what only
            the sheet knows, and what its link is filled with; None or empty for a row without link.
        row_count: how many rows there are.
        text_bytes: bytes of all text in them, about; decides on the archive's large format.
        rows_per_sheet: data rows of one sheet.

    Returns:
        The sheets, and the links left out.
    """
    counts = [min(rows_per_sheet, row_count - start) for start in range(0, row_count, rows_per_sheet)] or [0]
    names = [title if index == 0 else f"{title} {index + 1}" for index in range(len(counts))]
    expected_bytes = min(row_count, rows_per_sheet) * len(columns) * _BYTES_PER_CELL + text_bytes
    remaining = iter(rows)
    rows_without_link = 0
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL) as archive:
        for index, count in enumerate(counts, start=1):
            links = _Links(columns)
            member = f"xl/worksheets/sheet{index}.xml"
            with archive.open(member, "w", force_zip64=expected_bytes > _LARGEST_PLAIN_MEMBER) as sheet:
                sheet.write(_sheet_start(columns, count, is_first=index == 1).encode())
                for part in _row_parts(islice(remaining, count), links):
                    sheet.write(part.encode())
                sheet.write(_sheet_end(columns, count, links).encode())
            if links.targets:
                _add(archive, f"xl/worksheets/_rels/sheet{index}.xml.rels", links.relations())
            rows_without_link += links.left_out
        for member, content in package_members(title, names, len(columns), counts).items():
            _add(archive, member, content)
    assert next(remaining, None) is None, "the list grew while it was written"
    return WorkbookSummary(tuple(names), rows_without_link)


class _Links:
    """The links of one sheet: neighbouring rows with the same address share one."""

    def __init__(self, columns: Sequence[SheetColumn]) -> None:
        linked = [index for index, column in enumerate(columns) if column.link_template is not None]
        self._letters = column_letters(linked[0]) if linked else ""
        self._template = columns[linked[0]].link_template if linked else None
        self._text: str | None = None
        self.targets: list[str] = []
        self.ranges: list[tuple[int, int]] = []
        self.left_out = 0

    def style(self, row_number: int, text: str | None) -> int:
        """Take note of a row, and return the style of its link's cell."""
        if not text or self._template is None:
            self._text = None
            return STYLE_DEFAULT
        if text == self._text:
            self.ranges[-1] = (self.ranges[-1][0], row_number)
            return STYLE_LINK
        target = self._template.replace("{invoice_number}", quote(text, safe=""))
        if len(self.targets) == MOST_LINKS or len(target) > _MOST_LINK_CHARACTERS:
            self.left_out += 1
            self._text = None
            return STYLE_DEFAULT
        self._text = text
        self.targets.append(target)
        self.ranges.append((row_number, row_number))
        return STYLE_LINK

    def xml(self) -> str:
        """Return the sheet's `hyperlinks` element, or nothing."""
        if not self.targets:
            return ""
        links = (
            f'<hyperlink ref="{self._range(first, last)}" r:id="rId{index}"/>'
            for index, (first, last) in enumerate(self.ranges, start=1)
        )
        return f"<hyperlinks>{''.join(links)}</hyperlinks>"

    def _range(self, first: int, last: int) -> str:
        start = f"{self._letters}{first}"
        return start if first == last else f"{start}:{self._letters}{last}"

    def relations(self) -> str:
        """Return the sheet's relations: the addresses."""
        return relations_xml(
            (f"{OFFICE_RELATIONS}/hyperlink", target, ' TargetMode="External"') for target in self.targets
        )


def _row_parts(rows: Iterator[tuple[str, str | None]], links: _Links) -> Iterator[str]:
    number = 1
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        parts = []
        for xml, link_text in batch:
            number += 1
            style = links.style(number, link_text)
            parts.append(xml.replace(ROW_NUMBER, str(number)).replace(LINK_STYLE, str(style)))
        yield "".join(parts)


def _sheet_start(columns: Sequence[SheetColumn], count: int, is_first: bool) -> str:
    widths = "".join(
        f'<col min="{index}" max="{index}" width="{column.width}" customWidth="1"/>'
        for index, column in enumerate(columns, start=1)
    )
    headers = "".join(
        f'<c r="{column_letters(index)}1" s="{STYLE_HEADER}" t="inlineStr"><is><t>{escape(column.header)}</t></is></c>'
        for index, column in enumerate(columns)
    )
    return (
        f'{DECLARATION}<worksheet xmlns="{MAIN_NAMESPACE}" xmlns:r="{OFFICE_RELATIONS}">'
        '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
        f'<dimension ref="{area(len(columns), count)}"/>'
        f'<sheetViews><sheetView {"tabSelected=" + quoteattr("1") + " " if is_first else ""}workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        '<selection pane="bottomLeft" activeCell="A2" sqref="A2"/></sheetView></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/><cols>{widths}</cols><sheetData><row r="1">{headers}</row>'
    )


def _sheet_end(columns: Sequence[SheetColumn], count: int, links: _Links) -> str:
    return (
        f'</sheetData><autoFilter ref="{area(len(columns), count)}"/>{links.xml()}'
        '<pageMargins left="0.5" right="0.5" top="0.6" bottom="0.6" header="0.3" footer="0.3"/>'
        '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/>'
        "<headerFooter><oddFooter>&amp;L&amp;A&amp;RPage &amp;P of &amp;N</oddFooter></headerFooter></worksheet>"
    )


def _add(archive: ZipFile, member: str, content: str) -> None:
    # Not writestr: it stamps the current time.
    with archive.open(member, "w") as part:
        part.write(content.encode())
