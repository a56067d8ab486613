"""Distributor invoices that come as JSON or as a workbook, turned into the CSV they could have been.

From there on one path reads all three. Numbers keep every digit: JSON's are never parsed as floating
point; a workbook stores its numbers as floating point, of which the shortest text that reads back
the same is taken (which is what a person typed, up to 15 digits).
"""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from python_calamine import CalamineError, CalamineWorkbook

from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.format import Kind, VendorFormat, normalise_header
from resources.carriers import BOMB_BYTES, BOMB_RATIO, LandedFile, read_chunks
from resources.csv_rows import CsvText

# A spreadsheet keeps 15 digits of a number; a longer one has already lost some.
_SAFE_NUMBER = 10**15
_MARKUP_DECLARATION = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


def open_json(file: LandedFile) -> CsvText:
    """Read `{"invoices": [{..., "items": [...]}]}` into rows, one per item, numbered in file order.

    Raises:
        BadInput: the file is no such JSON, or an invoice has no items.
    """
    try:
        text = b"".join(read_chunks(file, "json")).decode("utf-8-sig")
        document = json.loads(
            text, parse_float=str, parse_int=str, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys
        )
    except UnicodeDecodeError as error:
        raise BadInput(file.name, "the file is not UTF-8", value=repr(error.object[error.start : error.end])) from error
    except (ValueError, RecursionError) as error:
        raise BadInput(file.name, f"the file is no valid JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("invoices"), list):
        raise BadInput(file.name, 'unknown format: expected {"invoices": [{..., "items": [...]}]}')
    unknown = sorted(set(document) - {"invoices"})
    if unknown:
        raise BadInput(file.name, f"unknown keys: {', '.join(unknown)}")
    rows = list(_items(file, document["invoices"]))
    header = list(dict.fromkeys(key for row in rows for key in row))
    return _as_csv(file, header, ([row.get(key, "") for key in header] for row in rows))


def _refuse_constant(text: str) -> str:
    raise ValueError(f"{text} is no number")


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(
            f"the key {next(name for name in names if names.count(name) > 1)!r} appears twice in one object"
        )
    return members


def _items(file: LandedFile, invoices: list[object]) -> Iterator[dict[str, str]]:
    row_number = 0
    for number, invoice in enumerate(invoices, start=1):
        if not isinstance(invoice, dict) or not isinstance(invoice.get("items"), list) or not invoice["items"]:
            raise BadInput(file.name, f"invoice {number} has no items")
        header = {key: value for key, value in invoice.items() if key != "items"}
        for item in invoice["items"]:
            row_number += 1
            if not isinstance(item, dict):
                raise BadInput(file.name, "the item is no JSON object", row=row_number)
            yield _row(file, row_number, header, item)


def _row(file: LandedFile, row_number: int, header: dict[str, object], item: dict[str, object]) -> dict[str, str]:
    twice = sorted(set(header) & set(item))
    if twice:
        raise BadInput(file.name, "the key appears in the invoice and in its item", row=row_number, column=twice[0])
    row = {}
    for key, value in (header | item).items():
        if isinstance(value, dict | list):
            raise BadInput(file.name, "the value must be a text, a number or true or false", row=row_number, column=key)
        row[key] = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
    return row


def open_workbook(file: LandedFile, vendor_format: VendorFormat) -> CsvText:
    """Read sheet 1 of an .xlsx workbook: header in its first row, one item per further row.

    Raises:
        BadInput: the workbook is corrupt, holds macros or an XML document type, is a decompression
            bomb, or a number in it is too long for a spreadsheet.
    """
    _require_safe_workbook(file)
    try:
        sheet = CalamineWorkbook.from_path(str(file.path)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError, IndexError) as error:
        raise BadInput(file.name, f"the workbook cannot be read: {error}") from error
    header = [str(cell).strip() for cell in sheet[0]] if sheet else []
    while header and header[-1] == "":
        header.pop()
    if not header:
        raise BadInput(file.name, "the file has no header")
    kinds = [_kind_of(vendor_format, text) for text in header]
    return _as_csv(file, header, _workbook_rows(file, sheet[1:], header, kinds))


def _kind_of(vendor_format: VendorFormat, header: str) -> Kind:
    for name, column in vendor_format.columns.items():
        if normalise_header(header) in vendor_format.headers_of(name):
            return column.kind
    return "text"


def _workbook_rows(
    file: LandedFile, sheet: Sequence[Sequence[object]], header: list[str], kinds: list[Kind]
) -> Iterator[list[str]]:
    row_number = 0
    for cells in sheet:
        if all(cell == "" for cell in cells):
            continue
        row_number += 1
        if any(cell != "" for cell in cells[len(header) :]):
            raise BadInput(file.name, "a cell stands to the right of the header's last column", row=row_number)
        row = []
        for column, kind, cell in zip(header, kinds, cells, strict=False):
            if isinstance(cell, float | int) and not isinstance(cell, bool) and abs(cell) >= _SAFE_NUMBER:
                raise BadInput(
                    file.name, "a spreadsheet keeps 15 digits of a number; format the cell as text",
                    row=row_number, column=column, value=repr(cell),
                )  # fmt: skip
            row.append(_cell_text(cell, kind))
        yield row


def _cell_text(cell: object, kind: Kind) -> str:
    match cell:
        case bool():
            return str(cell).lower()
        case float():
            return str(int(cell)) if cell.is_integer() else repr(cell)
        case datetime():
            if kind == "date" and (cell.hour, cell.minute, cell.second, cell.microsecond) == (0, 0, 0, 0):
                return cell.date().isoformat()
            # A spreadsheet's date and time has no zone; the documentation of the format says UTC.
            return f"{cell.isoformat()}Z"
        case date():
            return f"{cell.isoformat()}T00:00:00Z" if kind == "instant" else cell.isoformat()
        case _:
            return str(cell)


def _require_safe_workbook(file: LandedFile) -> None:
    try:
        with zipfile.ZipFile(file.path) as archive:
            members = archive.infolist()
            _require_small(file, members)
            for member in members:
                if member.filename.lower().endswith(("vbaproject.bin", "vbadata.xml")):
                    raise BadInput(file.name, "the workbook holds macros", value=member.filename)
                # Reading to the end also checks the member's CRC and length.
                _require_plain_xml(file, member.filename, archive.read(member))
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise BadInput(file.name, f"the workbook is corrupt: {error}") from error
    except Exception as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(file.name, f"the workbook is corrupt: {error}") from error


def _require_small(file: LandedFile, members: Iterable[zipfile.ZipInfo]) -> None:
    # zipfile stops reading a member at its declared size and then checks the CRC, so the declared sizes bind.
    unpacked = sum(member.file_size for member in members)
    if unpacked > max(BOMB_BYTES, BOMB_RATIO * file.path.stat().st_size):
        raise BadInput(file.name, f"the workbook unpacks to {unpacked >> 20} MB: a decompression bomb")


def _require_plain_xml(file: LandedFile, member: str, content: bytes) -> None:
    if not member.lower().endswith((".xml", ".rels", ".vml")):
        return
    # UTF-16 XML would hide the words from a search for ASCII; spreadsheets write UTF-8.
    plain = content.replace(b"\x00", b"")
    if _MARKUP_DECLARATION.search(plain):
        raise BadInput(file.name, "the workbook's XML declares a document type or an entity", value=member)
    if member == "[Content_Types].xml" and b"macroenabled" in plain.lower():
        raise BadInput(file.name, "the workbook is of a type that may hold macros", value=member)


def _as_csv(file: LandedFile, header: list[str], rows: Iterable[Sequence[str]]) -> CsvText:
    buffer = io.StringIO(newline="")
    # Quoting everything keeps a row of empty cells from looking like a blank line.
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows(rows)
    try:
        content = buffer.getvalue().encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadInput(
            file.name, "a text is no valid Unicode", value=repr(error.object[error.start : error.end])
        ) from error
    return CsvText(header, iter([content] if content else []))
