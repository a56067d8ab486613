"""A run of invoice drafts: the month's current charges from the lake, through the domain, into the ledger."""

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb
import polars as pl
from filelock import FileLock
from sqlalchemy import Engine

from billing_pipeline.adjustments import Adjustments, Generated
from billing_pipeline.configuration import WorkspaceConfig
from billing_pipeline.drafting import DraftTerms, draft_invoices
from billing_pipeline.invoicing import Drafted, DraftOptions, InvoiceError
from billing_pipeline.ledger.balances import used_credits
from billing_pipeline.ledger.operations import ReplaceResult, replace_drafts
from billing_pipeline.ledger.standing import customers_refused, months_drafted_for_all, standing_documents
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.queries import load_sql
from billing_pipeline.reference import ReferenceSet
from billing_pipeline.schemas.invoices import INVOICE_DRAFTS
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.reconciliation import USAGE_RECONCILIATION
from resources.adjustments import find_adjustments
from resources.billed_charges import SnapshotWriter
from resources.finality import decide_finality, with_finality
from resources.lake import Lake
from resources.ledger import accepted_frame, invoices_frames, open_ledger, reading
from resources.locked_months import months_locked, name_current_slots
from resources.relations import current_days, mark_current, read_deliveries, read_partitions, register_frames
from resources.vendor_differences import name_differences
from resources.workspace import Workspace

_LOG = logging.getLogger("billing.invoices")
_LOCK = "drafting.lock"


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
    books = Books(config, Lake(workspace.lake), engine)
    # Two months at once could both adjust a third.
    with FileLock(workspace.home / _LOCK):
        return draft_into(connection, books, reference, period, options, at, who)


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
    drafted = preview_drafts(connection, books, reference, period, options)
    with books.engine.begin() as transaction:
        charges = SnapshotWriter(connection, lake, period.text)
        replaced = replace_drafts(transaction, period, drafted, at, who, charges)
    for before in sorted(set(replaced.options_before.values())):
        count = list(replaced.options_before.values()).count(before)
        now = ", ".join(drafted.invoices[0].options) or "none"
        _LOG.warning("%s draft(s) had other options: %s; now: %s", count, ", ".join(before) or "none", now)
    for name, other in replaced.outdated.items():
        _LOG.warning("the draft %s adjusted %s, which is drafted anew: it is gone, draft %s again", name, period, other)
    # Later months too: a run that was killed here had removed drafts of theirs, and nobody would know.
    later = [other for other in lake.partitions(INVOICE_DRAFTS.name) if other > period.text]
    _write_drafts(books, {period.text, *later, *(other.text for other in replaced.outdated.values())})
    return replaced


def preview_drafts(
    connection: duckdb.DuckDBPyConnection,
    books: Books,
    reference: ReferenceSet,
    period: BillingPeriod,
    options: DraftOptions,
) -> Drafted:
    """Make the drafts of a billing period, and write them nowhere; the relations they are made of stay named."""
    lake = books.lake
    override = options.override_unsettled is not None
    connection.execute(
        "create or replace temp table draft_options as select cast($override as boolean) as include_not_final",
        {"override": override},
    )
    adjustments = read_adjustments(connection, books, period, options)
    read_month(connection, books.config, lake, period, accepted=_accepted(books, period))
    _name_account_holders(connection, reference, period)
    connection.execute(f"create or replace temp view drafted_items as {load_sql('invoicing/drafted_items')}")
    lines = connection.sql(load_sql("invoicing/draft_lines")).pl()
    blocks = connection.execute(load_sql("invoicing/blocked_customers"), {"override_unsettled": override}).fetchall()
    blocked: dict[str, tuple[InvoiceError, ...]] = {}
    for customer_id, kind, reason in blocks:
        blocked[customer_id] = (*blocked.get(customer_id, ()), InvoiceError(customer_id, period.text, reason, kind))
    for customer_id, errors in adjustments.blocked.items():
        blocked[customer_id] = (*blocked.get(customer_id, ()), *errors)
    terms = replace(
        draft_terms(reference, books.engine, period),
        awaited_sources=_awaited(connection, books, reference, period),
        adjustments=adjustments,
    )
    return draft_invoices(lines, terms, blocked, books.config.organisation, period, options)


def _write_drafts(books: Books, periods: Collection[str]) -> None:
    """Replace the partitions of months by the lines of their drafts in the ledger."""
    frames = invoices_frames(books.engine)
    for period in sorted(periods):
        drafts = frames["invoices"].filter((pl.col("billing_period") == period) & (pl.col("status") == "draft"))
        lines = frames["invoice_lines"].join(drafts, on="invoice_id", how="semi")
        books.lake.write_frame(INVOICE_DRAFTS, period, lines.sort("invoice_id", "line_number"))


