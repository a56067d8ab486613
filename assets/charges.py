"""Customer charges as assets: the day's list, what the rules leave out, and the files made for people."""

from collections.abc import Iterator

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    BackfillPolicy,
    DailyPartitionsDefinition,
    MaterializeResult,
    MetadataValue,
    asset,
)

from assets.metadata import column_schema, describe
from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES, EXCLUDED_CHARGES
from resources.charge_files import write_day_files
from resources.connections import EXPORT_MEMORY, WorkspaceResource
from resources.day_runs import list_charges_of_day
from resources.reference_files import reference_frames
from resources.relations import read_partitions, register_frames


def build_customer_charges(days: DailyPartitionsDefinition) -> Iterator[AssetsDefinition]:
    """Return the assets `customer_charges` and `customer_charges_export`."""

    @asset(
        partitions_def=days,
        deps=["priced_line_items"],
        backfill_policy=BackfillPolicy.single_run(),
        group_name="charges",
        kinds={"duckdb", "parquet"},
        metadata={"dagster/column_schema": column_schema(CUSTOMER_CHARGES)},
        description="Items of the day's distributor invoices that the inclusion rules let in, priced for end"
        " customers; what is left out is kept with its reason.",
    )
    def customer_charges(context: AssetExecutionContext, workspace: WorkspaceResource) -> MaterializeResult:
        organisation = workspace.config.organisation
        with workspace.session() as connection:
            register_frames(connection, reference_frames(workspace.reference()))
            for key in context.partition_keys:
                if not list_charges_of_day(connection, workspace.lake, organisation, key):
                    continue
                read_partitions(connection, "listed", CUSTOMER_CHARGES, workspace.lake, [key])
                read_partitions(connection, "left_out", EXCLUDED_CHARGES, workspace.lake, [key])
                excluded = connection.execute(
                    "select reason, count(*) from left_out group by all order by all"
                ).fetchall()
                context.add_asset_metadata(
                    {
                        **describe(connection, "listed", "total_sell_price", "customer"),
                        "excluded": MetadataValue.json({str(reason): count for reason, count in excluded}),
                    },
                    partition_key=key,
                )
            return MaterializeResult()

    @asset(
        partitions_def=days,
        deps=["customer_charges"],
        backfill_policy=BackfillPolicy.single_run(),
        group_name="charges",
        kinds={"excel"},
        metadata={"dagster/column_schema": column_schema(CUSTOMER_CHARGES)},
        description="Workbook, CSV and Parquet of each day that has charges, in exports/customer_charges/.",
    )
    def customer_charges_export(context: AssetExecutionContext, workspace: WorkspaceResource) -> MaterializeResult:
        organisation, exports = workspace.config.organisation, workspace.workspace.exports
        with workspace.session(memory_limit=EXPORT_MEMORY, threads=1) as connection:
            for key in context.partition_keys:
                written = write_day_files(connection, workspace.lake, organisation, exports, key)
                context.add_asset_metadata({"files": MetadataValue.json([*map(str, written)])}, partition_key=key)
        return MaterializeResult()

    yield customer_charges
    yield customer_charges_export
