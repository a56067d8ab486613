"""The schedules tick on the organisation's clock, once on every day, also when the clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dagster import Definitions, RunRequest, ScheduleDefinition, build_schedule_context
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._utils.schedules import schedule_execution_time_iterator

from assets.graph import build_definitions
from assets.partitions import arrival_days, day_before
from tests.workspaces import ZONE, make_workspace

ATHENS = ZoneInfo(ZONE)


class Schedules:
    """The schedules of a workspace in Athens, and what they ask for."""

    def __init__(self, definitions: Definitions) -> None:
        self.repository = definitions.get_repository_def()

    def __getitem__(self, name: str) -> ScheduleDefinition:
        return self.repository.get_schedule_def(name)

    def request(self, name: str, tick: datetime) -> RunRequest:
        context = build_schedule_context(scheduled_execution_time=tick, repository_def=self.repository)
        with partition_loading_context(tick):
            [request] = self[name].evaluate_tick(context).run_requests or []
        return request


@pytest.fixture(scope="module")
def schedules(tmp_path_factory: pytest.TempPathFactory) -> Schedules:
    return Schedules(build_definitions(make_workspace(tmp_path_factory.mktemp("schedules") / "home")))


def ticks(schedule: ScheduleDefinition, first: date, last: date) -> list[datetime]:
    """Instants at which a schedule ticks from the start of one local day to the end of another."""
    start = datetime.combine(first, time(), ATHENS).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), ATHENS).astimezone(UTC)
    found = []
    assert schedule.execution_timezone is not None
    for tick in schedule_execution_time_iterator(
        start.timestamp(), schedule.cron_schedule, schedule.execution_timezone
    ):
        if tick >= end:
            return found
        found.append(tick.astimezone(UTC))
    return found


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 3, 26), date(2026, 4, 1)),
        (date(2026, 10, 22), date(2026, 10, 28)),
        (date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_the_daily_schedule_ticks_at_seven_local_time_on_every_day_once(
    schedules: Schedules, first: date, last: date
) -> None:
    found = [tick.astimezone(ATHENS) for tick in ticks(schedules["daily_customer_charges"], first, last)]
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    assert [tick.date() for tick in found] == days
    assert {tick.time() for tick in found} == {time(7)}


@pytest.mark.parametrize(
    ("day", "utc_hour", "partition"),
    [
        ("2026-03-28", 5, "2026-03-27"),
        ("2026-03-29", 4, "2026-03-28"),
        ("2026-03-30", 4, "2026-03-29"),
        ("2026-10-24", 4, "2026-10-23"),
        ("2026-10-25", 5, "2026-10-24"),
        ("2026-10-26", 5, "2026-10-25"),
        ("2026-01-01", 5, "2025-12-31"),
    ],
)
def test_the_daily_schedule_asks_for_the_local_day_before(
    schedules: Schedules, day: str, utc_hour: int, partition: str
) -> None:
    [tick] = ticks(schedules["daily_customer_charges"], date.fromisoformat(day), date.fromisoformat(day))
    assert tick.hour == utc_hour
    asked = schedules.request("daily_customer_charges", tick)
    assert (asked.partition_key, asked.run_key) == (partition, partition)


def test_every_partition_of_a_year_is_asked_for_once(schedules: Schedules) -> None:
    days = schedules["daily_customer_charges"]
    asked = [
        schedules.request(days.name, tick).partition_key for tick in ticks(days, date(2026, 1, 2), date(2027, 1, 1))
    ]
    assert asked == [(date(2026, 1, 1) + timedelta(days=offset)).isoformat() for offset in range(365)]


def test_a_tick_that_is_evaluated_late_still_asks_for_its_own_day() -> None:
    assert day_before(datetime(2026, 3, 29, 4, 0, tzinfo=UTC), ATHENS) == "2026-03-28"
    assert day_before(datetime(2026, 10, 25, 20, 59, tzinfo=UTC), ATHENS) == "2026-10-24"


@pytest.mark.parametrize(
    ("key", "hours"), [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-24", 24), ("2026-10-25", 25)]
)
def test_partitions_are_local_days(key: str, hours: int) -> None:
    window = arrival_days(ZONE).time_window_for_partition_key(key)
    assert (window.end.timestamp() - window.start.timestamp()) / 3600 == hours
    assert window.start.astimezone(ATHENS) == datetime.combine(date.fromisoformat(key), time(), ATHENS)


def test_the_running_day_is_a_partition_and_tomorrow_is_none() -> None:
    with partition_loading_context(datetime(2026, 10, 25, 21, 59, tzinfo=UTC)):
        assert arrival_days(ZONE).get_last_partition_key() == "2026-10-25"
    with partition_loading_context(datetime(2026, 10, 25, 22, 0, tzinfo=UTC)):
        assert arrival_days(ZONE).get_last_partition_key() == "2026-10-26"


@pytest.mark.parametrize(
    ("month", "partition"), [((2026, 1), "2025-12-01"), ((2026, 4), "2026-03-01"), ((2026, 11), "2026-10-01")]
)
def test_the_monthly_schedule_asks_for_the_month_before_after_the_daily_job(
    schedules: Schedules, month: tuple[int, int], partition: str
) -> None:
    first = date(*month, 1)
    found = ticks(schedules["monthly_invoice_drafts"], first, first + timedelta(days=27))
    assert [tick.astimezone(ATHENS) for tick in found] == [datetime.combine(first, time(8), ATHENS)]
    assert schedules.request("monthly_invoice_drafts", found[0]).partition_key == partition


def test_the_schedules_follow_the_zone_of_the_organisation(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "home")
    text = workspace.config_file.read_text().replace(ZONE, "America/New_York")
    workspace.config_file.write_text(text)
    for schedule in build_definitions(workspace).schedules or []:
        assert isinstance(schedule, ScheduleDefinition)
        assert schedule.execution_timezone == "America/New_York"
