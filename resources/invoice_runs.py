"""A run of invoice drafts: the month's current charges from the lake, through the domain, into the ledger."""

from dataclasses import dataclass, replace
from datetime import datetime

import duckdb
import polars as pl
from sqlalchemy import Engine

from billing_pipeline.configuration import WorkspaceConfig
from billing_pipeline.drafting import DraftTerms, draft_invoices
from billing_pipeline.invoicing import DraftOptions, InvoiceError
from billing_pipeline.ledger.balances import used_credits
from billing_pipeline.ledger.operations import ReplaceResult, replace_drafts
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.queries import load_sql
from billing_pipeline.reference import ReferenceSet
from billing_pipeline.schemas.invoices import INVOICE_DRAFTS
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.reconciliation import USAGE_RECONCILIATION
from resources.billed_charges import SnapshotWriter
from resources.lake import Lake
from resources.ledger import invoices_frames, open_ledger, reading
from resources.relations import mark_current, read_deliveries, read_partitions
from resources.warehouse import current_days
from resources.workspace import Workspace


@dataclass(frozen=True)
class Books:
    """Where a month's charges come from and its documents go to.

    Attributes:
        engine: the ledger.
    """

    config: WorkspaceConfig
    lake: Lake
    engine: Engine


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
    config = workspace.load_config()
    engine = open_ledger(config.ledger.url, workspace.home)
    return draft_into(connection, Books(config, Lake(workspace.lake), engine), reference, period, options, at, who)


def draft_into(
    connection: duckdb.DuckDBPyConnection,
    books: Books,
    reference: ReferenceSet,
    period: BillingPeriod,
    options: DraftOptions,
    at: datetime,
    who: str,
) -> ReplaceResult:
    """Draft a billing period as `draft_month` does, from any lake into any ledger."""
    lake = books.lake
    read_month(connection, books.config, lake, period)
    override = options.override_unsettled is not None
    connection.execute(
        "create or replace temp table draft_options as select cast($override as boolean) as include_not_final",
        {"override": override},
    )
    connection.execute(f"create or replace temp view drafted_items as {load_sql('invoicing/drafted_items')}")
    lines = connection.sql(load_sql("invoicing/draft_lines")).pl()
    blocks = connection.execute(load_sql("invoicing/blocked_customers"), {"override_unsettled": override}).fetchall()
    blocked: dict[str, tuple[InvoiceError, ...]] = {}
    for customer_id, kind, reason in blocks:
        blocked[customer_id] = (*blocked.get(customer_id, ()), InvoiceError(customer_id, period.text, reason, kind))
    terms = replace(
        draft_terms(reference, books.engine, period), awaited_sources=_awaited(connection, books, reference, period)
    )
    drafted = draft_invoices(lines, terms, blocked, books.config.organisation, period, options)
    with books.engine.begin() as transaction:
        charges = SnapshotWriter(connection, lake, period.text)
        replaced = replace_drafts(transaction, period, drafted, at, who, charges)
    frames = invoices_frames(books.engine)
    drafts = frames["invoices"].filter((pl.col("billing_period") == period.text) & (pl.col("status") == "draft"))
    lake.write_frame(
        INVOICE_DRAFTS,
        period.text,
        frames["invoice_lines"].join(drafts, on="invoice_id", how="semi").sort("invoice_id", "line_number"),
    )
    return replaced


def _awaited(
    connection: duckdb.DuckDBPyConnection, books: Books, reference: ReferenceSet, period: BillingPeriod
) -> dict[str, list[str]]:
    """Return the sources of usage without a delivery for the month, by the customers who have accounts in them."""
    delivered = {str(row[0]) for row in connection.execute("select distinct source from deliveries").fetchall()}
    expected = {source.id for source in books.config.sources if source.format != "distributor_invoice"}
    awaited: dict[str, set[str]] = {}
    for row in reference.accounts.iter_rows(named=True):
        touches = row["valid_from"] < period.end_day and (row["valid_to"] is None or row["valid_to"] > period.first_day)
        if touches and row["source"] in expected - delivered:
            awaited.setdefault(row["customer_id"], set()).add(row["source"])
    return {customer: sorted(sources) for customer, sources in awaited.items()}


def draft_terms(reference: ReferenceSet, engine: Engine, period: BillingPeriod) -> DraftTerms:
    """Return what the drafts of a period need of the reference files in force, and of the ledger.

    What other documents take of credits may change before the drafts are written: approval looks again.
    """
    names = ("customers", "pricebooks", "exchange_rates", "tax_rates", "credits", "support_plans", "custom_charges")
    rows = {name: getattr(reference, name).to_dicts() for name in names}
    with reading(engine).connect() as connection:
        return DraftTerms(**rows, used_credits=used_credits(connection, period))


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
