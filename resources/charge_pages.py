"""The customer-charges list page by page: what a screen shows, read when it is asked for.

What does not belong here: how a page is printed (`cli`), whole lists for files (`charge_list`).
"""

from typing import Any

import duckdb

from billing_pipeline.charges.columns import INVOICE_NUMBER
from billing_pipeline.charges.ordering import order_by
from billing_pipeline.charges.request import ExportRequest
from billing_pipeline.errors import WrongUsage
from resources.charge_list import ChargeList


class PageUnknown(WrongUsage):
    """A page that the list does not have."""


class ChargePages:
    """A filtered, ordered list in pages.

    Each page is a query of its own: it looks at the columns shown and sorted by, and keeps the rows up to the page; a
    page far back is sorted for, on disk if memory does not do.

    Args:
        connection: where the relation can be read.
        relation_sql: a select, or a relation's name, with the columns of `customer_charges`.
        request: columns, filter and order.
        page_size: rows of a page.
        show_invoice_numbers: whether the distributor allows displaying its invoices; else that column stays empty.

    Attributes:
        row_count: charges that pass the filter.
        page_size: rows of a page.

    Raises:
        ChargesInvalid: the relation is not the customer charges.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        relation_sql: str,
        request: ExportRequest,
        page_size: int,
        show_invoice_numbers: bool = True,
    ) -> None:
        charges = ChargeList(
            connection, relation_sql, request.columns, request.sort, request.filter, show_invoice_numbers
        )
        self._connection = connection
        self._request = request
        self._filtered, self._parameters = charges.filtered, charges.parameters
        self._is_hidden = [column == INVOICE_NUMBER and not show_invoice_numbers for column in request.columns]
        self.page_size = page_size
        counted = connection.execute(f"select count(*) from ({self._filtered})", self._parameters).fetchone()
        assert counted is not None
        self.row_count = int(counted[0])

    @property
    def page_count(self) -> int:
        """How many pages there are; an empty list has one, without rows."""
        return max(1, -(-self.row_count // self.page_size))

    def first_row(self, page: int) -> int:
        """Return the number of a page's first row; 1 is the list's first."""
        return (page - 1) * self.page_size + 1

    def read(self, page: int) -> list[tuple[Any, ...]]:
        """Return the rows of a page, values in the order of the columns: text, Decimal or date.

        Args:
            page: 1 is the first.

        Raises:
            PageUnknown: there are fewer.
        """
        if not 1 <= page <= self.page_count:
            raise PageUnknown(f"there is no page {page}: {self.row_count:,} charges are {self.page_count:,} pages")
        names = ", ".join(f'"{column.name}"' for column in self._request.columns)
        rows = self._connection.execute(
            f"select {names} from ({self._filtered}) as charges order by {order_by(self._request.sort)}"
            f" limit {int(self.page_size)} offset {self.first_row(page) - 1}",
            self._parameters,
        ).fetchall()
        if not any(self._is_hidden):
            return rows
        return [
            tuple("" if hidden else value for hidden, value in zip(self._is_hidden, row, strict=True)) for row in rows
        ]
