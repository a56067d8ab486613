"""The marks of what has been begun and not brought to its end."""

import os
from datetime import date
from pathlib import Path

import pytest

from resources.converted_files import remove_unlisted
from resources.lake import Lake
from resources.unfinished_files import process_name
from resources.unfinished_work import FOLDER, LAST_ASSETS, RUN, UnfinishedWork


@pytest.fixture
def work(tmp_path: Path) -> UnfinishedWork:
    return UnfinishedWork(tmp_path)


def test_a_day_is_under_way_until_everybody_is_done_with_it(work: UnfinishedWork) -> None:
    work.begin_days(["2025-11-06", "2025-11-05"], *LAST_ASSETS)
    work.begin_days(["2025-11-05"], RUN)
    assert work.days() == [date(2025, 11, 5), date(2025, 11, 6)]
    for asset in LAST_ASSETS:
        work.finish_days(["2025-11-05", "2025-11-06"], asset)
    assert (work.days(), work.days(*LAST_ASSETS)) == ([date(2025, 11, 5)], [])
    work.finish_days(["2025-11-05"], RUN)
    assert work.days() == []


def test_a_workspace_in_which_nothing_was_begun_has_no_marks(work: UnfinishedWork, tmp_path: Path) -> None:
    work.finish_days(["2025-11-05"], RUN)
    assert (work.days(), work.changes(), list(tmp_path.iterdir())) == ([], [], [])


def test_a_change_is_marked_once_and_gone_when_it_was_published(work: UnfinishedWork) -> None:
    first = work.begin_change()
    assert (len(first), work.begin_change()) == (1, ())
    assert work.changes() == list(first)
    work.finish_changes(work.changes())
    assert work.changes() == []


def test_what_another_living_process_has_begun_it_publishes_itself(work: UnfinishedWork, tmp_path: Path) -> None:
    work.begin_change()
    machine = process_name().partition("-")[0]
    folder = tmp_path / FOLDER / "changes"
    (folder / f"{machine}-{os.getppid()}").touch()
    (folder / "00000000-1").touch()
    assert {path.name for path in work.changes()} == {process_name(), "00000000-1"}


def test_converted_files_without_delivery_go_but_for_days_under_way(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    for day in ("2025-11-05", "2025-11-06"):
        (tmp_path / "vendor_charges" / day).mkdir(parents=True)
        (tmp_path / "vendor_charges" / day / "old.parquet").touch()
    removed = remove_unlisted(lake, [date(2025, 11, 6)])
    assert removed == [tmp_path / "vendor_charges" / "2025-11-05" / "old.parquet"]
    assert not removed[0].exists()
    assert (tmp_path / "vendor_charges" / "2025-11-06" / "old.parquet").exists()
