"""The sensor: what lies in the landing folders and no run has taken is run, day by day of its arrival.

Off until someone turns it on: the daily schedule is the normal way, at 07:00 on the day after.
"""

import hashlib
from collections.abc import Iterable

from dagster import (
    DagsterRunStatus,
    DefaultSensorStatus,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from assets.partitions import is_day_of_arrival
from resources.archive import Archive
from resources.lake import Lake
from resources.unfinished_work import UnfinishedWork
from resources.untaken import Untaken, look_for_untaken
from resources.workspace import Workspace

LOOK_EVERY_SECONDS = 60
_UNDER_WAY = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]


def build_landing_files(workspace: Workspace, daily: UnresolvedAssetJobDefinition) -> SensorDefinition:
    """Return the sensor `landing_files` of a workspace."""

    @sensor(
        name="landing_files",
        job=daily,
        minimum_interval_seconds=LOOK_EVERY_SECONDS,
        default_status=DefaultSensorStatus.STOPPED,
        description="Files in the landing folders that no run has taken: runs the days on which they arrived. Reads no"
        " file, leaves alone what is still being written, and does not try the quarantine again by itself.",
    )
    def landing_files(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        # A run lands what it finds before it lists it: what is untaken now may be taken in a moment.
        if context.instance.get_runs_count(RunsFilter(job_name=daily.name, statuses=_UNDER_WAY)):
            return SkipReason("A run of the daily job is under way; its files are looked at again after it.")
        config = workspace.load_config()
        found = look_for_untaken(workspace.home, config, Archive(workspace.archive), Lake(workspace.lake))
        for day in UnfinishedWork(workspace.home).days():
            found.note(day, "*", "left unfinished")
        days = [day for day in sorted(found.by_day) if is_day_of_arrival(day, config.organisation.zone)]
        if not days:
            return SkipReason(_why_nothing(found))
        return SensorResult(
            run_requests=[
                RunRequest(run_key=run_key(day.isoformat(), found.by_day[day]), partition_key=day.isoformat())
                for day in days
            ]
        )

    return landing_files


def run_key(partition: str, untaken: Iterable[str]) -> str:
    """Return the key of the run that one state of a day's files gets: Dagster runs a key once."""
    state = "\n".join(sorted(untaken))
    return f"{partition}/{hashlib.sha256(state.encode()).hexdigest()[:16]}"


def _why_nothing(found: Untaken) -> str:
    reasons = ["No file has arrived that no run has taken."]
    if found.by_day:
        days = ", ".join(day.isoformat() for day in sorted(found.by_day))
        reasons = [f"Files count as arrived on days that are no partition: {days}."]
    if found.unfinished:
        shown = ", ".join(found.unfinished[:3])
        reasons.append(f"Still being written, or so it seems: {len(found.unfinished)} file(s), {shown}.")
    if found.quarantined:
        reasons.append(
            f"In quarantine: files of {len(found.quarantined)} day(s); `billing intake --retry` tries again."
        )
    return " ".join(reasons)
