"""What lies in a landing folder, when it counts as arrived, and what never gets in."""

import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from billing_pipeline.configuration import Source
from billing_pipeline.deliveries import Arrival, Refused
from billing_pipeline.errors import BadInput
from billing_pipeline.periods import local_day
from resources import landing as landing_module
from resources.archive import Archive
from resources.landing import Landed, land, received_at

ATHENS = ZoneInfo("Europe/Athens")
SOURCE = Source(id="dist", format="distributor_invoice", vendor="Distributor")
MODIFIED = datetime(2026, 10, 6, 5, 30, tzinfo=UTC)


class Landing:
    """A landing folder with its archive."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "landing" / "dist"
        self.folder.mkdir(parents=True)
        self.archive = Archive(home / "archive")

    def drop(self, name: str, content: bytes = b"x", modified_at: datetime = MODIFIED) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (modified_at.timestamp(), modified_at.timestamp()))
        return path

    def look(self, stable_after_seconds: int | None = None) -> Landed:
        source = SOURCE.model_copy(update={"stable_after_seconds": stable_after_seconds})
        return land(self.folder, source, self.archive, ATHENS)

    def land(self) -> list[Refused]:
        return self.look().refused

    def unfinished(self) -> dict[str, str]:
        return {item.arrival.name: item.reason for item in self.look().unfinished}

    @property
    def arrivals(self) -> list[Arrival]:
        return self.archive.arrivals("dist")


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path)


def test_a_received_folder_says_the_day_wherever_it_stands_in_the_path() -> None:
    noon = datetime(2026, 11, 5, 10, tzinfo=UTC)
    for name in (
        "received=2026-11-05/a.csv",
        "x/received=2026-11-05/y/a.csv",
        "received=2026-01-01/received=2026-11-05/a",
    ):
        assert received_at(name, MODIFIED, ATHENS) == noon


def test_without_a_received_folder_the_modification_time_counts() -> None:
    assert received_at("a/received.csv", MODIFIED, ATHENS) == MODIFIED
    assert received_at("received=2026-11-05", MODIFIED, ATHENS) == MODIFIED


@pytest.mark.parametrize("day", ["2026-03-28", "2026-03-29", "2026-03-30", "2026-10-24", "2026-10-25", "2026-10-26"])
def test_a_received_day_is_that_local_day_also_when_clocks_change(day: str) -> None:
    for zone in (ATHENS, ZoneInfo("America/St_Johns"), ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")):
        assert local_day(received_at(f"received={day}/a.csv", MODIFIED, zone), zone).isoformat() == day


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 3, 28, 21, 59, tzinfo=UTC), "2026-03-28"),
        (datetime(2026, 3, 28, 22, 0, tzinfo=UTC), "2026-03-29"),
        (datetime(2026, 3, 29, 20, 59, tzinfo=UTC), "2026-03-29"),
        (datetime(2026, 3, 29, 21, 0, tzinfo=UTC), "2026-03-30"),
        (datetime(2026, 10, 24, 21, 0, tzinfo=UTC), "2026-10-25"),
        (datetime(2026, 10, 25, 21, 59, tzinfo=UTC), "2026-10-25"),
        (datetime(2026, 10, 25, 22, 0, tzinfo=UTC), "2026-10-26"),
    ],
)
def test_a_modification_time_falls_into_its_local_day_of_23_or_25_hours(instant: datetime, day: str) -> None:
    assert local_day(received_at("a.csv", instant, ATHENS), ATHENS).isoformat() == day


@pytest.mark.parametrize("folder", ["received=2026-02-30", "received=2026-3-1", "received=", "received=today"])
def test_a_received_folder_that_names_no_day_is_refused(landing: Landing, folder: str) -> None:
    # Found here: such a file silently counted as arrived at its modification time.
    landing.drop(f"{folder}/a.csv")
    [refused] = landing.land()
    assert refused.error == BadInput(f"{folder}/a.csv", "the received= folder names no day YYYY-MM-DD", value=folder)
    assert landing.arrivals == []


def test_an_arrival_is_recorded_once_even_if_the_file_is_touched(landing: Landing) -> None:
    path = landing.drop("a.csv")
    landing.land()
    os.utime(path, (MODIFIED.timestamp() + 86_400, MODIFIED.timestamp() + 86_400))
    assert landing.land() == []
    assert [(arrival.name, arrival.received_at) for arrival in landing.arrivals] == [("a.csv", MODIFIED)]


def test_a_file_that_is_known_is_not_read_again(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    landing.drop("a.csv")
    landing.land()

    def fail(file: Path) -> tuple[str, int]:
        raise AssertionError(file)

    monkeypatch.setattr(landing.archive, "store", fail)
    assert landing.land() == []


def test_other_bytes_under_the_same_name_are_another_arrival(landing: Landing) -> None:
    landing.drop("a.csv", b"old")
    landing.land()
    landing.drop("a.csv", b"new", datetime(2026, 10, 7, 5, tzinfo=UTC))
    landing.land()
    assert [arrival.received_at.day for arrival in landing.arrivals] == [6, 7]


def test_an_arrival_stays_when_its_file_is_removed(landing: Landing) -> None:
    path = landing.drop("a.csv")
    landing.land()
    path.unlink()
    landing.land()
    assert len(landing.arrivals) == 1


def test_a_landing_folder_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert land(tmp_path / "absent", SOURCE, Archive(tmp_path / "archive"), ATHENS) == Landed()


@pytest.mark.parametrize(
    "name",
    [
        "a.csv.tmp",
        "a.csv.part",
        "a.csv.PARTIAL",
        "a.crdownload",
        "a.filepart",
        "a.csv.gz.4fB1c5D2",
        "report.parquet.0011aaFF",
        "a.csv_.gstmp",
    ],
)
def test_a_name_of_an_unfinished_upload_waits(landing: Landing, name: str) -> None:
    landing.drop(name)
    assert landing.unfinished() == {name: "its name says that it is still being uploaded"}
    assert (landing.land(), landing.arrivals) == ([], [])


@pytest.mark.parametrize("name", [".a.csv", "_SUCCESS", ".x/a.csv", ".a.csv.Xy12Ab", ".azDownload-1-a.csv"])
def test_hidden_files_are_left_alone(landing: Landing, name: str) -> None:
    landing.drop(name)
    assert landing.look() == Landed()
    assert landing.arrivals == []


@pytest.mark.parametrize("name", ["cost.20261101", "a.csv.1234567", "deadbeef.csv", "a.csv.2026-10-01", "cafebabe"])
def test_names_that_only_resemble_those_of_uploads_are_read(landing: Landing, name: str) -> None:
    landing.drop(name)
    assert landing.look() == Landed()
    assert [arrival.name for arrival in landing.arrivals] == [name]


def test_a_file_that_is_still_being_written_is_left_for_the_next_run(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = landing.drop("a.csv", b"half")
    store = landing.archive.store

    def store_while_growing(file: Path) -> tuple[str, int]:
        result = store(file)
        with path.open("ab") as stream:
            stream.write(b" and half")
        return result

    monkeypatch.setattr(landing.archive, "store", store_while_growing)
    assert landing.unfinished() == {"a.csv": "it changed while it was read: it is still being written"}
    assert landing.arrivals == []
    monkeypatch.undo()
    landing.land()
    assert [arrival.size for arrival in landing.arrivals] == [13]


def test_a_file_dropped_just_now_is_taken_at_once_if_it_stands_still(landing: Landing) -> None:
    landing.drop("a.csv", modified_at=datetime.now(UTC))
    assert landing.look() == Landed()
    assert [arrival.name for arrival in landing.arrivals] == ["a.csv"]


def test_a_young_file_that_grows_between_the_two_looks_is_left_for_the_next_run(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy is faster than the writer: nothing changes while it is read, but a moment later it does."""
    path = landing.drop("slow.csv", b"half", datetime.now(UTC))
    landing.drop("done.csv", b"whole", datetime.now(UTC))

    def write_on(_: float) -> None:
        with path.open("ab") as stream:
            stream.write(b" and half")

    monkeypatch.setattr(landing_module.time, "sleep", write_on)
    assert list(landing.unfinished()) == ["slow.csv"]
    assert [arrival.name for arrival in landing.arrivals] == ["done.csv"]


