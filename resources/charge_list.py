"""The customer charges that a request asks for, filtered and in order.

What does not belong here: the rows once they are in order (`ordered_charges`), the files (`exports`, `workbook`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from billing_pipeline.charges.columns import COLUMNS, Column
from billing_pipeline.charges.filters import ParsedFilter
from billing_pipeline.charges.ordering import SortKey, order_by
from resources.charge_cells import ChargesInvalid
from resources.ordered_charges import OrderedCharges, put_in_order


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
        self._show_invoice_numbers = show_invoice_numbers
        self.parameters = list(row_filter.parameters) if row_filter else []
        condition = row_filter.sql if row_filter else "true"
        self.filtered = f"select * from ({_as_select(relation_sql)}) as charges where {condition}"
        _check_types(connection.sql(_as_select(relation_sql)))

    @contextmanager
    def in_order(self) -> Iterator[OrderedCharges]:
        """Sort the rows once, and put them aside for whatever is to be written of them.

        Only the columns that are shown are kept, with the currency, the type and the invoice number that files need.
        """
        names = dict.fromkeys([*(column.name for column in self._columns), "currency", "type", "invoice_number"])
        listed = ", ".join(f'"{name}"' for name in names)
        # The outermost select: DuckDB keeps no order of an inner one.
        query = f"select {listed} from ({self.filtered}) as filtered order by {self._sort}"
        with put_in_order(self._connection, query, self.parameters, self._show_invoice_numbers) as ordered:
            yield ordered


def _as_select(relation_sql: str) -> str:
    is_select = relation_sql.strip().lower().startswith(("select", "with", "from"))
    return relation_sql if is_select else f"from {relation_sql}"


def _check_types(relation: duckdb.DuckDBPyRelation) -> None:
    """Refuse columns that are missing or of another kind: a float would be shown as if it were exact."""
    types = {name: str(kind).lower() for name, kind in zip(relation.columns, relation.types, strict=True)}
    for name in ("line_item_id", "line_number"):
        if types.get(name) != "varchar":
            raise ChargesInvalid(f"the customer charges have no column {name}, which settles their order")
    for column in COLUMNS:
        found = types.get(column.name, "missing")
        if not found.startswith(column.sql_type.partition("(")[0]):
            raise ChargesInvalid(f"column {column.name} of the customer charges is {found}, not {column.sql_type}")
