"""Intake as assets: the day's deliveries and their rows come about together, or not at all."""

from collections.abc import Iterator, Mapping
from datetime import date

import duckdb
from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    DailyPartitionsDefinition,
    MaterializeResult,
    MetadataValue,
    multi_asset,
)
from dagster._core.definitions.metadata import RawMetadataValue

from assets.metadata import column_schema, describe, markdown_table, preview
from billing_pipeline.schemas.deliveries import DELIVERIES, QUARANTINE
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from resources.connections import WorkspaceResource
from resources.intake import Intake, open_inbox
from resources.relations import read_deliveries, read_partitions, read_vendor_rows
from resources.unfinished_work import LAST_ASSETS, UnfinishedWork


def build_intake(days: DailyPartitionsDefinition) -> AssetsDefinition:
    """Return the assets `deliveries` and `vendor_charges`."""

    @multi_asset(
        name="intake",
        specs=[
            AssetSpec(
                "deliveries",
                description="Complete deliveries that arrived on the day, archived by SHA-256; what is refused goes"
                " to the quarantine with file, row, column and value.",
                metadata={"dagster/column_schema": column_schema(DELIVERIES)},
                group_name="intake",
                kinds={"duckdb", "parquet"},
                partitions_def=days,
            ),
            AssetSpec(
                "vendor_charges",
                deps=["deliveries"],
                description="Rows of those deliveries under FOCUS names, typed, validated and converted once.",
                metadata={"dagster/column_schema": column_schema(VENDOR_CHARGES)},
                group_name="intake",
                kinds={"duckdb", "parquet"},
                partitions_def=days,
            ),
        ],
        backfill_policy=BackfillPolicy.single_run(),
    )
    def intake(context: AssetExecutionContext, workspace: WorkspaceResource) -> Iterator[MaterializeResult]:
        work = UnfinishedWork(workspace.workspace.home)
        work.begin_days(context.partition_keys, *LAST_ASSETS)
        work.begin_change()
        inbox = open_inbox(workspace.workspace.home, workspace.config, workspace.archive)
        with workspace.session() as connection, workspace.converter(connection) as converter:
            taker = Intake(connection, converter, workspace.config, workspace.archive, workspace.lake)
            for key in context.partition_keys:
                day = taker.take(inbox, date.fromisoformat(key))
                context.log.info(
                    f"{key}: {day.deliveries.height} deliveries, {day.totals.height} vendor totals,"
                    f" {day.quarantine.height} refused"
                )
                if day.is_empty:
                    continue
                for asset_key, metadata in _described(connection, workspace, key).items():
                    context.add_asset_metadata(metadata, asset_key=asset_key, partition_key=key)
        yield MaterializeResult(asset_key="deliveries")
        yield MaterializeResult(asset_key="vendor_charges")

    return intake


def _described(
    connection: duckdb.DuckDBPyConnection, workspace: WorkspaceResource, key: str
) -> Mapping[str, Mapping[str, RawMetadataValue]]:
    """Describe a day's deliveries, with the totals that vendors state and what was refused, and its vendor rows."""
    read_deliveries(connection, workspace.lake, [key])
    read_partitions(connection, "quarantine", QUARANTINE, workspace.lake, [key])
    refused = connection.execute("select source, file_name, reason from quarantine order by all").fetchall()
    table = markdown_table(["source", "file", "reason"], [[str(cell) for cell in row] for row in refused])
    read_partitions(connection, "stated_totals", VENDOR_TOTALS, workspace.lake, [key])
    read_vendor_rows(connection, workspace.lake)
    connection.execute(
        "create or replace temp view vendor_rows as select *, billing_currency as currency from"
        " (select * from usage_rows union all by name select * from item_rows)"
    )
    return {
        "deliveries": {
            **describe(connection, "deliveries", "total_cost", "source"),
            "vendor_totals": MetadataValue.md(preview(connection, "stated_totals")),
            "quarantined": len(refused),
            "quarantine": MetadataValue.md(table),
        },
        "vendor_charges": describe(connection, "vendor_rows", "billed_cost", "service_name"),
    }
