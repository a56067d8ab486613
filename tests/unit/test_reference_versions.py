"""Rows of old versions are read once, kept, and read again whenever what is kept does not fit."""

import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from resources import reference_files, reference_versions
from resources.reference_files import load_reference
from resources.reference_journal import ReferenceJournal

ATHENS = ZoneInfo("Europe/Athens")
FILE = "reference/products.csv"


@pytest.fixture(autouse=True)
def keep_short_files_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_versions, "_WORTH_KEEPING_ROWS", 1)


def known(home: Path, day: int, *names: str) -> pl.DataFrame:
    """Take a version with these products into use; every call reads anew, as another process would."""
    at = datetime(2026, 1, day, 12, tzinfo=UTC)
    path = home / FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text("product_id,name,product_type\n" + "".join(f"{name},{name},T\n" for name in names))
    os.utime(path, (at.timestamp(), at.timestamp()))
    return loaded(home, at)


def loaded(home: Path, at: datetime) -> pl.DataFrame:
    reference_files._checked.cache_clear()
    return load_reference(home, ATHENS, now=lambda: at).known["products"]


def lose(home: Path, number: int) -> None:
    """Take the bytes of an old version out of the archive."""
    journal = ReferenceJournal(home)
    version = journal.taken()[number]
    assert version.sha256 is not None
    journal.path(FILE, version.sha256).unlink()


def test_versions_that_are_kept_are_not_read_again(tmp_path: Path) -> None:
    known(tmp_path, 1, "a", "b")
    known(tmp_path, 2, "b")
    before = known(tmp_path, 3, "b", "c")
    lose(tmp_path, 0)
    after = known(tmp_path, 4, "b", "c", "d")
    assert after.filter(pl.col("product_id") != "d").equals(before)
    assert after["product_id"].to_list() == ["a", "b", "c", "d"]


@pytest.mark.parametrize("place", [0, 40, -10])
def test_kept_rows_with_a_flipped_bit_are_read_again(tmp_path: Path, place: int) -> None:
    known(tmp_path, 1, "a", "b")
    before = known(tmp_path, 2, "b")
    [kept] = (tmp_path / reference_versions.FOLDER).iterdir()
    content = bytearray(kept.read_bytes())
    content[place] ^= 1
    kept.write_bytes(content)
    assert loaded(tmp_path, datetime(2026, 1, 3, tzinfo=UTC)).equals(before)


def test_kept_rows_of_a_version_that_was_refused_do_no_harm(tmp_path: Path) -> None:
    known(tmp_path, 1, "a", "b")
    before = known(tmp_path, 2, "b")
    assert known(tmp_path, 3, "b", "b").equals(before)
    assert known(tmp_path, 4, "b", "c")["product_id"].to_list() == ["a", "b", "c"]
    assert load_reference(tmp_path, ATHENS, datetime(2026, 1, 2, 12, tzinfo=UTC)).known["products"].equals(before)


def test_without_the_kept_rows_the_history_is_the_same(tmp_path: Path) -> None:
    for day, names in enumerate((("a", "b"), ("b",), ("b", "a"), ("c", "b")), start=1):
        before = known(tmp_path, day, *names)
    [kept] = (tmp_path / reference_versions.FOLDER).iterdir()
    kept.unlink()
    assert loaded(tmp_path, datetime(2026, 1, 9, tzinfo=UTC)).equals(before)
