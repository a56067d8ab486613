"""The sensor asks for the days on which files arrived that no run has taken, once for each state."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dagster import DagsterInstance, DefaultSensorStatus, RunRequest, SensorDefinition, build_sensor_context
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.storage.dagster_run import DagsterRunStatus
from dagster._core.test_utils import create_run_for_test

from assets.graph import build_definitions
from resources.archive import Archive
from resources.intake import Intake, open_inbox
from resources.isolation import Converter
from resources.lake import Lake
from resources.session import duckdb_session
from resources.unfinished_work import LAST_ASSETS, UnfinishedWork
from resources.workspace import Workspace
from tests.workspaces import RECEIVED, aws_manifest, drop, instant, invoice, make_workspace, rows_of

DAY = "2025-11-25"


class Watch:
    """A workspace, its sensor, and what one look of it comes to."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.instance = DagsterInstance.ephemeral()
        definitions = build_definitions(workspace)
        self.repository = definitions.get_repository_def()

    @property
    def sensor(self) -> SensorDefinition:
        return self.repository.get_sensor_def("landing_files")

    def look(self) -> SensorExecutionData:
        with build_sensor_context(instance=self.instance, repository_def=self.repository) as context:
            return self.sensor.evaluate_tick(context)

    def asked(self) -> list[RunRequest]:
        return list(self.look().run_requests or [])

    def days(self) -> list[str | None]:
        return [request.partition_key for request in self.asked()]

    def skipped(self) -> str:
        found = self.look()
        assert not found.run_requests
        return str(found.skip_message)

    def run(self, *days: str) -> None:
        """Take days as a run does."""
        workspace = self.workspace
        with (
            duckdb_session(memory_limit="1GB", threads=1) as connection,
            Converter(connection, workspace.home) as converter,
        ):
            config, archive = workspace.load_config(), Archive(workspace.archive)
            taker = Intake(connection, converter, config, archive, Lake(workspace.lake))
            inbox = open_inbox(workspace.home, config, archive)
            for day in days:
                taker.take(inbox, datetime.fromisoformat(day).date())


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(make_workspace(tmp_path / "home"))


def test_it_is_off_until_someone_turns_it_on_and_asks_for_the_daily_job(watch: Watch) -> None:
    assert watch.sensor.default_status == DefaultSensorStatus.STOPPED
    assert watch.sensor.job_name == "daily"


def test_an_empty_landing_folder_is_skipped_with_the_reason(watch: Watch) -> None:
    assert watch.skipped() == "No file has arrived that no run has taken."


def test_it_asks_for_the_days_of_arrival_and_changes_nothing(watch: Watch) -> None:
    drop(watch.workspace, f"dist/{RECEIVED}/a.csv", invoice("N1", 1))
    drop(watch.workspace, "cloud/b.csv", rows_of("focus", {}), instant(27))
    # Old files that only arrived now are no different: their folder or time says when.
    for path in watch.workspace.home.glob("landing/dist/*/*.csv"):
        os.utime(path, (0, 0))
    assert watch.days() == [DAY, "2025-11-27"]
    assert not watch.workspace.archive.exists()
    assert not watch.workspace.lake.exists()


def test_one_state_is_one_run_and_another_state_another(watch: Watch) -> None:
    drop(watch.workspace, "cloud/b.csv", rows_of("focus", {}), instant(25))
    [first] = watch.asked()
    [again] = watch.asked()
    assert first.run_key == again.run_key
    drop(watch.workspace, "cloud/b.csv", rows_of("focus", {}, {}), instant(25, 10))
    [changed] = watch.asked()
    assert changed.run_key != first.run_key
    assert changed.partition_key == first.partition_key


def test_what_a_run_has_taken_is_asked_for_no_more(watch: Watch) -> None:
    drop(watch.workspace, "cloud/b.csv", rows_of("focus", {}), instant(25))
    watch.run(DAY)
    assert watch.skipped() == "No file has arrived that no run has taken."


def test_a_file_that_landed_but_whose_run_failed_is_asked_for(watch: Watch) -> None:
    drop(watch.workspace, "cloud/b.csv", rows_of("focus", {}), instant(25))
    open_inbox(watch.workspace.home, watch.workspace.load_config(), Archive(watch.workspace.archive))
    assert watch.days() == [DAY]


def test_the_quarantine_is_not_tried_again_by_itself(watch: Watch) -> None:
    drop(watch.workspace, "cloud/b.csv", rows_of("focus", {"BilledCost": "x"}), instant(25))
    drop(watch.workspace, "cloud/link.csv", "")
    (watch.workspace.home / "landing/cloud/link.csv").unlink()
    (watch.workspace.home / "landing/cloud/link.csv").symlink_to("/nowhere")
    assert DAY in watch.days()
    watch.run(*[str(day) for day in watch.days()])
    assert "`billing intake --retry` tries again" in watch.skipped()


