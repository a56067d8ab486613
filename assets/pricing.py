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
from assets.reference_check import reference_check_result, reference_check_spec
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from resources.connections import WorkspaceResource
from resources.day_runs import price_days
from resources.reference_files import reference_frames
from resources.relations import read_partitions, register_frames


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
            reference_check_spec("priced_line_items"),
        ],
    )
    def priced_line_items(context: AssetExecutionContext, workspace: WorkspaceResource) -> MaterializeResult:
        config = workspace.config
        with workspace.session() as connection:
            reference = workspace.reference()
            register_frames(connection, reference_frames(reference))
            for key in price_days(connection, workspace.lake, config, context.partition_keys):
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
                    reference_check_result(reference),
                ],
            )

    return priced_line_items
