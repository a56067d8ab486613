"""Credit notes that came before the invoice they credit: they have no price until their day is run once more."""

from collections.abc import Collection
from datetime import date

import duckdb

from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from resources.lake import Lake
from resources.relations import read_partitions, read_vendor_rows


def days_with_late_debits(lake: Lake, days: Collection[date]) -> list[date]:
    """Return the days with credit notes without price whose invoices have come on one of some other days.

    Args:
        days: the days of arrival just run. Within a day, and for neighbours that are one run, credits find their
            debits; the stretches of a longer run know nothing of the later ones.

    Returns:
        In order; a day of `days` too if its credits were priced before the invoice.
    """
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        files = lake.files(DELIVERIES.name, sorted(day.isoformat() for day in days))
        _read_with_day(connection, "arrived", files, "format = 'distributor_invoice'")
        if not _has_rows(connection, "arrived"):
            return []
        waits = "line_number is not null and charge_type = 'Credit' and customer_id is not null and total_sell is null"
        _read_with_day(connection, "waiting", lake.files(PRICED_LINE_ITEMS.name), waits)
        if not _has_rows(connection, "waiting"):
            return []
        read_partitions(connection, "every_delivery", DELIVERIES, lake, None)
        connection.execute(
            "create temp view deliveries as select * from every_delivery"
            " where delivery_id in (select delivery_id from waiting)"
        )
        read_vendor_rows(connection, lake, are_whole_files=False)
        found = connection.execute(
            "select distinct waiting.day from waiting"
            " inner join item_rows on waiting.delivery_id = item_rows.delivery_id"
            " and waiting.line_number = item_rows.x_line_number"
            " inner join arrived on waiting.source = arrived.source"
            " and item_rows.x_credits_invoice_number = arrived.billing_account_id and waiting.day <> arrived.day"
        ).fetchall()
    return sorted(date.fromisoformat(day) for (day,) in found)


def _read_with_day(connection: duckdb.DuckDBPyConnection, name: str, files: list[str], condition: str) -> None:
    """Make a table of what some partitions hold, with the day of each row; nothing for no files."""
    if not files:
        connection.execute(f"create temp table {name} as select null as day where false")
        return
    connection.execute(
        f"create temp table {name} as select *, parse_filename(filename, true) as day"
        f" from read_parquet($files, filename = true, hive_partitioning = false) where {condition}",
        {"files": files},
    )


def _has_rows(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    return connection.execute(f"select count(*) from {name}").fetchall() != [(0,)]
