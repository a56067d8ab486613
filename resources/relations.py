"""Relations of a DuckDB session over the lake: what a stage reads, by the names its SQL uses."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

import duckdb
import polars as pl

from billing_pipeline.configuration import WorkspaceConfig
from billing_pipeline.periods import local_day
from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.table import Table
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from resources.lake import Lake, quoted


def read_files(connection: duckdb.DuckDBPyConnection, name: str, table: Table, files: Sequence[str]) -> bool:
    """Name the rows of some Parquet files; no file gives a relation without rows.

    Args:
        name: the relation's name in the session.
        table: contract that gives the columns where there is no file.
        files: paths of Parquet files with the table's columns.

    Returns:
        Whether there is any row.
    """
    if files:
        listed = ", ".join(quoted(file) for file in files)
        source = f"select * from read_parquet([{listed}], hive_partitioning = false)"
    else:
        columns = ", ".join(f'cast(null as {column.type}) as "{column.name}"' for column in table.columns)
        source = f"select {columns} where false"
    connection.execute(f"create or replace temp view {name} as {source}")
    # A Parquet file counts its rows in its footer.
    found = connection.execute(f"select count(*) from {name}").fetchone()
    return found is not None and found[0] > 0


def read_partitions(
    connection: duckdb.DuckDBPyConnection, name: str, table: Table, lake: Lake, partitions: Sequence[str] | None
) -> bool:
    """Name the rows of some partitions of an asset, or of all, and tell whether there are any."""
    return read_files(connection, name, table, lake.files(table.name, partitions))


def read_deliveries(connection: duckdb.DuckDBPyConnection, lake: Lake, partitions: Sequence[str] | None) -> bool:
    """Name a day's deliveries `deliveries`, one row for each of them `delivery_facts`; tell whether there are any.

    Invoices that were merely sent again are no deliveries: they are `repeated_deliveries`.
    """
    read_partitions(connection, "deliveries_and_repeats", DELIVERIES, lake, partitions)
    for name, condition in (
        ("deliveries", "unchanged_since is null"),
        ("repeated_deliveries", "unchanged_since is not null"),
    ):
        connection.execute(
            f"create or replace temp view {name} as select * from deliveries_and_repeats where {condition}"
        )
    counted = connection.execute("select count(*) from deliveries").fetchone()
    has_any = counted is not None and counted[0] > 0
    # A distributor who sends an invoice again, as many do with a whole month, does not sell it again: it keeps the
    # terms known when it first arrived as issued.
    read_partitions(connection, "every_delivery", DELIVERIES, lake, None if has_any else [])
    connection.execute(
        "create or replace temp table first_issued as"
        " select slot, min(received_at) as first_at, min(seen_at) as first_seen_at from every_delivery"
        " where format = 'distributor_invoice' and invoice_status = 'issued' group by slot"
    )
    connection.execute(
        "create or replace temp view delivery_facts as select distinct delivery_id, source, format, vendor,"
        " billing_account_id, billing_period, least(received_at, coalesce(first_at, received_at)) as received_at,"
        " least(seen_at, coalesce(first_seen_at, seen_at)) as seen_at, is_final"
        " from deliveries left join first_issued using (slot)"
    )
    return has_any


def read_vendor_rows(connection: duckdb.DuckDBPyConnection, lake: Lake, are_whole_files: bool = True) -> None:
    """Name the rows of the session's `deliveries`: `usage_rows` and `item_rows` (distributor invoices).

    Args:
        are_whole_files: whether `deliveries` lists every delivery of each file that it names, as a day's does.
    """
    files: dict[bool, set[str]] = {True: set(), False: set()}
    if are_whole_files:
        # A file may hold new invoices beside some that are merely sent again.
        repeats = connection.execute("select count(*) from repeated_deliveries").fetchone()
        are_whole_files = repeats is not None and repeats[0] == 0
    found = connection.execute("select format, parquet_files from deliveries").fetchall()
    for file_format, parquet_files in found:
        files[file_format == "distributor_invoice"].update(json.loads(parquet_files))
    for name, is_item in (("usage_rows", False), ("item_rows", True)):
        relation = name if are_whole_files else f"{name}_of_files"
        read_files(connection, relation, VENDOR_CHARGES, [str(lake.locate(file)) for file in sorted(files[is_item])])
        if not are_whole_files:
            connection.execute(
                f"create or replace temp view {name} as select * from {relation}"
                " where delivery_id in (select delivery_id from deliveries)"
            )


def read_earlier_items(connection: duckdb.DuckDBPyConnection, lake: Lake, *days: str) -> None:
    """Name `earlier_line_items`: the priced items of other days that credit notes of `item_rows` may credit."""
    credited = connection.execute(
        "select count(*) from item_rows where x_invoice_type = 'credit' and x_credits_invoice_number is not null"
    ).fetchone()
    assert credited is not None
    others = [other for other in lake.partitions(PRICED_LINE_ITEMS.name) if other not in days] if credited[0] else []
    read_partitions(connection, "earlier_line_items", PRICED_LINE_ITEMS, lake, others)


def register_frames(connection: duckdb.DuckDBPyConnection, frames: Iterable[tuple[str, pl.DataFrame]]) -> None:
    """Give frames names in the session, as tables of their own (not views of memory that may go away)."""
    for name, frame in frames:
        connection.register("incoming_frame", frame.to_arrow())
        connection.execute(f"create or replace temp table {name} as select * from incoming_frame")
        connection.unregister("incoming_frame")


CURRENT_DELIVERIES = """
    select * from (
        select
            *,
            dense_rank() over (
                partition by slot
                order by received_at desc, landed_at desc, coalesce(invoice_status, '') = 'issued' desc, sha256
            ) = 1 as is_current,
        from deliveries
        where unchanged_since is null and ($as_of is null or received_at <= $as_of)
    )
"""


def mark_current(connection: duckdb.DuckDBPyConnection, as_of: datetime | None = None) -> None:
    """Name `known_deliveries`: the session's deliveries with `is_current`.

    The newest delivery of a slot replaces its predecessors whole, whatever it holds; an invoice merely sent again is no
    delivery.

    Args:
        as_of: only what had arrived by this instant; None for all.
    """
    connection.execute(f"create or replace temp table known_deliveries as {CURRENT_DELIVERIES}", {"as_of": as_of})


def current_days(connection: duckdb.DuckDBPyConnection, config: WorkspaceConfig) -> list[str]:
    """Return the partitions in which the session's current deliveries lie."""
    found = connection.execute("select distinct received_at from known_deliveries where is_current").fetchall()
    zone = config.organisation.zone
    return sorted({local_day(_instant(received_at), zone).isoformat() for (received_at,) in found})


def _instant(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value
