"""Reconciliation as an asset: where every cent of the day's deliveries went."""

from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetsDefinition,
    BackfillPolicy,
    DailyPartitionsDefinition,
    MaterializeResult,
    asset,
)

from assets.metadata import column_schema, describe, preview
from billing_pipeline.schemas.reconciliation import USAGE_RECONCILIATION
from resources.connections import WorkspaceResource
from resources.day_runs import find_differences, reconcile_day
from resources.relations import read_partitions


def build_usage_reconciliation(days: DailyPartitionsDefinition) -> AssetsDefinition:
    """Return the asset `usage_reconciliation`."""

    @asset(
        partitions_def=days,
        deps=["priced_line_items", "deliveries"],
        backfill_policy=BackfillPolicy.single_run(),
        group_name="reconciliation",
        kinds={"duckdb", "parquet"},
        metadata={"dagster/column_schema": column_schema(USAGE_RECONCILIATION)},
        description="Buckets of each of the day's deliveries: billed to a customer, or the named reason why not.",
        check_specs=[
            AssetCheckSpec(
                "buckets_add_up_to_the_delivery",
                asset="usage_reconciliation",
                blocking=True,
                description="Every cent and every row of a delivery is in exactly one bucket, compared exactly.",
            )
        ],
    )
    def usage_reconciliation(context: AssetExecutionContext, workspace: WorkspaceResource) -> MaterializeResult:
        with workspace.session() as connection:
            for key in context.partition_keys:
                if not reconcile_day(connection, workspace.lake, key):
                    continue
                read_partitions(connection, "buckets", USAGE_RECONCILIATION, workspace.lake, [key])
                context.add_asset_metadata(describe(connection, "buckets", "amount", "bucket"), partition_key=key)
            found = find_differences(connection, workspace.lake, list(context.partition_keys))
            return MaterializeResult(
                check_results=[
                    AssetCheckResult(
                        check_name="buckets_add_up_to_the_delivery",
                        passed=found == 0,
                        metadata={"differences": found, "first": preview(connection, "differences")},
                    )
                ],
            )

    return usage_reconciliation
