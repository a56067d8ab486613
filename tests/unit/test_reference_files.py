"""The reference folder's history: snapshots are taken once, and say when a row first arrived."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from billing_pipeline.errors import ReferenceInvalid
from resources.reference_files import load_reference, reference_frames, snapshots

ATHENS = ZoneInfo("Europe/Athens")
CUSTOMERS = "customer_id,name,invoice_currency\nk1,Acme,EUR\n"


def write(home: Path, name: str, text: str, modified_at: str) -> None:
    path = home / "reference" / f"{name}.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    instant = datetime.fromisoformat(modified_at).timestamp()
    os.utime(path, (instant, instant))


def recorded(home: Path) -> dict[str, datetime]:
    frame = load_reference(home, ATHENS).customers
    return dict(zip(frame["customer_id"], frame["recorded_at"], strict=True))


def test_a_row_is_recorded_at_the_start_of_the_local_day_on_which_it_first_arrived(tmp_path: Path) -> None:
    # 22:30 UTC on the 4th is the 5th in Athens.
    write(tmp_path, "customers", CUSTOMERS, "2026-10-04T22:30:00+00:00")
    assert recorded(tmp_path) == {"k1": datetime(2026, 10, 4, 21, tzinfo=UTC)}
    write(tmp_path, "customers", CUSTOMERS + "k2,Beta,EUR\n", "2026-11-01T12:00:00+00:00")
    assert recorded(tmp_path) == {
        "k1": datetime(2026, 10, 4, 21, tzinfo=UTC),
        "k2": datetime(2026, 10, 31, 22, tzinfo=UTC),
    }


def test_a_new_column_or_another_order_of_columns_does_not_make_old_rows_new(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05T12:00:00+00:00")
    load_reference(tmp_path, ATHENS)
    write(tmp_path, "customers", "name,email,invoice_currency,customer_id\nAcme,,EUR,k1\n", "2026-11-01T12:00:00+00:00")
    assert recorded(tmp_path) == {"k1": datetime(2026, 10, 4, 21, tzinfo=UTC)}


def test_a_changed_row_is_a_new_row(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05T12:00:00+00:00")
    load_reference(tmp_path, ATHENS)
    write(tmp_path, "customers", CUSTOMERS.replace("EUR", "USD"), "2026-11-02T12:00:00+00:00")
    assert recorded(tmp_path) == {"k1": datetime(2026, 11, 1, 22, tzinfo=UTC)}


def test_the_same_bytes_touched_again_are_one_read_only_snapshot_with_the_first_day(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05T12:00:00+00:00")
    load_reference(tmp_path, ATHENS)
    write(tmp_path, "customers", CUSTOMERS, "2026-12-01T12:00:00+00:00")
    assert recorded(tmp_path) == {"k1": datetime(2026, 10, 4, 21, tzinfo=UTC)}
    [(day, path)] = snapshots(tmp_path, "customers")
    assert str(day) == "2026-10-05"
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert path.read_text() == CUSTOMERS
    assert list(path.parent.iterdir()) == [path]


def test_an_older_snapshot_that_is_no_longer_valid_does_not_stand_in_the_way(tmp_path: Path) -> None:
    write(tmp_path, "customers", 'customer_id,name,invoice_currency\nk1,A"cme,EUR\n', "2026-10-01T12:00:00+00:00")
    with pytest.raises(ReferenceInvalid):
        load_reference(tmp_path, ATHENS)
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05T12:00:00+00:00")
    assert recorded(tmp_path) == {"k1": datetime(2026, 10, 4, 21, tzinfo=UTC)}
    assert len(snapshots(tmp_path, "customers")) == 2


def test_a_file_that_is_no_reference_file_is_an_error_that_names_the_known_ones(tmp_path: Path) -> None:
    write(tmp_path, "prices", CUSTOMERS, "2026-10-05T12:00:00+00:00")
    with pytest.raises(ReferenceInvalid, match=r"reference/prices\.csv: is unknown; the files are customers, accounts"):
        load_reference(tmp_path, ATHENS)


def test_without_a_reference_folder_the_set_is_empty(tmp_path: Path) -> None:
    names = dict(reference_frames(load_reference(tmp_path, ATHENS)))
    assert len(names) == 14
    assert all(name.startswith("reference_") and frame.height == 0 for name, frame in names.items())
