"""The three-way reconciliation of months, worked out from the lake and the ledger as they are now.

What does not belong here: the comparison itself (`resources.vendor_differences`), writing an acceptance down
(`billing_pipeline.ledger.acceptances`).
"""

from collections.abc import Sequence
from typing import Any

import duckdb

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from resources.invoice_runs import read_month
from resources.lake import Lake
from resources.ledger import accepted_frame, open_ledger, reading
from resources.relations import read_deliveries, read_partitions
from resources.session import duckdb_session
from resources.workspace import Workspace


def compare_months(connection: duckdb.DuckDBPyConnection, workspace: Workspace, *periods: BillingPeriod) -> None:
    """Name `vendor_differences` and `differences` of some months, with what was accepted."""
    config = workspace.load_config()
    with reading(open_ledger(config.ledger.url, workspace.home)).connect() as ledger:
        accepted = accepted_frame(ledger)
    read_month(connection, config, Lake(workspace.lake), *periods, accepted=accepted)


def compare_months_of(connection: duckdb.DuckDBPyConnection, workspace: Workspace, days: Sequence[str]) -> None:
    """Do the same for the months whose deliveries or totals arrived on some days, given as partition keys."""
    lake = Lake(workspace.lake)
    read_deliveries(connection, lake, days)
    read_partitions(connection, "totals_of_days", VENDOR_TOTALS, lake, days)
    found = connection.execute(
        "select billing_period from deliveries union select billing_period from totals_of_days order by all"
    ).fetchall()
    compare_months(connection, workspace, *(BillingPeriod(period) for (period,) in found))


def open_differences(workspace: Workspace, period: BillingPeriod) -> list[dict[str, Any]]:
    """Return the rows of `vendor_differences` that block a month, each with its `deliveries`, sorted by their key."""
    with duckdb_session() as connection:
        compare_months(connection, workspace, period)
        found = connection.execute(
            "select vendor_differences.*, coalesce(list_sort(list(deliveries.delivery_id)"
            " filter (where deliveries.delivery_id is not null)), []) as deliveries"
            " from vendor_differences left join deliveries"
            " using (source, billing_account_id, billing_period, currency) where vendor_differences.is_blocking"
            " group by all order by source, billing_account_id, currency"
        )
        names = [str(column[0]) for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
