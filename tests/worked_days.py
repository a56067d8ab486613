"""Days of arrival worked through without Dagster: taken, priced, reconciled, drafted, published."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import duckdb

from billing_pipeline.invoicing import DraftOptions
from billing_pipeline.ledger.operations import ReplaceResult
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.reference import ReferenceSet
from resources.archive import Archive
from resources.day_runs import price_days, reconcile_day
from resources.intake import Intake, open_inbox
from resources.invoice_runs import draft_month
from resources.isolation import Converter
from resources.lake import Lake
from resources.publishing import publish_warehouse
from resources.reference_files import load_reference, reference_frames
from resources.relations import register_frames
from resources.session import duckdb_session
from resources.untaken import untaken_days
from resources.workspace import Workspace

DRAFTED_AT = datetime(2025, 12, 1, 9, tzinfo=UTC)


@contextmanager
def _session(workspace: Workspace) -> Iterator[tuple[duckdb.DuckDBPyConnection, ReferenceSet]]:
    reference = load_reference(workspace.home, workspace.load_config().organisation.zone)
    with duckdb_session(memory_limit="1GB", threads=1) as connection:
        register_frames(connection, reference_frames(reference))
        yield connection, reference


def work_days(workspace: Workspace) -> list[date]:
    """Take, price and reconcile every day that a run would take; return them."""
    config, archive, lake = workspace.load_config(), Archive(workspace.archive), Lake(workspace.lake)
    inbox = open_inbox(workspace.home, config, archive)
    days = untaken_days(inbox, lake, archive, config.organisation.zone)
    with _session(workspace) as (connection, _), Converter(connection, workspace.home) as converter:
        intake = Intake(connection, converter, config, archive, lake)
        for day in days:
            intake.take(inbox, day)
        price_days(connection, lake, config, [day.isoformat() for day in days])
        for day in days:
            reconcile_day(connection, lake, day.isoformat())
    return days


def draft(workspace: Workspace, month: str) -> ReplaceResult:
    """Draft a month."""
    with _session(workspace) as (connection, reference):
        period = BillingPeriod(month)
        return draft_month(connection, workspace, reference, period, DraftOptions(), DRAFTED_AT, "test")


def publish(workspace: Workspace, as_of_day: date) -> None:
    """Publish the warehouse as of a day."""
    publish_warehouse(workspace, as_of_day)
