"""Pricing as an asset: the day's charges, attributed to customers and priced."""

from collections.abc import Mapping

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

from assets.metadata import column_schema, describe
from billing_pipeline.pricing import price_charges
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from resources.connections import WorkspaceResource
from resources.reference_files import reference_frames
from resources.relations import (
    read_deliveries,
    read_earlier_items,
    read_partitions,
    read_vendor_rows,
    register_frames,
)


def build_priced_line_items(days: DailyPartitionsDefinition) -> AssetsDefinition:
    """Return the asset `priced_line_items`."""

    @asset(
        partitions_def=days,
        deps=["vendor_charges"],
        backfill_policy=BackfillPolicy.single_run(),
        group_name="pricing",
        kinds={"duckdb", "parquet"},
        metadata={"dagster/column_schema": column_schema(PRICED_LINE_ITEMS)},
        description="The day's charges at their grain, attributed to customers and priced with the terms known when"
        " they arrived; every charge is in exactly one bucket.",
        check_specs=[
            AssetCheckSpec(
                "every_customer_charge_is_priced",
                asset="priced_line_items",
                description="Charges of known customers that no term can price; they block those customers' invoices.",
            ),
            AssetCheckSpec(
                "every_account_belongs_to_a_customer",
                asset="priced_line_items",
                description="Charges of accounts that no row of accounts.csv maps.",
            ),
        ],
    )
    def priced_line_items(context: AssetExecutionContext, workspace: WorkspaceResource) -> MaterializeResult:
        time_zone = workspace.config.organisation.time_zone
        with workspace.session() as connection:
            register_frames(connection, reference_frames(workspace.reference()))
            for key in context.partition_keys:
                if not read_deliveries(connection, workspace.lake, [key]):
                    workspace.lake.write_empty(PRICED_LINE_ITEMS, key)
                    continue
                read_vendor_rows(connection, workspace.lake)
                read_earlier_items(connection, workspace.lake, key)
                priced = price_charges(connection, time_zone)
                workspace.lake.write(connection, PRICED_LINE_ITEMS, key, priced)
                # The file that was written: reading the relation would price every charge once more.
                read_partitions(connection, "line_items", PRICED_LINE_ITEMS, workspace.lake, [key])
                facts = describe(connection, "line_items", "total_sell", "customer_id")
                context.add_asset_metadata(facts, partition_key=key)
            read_partitions(connection, "line_items", PRICED_LINE_ITEMS, workspace.lake, context.partition_keys)
            counts: Mapping[str, int] = dict(
                connection.execute("select bucket, count(*) from line_items group by bucket").fetchall()
            )
            return MaterializeResult(
                check_results=[
                    AssetCheckResult(
                        check_name="every_customer_charge_is_priced",
                        passed=not counts.get("unpriced"),
                        metadata={"unpriced_charges": counts.get("unpriced", 0)},
                    ),
                    AssetCheckResult(
                        check_name="every_account_belongs_to_a_customer",
                        passed=not counts.get("unmapped_account"),
                        metadata={"unmapped_charges": counts.get("unmapped_account", 0)},
                    ),
                ],
            )

    return priced_line_items