def read_adjustments(
    connection: duckdb.DuckDBPyConnection, books: Books, period: BillingPeriod, options: DraftOptions
) -> Adjustments:
    """Find what months with documents add to the drafts of a period; their charges are named `adjustment_items`."""
    with reading(books.engine).connect() as ledger:
        documents = standing_documents(ledger, period)
        issued = {document.billing_period for document in documents if document.status != "draft"}
        generated = Generated(months_drafted_for_all(ledger) & issued, customers_refused(ledger))
    read_month(connection, books.config, books.lake, *months_locked(documents, period), accepted=_accepted(books))
    override = options.override_unsettled is not None
    return find_adjustments(connection, books.lake, documents, period, options.customers, override, generated)


def _accepted(books: Books, period: BillingPeriod | None = None) -> pl.DataFrame:
    """Return the differences that somebody accepted, of a period or of all."""
    with reading(books.engine).connect() as ledger:
        return accepted_frame(ledger, None if period is None else period.text)


def _name_account_holders(
    connection: duckdb.DuckDBPyConnection, reference: ReferenceSet, period: BillingPeriod
) -> None:
    """Name `account_holders`: who has an account of a source in a period."""
    register_frames(connection, [("account_holders", _account_holders(reference, period))])


def _account_holders(reference: ReferenceSet, period: BillingPeriod) -> pl.DataFrame:
    """Return source and customer_id of every account that somebody has on a day of a period, each pair once."""
    held = (pl.col("valid_from") < period.end_day) & (
        pl.col("valid_to").is_null() | (pl.col("valid_to") > period.first_day)
    )
    return reference.accounts.filter(held).select("source", "customer_id").unique().sort("source", "customer_id")


def _awaited(
    connection: duckdb.DuckDBPyConnection, books: Books, reference: ReferenceSet, period: BillingPeriod
) -> dict[str, list[str]]:
    """Return the sources of usage without a delivery for the month, by the customers who have accounts in them."""
    delivered = {str(row[0]) for row in connection.execute("select distinct source from deliveries").fetchall()}
    # What a feed itemises that is invoiced through a distributor stands on that distributor's invoices.
    expected = {
        source.id
        for source in books.config.sources
        if source.format != "distributor_invoice" and source.invoiced_through is None
    }
    awaited: dict[str, list[str]] = {}
    for source, customer_id in _account_holders(reference, period).iter_rows():
        if source in expected - delivered:
            awaited.setdefault(customer_id, []).append(source)
    return awaited


def draft_terms(reference: ReferenceSet, engine: Engine, period: BillingPeriod) -> DraftTerms:
    """Return what the drafts of a period need of the reference files in force, and of the ledger.

    What other documents take of credits may change before the drafts are written: approval looks again.
    """
    names = ("customers", "pricebooks", "exchange_rates", "tax_rates", "credits", "support_plans", "custom_charges")
    rows = {name: getattr(reference, name).to_dicts() for name in names}
    with reading(engine).connect() as connection:
        return DraftTerms(**rows, used_credits=used_credits(connection, period))


def read_month(
    connection: duckdb.DuckDBPyConnection,
    config: WorkspaceConfig,
    lake: Lake,
    *periods: BillingPeriod,
    accepted: pl.DataFrame | None = None,
) -> None:
    """Name the relations of a month or several: `period_items`, `billable_items` and `differences`.

    They are made of the current deliveries of the months, `deliveries_of_month`; `current_slots` are those of all.

    Args:
        accepted: differences that block no longer, columns of `accepted_differences`.
    """
    read_deliveries(connection, lake, None)
    mark_current(connection)
    decide_finality(connection, lake)
    name_current_slots(connection)
    connection.execute(
        "create or replace temp table deliveries_of_month as select * from known_deliveries"
        " where is_current and list_contains($periods, billing_period)",
        {"periods": [period.text for period in periods]},
    )
    connection.execute("create or replace temp table known_deliveries as select * from deliveries_of_month")
    days = current_days(connection, config)
    for name, table in (("day_items", PRICED_LINE_ITEMS), ("day_buckets", USAGE_RECONCILIATION)):
        read_partitions(connection, name, table, lake, days)
    connection.execute(
        "create or replace temp view deliveries as select * from deliveries_of_month;"
        f"create or replace temp view period_items as select * from ({with_finality(connection, 'day_items')})"
        " where delivery_id in (select delivery_id from deliveries_of_month);"
        "create or replace temp view buckets as select * from day_buckets"
        " where delivery_id in (select delivery_id from deliveries_of_month);"
        "create or replace temp view billable_items as select * from period_items where customer_id is not null;"
    )
    name_differences(connection, lake, config.sources, accepted, [period.text for period in periods])
