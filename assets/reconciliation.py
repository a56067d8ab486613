"""Reconciliation as an asset: where every cent of the day's deliveries went, and whether the vendors say the same."""

from collections.abc import Mapping

import duckdb
from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetsDefinition,
    BackfillPolicy,
    DailyPartitionsDefinition,
    MaterializeResult,
    MetadataValue,
    asset,
)
from dagster._core.definitions.metadata import RawMetadataValue

from assets.metadata import chart, column_schema, describe, markdown_table, preview
from billing_pipeline.schemas.reconciliation import USAGE_RECONCILIATION
from resources.connections import WorkspaceResource
from resources.day_runs import find_differences, reconcile_day
from resources.relations import read_partitions
from resources.three_way import compare_months_of
from resources.unfinished_work import UnfinishedWork

_SHOWN = (
    *("source", "billing_account_id", "billing_period", "currency", "vendor_total", "rows_total"),
    *("difference", "tax_difference", "cost_total", "attributed_total", "reason", "is_blocking"),
)
_BLOCKING = ("source", "billing_account_id", "billing_period", "currency", "difference", "detail", "first_rows")
# A distributor's accounts are its invoices: a month has thousands.
_MOST_ROWS = 200


def build_usage_reconciliation(days: DailyPartitionsDefinition) -> AssetsDefinition:
    """Return the asset `usage_reconciliation`."""

    @asset(
        partitions_def=days,
        deps=["priced_line_items", "deliveries"],
        backfill_policy=BackfillPolicy.single_run(),
        group_name="reconciliation",
        kinds={"duckdb", "parquet"},
        metadata={"dagster/column_schema": column_schema(USAGE_RECONCILIATION)},
        description="Buckets of each of the day's deliveries: billed to a customer, or the named reason why not; and"
        " how the vendors' totals of the months concerned compare with them.",
        check_specs=[
            AssetCheckSpec(
                "buckets_add_up_to_the_delivery",
                asset="usage_reconciliation",
                blocking=True,
                description="Every cent and every row of a delivery is in exactly one bucket, compared exactly.",
            ),
            # It stops no other source: drafting blocks the customers of the source and month.
            AssetCheckSpec(
                "vendor_differences_are_explained",
                asset="usage_reconciliation",
                description="What vendors say they charge is what their rows add up to, explained, or accepted; else"
                " the customers of that source get no draft for the month.",
            ),
        ],
    )
    def usage_reconciliation(context: AssetExecutionContext, workspace: WorkspaceResource) -> MaterializeResult:
        days = list(context.partition_keys)
        with workspace.session() as connection:
            for key in days:
                if not reconcile_day(connection, workspace.lake, key):
                    continue
                read_partitions(connection, "buckets", USAGE_RECONCILIATION, workspace.lake, [key])
                context.add_asset_metadata(describe(connection, "buckets", "amount", "bucket"), partition_key=key)
            found = find_differences(connection, workspace.lake, days)
            first = preview(connection, "differences")
            compare_months_of(connection, workspace.workspace, days)
            UnfinishedWork(workspace.workspace.home).finish_days(days, "usage_reconciliation")
            return MaterializeResult(
                metadata=_three_ways(connection),
                check_results=[
                    AssetCheckResult(
                        check_name="buckets_add_up_to_the_delivery",
                        passed=found == 0,
                        metadata={"differences": found, "first": first},
                    ),
                    _check(connection),
                ],
            )

    return usage_reconciliation


def _three_ways(connection: duckdb.DuckDBPyConnection) -> Mapping[str, RawMetadataValue]:
    """Return the three-way table of the session's months, and a bar for each source's difference."""
    return {
        "three_way": MetadataValue.md(_table(connection, _SHOWN, "true")),
        "differences": MetadataValue.md(
            chart(connection, "(select * from vendor_differences where difference <> 0)", "difference", "source")
        ),
    }


def _check(connection: duckdb.DuckDBPyConnection) -> AssetCheckResult:
    counted = connection.execute("select count(*) from vendor_differences where is_blocking").fetchone()
    blocking = counted[0] if counted else 0
    return AssetCheckResult(
        check_name="vendor_differences_are_explained",
        passed=blocking == 0,
        severity=AssetCheckSeverity.ERROR,
        metadata={
            "blocking": blocking,
            "first": MetadataValue.md(_table(connection, _BLOCKING, "is_blocking")),
        },
    )


def _table(connection: duckdb.DuckDBPyConnection, columns: tuple[str, ...], condition: str) -> str:
    found = connection.execute(
        f"select {', '.join(columns)} from vendor_differences where {condition}"
        f" order by is_blocking desc, source, billing_period, billing_account_id, currency limit {_MOST_ROWS}"
    ).fetchall()
    return markdown_table(list(columns), [["" if cell is None else str(cell) for cell in row] for row in found])
