"""A workspace's days taken, priced and reconciled in this process, without Dagster: the steps of the daily job."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from resources.archive import Archive
from resources.connections import WorkspaceResource
from resources.day_runs import price_days, reconcile_day
from resources.intake import Intake, open_inbox
from resources.isolation import Converter, Job
from resources.reference_files import reference_frames
from resources.relations import register_frames


class HereConverter(Converter):
    """Converts in this process: the files are the test's own."""

    def _is_harmless(self, job: Job) -> bool:
        return True


def take_and_price(
    connection: duckdb.DuckDBPyConnection, resource: WorkspaceResource, days: Sequence[date], scratch: Path
) -> set[str]:
    """Take the files of days of arrival, price and reconcile them.

    Returns:
        The reasons of what was quarantined.
    """
    reasons: set[str] = set()
    register_frames(connection, reference_frames(resource.reference()))
    with HereConverter(connection, scratch) as converter:
        intake = Intake(connection, converter, resource.config, resource.archive, resource.lake)
        for day in days:
            inbox = open_inbox(resource.workspace.home, resource.config, Archive(resource.workspace.archive))
            reasons |= set(intake.take(inbox, day).quarantine["reason"])
    keys = [day.isoformat() for day in days]
    price_days(connection, resource.lake, resource.config, keys)
    for key in keys:
        reconcile_day(connection, resource.lake, key)
    return reasons