def test_a_file_that_mends_the_quarantine_of_another_day_has_that_day_built_again(watch: Watch) -> None:
    drop(watch.workspace, "cloud/b.csv", rows_of("focus", {"BilledCost": "x"}), instant(25))
    watch.run(DAY)
    drop(watch.workspace, "cloud/b.csv", rows_of("focus", {}), instant(26))
    assert watch.days() == [DAY, "2025-11-26"]
    watch.run(DAY, "2025-11-26")
    assert watch.skipped() == "No file has arrived that no run has taken."


def test_chunks_that_wait_for_their_manifest_are_asked_for_once(watch: Watch) -> None:
    folder = f"aws/{RECEIVED}/20251001-20251101/A"
    key = "b/20251001-20251101/A/c-1.csv"
    drop(watch.workspace, f"{folder}/c-1.csv", rows_of("aws_cur", {}), instant(25))
    assert watch.days() == [DAY]
    watch.run(DAY)
    assert watch.days() == []
    drop(watch.workspace, f"{folder}/c-Manifest.json", aws_manifest("A", [key]), instant(25))
    assert watch.days() == [DAY]


def test_a_file_modified_just_now_is_left_until_the_next_look(watch: Watch) -> None:
    drop(watch.workspace, "cloud/b.csv", rows_of("focus", {}))
    drop(watch.workspace, "cloud/c.csv.part", "x")
    assert "2 file(s), cloud/b.csv, cloud/c.csv.part" in watch.skipped()


def test_the_age_at_which_a_file_counts_as_whole_is_the_sources_own(watch: Watch) -> None:
    text = watch.workspace.config_file.read_text()
    watch.workspace.config_file.write_text(
        text.replace('format = "focus"', 'format = "focus"\nstable_after_seconds = 0')
    )
    drop(watch.workspace, "cloud/b.csv", rows_of("focus", {}))
    drop(watch.workspace, "dist/a.csv", invoice("N1", 1))
    [request] = watch.asked()
    assert request.partition_key is not None


def test_files_of_the_future_are_named_and_no_run_is_asked_for(watch: Watch) -> None:
    day = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    drop(watch.workspace, f"cloud/received={day}/b.csv", rows_of("focus", {}), instant(25))
    assert f"no partition: {day}" in watch.skipped()


def test_while_a_run_is_under_way_nothing_is_asked_for(watch: Watch) -> None:
    drop(watch.workspace, "cloud/b.csv", rows_of("focus", {}), instant(25))
    create_run_for_test(watch.instance, job_name="daily", status=DagsterRunStatus.STARTED)
    assert "under way" in watch.skipped()


def test_a_day_that_an_earlier_arrival_puts_out_of_date_is_asked_for_until_it_is_taken_again(watch: Watch) -> None:
    drop(watch.workspace, "dist/received=2025-11-22/a.csv", invoice("N1", 1), instant(22))
    drop(watch.workspace, "dist/received=2025-11-24/b.csv", invoice("N1", 1) + "\n", instant(24))
    watch.run("2025-11-22", "2025-11-24")
    assert watch.days() == []
    drop(watch.workspace, "dist/received=2025-11-23/c.csv", invoice("N1", 3), instant(23))
    assert watch.days() == ["2025-11-23"]
    watch.run("2025-11-23")
    assert watch.days() == ["2025-11-24"]
    watch.run("2025-11-24")
    assert watch.days() == []


def test_a_chunk_that_comes_a_day_late_has_its_own_day_asked_for_until_it_is_taken(watch: Watch) -> None:
    """The manifest stands in the quarantine of its own day; that says nothing of the day on which all is there."""
    folder, keys = "aws/20251001-20251101/A", [f"b/20251001-20251101/A/c-{number}.csv" for number in (1, 2)]
    drop(watch.workspace, f"{folder}/c-1.csv", rows_of("aws_cur", {"identity/LineItemId": "1"}), instant(10))
    drop(watch.workspace, f"{folder}/c-Manifest.json", aws_manifest("A", keys), instant(10))
    watch.run("2025-11-10")
    drop(watch.workspace, f"{folder}/c-2.csv", rows_of("aws_cur", {"identity/LineItemId": "2"}), instant(12))
    open_inbox(watch.workspace.home, watch.workspace.load_config(), Archive(watch.workspace.archive))
    assert watch.days() == ["2025-11-12"]
    watch.run("2025-11-12")
    assert watch.days() == []


def test_a_day_that_a_killed_run_left_unfinished_is_asked_for_again(watch: Watch) -> None:
    # Found by killing runs: a day counted as taken once its deliveries were listed, and was never priced.
    drop(watch.workspace, f"cloud/{RECEIVED}/a.csv", rows_of("focus", {}), instant(1))
    work = UnfinishedWork(watch.workspace.home)
    work.begin_days([DAY], *LAST_ASSETS)
    watch.run(DAY)
    assert watch.days() == [DAY]
    for asset in LAST_ASSETS:
        work.finish_days([DAY], asset)
    assert watch.skipped() == "No file has arrived that no run has taken."
