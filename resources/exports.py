"""The customer-charges list as files for people and programs: workbook, CSV, Parquet.

What does not belong here: which charges there are (`charges` in `sql/`), what the columns mean (`charges.columns`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from billing_pipeline.charges.columns import INVOICE_NUMBER, Column, choose_columns
from billing_pipeline.charges.filters import ParsedFilter, parse_filter
from billing_pipeline.charges.ordering import SortKey, parse_sort
from billing_pipeline.errors import WrongUsage
from resources.charge_list import ChargeList
from resources.charge_statistics import ListStatistics, measure
from resources.lake import replacing
from resources.workbook import MOST_DATA_ROWS, SheetColumn, write_workbook

TITLE = "Customer Charges"
FORMATS = ("xlsx", "csv", "parquet")
_ROW_GROUP_ROWS = 100_000


class ExportInvalid(WrongUsage):
    """An export that cannot be made as it was asked for."""


@dataclass(frozen=True)
class ExportRequest:
    """What to export.

    Attributes:
        columns: the columns, in order.
        sort: the order of the rows.
        filter: the rows wanted; None for all.
        formats: of `xlsx`, `csv`, `parquet`; empty for what the file's suffix says.
    """

    columns: tuple[Column, ...]
    sort: tuple[SortKey, ...]
    filter: ParsedFilter | None = None
    formats: tuple[str, ...] = ()

    @classmethod
    def parse(
        cls,
        columns: Iterable[str] | str | None = None,
        where: str | None = None,
        sort: str | None = None,
        formats: Iterable[str] | str | None = None,
    ) -> Self:
        """Read a request as the command line gives it.

        Args:
            columns: headers or snake_case names, one text with commas or several; None for the default ones.
            where: filter expression, see `parse_filter`; None for all rows.
            sort: see `parse_sort`; None for the default order.
            formats: one text with commas or several; None for what the file's suffix says.

        Raises:
            ColumnUnknown, SortInvalid, FilterInvalid: see there.
            ExportInvalid: a format is unknown.
        """
        wanted = tuple(dict.fromkeys(name.lower() for name in _words(formats)))
        unknown = [name for name in wanted if name not in FORMATS]
        if unknown:
            raise ExportInvalid(f"format {unknown[0]!r} is unknown; there are {', '.join(FORMATS)}")
        return cls(
            columns=choose_columns(_words(columns)),
            sort=parse_sort(sort),
            filter=parse_filter(where) if where is not None and where.strip() else None,
            formats=wanted,
        )


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
    rows_per_sheet: int = MOST_DATA_ROWS,
) -> ExportSummary:
    """Write the charges a request asks for; the same charges and request give the same bytes.

    Each file appears whole or not at all. Rows stream; only the sort is held, within the connection's memory_limit:
    one of 128 MB is enough for a million rows.

    Args:
        connection: where the relation can be read.
        relation_sql: a select, or a relation's name, with the columns of `customer_charges`.
        request: columns, filter, order and formats.
        out: a file, whose suffix says the format and is replaced for each further one; or a folder, for
            `Customer Charges.xlsx` and so on in it.
        show_invoice_numbers: whether the distributor allows displaying its invoices; else that column stays empty.
        invoice_link: address of an invoice with `{invoice_number}`, which is filled in URL-quoted; None for no links.
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
    sheets: tuple[str, ...] = ()
    rows_without_link = 0
    statistics = measure(connection, charges.filtered, charges.parameters, request.columns)
    for format_name, target in targets.items():
        with replacing(target) as temporary:
            if format_name == "parquet":
                _write_parquet(temporary, charges)
            elif format_name == "csv":
                _write_csv(temporary, charges, statistics, request.columns)
            else:
                written = write_workbook(
                    temporary,
                    TITLE,
                    _sheet_columns(request.columns, statistics, link),
                    charges.sheet_rows(statistics, has_links=link is not None),
                    statistics.rows,
                    statistics.text_bytes,
                    rows_per_sheet,
                )
                sheets, rows_without_link = written.sheets, written.rows_without_link
    return ExportSummary(
        statistics.rows,
        sheets,
        tuple(targets.values()),
        rows_without_link,
        statistics.long_texts if sheets else 0,
    )


def _targets(out: Path, formats: tuple[str, ...]) -> dict[str, Path]:
    """Return the file of each format."""
    if out.is_dir() or not out.suffix:
        return {name: out / f"{TITLE}.{name}" for name in formats or FORMATS[:1]}
    suffix = out.suffix[1:].lower()
    if suffix not in FORMATS:
        raise ExportInvalid(f"{out.name}: the suffix says no format; there are .{', .'.join(FORMATS)}")
    return {name: out if name == suffix else out.with_suffix(f".{name}") for name in formats or (suffix,)}


def _sheet_columns(columns: tuple[Column, ...], statistics: ListStatistics, link: str | None) -> list[SheetColumn]:
    return [
        SheetColumn(column.header, statistics.widths[column.name], link if column == INVOICE_NUMBER else None)
        for column in columns
    ]


def _words(text: Iterable[str] | str | None) -> list[str]:
    parts = text.split(",") if isinstance(text, str) else list(text or ())
    return [part.strip() for part in parts if part.strip()]


def _write_csv(path: Path, charges: ChargeList, statistics: ListStatistics, columns: tuple[Column, ...]) -> None:
    r"""Write RFC 4180: UTF-8, a header, `\r\n` after every record."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(column.header for column in columns) + "\r\n")
        for lines in charges.csv_lines(statistics):
            file.write("\r\n".join(lines) + "\r\n")


def _write_parquet(path: Path, charges: ChargeList) -> None:
    """Write the values under their snake_case names, in groups of the same rows whatever the engine's batches were."""
    with (
        charges.values() as reader,
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
