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
from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.reconciliation import USAGE_RECONCILIATION
from resources.connections import WorkspaceResource
from resources.relations import read_deliveries, read_partitions


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
                if not read_partitions(connection, "line_items", PRICED_LINE_ITEMS, workspace.lake, [key]):
                    workspace.lake.write_empty(USAGE_RECONCILIATION, key)
                    continue
                query = load_sql("reconciliation/usage_reconciliation")
                workspace.lake.write(connection, USAGE_RECONCILIATION, key, query)
                read_partitions(connection, "buckets", USAGE_RECONCILIATION, workspace.lake, [key])
                context.add_asset_metadata(describe(connection, "buckets", "amount", "bucket"), partition_key=key)
            read_partitions(connection, "buckets", USAGE_RECONCILIATION, workspace.lake, context.partition_keys)
            read_deliveries(connection, workspace.lake, context.partition_keys)
            connection.execute(
                f"create or replace temp table differences as {load_sql('reconciliation/unexplained_differences')}"
            )
            found = connection.execute("select count(*) from differences").fetchone()
            assert found is not None
            return MaterializeResult(
                check_results=[
                    AssetCheckResult(
                        check_name="buckets_add_up_to_the_delivery",
                        passed=found[0] == 0,
                        metadata={"differences": found[0], "first": preview(connection, "differences")},
                    )
                ],
            )

    return usage_reconciliation
