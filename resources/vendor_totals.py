"""The totals that vendors state beside their files, as relations of a session.

What does not belong here: how a file comes into the lake (`resources.intake`), what its cells may say
(`billing_pipeline.vendor_totals`).
"""

import duckdb

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from resources.lake import Lake
from resources.relations import read_partitions


def read_vendor_totals(connection: duckdb.DuckDBPyConnection, lake: Lake) -> bool:
    """Name the totals in force `vendor_totals`, one row per source, account, month, currency and invoice.

    Args:
        connection: the session; it gets `every_vendor_total` (all that was ever stated) too.
        lake: its partitions of `vendor_totals`, one for each day of arrival.

    Returns:
        Whether any total was ever stated.
    """
    has_any = read_partitions(connection, "every_vendor_total", VENDOR_TOTALS, lake, None)
    current = load_sql("reconciliation/current_vendor_totals")
    connection.execute(f"create or replace temp table vendor_totals as {current}")
    return has_any
