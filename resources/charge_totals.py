"""Totals of a list of charges per currency, exact: of the columns shown, never of others."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from billing_pipeline.charges.columns import CURRENCY, Column
from billing_pipeline.money import EXACT

_SELL, _COST = "total_sell_price", "total_cost_price"


@dataclass(frozen=True)
class CurrencyTotals:
    """What the charges in one currency add up to.

    Attributes:
        rows: how many there are.
        amounts: exact sums in that currency, in the order of `ListTotals.headers`.
    """

    currency: str
    rows: int
    amounts: tuple[Decimal, ...]


@dataclass(frozen=True)
class ListTotals:
    """The totals of a list.

    Attributes:
        headers: of the sums; none where no total is shown.
        currencies: by code.
    """

    headers: tuple[str, ...]
    currencies: tuple[CurrencyTotals, ...]


def add_up(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column]) -> ListTotals | None:
    """Add up the totals among the columns shown, by currency; debits and credits apart where the type is shown.

    Args:
        connection: a session that knows the rows as `charges`.
        columns: the columns shown.

    Returns:
        Sums of the sell price, then of the cost price, then, where both are shown, the margin, sell less cost. None for
        a list without the column Currency: its amounts, if it has any, are of no known currency.
    """
    if CURRENCY not in columns:
        return None
    sums = _sums(columns)
    halves = ", ".join(
        f"coalesce(sum({half}) filter ({condition}), 0)"
        for _, name, condition in sums
        for half in (f'cast(trunc("{name}") as decimal(38, 0))', _fraction(name))
    )
    selected = ", ".join(filter(None, ["currency", "count(*)", halves]))
    found = connection.execute(f"select {selected} from charges group by currency order by currency").fetchall()
    headers = [header for header, _, _ in sums]
    has_margin = {"Total Sell Price", "Total Cost Price"} <= set(headers)
    totals = []
    for currency, rows, *parts in found:
        # A sum of DECIMAL(38,24) has room for 14 digits before the point; whole and fraction apart have room for all.
        amounts = [EXACT.add(whole, fraction) for whole, fraction in zip(parts[::2], parts[1::2], strict=True)]
        if has_margin:
            by_header = dict(zip(headers, amounts, strict=True))
            amounts.append(EXACT.subtract(by_header["Total Sell Price"], by_header["Total Cost Price"]))
        totals.append(CurrencyTotals(currency, rows, tuple(amounts)))
    return ListTotals((*headers, *(["Margin"] if has_margin else [])), tuple(totals))


def _sums(columns: Sequence[Column]) -> list[tuple[str, str, str]]:
    """Return header, column and condition of each sum."""
    shown = {column.name: column for column in columns}
    sums = []
    for name in (_SELL, _COST):
        if name in shown:
            header = shown[name].header
            if "type" in shown:
                sums.append((f"Debits, {header}", name, "type = 'Debit'"))
                sums.append((f"Credits, {header}", name, "type = 'Credit'"))
            sums.append((header, name, "true"))
    return sums


def _fraction(name: str) -> str:
    return f'"{name}" - cast(trunc("{name}") as decimal(38, 24))'
