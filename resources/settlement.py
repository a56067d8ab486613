"""The months of every source and what they wait for, as relations of a session: from the first to the running month.

What does not belong here: the states (`sql/marts/billing_status.sql`), the days on which vendors settle
(`billing_pipeline.settlement`).
"""

from dataclasses import dataclass
from datetime import date

import duckdb
import polars as pl

from billing_pipeline.configuration import Source, WorkspaceConfig
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.queries import load_sql
from billing_pipeline.settlement import months_between, settlement_days
from resources.archive import Archive
from resources.lake import Lake
from resources.open_files import open_files
from resources.relations import register_frames

SourceMonth = tuple[str, BillingPeriod]

_MONTHS = {
    "source": pl.String,
    "billing_period": pl.String,
    "has_accounts": pl.Boolean,
    "expected_settled_from": pl.Date,
    "expected_settled_on": pl.Date,
}


@dataclass(frozen=True)
class Asked:
    """What is asked of the months.

    Attributes:
        archive: what has arrived, also what is in no delivery.
        as_of_day: the day on which it is asked.
        period: the only billing period that is asked for; None for all.
    """

    archive: Archive
    as_of_day: date
    period: BillingPeriod | None = None


def name_months(connection: duckdb.DuckDBPyConnection, config: WorkspaceConfig, lake: Lake, asked: Asked) -> None:
    """Name `source_months`, `delivered_accounts` and `open_files`.

    Args:
        connection: session in which `mark_current` has named `known_deliveries` and `decide_finality` the totals, all
            months.
        lake: its quarantine.
    """
    register_frames(connection, [("open_files", open_files(config, asked.archive, lake))])
    delivered = _pairs(connection, "known_deliveries")
    others = _pairs(connection, "vendor_totals") | _pairs(connection, "open_files")
    months = source_months(config, delivered, others, asked.as_of_day)
    if asked.period is not None:
        months = months.filter(pl.col("billing_period") == asked.period.text)
    register_frames(connection, [("source_months", months)])
    connection.execute(
        "create or replace temp table delivered_accounts as select distinct source, billing_account_id, billing_period"
        " from known_deliveries where is_current"
    )


def name_awaited(connection: duckdb.DuckDBPyConnection, as_of_day: date) -> None:
    """Name `awaited`, all that the months of `source_months` wait for."""
    connection.execute(f"create or replace temp table awaited as {load_sql('marts/awaited')}", {"as_of_day": as_of_day})


def _pairs(connection: duckdb.DuckDBPyConnection, relation: str) -> set[SourceMonth]:
    found = connection.execute(f"select distinct source, billing_period from {relation}").fetchall()
    return {(str(source), BillingPeriod(period)) for source, period in found}


def source_months(
    config: WorkspaceConfig, delivered: set[SourceMonth], others: set[SourceMonth], as_of_day: date
) -> pl.DataFrame:
    """Return every month of every source.

    Args:
        delivered: source and billing period of every delivery.
        others: months of which something else speaks, a total or a file that is not taken: a slip in one of these adds
            that month alone.
        as_of_day: the day in the running month.

    Returns:
        A frame of source, billing_period, has_accounts (its deliveries come from accounts that deliver each month),
        expected_settled_from and expected_settled_on: each configured source from the first month that any delivery
        names, and the others.
    """
    running = BillingPeriod.of_day(as_of_day)
    first = min((period for _, period in delivered), default=running)
    configured = {source.id: source for source in config.sources}
    wanted = {(source, period) for source in configured for period in months_between(first, running)}
    wanted |= delivered | others
    rows = []
    for source_id, period in sorted(wanted):
        # A source that is gone from billing.toml has the usual days.
        source = configured.get(source_id) or Source(id=source_id, format="focus", vendor=source_id)
        usual = settlement_days(source, period, config.organisation.country)
        has_accounts = source.format != "distributor_invoice" and source_id in configured
        rows.append((source_id, period.text, has_accounts, usual.earliest, usual.latest))
    return pl.DataFrame(rows, schema=_MONTHS, orient="row")
