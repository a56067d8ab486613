"""The archive as a past instant knew it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from billing_pipeline.deliveries import Arrival
from resources.archive import Archive
from resources.archive_as_of import ArchiveAsOf

ATHENS = ZoneInfo("Europe/Athens")
# The workspace landed its first files on 10 November; what they are had been delivered before.
FIRST_SEEN = datetime(2026, 11, 10, 8, tzinfo=UTC)

Known = Callable[[datetime], list[str]]


@pytest.fixture
def known(tmp_path: Path) -> Known:
    arrivals = {
        "october.csv": (datetime(2026, 11, 5, 10, tzinfo=UTC), FIRST_SEEN),
        "late.csv": (datetime(2026, 11, 5, 10, tzinfo=UTC), FIRST_SEEN + timedelta(days=5)),
        # Dropped at 08:00 into the folder of the running day, which means noon.
        "today.csv": (datetime(2026, 11, 10, 10, tzinfo=UTC), FIRST_SEEN),
        "tomorrow.csv": (datetime(2026, 11, 11, 10, tzinfo=UTC), FIRST_SEEN),
    }
    for name, (received_at, seen_at) in arrivals.items():
        source = "aws" if name == "late.csv" else "dist"
        arrival = Arrival(source, name, name.ljust(64, "0"), 1, received_at, received_at)
        Archive(tmp_path, now=lambda seen_at=seen_at: seen_at).record(arrival)

    def names(as_of: datetime) -> list[str]:
        archive = ArchiveAsOf(tmp_path, as_of, ATHENS)
        return sorted(arrival.name for source in ("aws", "dist") for arrival in archive.arrivals(source))

    return names


def test_a_file_is_known_from_when_it_was_landed_not_from_when_it_claims_to_have_arrived(known: Known) -> None:
    assert known(FIRST_SEEN) == ["october.csv", "today.csv"]
    assert known(FIRST_SEEN + timedelta(days=5)) == ["late.csv", "october.csv", "today.csv", "tomorrow.csv"]


def test_a_file_of_a_day_that_has_not_begun_is_not_known_although_it_lies_there(known: Known) -> None:
    local_midnight = datetime(2026, 11, 10, 22, tzinfo=UTC)
    assert "tomorrow.csv" not in known(local_midnight - timedelta(microseconds=1))
    assert "tomorrow.csv" in known(local_midnight)


def test_before_the_first_landing_the_declared_arrivals_say_what_was_known(known: Known) -> None:
    assert known(datetime(2026, 11, 5, 9, tzinfo=UTC)) == []
    assert known(datetime(2026, 11, 5, 10, tzinfo=UTC)) == ["late.csv", "october.csv"]
    assert known(FIRST_SEEN - timedelta(microseconds=1)) == ["late.csv", "october.csv"]


def test_an_empty_archive_knew_nothing(tmp_path: Path) -> None:
    assert ArchiveAsOf(tmp_path / "absent", FIRST_SEEN, ATHENS).arrivals("aws") == []


def test_the_past_takes_nothing(tmp_path: Path) -> None:
    archive = ArchiveAsOf(tmp_path, FIRST_SEEN, ATHENS)
    file = tmp_path / "new.csv"
    file.write_text("new")
    with pytest.raises(NotImplementedError):
        archive.store(file)
    with pytest.raises(NotImplementedError):
        archive.record(Arrival("aws", "new.csv", "0" * 64, 3, FIRST_SEEN, FIRST_SEEN))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.csv"]
