"""From charges to the vendor rows behind them: file, SHA-256 and row numbers.

The rows are read from the Parquet files of the charges' own deliveries, nothing else of the lake. What does not belong
here: which charges are asked for (`resources.explained_ids`), what is said about them (`resources.explanations`).
"""

import json
from datetime import date, timedelta

import duckdb
import polars as pl

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from resources.lake import Lake, quoted
from resources.relations import read_files, read_partitions

# More accounts than this in one list are not worth a filter of their own: the join finds them.
_LISTED_ACCOUNTS = 200


def charge_files(connection: duckdb.DuckDBPyConnection, lake: Lake, charges: str) -> pl.DataFrame:
    """Return the files and row numbers behind charges, for a list of charges with their origin.

    Args:
        connection: session with the macros of `sql/macros.sql`; it keeps the rows as `charge_rows` until the next call.
        charges: name of a relation with columns of priced_line_items; some hundred thousand charges are fine.

    Returns:
        One row per charge and file, sorted by charge_id and file_name: charge_id, delivery_id, file_name, file_sha256,
        currency, row_count, billed_cost (decimal(38,18), in currency), row_numbers (sorted list).
    """
    read_charge_rows(connection, lake, charges)
    found: pl.DataFrame = connection.sql(load_sql("explaining/charge_files")).pl()
    return found


def read_charge_rows(connection: duckdb.DuckDBPyConnection, lake: Lake, charges: str) -> None:
    """Name `charge_rows`: the vendor rows behind charges, as `sql/explaining/charge_rows.sql` gives them."""
    connection.execute(
        "create or replace temp table wanted_charges as select charge_id, delivery_id, sub_account_id, period_start,"
        f" charge_nature, charge_category, unit, currency, line_number from {charges}"
    )
    # One scan a delivery: its files, and of them only the days and accounts that are wanted.
    scans = connection.execute(
        "select delivery_id, line_number is not null, min(period_start), max(period_start),"
        " case when count(distinct sub_account_id) <= $most and count(*) = count(sub_account_id)"
        " then array_agg(distinct sub_account_id) end from wanted_charges group by all order by all",
        {"most": _LISTED_ACCOUNTS},
    ).fetchall()
    files = _files_of_deliveries(connection, lake)
    connection.execute("drop table if exists charge_rows")
    for delivery_id, is_item, first, last, accounts in scans:
        read_files(connection, "files_of_delivery", VENDOR_CHARGES, files.get(delivery_id, []))
        condition = f"delivery_id = {quoted(delivery_id)}"
        if not is_item:
            condition += _usage_condition(first, last, accounts)
        connection.execute(
            f"create or replace temp view delivery_rows as select * from files_of_delivery where {condition}"
        )
        _collect(connection)
    if not scans:
        read_files(connection, "delivery_rows", VENDOR_CHARGES, [])
        _collect(connection)


def _collect(connection: duckdb.DuckDBPyConnection) -> None:
    """Put the rows of one scan into `charge_rows`."""
    query = load_sql("explaining/charge_rows")
    found = connection.execute(
        "select count(*) from duckdb_tables() where table_name = 'charge_rows' and temporary"
    ).fetchone()
    is_first = found is None or found[0] == 0
    connection.execute(f"create temp table charge_rows as {query}" if is_first else f"insert into charge_rows {query}")


def _usage_condition(first: date, last: date, accounts: list[str] | None) -> str:
    text = (
        f" and charge_period_start >= timestamptz '{first} 00:00:00+00'"
        f" and charge_period_start < timestamptz '{last + timedelta(days=1)} 00:00:00+00'"
    )
    if accounts is not None:
        text += f" and sub_account_id in ({', '.join(quoted(account) for account in sorted(accounts))})"
    return text


def _files_of_deliveries(connection: duckdb.DuckDBPyConnection, lake: Lake) -> dict[str, list[str]]:
    """Return the Parquet files of each delivery that a wanted charge came in."""
    read_partitions(connection, "every_delivery_of_lake", DELIVERIES, lake, None)
    found = connection.execute(
        "select distinct delivery_id, parquet_files from every_delivery_of_lake"
        " where unchanged_since is null and delivery_id in (select delivery_id from wanted_charges)"
    ).fetchall()
    return {
        delivery_id: sorted(str(lake.locate(name)) for name in json.loads(parquet_files))
        for delivery_id, parquet_files in found
    }
