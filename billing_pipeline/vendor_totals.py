"""`invoice_totals.csv`: what a vendor says that it charges, where its own files do not say it.

The file is no vendor file: it has no rows to convert, and is read strictly, as the reference files are. What does not
belong here: its way into the lake (`resources.totals_intake`), which of several totals counts
(`sql/reconciliation/current_vendor_totals.sql`).
"""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final
from zoneinfo import ZoneInfo

from billing_pipeline.errors import BadInput
from billing_pipeline.periods import BillingPeriod, PeriodInvalid
from billing_pipeline.reference_cells import CellInvalid, CellValue, parse_cell
from billing_pipeline.reference_csv import TextInvalid, read_records
from billing_pipeline.schemas.reference_file import Column

TOTALS_FILE: Final = "invoice_totals.csv"
TOTALS_COLUMNS: Final = (
    Column("billing_account_id", "text", "The vendor's billing account, as its files name it.", filled=True),
    Column("billing_period", "text", "Calendar month the vendor bills, YYYY-MM.", filled=True),
    Column("invoice_id", "text", "The vendor's invoice number; empty while there is none."),
    Column("invoice_date", "date", "Issue date; empty while there is none."),
    Column("currency", "currency", "ISO 4217 code of the totals.", filled=True),
    Column("net_total", "amount", "Total without tax.", filled=True),
    Column("tax_total", "amount", "Tax; empty if the vendor states none."),
    Column("is_final", "boolean", "`false` while the vendor may still change the invoice.", filled=True),
)
TotalsRow = dict[str, CellValue | None]

_NAMES = tuple(column.name for column in TOTALS_COLUMNS)
# Asked for by instants alone, which no column holds.
_ZONE = ZoneInfo("UTC")


def is_totals_file(name: str) -> bool:
    """Tell whether a file of this name, in whatever folder, holds a vendor's totals."""
    return PurePosixPath(name).name.lower() == TOTALS_FILE


def read_totals(file: str, content: bytes) -> list[TotalsRow]:
    """Read the bytes of an `invoice_totals.csv`.

    Args:
        file: its name, for messages.
        content: UTF-8, with or without BOM; comma, RFC 4180 quotes, a header line.

    Returns:
        One row per invoice with the typed cells and its `row_number`; blank lines are none, but are counted.

    Raises:
        BadInput: the first thing that is wrong, with row, column and value; or there is no row at all.
    """
    try:
        header, *records = read_records(content.decode("utf-8-sig")) or [[]]
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(file, f"line {line} is no UTF-8") from error
    except TextInvalid as error:
        raise BadInput(file, f"the CSV cannot be read: {error}") from error
    names = [name.strip() for name in header]
    _check_header(file, names)
    rows: list[TotalsRow] = []
    first_of: dict[tuple[object, ...], int] = {}
    for number, record in enumerate(records, start=1):
        cells = [cell.strip() for cell in record]
        if not any(cells):
            continue
        if len(cells) != len(names):
            raise BadInput(file, f"the row has {len(cells)} cells where the header names {len(names)}", row=number)
        row = _typed(file, number, dict(zip(names, cells, strict=True)))
        key = tuple(row[name] for name in ("billing_account_id", "billing_period", "currency", "invoice_id"))
        if key in first_of:
            invoice = row["invoice_id"]
            reason = f"the same account, month, currency and invoice stand in row {first_of[key]}"
            raise BadInput(file, reason, number, "invoice_id", None if invoice is None else str(invoice))
        first_of[key] = number
        rows.append({**row, "row_number": number})
    if not rows:
        raise BadInput(file, "it holds no totals: there is no row below the header")
    return rows


def _check_header(file: str, names: Sequence[str]) -> None:
    if not any(names):
        raise BadInput(file, f"the file has no header; its columns are {', '.join(_NAMES)}")
    for name in names:
        if name not in _NAMES:
            raise BadInput(file, f"the column is unknown; the columns are {', '.join(_NAMES)}", column=name)
        if names.count(name) > 1:
            raise BadInput(file, "the column stands twice in the header", column=name)
    missing = [name for name in _NAMES if name not in names]
    if missing:
        raise BadInput(file, f"columns are missing: {', '.join(missing)}", column=missing[0])


def _typed(file: str, number: int, cells: dict[str, str]) -> TotalsRow:
    row: TotalsRow = {}
    for column in TOTALS_COLUMNS:
        text = cells[column.name]
        if not text and column.filled:
            raise BadInput(file, "the cell must not be empty", number, column.name)
        try:
            row[column.name] = parse_cell(column, text, _ZONE) if text else None
            if column.name == "billing_period":
                BillingPeriod.parse(text)
        except (CellInvalid, PeriodInvalid) as error:
            raise BadInput(file, f"the value {error}", number, column.name, text) from error
    return row
