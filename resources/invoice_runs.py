"""A run of invoice drafts: the month's current charges from the lake, through the domain, into the ledger."""

from datetime import datetime

import duckdb
import polars as pl

from billing_pipeline.configuration import WorkspaceConfig
from billing_pipeline.invoicing import DraftOptions, InvoiceError, draft_invoices
from billing_pipeline.ledger.operations import ReplaceResult, replace_drafts
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.queries import load_sql
from billing_pipeline.reference import ReferenceSet
from billing_pipeline.schemas.invoices import INVOICE_DRAFTS
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.reconciliation import USAGE_RECONCILIATION
from resources.lake import Lake
from resources.ledger import invoices_frames, open_ledger
from resources.relations import mark_current, read_deliveries, read_partitions
from resources.warehouse import current_days
from resources.workspace import Workspace


def draft_month(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    reference: ReferenceSet,
    period: BillingPeriod,
    options: DraftOptions,
    at: datetime,
    who: str,
) -> ReplaceResult:
    """Draft a billing period from its current deliveries, replace the drafts in the ledger and the lake's partition.

    Args:
        at: the instant recorded for new drafts.
        who: the user or job recorded for them.

    Returns:
        What happened to the documents, and why customers have none.
    """
    config, lake = workspace.load_config(), Lake(workspace.lake)
    read_month(connection, config, lake, period)
    override = options.override_unsettled is not None
    lines = connection.sql(load_sql("invoicing/draft_lines"), params={"include_not_final": override}).pl()
    blocks = connection.execute(load_sql("invoicing/blocked_customers"), {"override_unsettled": override}).fetchall()
    blocked: dict[str, tuple[InvoiceError, ...]] = {}
    for customer_id, kind, reason in blocks:
        blocked[customer_id] = (*blocked.get(customer_id, ()), InvoiceError(customer_id, period.text, reason, kind))
    drafted = draft_invoices(lines, reference.customers, blocked, config.organisation, period, options)
    engine = open_ledger(config.ledger.url, workspace.home)
    with engine.begin() as transaction:
        replaced = replace_drafts(transaction, period, drafted, at, who)
    frames = invoices_frames(engine)
    drafts = frames["invoices"].filter((pl.col("billing_period") == period.text) & (pl.col("status") == "draft"))
    lake.write_frame(
        INVOICE_DRAFTS,
        period.text,
        frames["invoice_lines"].join(drafts, on="invoice_id", how="semi").sort("invoice_id", "line_number"),
    )
    return replaced


def read_month(
    connection: duckdb.DuckDBPyConnection, config: WorkspaceConfig, lake: Lake, period: BillingPeriod
) -> None:
    """Name the month's relations: `period_items`, `billable_items` and `differences`, from current deliveries."""
    read_deliveries(connection, lake, None)
    mark_current(connection)
    connection.execute(
        "create or replace temp table deliveries_of_month as select * from known_deliveries"
        " where is_current and billing_period = $period",
        {"period": period.text},
    )
    connection.execute("create or replace temp table known_deliveries as select * from deliveries_of_month")
    days = current_days(connection, config)
    for name, table in (("day_items", PRICED_LINE_ITEMS), ("day_buckets", USAGE_RECONCILIATION)):
        read_partitions(connection, name, table, lake, days)
    connection.execute(
        "create or replace temp view deliveries as select * from deliveries_of_month;"
        "create or replace temp view period_items as select * from day_items"
        " where delivery_id in (select delivery_id from deliveries_of_month);"
        "create or replace temp view buckets as select * from day_buckets"
        " where delivery_id in (select delivery_id from deliveries_of_month);"
        "create or replace temp view billable_items as select * from period_items where customer_id is not null;"
    )
    connection.execute(
        f"create or replace temp table differences as {load_sql('reconciliation/unexplained_differences')}"
    )
