"""Readers in child processes: whatever a file does to one, this process lives and the other files go on."""

import gzip
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from billing_pipeline.configuration import Source
from billing_pipeline.errors import BadInput
from resources import isolation
from resources.conversion import Converted, LandedFile, sha256_of
from resources.isolation import Converter, Job, Limits
from resources.session import duckdb_session
from tests.workspaces import rows_of

FOCUS = Source(id="cloud", format="focus", vendor="Cloud")


def job(folder: Path, name: str, content: bytes) -> Job:
    path = folder / name
    path.write_bytes(content)
    file = LandedFile(name, path, sha256_of(path))
    return Job(FOCUS, file, len(content), file.sha256, folder / f"{name}.parquet")


def gzipped(cost: str) -> bytes:
    return gzip.compress(rows_of("focus", {"BilledCost": cost}).encode(), mtime=0)


@pytest.fixture
def converter(tmp_path: Path) -> Iterator[Converter]:
    with duckdb_session(memory_limit="1GB", threads=1) as connection, Converter(connection, tmp_path) as opened:
        yield opened


def test_a_gzipped_file_is_converted_in_a_child_and_a_small_text_here(
    converter: Converter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "convert", lambda *_: BadInput("b.csv", "seen here"))
    in_child, here = converter.convert(
        [
            job(tmp_path, "a.csv.gz", gzipped("1.5")),
            job(tmp_path, "b.csv", rows_of("focus", {"BilledCost": "2"}).encode()),
        ]
    )
    assert isinstance(in_child, Converted)
    assert isinstance(here, BadInput)
    assert here.reason == "seen here"


def test_a_file_that_wants_more_memory_than_allowed_is_refused(tmp_path: Path) -> None:
    limits = Limits(memory_bytes=200 << 20)
    with duckdb_session() as connection, Converter(connection, tmp_path, limits=limits) as converter:
        (outcome,) = converter.convert([job(tmp_path, "a.csv.gz", gzipped("1"))])
    assert isinstance(outcome, BadInput)
    assert "more memory, time or disk" in outcome.reason
    assert not list(tmp_path.glob("*.parquet*"))


def test_a_file_whose_converted_rows_fill_the_disk_is_refused(tmp_path: Path) -> None:
    limits = Limits(smallest_output_bytes=100, output_bytes_per_input_byte=0)
    with duckdb_session() as connection, Converter(connection, tmp_path, limits=limits) as converter:
        (outcome,) = converter.convert([job(tmp_path, "a.csv.gz", gzipped("1"))])
    assert isinstance(outcome, BadInput)
    assert not list(tmp_path.glob("*.parquet"))


def test_a_reader_that_dies_takes_only_its_own_file_along(tmp_path: Path) -> None:
    """The child that runs out of time is killed and breaks the pool; the other file is read again, alone."""
    limits = Limits(cpu_seconds=0, cpu_seconds_per_megabyte=60)
    late = job(tmp_path, "late.csv.gz", gzipped("2"))
    good = replace(job(tmp_path, "good.csv.gz", gzipped("1")), size=5 << 20)
    with duckdb_session() as connection, Converter(connection, tmp_path, limits=limits) as converter:
        outcomes = converter.convert([late, good, late])
    assert [type(outcome) for outcome in outcomes] == [BadInput, Converted, BadInput]


def test_a_fault_in_a_reader_refuses_the_file_and_is_told(
    converter: Converter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(isolation, "convert", fail)
    (outcome,) = converter.convert([job(tmp_path, "a.csv", rows_of("focus", {"BilledCost": "2"}).encode())])
    assert isinstance(outcome, BadInput)
    assert "its reader failed: KeyError" in outcome.reason
    assert "the reader of a.csv failed" in caplog.text


_PARENT = """
import os, signal
from resources.isolation import _pool
if __name__ == "__main__":
    pool = _pool(1)
    print(pool.submit(os.getpid).result(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_child_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    # Found by killing runs: the children of each waited for work for ever, with all their memory.
    program = tmp_path / "parent.py"
    program.write_text(_PARENT)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    parent = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    try:
        end = os.pidfd_open(child)
    except ProcessLookupError:
        return
    with os.fdopen(end, "rb", closefd=True):
        assert select.select([end], [], [], 60)[0] == [end]
    parent.wait()
    parent.stdout.close()
