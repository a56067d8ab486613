"""What must be known of a list of charges before its first row is written: size, currencies, widths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from billing_pipeline.charges.columns import Column
from billing_pipeline.money import minor_units
from resources.charge_cells import ChargesInvalid, is_too_long

# In characters: the filter's button beside a header, air beside a value, and the widest column.
_BUTTON, _AIR, _WIDEST = 4, 2, 60
_DAY_WIDTH = len("2026-10-05") + _AIR
_MOST_SHOWN_DECIMALS = 10


@dataclass(frozen=True)
class ListStatistics:
    """The measures of a list.

    Attributes:
        decimals: minor units by currency, of every currency that occurs, sorted by code.
        widths: characters by column name that show the widest value, within reason.
        text_bytes: bytes of all text shown.
        long_texts: texts too long for a cell of a sheet.
    """

    rows: int
    decimals: Mapping[str, int]
    widths: Mapping[str, int]
    text_bytes: int
    long_texts: int


def measure(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column]) -> ListStatistics:
    """Read a list once and measure it.

    Args:
        connection: a session that knows the rows as `charges`.
        columns: the columns that will be shown.

    Returns:
        The measures; of an empty list too.

    Raises:
        ChargesInvalid: a charge has no currency.
        UnknownCurrency: a currency is not in ISO 4217.
    """
    texts = [column for column in columns if column.kind == "text"]
    numbers = [column for column in columns if column.kind in {"number", "price"}]
    measures = {
        "row_count": "count(*)",
        "currencies": "list(distinct currency order by currency)",
        "without_currency": "count(*) filter (where currency is null)",
        "text_bytes": " + ".join(["0", *(f'coalesce(sum(strlen("{column.name}")), 0)' for column in texts)]),
        "long_texts": " + ".join(["0", *(f"count(*) filter (where {is_too_long(column.name)})" for column in texts)]),
        **{f"{column.name}_length": f'max(length("{column.name}"))' for column in texts},
        **{f"{column.name}_lowest": f'min("{column.name}")' for column in numbers},
        **{f"{column.name}_highest": f'max("{column.name}")' for column in numbers},
    }
    selected = ", ".join(f'{expression} as "{name}"' for name, expression in measures.items())
    row = connection.execute(f"select {selected} from charges").fetchall()[0]
    found = dict(zip(measures, row, strict=True))
    if found["without_currency"]:
        raise ChargesInvalid(f"{found['without_currency']} customer charges have no currency")
    decimals = {code: minor_units(code) for code in found["currencies"] or ()}
    return ListStatistics(
        rows=found["row_count"],
        decimals=decimals,
        widths={column.name: _width(column, found, max(decimals.values(), default=0)) for column in columns},
        text_bytes=int(found["text_bytes"]),
        long_texts=int(found["long_texts"]),
    )


def _width(column: Column, found: Mapping[str, object], currency_decimals: int) -> int:
    header = len(column.header) + _BUTTON
    if column.kind == "date":
        return max(header, _DAY_WIDTH)
    if column.kind == "text":
        longest = found[f"{column.name}_length"]
        return max(header, min(_WIDEST, (longest if isinstance(longest, int) else 0) + _AIR))
    whole = 0
    for bound in ("lowest", "highest"):
        value = found[f"{column.name}_{bound}"]
        if isinstance(value, Decimal):
            whole = max(whole, len(f"{int(value):,}"))
    # A unit price may need all its decimals, else the sheet shows ##### in its place.
    decimals = currency_decimals if column.name.startswith("total_") else _MOST_SHOWN_DECIMALS
    return max(header, whole + 1 + decimals + _AIR)
