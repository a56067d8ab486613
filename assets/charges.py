"""Customer charges as assets: the day's list, what the rules leave out, and the files made for people."""

from collections.abc import Iterator, Mapping

import duckdb
from dagster import (
    AssetCheckResult,
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

from assets.charge_options import ChargesExportConfig
from assets.metadata import column_schema, describe, markdown_table, money_text, preview
from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES, EXCLUDED_CHARGES
from resources.charge_files import write_day_files
from resources.connections import WorkspaceResource
from resources.day_runs import find_uncounted, list_charges_of_day
from resources.reference_files import reference_frames
from resources.relations import read_partitions, register_frames
from resources.session import export_session
from resources.unfinished_work import UnfinishedWork


def build_customer_charges(days: DailyPartitionsDefinition) -> Iterator[AssetsDefinition]:
    """Return the assets `customer_charges` and `customer_charges_export`."""

    @asset(
        partitions_def=days,
        deps=["priced_line_items", "usage_reconciliation", "deliveries"],
        backfill_policy=BackfillPolicy.single_run(),
        group_name="charges",
        kinds={"duckdb", "parquet"},
        metadata={"dagster/column_schema": column_schema(CUSTOMER_CHARGES)},
        description="Items of the day's distributor invoices that the inclusion rules let in, and what the vendors of"
        " the day's final feeds have invoiced, priced for end customers; what is left out is kept with its reason.",
        check_specs=[
            AssetCheckSpec(
                "every_row_is_listed_or_left_out",
                asset="customer_charges",
                blocking=True,
                description="Every vendor row and every cent of a delivery is behind exactly one customer charge or"
                " excluded charge, compared exactly.",
            )
        ],
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
                facts = {**describe(connection, "listed", "total_sell_price", "customer"), **_left_out(connection)}
                context.add_asset_metadata(facts, partition_key=key)
            found = find_uncounted(connection, workspace.lake, list(context.partition_keys))
            return MaterializeResult(
                check_results=[
                    AssetCheckResult(
                        check_name="every_row_is_listed_or_left_out",
                        passed=found == 0,
                        metadata={"deliveries": found, "first": preview(connection, "uncounted")},
                    )
                ],
            )

    @asset(
        partitions_def=days,
        deps=["customer_charges"],
        backfill_policy=BackfillPolicy.single_run(),
        group_name="charges",
        kinds={"excel"},
        metadata={"dagster/column_schema": column_schema(CUSTOMER_CHARGES)},
        description="Workbook, CSV and Parquet of each day that has charges, in exports/customer_charges/; by the view"
        " `default` of billing.toml, or another choice of columns, rows, order and formats.",
    )
    def customer_charges_export(
        context: AssetExecutionContext, config: ChargesExportConfig, workspace: WorkspaceResource
    ) -> MaterializeResult:
        settings, exports = workspace.config, workspace.workspace.exports
        view = config.chosen_view(settings.views)
        with export_session(workspace.workspace.home) as connection:
            for key in context.partition_keys:
                written = write_day_files(connection, workspace.lake, settings.organisation, exports, key, view)
                context.add_asset_metadata({"files": MetadataValue.json([*map(str, written)])}, partition_key=key)
        UnfinishedWork(workspace.workspace.home).finish_days(context.partition_keys, "customer_charges_export")
        return MaterializeResult()

    yield customer_charges
    yield customer_charges_export


def _left_out(connection: duckdb.DuckDBPyConnection) -> Mapping[str, RawMetadataValue]:
    """Count what the rules leave out of the session's day: rows of `left_out`, their vendor rows and their cost."""
    found = connection.execute(
        "select reason, currency, count(*), sum(row_count), sum(total_cost) from left_out group by all order by all"
    ).fetchall()
    counts: dict[str, int] = {}
    for reason, _, count, _, _ in found:
        counts[reason] = counts.get(reason, 0) + count
    header = ["reason", "currency", "excluded", "vendor rows", "cost"]
    rows = [
        [reason, code, str(count), str(behind), money_text(cost, code)] for reason, code, count, behind, cost in found
    ]
    return {"excluded": MetadataValue.json(counts), "excluded_by_rule": MetadataValue.md(markdown_table(header, rows))}
