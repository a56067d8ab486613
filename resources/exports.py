"""The customer-charges list as files for people and programs: workbook, CSV, Parquet.

What does not belong here: which charges there are (`charges` in `sql/`), what the columns mean (`charges.columns`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from billing_pipeline.charges.columns import COLUMNS, INVOICE_NUMBER, Column, choose_columns
from billing_pipeline.charges.filters import ParsedFilter, parse_filter
from billing_pipeline.charges.ordering import SortKey, order_by, parse_sort
from billing_pipeline.errors import BillingError
from resources.charge_cells import csv_row, sheet_row
from resources.charge_statistics import ListStatistics, measure
from resources.lake import replacing
from resources.workbook import MOST_DATA_ROWS, SheetColumn, write_workbook

TITLE = "Customer Charges"
FORMATS = ("xlsx", "csv", "parquet")
_ROWS_AT_ONCE = 2_048
_ROW_GROUP_ROWS = 100_000


class ExportInvalid(BillingError):
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
        ExportInvalid: the suffix says no format, or the relation is not the customer charges.
        UnknownCurrency: a charge's currency is not in ISO 4217.
        duckdb.Error: the relation cannot be read.
    """
    targets = _targets(out, request.formats)
    query = _ListQuery(connection, relation_sql, request, show_invoice_numbers)
    link = invoice_link if show_invoice_numbers and INVOICE_NUMBER in request.columns else None
    sheets: tuple[str, ...] = ()
    rows_without_link = 0
    statistics = measure(connection, query.filtered, query.parameters, request.columns)
    for format_name, target in targets.items():
        with replacing(target) as temporary:
            if format_name == "parquet":
                _write_parquet(temporary, query)
            elif format_name == "csv":
                _write_csv(temporary, query, statistics, request.columns)
            else:
                written = write_workbook(
                    temporary,
                    TITLE,
                    _sheet_columns(request.columns, statistics, link),
                    query.sheet_rows(statistics, has_links=link is not None),
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


class _ListQuery:
    """The filtered, ordered list, read as a stream."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        relation_sql: str,
        request: ExportRequest,
        show_invoice_numbers: bool,
    ) -> None:
        self._connection = connection
        self._columns = request.columns
        self._sort = order_by(request.sort)
        self.parameters = list(request.filter.parameters) if request.filter else []
        condition = request.filter.sql if request.filter else "true"
        # Order and filter see the number that the reader may not see.
        self._shown_number = '"invoice_number"' if show_invoice_numbers else "''"
        self.filtered = f"select * from ({_as_select(relation_sql)}) as charges where {condition}"
        _check_types(connection, relation_sql)

    def sheet_rows(self, statistics: ListStatistics, has_links: bool) -> Iterator[tuple[str, str | None]]:
        """Yield each row's XML and the text of its link."""
        row = sheet_row(self._columns, statistics.decimals, has_links)
        link = '"invoice_number"' if has_links else "null::varchar"
        for batch in self._stream(f"{row} as xml, {link} as link_text"):
            yield from zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True)

    def csv_lines(self, statistics: ListStatistics) -> Iterator[list[str]]:
        """Yield batches of CSV records."""
        for batch in self._stream(f"{csv_row(self._columns, statistics.decimals)} as line"):
            yield batch.column(0).to_pylist()

    def values(self) -> pa.RecordBatchReader:
        """Return the values themselves, exact."""
        return self._stream(", ".join(f'"{column.name}"' for column in self._columns))

    def _stream(self, expressions: str) -> pa.RecordBatchReader:
        # Sorted first, written out second: the other way round the sort would carry a kilobyte a row.
        names = [*(column.name for column in self._columns if column != INVOICE_NUMBER), "currency"]
        others = ", ".join(f'"{name}"' for name in dict.fromkeys(names))
        query = f"""
            with ordered as (
                select {others}, "invoice_number"
                from ({self.filtered}) as filtered
                order by {self._sort}
            ),
            shown as (
                select {others}, {self._shown_number} as "invoice_number"
                from ordered
            )
            select {expressions}
            from shown
        """
        relation = self._connection.sql(query, params=self.parameters)
        return relation.to_arrow_reader(_ROWS_AT_ONCE)


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


def _as_select(relation_sql: str) -> str:
    return (
        relation_sql if relation_sql.strip().lower().startswith(("select", "with", "from")) else f"from {relation_sql}"
    )


def _words(text: Iterable[str] | str | None) -> list[str]:
    parts = text.split(",") if isinstance(text, str) else list(text or ())
    return [part.strip() for part in parts if part.strip()]


def _check_types(connection: duckdb.DuckDBPyConnection, relation_sql: str) -> None:
    """Refuse a relation whose columns are missing or of another kind: a float would be shown as if it were exact."""
    relation = connection.sql(_as_select(relation_sql))
    types = {name: str(kind).lower() for name, kind in zip(relation.columns, relation.types, strict=True)}
    if "line_item_id" not in types:
        raise ExportInvalid("the customer charges have no column line_item_id, which settles their order")
    for column in COLUMNS:
        found = types.get(column.name, "missing")
        wanted = column.sql_type.partition("(")[0]
        if not found.startswith(wanted):
            raise ExportInvalid(f"column {column.name} of the customer charges is {found}, not {column.sql_type}")


def _write_csv(path: Path, query: _ListQuery, statistics: ListStatistics, columns: tuple[Column, ...]) -> None:
    r"""Write RFC 4180: UTF-8, a header, `\r\n` after every record."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(column.header for column in columns) + "\r\n")
        for lines in query.csv_lines(statistics):
            file.write("\r\n".join(lines) + "\r\n")


def _write_parquet(path: Path, query: _ListQuery) -> None:
    """Write the values under their snake_case names, in groups of the same rows whatever the engine's batches were."""
    reader = query.values()
    waiting = reader.schema.empty_table()
    with pq.ParquetWriter(path, reader.schema, compression="zstd") as writer:
        for batch in reader:
            waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch])])
            if waiting.num_rows >= _ROW_GROUP_ROWS:
                writer.write_table(waiting.slice(0, _ROW_GROUP_ROWS).combine_chunks())
                waiting = waiting.slice(_ROW_GROUP_ROWS)
        if waiting.num_rows:
            writer.write_table(waiting.combine_chunks())
