"""Resellers in one installation: a workspace and a code location each, on their own clocks."""

import re
import runpy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dagster import Definitions, RunRequest, build_schedule_context
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.workspace.load import location_origins_from_yaml_paths
from dagster._utils.schedules import schedule_execution_time_iterator

from resources.workspace import Workspace
from tests.workspaces import ZONE, make_workspace

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "several-resellers.md"
ZONES = {"contoso": "Europe/Athens", "fabrikam": "America/New_York"}


def example(language: str) -> str:
    """The document's example in a language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text("utf-8"), flags=re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def locations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Definitions]:
    """The code locations of the documented `workspace.yaml`, by name."""
    folder = tmp_path_factory.mktemp("resellers")
    for name, zone in ZONES.items():
        workspace = make_workspace(folder / name)
        workspace.config_file.write_text(workspace.config_file.read_text().replace(ZONE, zone))
        (folder / name / "location.py").write_text(example("python"))
    (folder / "workspace.yaml").write_text(example("yaml"))
    found = {}
    for origin in location_origins_from_yaml_paths([str(folder / "workspace.yaml")]):
        python_file = origin.loadable_target_origin.python_file
        assert python_file is not None
        found[origin.location_name] = runpy.run_path(python_file)["defs"]
    return found


def ticks_of(definitions: Definitions, first: date, days: int) -> list[datetime]:
    """Instants at which the daily schedule ticks."""
    schedule = definitions.get_repository_def().get_schedule_def("daily_customer_charges")
    assert schedule.execution_timezone is not None
    zone = ZoneInfo(schedule.execution_timezone)
    start = datetime.combine(first, datetime.min.time(), zone)
    ticks = schedule_execution_time_iterator(start.timestamp(), schedule.cron_schedule, schedule.execution_timezone)
    return [next(ticks).astimezone(UTC) for _ in range(days)]


def asked(definitions: Definitions, tick: datetime) -> str | None:
    """The partition that a tick of the daily schedule asks for."""
    repository = definitions.get_repository_def()
    context = build_schedule_context(scheduled_execution_time=tick, repository_def=repository)
    with partition_loading_context(tick):
        [request] = repository.get_schedule_def("daily_customer_charges").evaluate_tick(context).run_requests or []
    assert isinstance(request, RunRequest)
    return request.partition_key


def test_every_workspace_is_a_location_of_its_own(locations: dict[str, Definitions]) -> None:
    assert set(locations) == set(ZONES)


@pytest.mark.parametrize("first", [date(2026, 3, 6), date(2026, 3, 27), date(2026, 10, 23), date(2026, 10, 30)])
def test_each_runs_its_own_day_before_at_its_own_seven_also_when_its_clocks_change(
    locations: dict[str, Definitions], first: date
) -> None:
    for name, zone in ZONES.items():
        local = [tick.astimezone(ZoneInfo(zone)) for tick in ticks_of(locations[name], first, 5)]
        assert [(tick.date(), tick.hour, tick.minute) for tick in local] == [
            (first + timedelta(days=day), 7, 0) for day in range(5)
        ]
        assert [asked(locations[name], tick) for tick in local] == [
            (first + timedelta(days=day - 1)).isoformat() for day in range(5)
        ]


def test_one_instant_is_another_day_of_arrival_for_each(locations: dict[str, Definitions]) -> None:
    with partition_loading_context(datetime(2026, 10, 5, 22, tzinfo=UTC)):
        last = {
            name: found.resolve_assets_def("customer_charges").partitions_def.get_last_partition_key()  # type: ignore[union-attr]
            for name, found in locations.items()
        }
    assert last == {"contoso": "2026-10-06", "fabrikam": "2026-10-05"}


def test_a_location_reads_only_its_own_workspace(tmp_path: Path) -> None:
    for name in ZONES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "location.py").write_text(example("python"))
    make_workspace(tmp_path / "there")
    with pytest.raises(Exception, match=re.escape(str(Workspace.at(tmp_path / "contoso").config_file))):
        runpy.run_path(str(tmp_path / "contoso" / "location.py"))
