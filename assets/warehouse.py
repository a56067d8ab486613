"""The warehouse as an asset: published once per job, when everything before it is in the lake."""

from collections.abc import Sequence
from datetime import UTC, datetime

from dagster import AssetDep, AssetExecutionContext, AssetsDefinition, MaterializeResult, MetadataValue, asset

from assets.metadata import column_schema, markdown_table
from resources.connections import WorkspaceResource
from resources.publishing import publish_warehouse
from resources.warehouse import WAREHOUSE_TABLES


def build_warehouse(after: Sequence[AssetDep]) -> AssetsDefinition:
    """Return the asset `warehouse`.

    Args:
        after: the assets whose newest partitions it publishes.
    """

    @asset(
        deps=after,
        group_name="warehouse",
        kinds={"duckdb"},
        metadata={"dagster/column_schema": column_schema(*WAREHOUSE_TABLES)},
        description="`warehouse.duckdb`: every table of the interface, commented, replaced in one step.",
    )
    def warehouse(context: AssetExecutionContext, workspace: WorkspaceResource) -> MaterializeResult:
        today = datetime.now(UTC).astimezone(workspace.config.organisation.zone).date()
        counts = publish_warehouse(workspace.workspace, today)
        context.log.info(f"published {workspace.workspace.warehouse}")
        rows = [[name, f"{count:,}"] for name, count in counts.items()]
        return MaterializeResult(
            metadata={
                "path": MetadataValue.path(str(workspace.workspace.warehouse)),
                "tables": MetadataValue.md(markdown_table(["table", "rows"], rows)),
            }
        )

    return warehouse
