"""The customer charges that a request asks for, filtered and in order, as a stream of rows written out for a file.

What does not belong here: the files (`exports`, `workbook`), how a cell is written (`charge_cells`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from billing_pipeline.charges.columns import COLUMNS, INVOICE_NUMBER, Column
from billing_pipeline.charges.filters import ParsedFilter
from billing_pipeline.charges.ordering import SortKey, order_by
from resources.charge_cells import ChargesInvalid, csv_row, sheet_row
from resources.charge_statistics import ListStatistics

_ROWS_AT_ONCE = 2_048
# One thread that keeps the order: a query with two gave 199 rows of a million out of order, sorted subquery or not.
_WRITER_SETTINGS: dict[str, str | bool | int | float | list[str]] = {"threads": 1, "preserve_insertion_order": True}


class ChargeList:
    """A filtered, ordered list of charges.

    Args:
        connection: where the relation can be read.
        relation_sql: a select, or a relation's name, with the columns of `customer_charges`.
        columns: the columns shown, in order.
        sort: the order of the rows.
        row_filter: the rows wanted; None for all.
        show_invoice_numbers: whether the invoice number may be seen; filter and order use it in either case.

    Attributes:
        filtered: select of the rows wanted, with `?` for values.
        parameters: those values.

    Raises:
        ChargesInvalid: a column is missing or of another type.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        relation_sql: str,
        columns: tuple[Column, ...],
        sort: tuple[SortKey, ...],
        row_filter: ParsedFilter | None,
        show_invoice_numbers: bool,
    ) -> None:
        self._connection = connection
        self._columns = columns
        self._sort = order_by(sort)
        self._shown_number = '"invoice_number"' if show_invoice_numbers else "''"
        self.parameters = list(row_filter.parameters) if row_filter else []
        condition = row_filter.sql if row_filter else "true"
        self.filtered = f"select * from ({_as_select(relation_sql)}) as charges where {condition}"
        _check_types(connection.sql(_as_select(relation_sql)))

    def sheet_rows(self, statistics: ListStatistics, has_links: bool) -> Iterator[tuple[str, str | None]]:
        """Yield each row's XML and the text of its link."""
        row = sheet_row(self._columns, statistics.decimals, has_links)
        link = '"invoice_number"' if has_links else "null::varchar"
        with self._stream(f"{row} as xml, {link} as link_text") as batches:
            for batch in batches:
                yield from zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True)

    def csv_lines(self, statistics: ListStatistics) -> Iterator[list[str]]:
        """Yield batches of CSV records."""
        with self._stream(f"{csv_row(self._columns, statistics.decimals)} as line") as batches:
            for batch in batches:
                yield batch.column(0).to_pylist()

    @contextmanager
    def values(self) -> Iterator[pa.RecordBatchReader]:
        """Open a stream of the values themselves, exact."""
        with self._stream(", ".join(f'"{column.name}"' for column in self._columns)) as batches:
            yield batches

    @contextmanager
    def _stream(self, expressions: str) -> Iterator[pa.RecordBatchReader]:
        """Sort in the caller's session, then write out, row by row, in one of our own.

        Two sessions, because only the outermost ORDER BY of a query holds, and sorting what is written out would carry
        a kilobyte a row.
        """
        names = [*(column.name for column in self._columns if column != INVOICE_NUMBER), "currency"]
        others = ", ".join(f'"{name}"' for name in dict.fromkeys(names))
        ordered = self._connection.sql(
            f'select {others}, "invoice_number" from ({self.filtered}) as filtered order by {self._sort}',
            params=self.parameters,
        ).to_arrow_reader(_ROWS_AT_ONCE)
        with duckdb.connect(config=_WRITER_SETTINGS) as writer:
            writer.register("ordered", ordered)
            shown = f'select {others}, {self._shown_number} as "invoice_number" from ordered'
            yield writer.sql(f"select {expressions} from ({shown}) as shown").to_arrow_reader(_ROWS_AT_ONCE)


def _as_select(relation_sql: str) -> str:
    is_select = relation_sql.strip().lower().startswith(("select", "with", "from"))
    return relation_sql if is_select else f"from {relation_sql}"


def _check_types(relation: duckdb.DuckDBPyRelation) -> None:
    """Refuse columns that are missing or of another kind: a float would be shown as if it were exact."""
    types = {name: str(kind).lower() for name, kind in zip(relation.columns, relation.types, strict=True)}
    if "line_item_id" not in types:
        raise ChargesInvalid("the customer charges have no column line_item_id, which settles their order")
    for column in COLUMNS:
        found = types.get(column.name, "missing")
        if not found.startswith(column.sql_type.partition("(")[0]):
            raise ChargesInvalid(f"column {column.name} of the customer charges is {found}, not {column.sql_type}")
