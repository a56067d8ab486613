"""The states of sources and months for the warehouse's page: a chart of all, a table of those that are not settled."""

from decimal import Decimal

import duckdb
from dagster import MetadataValue
from dagster._core.definitions.metadata import RawMetadataValue

from assets.metadata import markdown_table, money_text

_MONTHS = 12
_SYMBOLS = {"open": "○", "collecting": "◐", "late": "▲", "settled": "●", "locked": "■"}
_LEGEND = ", ".join(f"{symbol} {state}" for state, symbol in _SYMBOLS.items())


def describe_status(connection: duckdb.DuckDBPyConnection) -> dict[str, RawMetadataValue]:
    """Describe where the sources stand.

    Args:
        connection: session with `billing_status`.

    Returns:
        `states`, a chart of source by month with a symbol each (the last twelve months), and `awaited`, a table of the
        sources and months that wait for something.
    """
    return {
        "states": MetadataValue.md(f"{status_chart(connection)}\n\n{_LEGEND}"),
        "awaited": MetadataValue.md(_awaited(connection)),
    }


def status_chart(connection: duckdb.DuckDBPyConnection) -> str:
    """Return a Markdown table of a symbol per source and month, the last twelve months."""
    found = connection.execute(
        "select distinct source, billing_period, case when is_late then 'late' else state end from billing_status"
        " where billing_period in (select distinct billing_period from billing_status order by 1 desc limit $months)",
        {"months": _MONTHS},
    ).fetchall()
    symbols = {(source, period): _SYMBOLS[state] for source, period, state in found}
    periods = sorted({period for _, period in symbols})
    sources = sorted({source for source, _ in symbols})
    rows = [[source, *(symbols.get((source, period), "") for period in periods)] for source in sources]
    return markdown_table(["source", *periods], rows)


def _awaited(connection: duckdb.DuckDBPyConnection) -> str:
    found = connection.execute(
        "select billing_period, source, case when is_late then state || ', late' else state end, difference, currency,"
        " expected_settled_on, waits_for from billing_status where waits_for is not null"
        " order by billing_period desc, source, currency"
    ).fetchall()
    rows = [
        [period, source, state, _amount(difference, currency), str(expected), waits_for]
        for period, source, state, difference, currency, expected, waits_for in found
    ]
    return markdown_table(["month", "source", "state", "difference", "usually settled by", "waits for"], rows)


def _amount(difference: Decimal | None, currency: str | None) -> str:
    return "" if difference is None or currency is None else f"{money_text(difference, currency)} {currency}"
