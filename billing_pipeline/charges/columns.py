"""The columns of the customer-charges list: their headers, names and kinds, and the choice among them.

What does not belong here: where the charges come from, how a cell looks in a workbook.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from billing_pipeline.errors import WrongUsage

ColumnKind = Literal["text", "date", "number", "price"]


class ColumnUnknown(WrongUsage):
    """A name that is no column of the customer charges, or one that was chosen twice."""


@dataclass(frozen=True)
class Column:
    """One column of the list.

    Attributes:
        header: what people read above it.
        name: the same in snake_case, as in the table `customer_charges`.
        kind: `price` is an amount in the row's currency; `number` has no currency.
        scale: decimals of a number's exact type DECIMAL(38, scale); 0 for text and dates.
        is_default: whether it is shown when nothing was chosen.
    """

    header: str
    name: str
    kind: ColumnKind
    scale: int = 0
    is_default: bool = True

    @property
    def sql_type(self) -> str:
        """The exact type of the column's values."""
        if self.kind in {"number", "price"}:
            return f"decimal(38, {self.scale})"
        return "date" if self.kind == "date" else "varchar"


CURRENCY = Column("Currency", "currency", "text", is_default=False)
INVOICE_NUMBER = Column("Invoice #", "invoice_number", "text")

# In the order of the list; `Currency` is on request, yet comes along with every price (`choose_columns`).
COLUMNS = (
    INVOICE_NUMBER,
    Column("Invoice date", "invoice_date", "date"),
    Column("Type", "type", "text"),
    Column("Customer", "customer", "text"),
    Column("Description", "description", "text"),
    Column("Start date", "start_date", "date"),
    Column("End date", "end_date", "date"),
    Column("Unit Cost Price", "unit_cost_price", "price", scale=18),
    Column("Unit Sell Price", "unit_sell_price", "price", scale=18),
    Column("Quantity", "quantity", "number", scale=18),
    Column("Unit", "unit", "text"),
    Column("Total Cost Price", "total_cost_price", "price", scale=24),
    Column("Total Sell Price", "total_sell_price", "price", scale=24),
    Column("Product Type", "product_type", "text", is_default=False),
    Column("Product Name", "product_name", "text", is_default=False),
    CURRENCY,
)

_BY_NAME = {text.casefold(): column for column in COLUMNS for text in (column.header, column.name)}


def find_column(text: str) -> Column | None:
    """Return the column with this header or snake_case name, whatever its case; None if there is none."""
    return _BY_NAME.get(text.strip().casefold())


def known_columns() -> str:
    """Return all headers, for an error message."""
    return ", ".join(column.header for column in COLUMNS)


def column_named(text: str) -> Column:
    """Return the column with this header or snake_case name, whatever its case.

    Raises:
        ColumnUnknown: there is none; the message names those there are.
    """
    column = find_column(text)
    if column is None:
        raise ColumnUnknown(f"{text.strip()!r} is no column of the customer charges; there are {known_columns()}")
    return column


def choose_columns(names: Iterable[str] | None) -> tuple[Column, ...]:
    """Return the columns to show, in the order chosen.

    Args:
        names: headers or snake_case names, whatever their case; None or none at all for the default columns.

    Returns:
        The columns; `Currency` is added at the end as soon as a price is among them and it is not.

    Raises:
        ColumnUnknown: a name is unknown or stands twice.
    """
    chosen = [column_named(name) for name in names or ()] or [column for column in COLUMNS if column.is_default]
    repeated = sorted({column.header for column in chosen if chosen.count(column) > 1})
    if repeated:
        raise ColumnUnknown(f"column chosen twice: {', '.join(repeated)}")
    if CURRENCY not in chosen and any(column.kind == "price" for column in chosen):
        chosen.append(CURRENCY)
    return tuple(chosen)
