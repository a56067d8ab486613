"""The customer charges of some days of arrival, as the current deliveries say."""

from datetime import date

import duckdb

from billing_pipeline.errors import BillingError
from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES
from resources.lake import Lake
from resources.relations import mark_current, read_deliveries, read_partitions

CHOSEN_CHARGES = "chosen_charges"


class NothingListed(BillingError):
    """There are no customer charges yet."""


def name_charges(
    connection: duckdb.DuckDBPyConnection, lake: Lake, first: date | None, last: date | None
) -> list[date]:
    """Name `chosen_charges`: current charges of the chosen days of arrival, both ends included; None leaves one open.

    Returns:
        Those of the days that have charges, in order.

    Raises:
        NothingListed: no day has been listed yet.
    """
    present = lake.partitions(CUSTOMER_CHARGES.name)
    if not present:
        raise NothingListed("there are no customer charges yet; `billing run` makes them")
    low, high = (None if day is None else day.isoformat() for day in (first, last))
    chosen = [day for day in present if (low is None or low <= day) and (high is None or day <= high)]
    read_partitions(connection, "day_charges", CUSTOMER_CHARGES, lake, chosen)
    read_deliveries(connection, lake, None)
    mark_current(connection)
    connection.execute(
        f"create or replace temp view {CHOSEN_CHARGES} as select * from day_charges"
        " where delivery_id in (select delivery_id from known_deliveries where is_current)"
    )
    return _days_with_rows(connection, lake.files(CUSTOMER_CHARGES.name, chosen))


def _days_with_rows(connection: duckdb.DuckDBPyConnection, files: list[str]) -> list[date]:
    if not files:
        return []
    # A Parquet file counts its rows in its footer.
    found = connection.execute(
        "select parse_filename(file_name, true) as day from parquet_file_metadata($files) where num_rows > 0"
        " order by day",
        {"files": files},
    ).fetchall()
    return [date.fromisoformat(day) for (day,) in found]
