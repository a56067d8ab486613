"""The order of the customer-charges list: `Customer,Invoice date:desc` to an ORDER BY of our own making."""

from dataclasses import dataclass

from billing_pipeline.charges.columns import INVOICE_NUMBER, Column, column_named
from billing_pipeline.errors import WrongUsage

_DIRECTIONS = {"asc": False, "desc": True}
# An invoice's line is text in its file: `10`, `3.2`, `A-7`. Charges of feeds are no lines of one: they go by customer.
_LAST_TERMS = (
    """try_cast(regexp_extract("line_number", '^[0-9]{1,18}') as bigint) asc nulls last""",
    '"line_number" asc nulls last',
    '"customer" asc nulls last',
    '"description" asc nulls last',
    '"line_item_id" asc nulls last',
)


class SortInvalid(WrongUsage):
    """A sort order that cannot be read."""


@dataclass(frozen=True)
class SortKey:
    """One column to sort by."""

    column: Column
    is_descending: bool = False


DEFAULT_SORT = (SortKey(INVOICE_NUMBER, is_descending=True),)


def parse_sort(text: str | None) -> tuple[SortKey, ...]:
    """Read a sort order.

    Args:
        text: columns by header or snake_case name, separated by commas, each with `:asc` (the default) or `:desc`;
            None or blank for the default, invoice number descending.

    Returns:
        The keys in order of weight.

    Raises:
        SortInvalid: a direction is neither `asc` nor `desc`, or a column stands twice.
        ColumnUnknown: there is no such column.
    """
    if text is None or not text.strip():
        return DEFAULT_SORT
    keys = tuple(_sort_key(part) for part in text.split(","))
    columns = [key.column for key in keys]
    repeated = sorted({column.header for column in columns if columns.count(column) > 1})
    if repeated:
        raise SortInvalid(f"sort names a column twice: {', '.join(repeated)}")
    return keys


def order_by(keys: tuple[SortKey, ...]) -> str:
    """Return the keys as the body of an ORDER BY.

    Ties are broken by invoice number, descending, then by the invoice's lines as a person counts them (9 before 10, and
    10 before 10a), then by customer, description and line_item_id, so that the order is total and repeats. Empty cells
    come last in both directions.
    """
    names = {key.column.name for key in keys}
    terms = [f'"{key.column.name}" {"desc" if key.is_descending else "asc"} nulls last' for key in keys]
    if INVOICE_NUMBER.name not in names:
        terms.append(f'"{INVOICE_NUMBER.name}" desc nulls last')
    return ", ".join([*terms, *_LAST_TERMS])


def describe_sort(keys: tuple[SortKey, ...]) -> str:
    """Say the order in words: `Invoice # descending, Customer ascending`."""
    return ", ".join(f"{key.column.header} {'descending' if key.is_descending else 'ascending'}" for key in keys)


def _sort_key(part: str) -> SortKey:
    name, colon, direction = part.rpartition(":")
    if not colon:
        return SortKey(column_named(part))
    if direction.strip().lower() not in _DIRECTIONS:
        raise SortInvalid(f"{part.strip()!r}: write the direction as asc or desc, for example Customer:desc")
    return SortKey(column_named(name), _DIRECTIONS[direction.strip().lower()])
