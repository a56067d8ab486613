"""A workbook as a stream: rows of ready XML in, a valid .xlsx out, in constant memory, the same bytes each time.

The two libraries for long lists both stamp the current time into the file; the fast one cannot give a cell a link or
a number format of its own, the other takes 150 CPU seconds for a million rows. What does not belong here: what a cell
says (`charge_cells`), small styled workbooks (openpyxl does those).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from resources.charge_cells import LINK_STYLE, ROW_NUMBER
from resources.workbook_links import SheetLinks
from resources.workbook_parts import DocumentProperties, area, package_members
from resources.workbook_sheet import SheetColumn, sheet_end, sheet_start

# A sheet holds 1,048,576 rows; the first is the header.
MOST_DATA_ROWS = 1_048_575
_ROWS_AT_ONCE = 512
# zipfile needs to be told beforehand of members beyond this size.
_LARGEST_PLAIN_MEMBER = 2**31 - 1
_BYTES_PER_CELL = 75
_COMPRESSION_LEVEL = 3


@dataclass(frozen=True)
class WorkbookSummary:
    """What was written.

    Attributes:
        sheets: names of those that hold the list, in order.
        rows_without_link: rows whose link had to be left out, since Excel takes 65,530 links a sheet.
    """

    sheets: tuple[str, ...]
    rows_without_link: int


def write_workbook(
    path: Path,
    properties: DocumentProperties,
    columns: Sequence[SheetColumn],
    rows: Iterable[tuple[str, str | None]],
    row_count: int,
    text_bytes: int,
    last_sheet: tuple[str, str] | None = None,
    rows_per_sheet: int = MOST_DATA_ROWS,
) -> WorkbookSummary:
    """Write a list as a workbook with frozen, filterable headers; what is longer goes on in further sheets.

    Args:
        path: where to write, any name.
        properties: of the document; its title names the first sheet too, the next ones are `title 2`, `title 3`, ...
        columns: headers and widths, in order.
        rows: the rows in order, each its `row` element, with `ROW_NUMBER` and `LINK_STYLE` standing in for what only
            the sheet knows, and what its link is filled with; None or empty for a row without link.
        row_count: how many rows there are.
        text_bytes: bytes of all text in them, about; decides on the archive's large format.
        last_sheet: name and XML of a small sheet behind the list.
        rows_per_sheet: data rows of one sheet.

    Returns:
        The sheets, and the links left out.
    """
    counts = [min(rows_per_sheet, row_count - start) for start in range(0, row_count, rows_per_sheet)] or [0]
    title = properties.title
    names = [title if index == 0 else f"{title} {index + 1}" for index in range(len(counts))]
    closing = [last_sheet] if last_sheet else []
    expected_bytes = min(row_count, rows_per_sheet) * len(columns) * _BYTES_PER_CELL + text_bytes
    remaining = iter(rows)
    rows_without_link = 0
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL) as archive:
        for index, count in enumerate(counts, start=1):
            links = SheetLinks(columns)
            member = f"xl/worksheets/sheet{index}.xml"
            with archive.open(member, "w", force_zip64=expected_bytes > _LARGEST_PLAIN_MEMBER) as sheet:
                sheet.write(sheet_start(columns, count, is_first=index == 1).encode())
                for part in _row_parts(islice(remaining, count), links):
                    sheet.write(part.encode())
                sheet.write(sheet_end(f'<autoFilter ref="{area(len(columns), count)}"/>{links.xml()}').encode())
            if links.targets:
                _add(archive, f"xl/worksheets/_rels/sheet{index}.xml.rels", links.relations())
            rows_without_link += links.left_out
        for index, (_, xml) in enumerate(closing, start=len(names) + 1):
            _add(archive, f"xl/worksheets/sheet{index}.xml", xml)
        closing_names = [name for name, _ in closing]
        for member, content in package_members(properties, names, len(columns), counts, closing_names).items():
            _add(archive, member, content)
    assert next(remaining, None) is None, "the list grew while it was written"
    return WorkbookSummary(tuple(names), rows_without_link)


def _row_parts(rows: Iterator[tuple[str, str | None]], links: SheetLinks) -> Iterator[str]:
    number = 1
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        parts = []
        for xml, link_text in batch:
            number += 1
            style = links.style(number, link_text)
            parts.append(xml.replace(ROW_NUMBER, str(number)).replace(LINK_STYLE, str(style)))
        yield "".join(parts)


def _add(archive: ZipFile, member: str, content: str) -> None:
    # Not writestr: it stamps the current time.
    with archive.open(member, "w") as part:
        part.write(content.encode())