def test_a_file_rewritten_in_place_with_its_old_time_and_size_is_noticed(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = landing.drop("a.csv", b"half")
    store = landing.archive.store

    def store_while_rewritten(file: Path) -> tuple[str, int]:
        result = store(file)
        landing.drop("a.csv", b"HALF")
        return result

    monkeypatch.setattr(landing.archive, "store", store_while_rewritten)
    assert list(landing.unfinished()) == ["a.csv"]
    assert path.exists()


def test_a_source_may_ask_for_files_of_some_age(landing: Landing) -> None:
    landing.drop("old.csv")
    landing.drop("new.csv", modified_at=datetime.now(UTC))
    landed = landing.look(stable_after_seconds=600)
    assert [item.arrival.name for item in landed.unfinished] == ["new.csv"]
    assert "modified less than 600 s ago" in landed.unfinished[0].reason
    assert [arrival.name for arrival in landing.arrivals] == ["old.csv"]
    landing.look(stable_after_seconds=0)
    assert {arrival.name for arrival in landing.arrivals} == {"old.csv", "new.csv"}


def test_a_file_that_gets_its_final_name_during_the_look_does_not_stop_the_run(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Found here: a name that was gone when its turn came ended the run.
    landing.drop("b.csv")
    gone = landing.folder / "a.csv.part"
    monkeypatch.setattr(landing_module, "_landed", lambda folder: iter([gone, folder / "a.csv", folder / "b.csv"]))
    assert landing.look() == Landed()
    assert [arrival.name for arrival in landing.arrivals] == ["b.csv"]


def test_a_link_that_leads_out_of_the_folder_is_refused(landing: Landing, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("secret")
    (landing.folder / "a.csv").symlink_to(secret)
    [refused] = landing.land()
    assert refused.error == BadInput("a.csv", "the name would leave the landing folder", value=str(secret))
    assert not list((landing.archive.root).rglob("*"))


def test_a_link_to_a_folder_is_named_and_never_followed(landing: Landing, tmp_path: Path) -> None:
    # Found here: such links were passed over in silence, and so were the files behind them.
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.csv").write_text("x")
    (landing.folder / "inside").mkdir()
    (landing.folder / "out").symlink_to(tmp_path / "elsewhere")
    (landing.folder / "loop").symlink_to(landing.folder)
    reasons = {item.error.file: item.error.reason for item in landing.land()}
    assert reasons == {
        "loop": "it is neither a file nor a folder; a link to a folder is not followed",
        "out": "the name would leave the landing folder",
    }
    assert landing.arrivals == []


def test_a_link_inside_the_folder_arrives_with_its_target(landing: Landing) -> None:
    target = landing.drop("real.csv", b"first")
    (landing.folder / "latest.csv").symlink_to(target)
    assert landing.land() == []
    landing.drop("real.csv", b"other", datetime(2026, 10, 9, tzinfo=UTC))
    landing.land()
    assert [one.received_at.day for one in landing.arrivals if one.name == "latest.csv"] == [6, 9]


def test_a_link_to_nothing_is_refused(landing: Landing) -> None:
    (landing.folder / "a.csv").symlink_to("absent.csv")
    assert "cannot be read" in landing.land()[0].error.reason


def test_a_pipe_is_refused_and_does_not_stop_the_run(landing: Landing) -> None:
    # Found here: opening a pipe waits for ever for somebody to write into it.
    os.mkfifo(landing.folder / "a.csv")
    landing.drop("b.csv")
    [refused] = landing.land()
    assert "neither a file nor a folder" in refused.error.reason
    assert [arrival.name for arrival in landing.arrivals] == ["b.csv"]


def test_a_name_that_is_no_text_is_refused_and_does_not_stop_the_run(landing: Landing) -> None:
    # Found here: the record of the arrival could not be written, and no other file was taken either.
    try:
        (landing.folder / os.fsdecode(b"caf\xe9.csv")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system only takes names that are UTF-8")
    landing.drop("b.csv")
    [refused] = landing.land()
    assert refused.error == BadInput("caf\\xe9.csv", "the file's name is not UTF-8")
    assert [arrival.name for arrival in landing.arrivals] == ["b.csv"]


def test_names_in_any_script_are_kept(landing: Landing) -> None:
    for name in ("τιμολόγιο.csv", "請求書/1.csv", "a b'c\"d.csv", "line\nbreak.csv"):
        landing.drop(name, name.encode())
    assert landing.land() == []
    assert {arrival.name for arrival in landing.arrivals} == {
        "τιμολόγιο.csv",
        "請求書/1.csv",
        "a b'c\"d.csv",
        "line\nbreak.csv",
    }
