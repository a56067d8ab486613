"""What a killed process has half written goes away; what a living one is writing stays."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from resources.lake import replacing
from resources.unfinished_files import BUILDING, is_alive_elsewhere, process_name, unfinished_name


def dead_process() -> int:
    """The id of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def left_by(target: Path, process: int, ending: str = "writing") -> Path:
    """A file that a process of this machine has not finished."""
    machine = process_name().partition("-")[0]
    path = target.with_name(f"{target.name}.{machine}-{process}.{ending}")
    path.write_bytes(b"half")
    return path


def test_what_a_dead_process_has_left_goes_when_its_folder_is_written_again(tmp_path: Path) -> None:
    process = dead_process()
    left = [left_by(tmp_path / "a.parquet", process), left_by(tmp_path / "w", process, f"{BUILDING}.wal")]
    with replacing(tmp_path / "b.parquet") as temporary:
        temporary.write_bytes(b"whole")
    assert [path.exists() for path in left] == [False, False]
    assert (tmp_path / "b.parquet").read_bytes() == b"whole"


def test_what_a_living_process_or_another_machine_writes_stays(tmp_path: Path) -> None:
    living = left_by(tmp_path / "a", os.getppid())
    other = tmp_path / f"a.00000000-{dead_process()}.writing"
    other.write_bytes(b"half")
    strange = tmp_path / "a.writing"
    strange.write_bytes(b"of nobody we know")
    unfinished_name(tmp_path / "b")
    assert (living.exists(), other.exists(), strange.exists()) == (True, True, True)


def test_an_unfinished_name_never_ends_as_its_target_does(tmp_path: Path) -> None:
    assert unfinished_name(tmp_path / "a.parquet").suffix == ".writing"
    assert unfinished_name(tmp_path / "w.duckdb", BUILDING).suffix == ".building"


# By name: the numbers differ between the workers of a test run, and tests are told apart by them.
@pytest.mark.parametrize(("find", "expected"), [(os.getppid, True), (os.getpid, False)], ids=["parent", "own"])
def test_this_process_is_nobody_else(find: Callable[[], int], expected: bool) -> None:
    process = find()
    machine = process_name().partition("-")[0]
    assert is_alive_elsewhere(f"{machine}-{process}") is expected
    assert not is_alive_elsewhere(f"00000000-{process}")
