"""The warehouse as an asset: published once per job, when everything before it is in the lake.

Every job ends with it, the one of every day too, so this is where open documents become past due: what is published on
a day is true on that day.
"""

from collections.abc import Sequence

import duckdb
from dagster import AssetDep, AssetExecutionContext, AssetsDefinition, MaterializeResult, MetadataValue, asset

from assets.margins import describe_margins
from assets.metadata import column_schema, markdown_table
from assets.status_chart import describe_status
from resources.connections import WorkspaceResource
from resources.invoice_life import Desk
from resources.published_tables import WAREHOUSE_TABLES
from resources.publishing import publish_warehouse


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
        description="`warehouse.duckdb`: every table of the interface, commented, replaced in one step. Open documents"
        " whose due date has passed are marked past due first.",
    )
    def warehouse(context: AssetExecutionContext, workspace: WorkspaceResource) -> MaterializeResult:
        desk = Desk.open(workspace.workspace, "dagster")
        late = desk.mark_past_due()
        context.log.info(f"{len(late)} documents are past due from today")
        counts = publish_warehouse(workspace.workspace, desk.act().day)
        context.log.info(f"published {workspace.workspace.warehouse}")
        rows = [[name, f"{count:,}"] for name, count in counts.items()]
        with duckdb.connect(str(workspace.workspace.warehouse), read_only=True) as published:
            states, margins = describe_status(published), describe_margins(published)
        return MaterializeResult(
            metadata={
                "path": MetadataValue.path(str(workspace.workspace.warehouse)),
                "newly_past_due": len(late),
                "tables": MetadataValue.md(markdown_table(["table", "rows"], rows)),
                **states,
                **margins,
            }
        )

    return warehouse
