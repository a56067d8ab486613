"""The archive keeps every byte and every arrival, once, and notices when bytes change."""

import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from billing_pipeline.deliveries import Arrival
from billing_pipeline.errors import BadInput
from resources.archive import Archive

NOW = datetime(2026, 10, 6, 5, tzinfo=UTC)
SEEN = datetime(2026, 10, 9, 8, 30, 15, 123456, tzinfo=UTC)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", now=lambda: SEEN)


def stored(archive: Archive, folder: Path, content: bytes = b"some bytes") -> Arrival:
    file = folder / "in.csv"
    file.write_bytes(content)
    digest, size = archive.store(file)
    return Arrival("aws", "in.csv", digest, size, NOW, NOW)


def test_bytes_are_kept_under_their_hash_and_read_only(archive: Archive, tmp_path: Path) -> None:
    arrival = stored(archive, tmp_path)
    assert (arrival.sha256, arrival.size) == (sha256(b"some bytes").hexdigest(), 10)
    path = archive.verified(arrival)
    assert path.read_bytes() == b"some bytes"
    assert stat.S_IMODE(path.stat().st_mode) == 0o444


def test_the_same_bytes_are_kept_once_and_nothing_else_stays(archive: Archive, tmp_path: Path) -> None:
    first, again = stored(archive, tmp_path), stored(archive, tmp_path)
    assert first == again
    assert [path for path in archive.root.rglob("*") if path.is_file()] == [archive.path(first.sha256)]


def test_a_file_larger_than_a_block_is_kept_whole(archive: Archive, tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    arrival = stored(archive, tmp_path, content)
    assert archive.verified(arrival).read_bytes() == content


def test_changed_bytes_are_noticed_before_they_are_used(archive: Archive, tmp_path: Path) -> None:
    arrival = stored(archive, tmp_path)
    path = archive.path(arrival.sha256)
    path.chmod(0o644)
    path.write_bytes(b"other bytes")
    with pytest.raises(BadInput, match="its archived bytes were changed") as caught:
        archive.verified(arrival)
    assert caught.value.file == "in.csv"


def test_missing_bytes_are_noticed(archive: Archive, tmp_path: Path) -> None:
    arrival = stored(archive, tmp_path)
    archive.path(arrival.sha256).unlink()
    with pytest.raises(BadInput, match="missing from the archive"):
        archive.verified(arrival)


def test_bytes_that_changed_in_the_archive_are_mended_by_the_next_delivery(archive: Archive, tmp_path: Path) -> None:
    # Found here: what was there under the right name was believed, so the file stayed refused for ever.
    arrival = stored(archive, tmp_path)
    path = archive.path(arrival.sha256)
    path.chmod(0o644)
    path.write_bytes(b"other byte")
    assert archive.verified(stored(archive, tmp_path)).read_bytes() == b"some bytes"


def test_a_file_that_cannot_be_read_leaves_nothing(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        archive.store(tmp_path / "absent.csv")
    assert not [path for path in archive.root.rglob("*") if path.is_file()]


def test_an_arrival_keeps_its_first_instant(archive: Archive, tmp_path: Path) -> None:
    arrival = stored(archive, tmp_path)
    archive.record(arrival)
    archive.record(replace(arrival, received_at=NOW + timedelta(days=3), modified_at=NOW + timedelta(days=3)))
    assert archive.arrivals("aws") == [replace(arrival, seen_at=SEEN)]


def test_the_clock_at_which_a_file_was_first_seen_never_changes(tmp_path: Path) -> None:
    ticks = iter([SEEN, SEEN + timedelta(days=1)])
    archive = Archive(tmp_path / "archive", now=lambda: next(ticks))
    arrival = stored(archive, tmp_path)
    archive.record(arrival)
    archive.record(arrival)
    assert [found.seen_at for found in archive.arrivals("aws")] == [SEEN]


def test_an_arrival_that_an_older_version_recorded_was_seen_when_it_was_modified(
    archive: Archive, tmp_path: Path
) -> None:
    archive.record(stored(archive, tmp_path))
    [record] = (archive.root / "arrivals" / "aws").iterdir()
    record.write_text(record.read_text().replace("seen_at", "unknown_key"))
    assert [found.seen_at for found in archive.arrivals("aws")] == [NOW]


def test_arrivals_come_in_order_and_with_microseconds(archive: Archive, tmp_path: Path) -> None:
    arrival = stored(archive, tmp_path)
    later = replace(arrival, name="a.csv", received_at=NOW + timedelta(microseconds=1))
    archive.record(later)
    archive.record(arrival)
    assert archive.arrivals("aws") == [replace(arrival, seen_at=SEEN), replace(later, seen_at=SEEN)]
    assert archive.arrivals("other") == []


def test_names_that_differ_only_in_signs_are_two_arrivals(archive: Archive, tmp_path: Path) -> None:
    arrival = stored(archive, tmp_path)
    for name in ("a/b.csv", "a_b.csv", "a\\b.csv"):
        archive.record(replace(arrival, name=name))
    assert {found.name for found in archive.arrivals("aws")} == {"a/b.csv", "a_b.csv", "a\\b.csv"}


def test_a_record_that_is_half_written_is_never_read(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrival = stored(archive, tmp_path)
    monkeypatch.setattr(Path, "write_text", lambda self, text, *_: self.write_bytes(text[:5].encode()) and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        archive.record(arrival)
    assert archive.arrivals("aws") == []
    assert not [path for path in (archive.root / "arrivals").rglob("*") if path.is_file()]
