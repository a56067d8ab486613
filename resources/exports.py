"""The customer-charges list as files for people and programs: workbook, CSV, Parquet.

What does not belong here: which charges there are (`charges` in `sql/`), what the columns mean (`charges.columns`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from billing_pipeline.charges.columns import INVOICE_NUMBER, Column
from billing_pipeline.charges.ordering import describe_sort
from billing_pipeline.charges.request import FORMATS, ExportInvalid, ExportRequest
from resources.charge_list import ChargeList
from resources.charge_statistics import ListStatistics, measure
from resources.charge_totals import add_up
from resources.lake import replacing
from resources.ordered_charges import OrderedCharges
from resources.workbook import MOST_DATA_ROWS, WorkbookSummary, write_workbook
from resources.workbook_parts import DocumentProperties
from resources.workbook_sheet import SheetColumn
from resources.workbook_totals import SHEET_NAME as TOTALS_NAME
from resources.workbook_totals import totals_sheet

TITLE = "Customer Charges"
# Costs and margins are for the owner of the workspace and its group: Admin and Marketplace Manager, nobody else.
READERS = 0o640
_ROW_GROUP_ROWS = 50_000


@dataclass(frozen=True)
class ListOrigin:
    """Where a list comes from, for the reader of its workbook.

    Attributes:
        organisation: the reseller's name.
        first_day: first day of arrival in it; None for a list without days.
        last_day: last day of arrival; the workbook's day of creation, as its bytes must not depend on the clock.
    """

    organisation: str = ""
    first_day: date | None = None
    last_day: date | None = None

    @classmethod
    def of_days(cls, organisation: str, days: Sequence[date]) -> Self:
        """Return the origin of a list of some days of arrival, in order."""
        return cls(organisation, days[0], days[-1]) if days else cls(organisation)


_UNKNOWN_ORIGIN = ListOrigin()


@dataclass(frozen=True)
class ExportSummary:
    """What an export made.

    Attributes:
        rows: charges in each of the files.
        sheets: names of the workbook's sheets; empty without a workbook.
        files: the files, in the order of the formats.
        rows_without_link: rows whose link was left out, as Excel takes 65,530 links a sheet.
        shortened_cells: texts cut at 32,767 characters, the most a cell of a workbook takes; CSV and Parquet are whole.
    """

    rows: int
    sheets: tuple[str, ...]
    files: tuple[Path, ...]
    rows_without_link: int = 0
    shortened_cells: int = 0


def export_charges(
    connection: duckdb.DuckDBPyConnection,
    relation_sql: str,
    request: ExportRequest,
    out: Path,
    show_invoice_numbers: bool = True,
    invoice_link: str | None = None,
    origin: ListOrigin = _UNKNOWN_ORIGIN,
    rows_per_sheet: int = MOST_DATA_ROWS,
) -> ExportSummary:
    """Write the charges a request asks for; the same charges and request give the same bytes.

    Each file appears whole or not at all. Rows stream; only the sort is held, within the connection's memory_limit,
    which is raised if it has to be: 96 MB are enough for a million rows.

    Args:
        connection: where the relation can be read.
        relation_sql: a select, or a relation's name, with the columns of `customer_charges`.
        request: columns, filter, order and formats.
        out: a file, whose suffix says the format and is replaced for each further one; or a folder, for
            `Customer Charges.xlsx` and so on in it.
        show_invoice_numbers: whether the distributor allows displaying its invoices; else that column stays empty.
        invoice_link: address of an invoice with `{invoice_number}`, which is filled in URL-quoted; None for no links.
        origin: what the workbook says about itself.
        rows_per_sheet: data rows of one sheet of the workbook.

    Returns:
        Rows, sheets and files made.

    Raises:
        ExportInvalid: the suffix says no format.
        ChargesInvalid: the relation is not the customer charges, or one of them has no currency.
        UnknownCurrency: a charge's currency is not in ISO 4217.
        duckdb.Error: the relation cannot be read.
    """
    targets = _targets(out, request.formats)
    charges = ChargeList(connection, relation_sql, request.columns, request.sort, request.filter, show_invoice_numbers)
    link = invoice_link if show_invoice_numbers and INVOICE_NUMBER in request.columns else None
    book = WorkbookSummary((), 0)
    with charges.in_order() as ordered:
        with ordered.reading() as rows:
            statistics = measure(rows, request.columns)
        for format_name, target in targets.items():
            with replacing(target, READERS) as temporary:
                if format_name == "parquet":
                    _write_parquet(temporary, ordered, request.columns)
                elif format_name == "csv":
                    _write_csv(temporary, ordered, statistics, request.columns)
                else:
                    book = _write_xlsx(temporary, ordered, statistics, request, link, origin, rows_per_sheet)
    shortened = statistics.long_texts if book.sheets else 0
    return ExportSummary(statistics.rows, book.sheets, tuple(targets.values()), book.rows_without_link, shortened)


def _targets(out: Path, formats: tuple[str, ...]) -> dict[str, Path]:
    """Return the file of each format."""
    if out.is_dir() or not out.suffix:
        return {name: out / f"{TITLE}.{name}" for name in formats or FORMATS[:1]}
    suffix = out.suffix[1:].lower()
    if suffix not in FORMATS:
        raise ExportInvalid(f"{out.name}: the suffix says no format; there are .{', .'.join(FORMATS)}")
    return {name: out if name == suffix else out.with_suffix(f".{name}") for name in formats or (suffix,)}


def _write_xlsx(
    path: Path,
    ordered: OrderedCharges,
    statistics: ListStatistics,
    request: ExportRequest,
    link: str | None,
    origin: ListOrigin,
    rows_per_sheet: int,
) -> WorkbookSummary:
    notes = _notes(request, origin)
    return write_workbook(
        path,
        _properties(origin, notes),
        _sheet_columns(request.columns, statistics, link),
        ordered.sheet_rows(request.columns, statistics, has_links=link is not None),
        statistics.rows,
        statistics.text_bytes,
        _last_sheet(ordered, request.columns, notes),
        rows_per_sheet,
    )


def _sheet_columns(columns: tuple[Column, ...], statistics: ListStatistics, link: str | None) -> list[SheetColumn]:
    return [
        SheetColumn(
            column.header,
            statistics.widths[column.name],
            link if column == INVOICE_NUMBER else None,
            is_number=column.kind in {"number", "price"},
        )
        for column in columns
    ]


def _notes(request: ExportRequest, origin: ListOrigin) -> dict[str, str]:
    """Return what the workbook says about its list, by heading."""
    days = [day.isoformat() for day in (origin.first_day, origin.last_day) if day is not None]
    return {
        **({"Made by": origin.organisation} if origin.organisation else {}),
        **({"Days of arrival": " to ".join(dict.fromkeys(days))} if days else {}),
        "Filter": request.filter_text or "none",
        "Order": describe_sort(request.sort),
    }


def _properties(origin: ListOrigin, notes: Mapping[str, str]) -> DocumentProperties:
    description = "; ".join(f"{heading}: {text}" for heading, text in notes.items() if heading != "Made by")
    return DocumentProperties(TITLE, origin.organisation, description, origin.last_day)


def _last_sheet(
    ordered: OrderedCharges, columns: tuple[Column, ...], notes: Mapping[str, str]
) -> tuple[str, str] | None:
    """Return name and XML of the sheet of totals; None for a list that shows no currency."""
    with ordered.reading() as rows:
        totals = add_up(rows, columns)
    return None if totals is None else (TOTALS_NAME, totals_sheet(totals, notes))


def _write_csv(path: Path, ordered: OrderedCharges, statistics: ListStatistics, columns: tuple[Column, ...]) -> None:
    r"""Write RFC 4180: UTF-8, a header, `\r\n` after every record."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(column.header for column in columns) + "\r\n")
        for lines in ordered.csv_lines(columns, statistics):
            file.write("\r\n".join(lines) + "\r\n")


def _write_parquet(path: Path, ordered: OrderedCharges, columns: tuple[Column, ...]) -> None:
    """Write the values under their snake_case names, in groups of the same rows whatever the engine's batches were."""
    with (
        ordered.values(columns) as reader,
        pq.ParquetWriter(path, reader.schema, compression="zstd") as writer,
    ):
        waiting = reader.schema.empty_table()
        for batch in reader:
            waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch])])
            if waiting.num_rows >= _ROW_GROUP_ROWS:
                writer.write_table(waiting.slice(0, _ROW_GROUP_ROWS).combine_chunks())
                waiting = waiting.slice(_ROW_GROUP_ROWS)
        if waiting.num_rows:
            writer.write_table(waiting.combine_chunks())
