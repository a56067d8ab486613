"""What Dagster shows of the margins: a table and a chart of the newest month, currency by currency, and its leaks."""

from collections.abc import Mapping

import duckdb
from dagster import MetadataValue
from dagster._core.definitions.metadata import RawMetadataValue

from assets.metadata import chart, markdown_table, money_text

_NEWEST = "billing_period = (select max(billing_period) from margins)"
_ROWS = 20


def describe_margins(connection: duckdb.DuckDBPyConnection) -> Mapping[str, RawMetadataValue]:
    """Describe the margins of the newest month in a published warehouse.

    Args:
        connection: the warehouse, opened for reading.

    Returns:
        Metadata entries: the customers with the largest price, a bar for each of the largest margins, and what leaks
        of each kind; none of them where nothing has been priced. Amounts of different currencies are never added up.
    """
    newest = connection.execute("select max(billing_period) from margins").fetchone()
    if newest is None or newest[0] is None:
        return {}
    connection.execute(f"create temp view newest_margins as select * from margins where {_NEWEST}")
    customers = connection.execute(
        "select customer_id, currency, sum(total_cost), sum(total_sell), sum(margin),"
        " cast(exact_ratio(sum(margin), sum(total_sell)) * 100 as decimal(38, 2)) from newest_margins"
        f" group by all order by sum(total_sell) desc, 1, 2 limit {_ROWS}"
    ).fetchall()
    leaks = connection.execute(
        "select kind, currency, count(*), sum(amount) from margin_leaks"
        f" where billing_period = '{newest[0]}' group by all order by kind, currency"
    ).fetchall()
    bars = {
        f"margin_chart_{code}": MetadataValue.md(chart(connection, f"margins_{code}", "margin", "customer_id"))
        for code in _name_currencies(connection)
    }
    table = [
        [customer, code, *(money_text(amount, code) for amount in amounts), "" if percent is None else f"{percent} %"]
        for customer, code, *amounts, percent in customers
    ]
    lost = [[kind, code, f"{count:,}", money_text(amount, code)] for kind, code, count, amount in leaks]
    header = ["customer", "currency", "cost", "price", "margin", "percent"]
    return {
        "margins_of": str(newest[0]),
        "margins": MetadataValue.md(markdown_table(header, table)),
        **bars,
        "margin_leaks": MetadataValue.md(markdown_table(["kind", "currency", "findings", "amount"], lost)),
    }


def _name_currencies(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Name `margins_<currency>` for each currency of the month, so that a chart compares only what can be compared."""
    found = connection.execute("select distinct currency from newest_margins order by currency").fetchall()
    codes = [str(row[0]) for row in found]
    for code in codes:
        connection.execute(f"create temp view margins_{code} as select * from newest_margins where currency = '{code}'")
    return codes
