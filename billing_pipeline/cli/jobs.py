"""Running the graph without web server or daemon: the same jobs that Dagster schedules, in this process."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from dagster import AssetKey, DagsterInstance, ExecuteInProcessResult
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from assets.graph import DAILY_ASSETS, build_definitions
from assets.partitions import is_day_of_arrival, month_key
from billing_pipeline.errors import BillingError, ConfigurationInvalid
from billing_pipeline.periods import FIRST_DAY, BillingPeriod
from resources.workspace import Workspace

_LONGEST_GAP_DAYS = 31


class RunFailed(BillingError):
    """A step of a job failed; what it says is why."""


class Jobs:
    """The jobs of one workspace.

    Args:
        workspace: whose graph it is.
        instance: where runs are recorded.
    """

    def __init__(self, workspace: Workspace, instance: DagsterInstance) -> None:
        self.workspace = workspace
        self.instance = instance
        self.definitions = build_definitions(workspace)

    def run_days(self, days: Collection[date], busy: Collection[date], publish: bool) -> None:
        """Run the daily job for days of arrival; neighbouring days are one run.

        Args:
            days: the days to run.
            busy: every day on which anything arrived; days between two of `days` on which nothing did are built too
                (they are empty), because one run costs less than two.
            publish: whether the warehouse is published, once, after the last of them.

        Raises:
            RunFailed: a step failed.
            ConfigurationInvalid: a day lies before the first partition or in the future.
        """
        zone = self.workspace.load_config().organisation.zone
        for day in days:
            if not is_day_of_arrival(day, zone):
                raise ConfigurationInvalid(f"{day} is no day of arrival: days run from {FIRST_DAY} to today")
        stretches = list(_stretches(sorted(set(days)), set(busy) - set(days)))
        for first, last in stretches:
            tags = {
                ASSET_PARTITION_RANGE_START_TAG: first.isoformat(),
                ASSET_PARTITION_RANGE_END_TAG: last.isoformat(),
            }
            is_published = publish and last == stretches[-1][1]
            selection = [AssetKey(name) for name in (*DAILY_ASSETS, *(["warehouse"] if is_published else []))]
            self._run("daily", tags=tags, asset_selection=selection)

    def run_month(self, period: BillingPeriod, config: Mapping[str, Any]) -> None:
        """Run the month-close job for a billing period.

        Args:
            config: fields of `DraftConfig`.

        Raises:
            RunFailed: a step failed.
            ConfigurationInvalid: the month lies before the first partition or in the future.
        """
        first, today = BillingPeriod.of_day(FIRST_DAY), BillingPeriod.of_day(datetime.now(UTC).date())
        if not first <= period <= today:
            raise ConfigurationInvalid(f"{period} is no billing period to draft: they run from {first} to {today}")
        run_config = {"ops": {"invoice_drafts": {"config": dict(config)}}}
        self._run("month_close", partition_key=month_key(period.text), run_config=run_config)

    def _run(self, name: str, run_config: Mapping[str, Any] | None = None, **arguments: Any) -> ExecuteInProcessResult:
        job = self.definitions.resolve_job_def(name)
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        result = job.execute_in_process(
            instance=self.instance, run_config={**quiet, **(run_config or {})}, raise_on_error=False, **arguments
        )
        if not result.success:
            raise RunFailed(_why(result))
        return result


@contextmanager
def open_jobs(workspace: Workspace) -> Iterator[Jobs]:
    """Open the Dagster instance of a workspace (DAGSTER_HOME, else `.dagster` inside it) and its jobs."""
    home = Path(os.environ.get("DAGSTER_HOME") or workspace.dagster_home).absolute()
    home.mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(home)
    settings = home / "dagster.yaml"
    if not settings.exists():
        settings.write_bytes(_settings_template().read_bytes())
    with DagsterInstance.get() as instance:
        yield Jobs(workspace, instance)


def _settings_template() -> Path:
    package = Path(__file__).resolve().parent.parent
    return next(folder / "dagster.yaml" for folder in (package.parent, package) if (folder / "dagster.yaml").is_file())


def _stretches(days: Sequence[date], others: Collection[date]) -> Iterator[tuple[date, date]]:
    """Yield first and last day of every stretch of days in which no other day has arrivals."""
    for index, day in enumerate(days):
        if index == 0 or not _joined(days[index - 1], day, others):
            first = day
        if index + 1 == len(days) or not _joined(day, days[index + 1], others):
            yield first, day


def _joined(day: date, following: date, others: Collection[date]) -> bool:
    return (following - day).days <= _LONGEST_GAP_DAYS and not any(day < other < following for other in others)


def _why(result: ExecuteInProcessResult) -> str:
    """Return what a failed run's steps say, the innermost error of each."""
    reasons = []
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            reasons.append(f"{event.step_key}: {error.message.strip() if error else 'failed'}")
    return "\n".join(reasons) or "the run failed before its first step"
