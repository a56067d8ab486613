"""A day's intake: what is taken, what is refused, and what is kept from an earlier run of the day."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import polars as pl
import pytest

from resources import isolation
from resources.archive import Archive
from resources.conversion import RowGroup
from resources.converted_files import remove_unlisted
from resources.intake import Day, Intake, open_inbox
from resources.intake_checks import _sum
from resources.isolation import Converter
from resources.lake import Lake
from resources.relations import read_deliveries
from resources.session import duckdb_session
from resources.workspace import Workspace
from tests.workspaces import BILLING_TOML, RECEIVED, aws_manifest, drop, instant, invoice, make_workspace, rows_of

DAY = date(2025, 11, 25)


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_workspace(tmp_path_factory.mktemp("intake") / "home")


@contextmanager
def taker(workspace: Workspace) -> Iterator[Intake]:
    with (
        duckdb_session(memory_limit="1GB", threads=1) as connection,
        Converter(connection, workspace.home) as converter,
    ):
        config, archive = workspace.load_config(), Archive(workspace.archive)
        yield Intake(connection, converter, config, archive, Lake(workspace.lake))


def take(workspace: Workspace, day: date = DAY) -> Day:
    with taker(workspace) as intake:
        return intake.take(open_inbox(workspace.home, intake.config, intake.archive), day)


def taken(day: Day) -> list[tuple[object, ...]]:
    return day.deliveries.select("source", "billing_account_id", "total_cost").rows()


def refused(day: Day) -> dict[str, str]:
    return dict(day.quarantine.select("file_name", "reason").rows())


def rows_in_lake(workspace: Workspace) -> pl.DataFrame:
    files = sorted((workspace.lake / "vendor_charges").rglob("*.parquet"))
    return pl.concat([pl.read_parquet(file, hive_partitioning=False) for file in files]) if files else pl.DataFrame()


def focus(*costs: str, account: str = "0042") -> str:
    return rows_of("focus", *({"BilledCost": cost, "BillingAccountId": account} for cost in costs))


def test_the_same_bytes_in_two_sources_are_a_delivery_of_each(workspace: Workspace) -> None:
    # Found here: both were written to one file, and a second run listed each of them twice.
    other = '[[sources]]\nid = "cloud2"\nformat = "focus"\nvendor = "Cloud"\n'
    workspace.config_file.write_text(BILLING_TOML + other)
    for source in ("cloud", "cloud2"):
        drop(workspace, f"{source}/{RECEIVED}/a.csv", focus("3.00"))
    for _ in range(2):
        assert taken(take(workspace)) == [("cloud", "0042", Decimal(3)), ("cloud2", "0042", Decimal(3))]
        assert sorted(rows_in_lake(workspace)["source"]) == ["cloud", "cloud2"]


@pytest.mark.parametrize(
    ("first", "second"),
    [("focus-00001.csv", "focus-00002.csv"), ("part_0_0001.csv", "part_1_0001.csv"), ("part-1.csv", "part-2.csv")],
)
def test_parts_without_a_manifest_never_pass_for_the_whole_month(workspace: Workspace, first: str, second: str) -> None:
    # Found here: two parts uploaded one after the other were two versions, and the last part was billed as the month.
    drop(workspace, f"cloud/x/{first}", focus("3.00"), instant(25, 8))
    drop(workspace, f"cloud/x/{second}", focus("4.00"), instant(25, 9))
    day = take(workspace)
    assert taken(day) == []
    assert set(refused(day)) == {f"x/{first}", f"x/{second}"}
    assert all("parts of one delivery need a manifest" in reason for reason in refused(day).values())
    assert rows_in_lake(workspace).is_empty()


def test_a_part_that_is_overwritten_in_place_is_a_newer_version(workspace: Workspace) -> None:
    drop(workspace, "cloud/focus-00001.csv", focus("3.00"), instant(25, 8))
    take(workspace)
    drop(workspace, "cloud/focus-00001.csv", focus("4.00"), instant(25, 9))
    assert [cost for *_, cost in taken(take(workspace))] == [Decimal(3), Decimal(4)]


def test_two_versions_of_one_day_under_other_names_are_two_versions(workspace: Workspace) -> None:
    drop(workspace, "cloud/morning.csv", focus("3.00"), instant(25, 8))
    drop(workspace, "cloud/evening.csv", focus("4.00"), instant(25, 18))
    assert len(taken(take(workspace))) == 2


def test_parts_of_different_accounts_are_no_rivals(workspace: Workspace) -> None:
    drop(workspace, "cloud/focus-00001.csv", focus("3.00", account="A"), instant(25, 8))
    drop(workspace, "cloud/focus-00002.csv", focus("4.00", account="B"), instant(25, 9))
    assert [account for _, account, _ in taken(take(workspace))] == ["A", "B"]


def test_a_rival_that_arrives_later_takes_back_what_the_day_had_listed(workspace: Workspace) -> None:
    drop(workspace, f"cloud/{RECEIVED}/a.csv", focus("3.00"))
    assert len(taken(take(workspace))) == 1
    drop(workspace, f"cloud/{RECEIVED}/b.csv", focus("4.00"))
    day = take(workspace)
    assert (taken(day), len(refused(day))) == ([], 2)
    # What the published warehouse reads stays until the next one is published.
    assert rows_in_lake(workspace)["billed_cost"].to_list() == [Decimal("3.00")]
    remove_unlisted(Lake(workspace.lake), ())
    assert rows_in_lake(workspace).is_empty()


def test_a_file_is_converted_once(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(workspace, f"cloud/{RECEIVED}/a.csv", focus("3.00"))
    first = take(workspace)

    def fail(*_: object) -> None:
        raise AssertionError("converted again")

    monkeypatch.setattr(isolation, "convert", fail)
    again = take(workspace)
    assert again.deliveries.equals(first.deliveries)


def test_a_source_whose_settings_change_is_converted_anew(workspace: Workspace) -> None:
    # Found here: rows kept the vendor and the currency that billing.toml had when the file was first taken.
    drop(workspace, f"cloud/{RECEIVED}/a.csv", focus("3.00"))
    assert take(workspace).deliveries["vendor"].to_list() == ["Cloud"]
    workspace.config_file.write_text(BILLING_TOML.replace('vendor = "Cloud"', 'vendor = "Cumulus"'))
    assert take(workspace).deliveries["vendor"].to_list() == ["Cumulus"]


def test_a_chunk_that_is_broken_takes_its_whole_assembly_out(workspace: Workspace) -> None:
    keys = [f"b/20251001-20251101/A/c-{number}.csv" for number in (1, 2)]
    folder = f"aws/{RECEIVED}/20251001-20251101/A"
    drop(workspace, f"{folder}/c-1.csv", rows_of("aws_cur", {"lineItem/UnblendedCost": "1"}))
    drop(workspace, f"{folder}/c-2.csv", rows_of("aws_cur", {"lineItem/UnblendedCost": "one"}))
    drop(workspace, f"{folder}/c-Manifest.json", aws_manifest("A", keys))
    day = take(workspace)
    assert taken(day) == []
    [row] = day.quarantine.to_dicts()
    assert row["file_name"] == f"{RECEIVED}/20251001-20251101/A/c-2.csv"
    assert (row["row_number"], row["column_name"], row["value"]) == (1, "lineItem/UnblendedCost", "one")
    assert rows_in_lake(workspace).is_empty()


def test_a_row_that_stands_in_two_chunks_is_refused(workspace: Workspace) -> None:
    keys = [f"b/20251001-20251101/A/c-{number}.csv" for number in (1, 2)]
    folder = f"aws/{RECEIVED}/20251001-20251101/A"
    for number, operation in ((1, "Get"), (2, "Put")):
        drop(workspace, f"{folder}/c-{number}.csv", rows_of("aws_cur", {"lineItem/Operation": operation}))
    drop(workspace, f"{folder}/c-Manifest.json", aws_manifest("A", keys))
    day = take(workspace)
    assert taken(day) == []
    assert "would be counted twice" in "".join(refused(day).values())


def test_a_manifest_of_another_month_than_its_chunks_is_refused(workspace: Workspace) -> None:
    folder = f"aws/{RECEIVED}/20250901-20251001/A"
    drop(workspace, f"{folder}/c-1.csv", rows_of("aws_cur", {}))
    drop(workspace, f"{folder}/c-Manifest.json", aws_manifest("A", ["b/20250901-20251001/A/c-1.csv"], "20250901"))
    day = take(workspace)
    assert taken(day) == []
    assert list(refused(day).values()) == ["the manifest is for 2025-09, its chunks hold 2025-10"]


def test_what_a_killed_run_left_behind_is_swept_away(workspace: Workspace) -> None:
    folder = workspace.lake / "vendor_charges" / DAY.isoformat()
    folder.mkdir(parents=True)
    (folder / "orphan.parquet").write_bytes(b"PAR1")
    (folder / ".half.writing").write_bytes(b"PAR")
    drop(workspace, f"cloud/{RECEIVED}/a.csv", focus("3.00"))
    day = take(workspace)
    [names] = day.deliveries["parquet_files"].to_list()
    remove_unlisted(Lake(workspace.lake), ())
    assert [str(path.relative_to(workspace.lake)) for path in folder.iterdir()] == json.loads(names)


def test_bytes_changed_in_the_archive_are_refused_before_conversion(workspace: Workspace) -> None:
    drop(workspace, f"cloud/{RECEIVED}/a.csv", focus("3.00"))
    open_inbox(workspace.home, workspace.load_config(), Archive(workspace.archive))
    [stored] = [path for path in (workspace.archive / "files").rglob("*") if path.is_file()]
    stored.chmod(0o644)
    stored.write_text(focus("4.00"))
    day = take(workspace)
    assert taken(day) == []
    assert rows_in_lake(workspace).is_empty()
    assert "its archived bytes were changed" in refused(day)[f"{RECEIVED}/a.csv"]


def test_files_arriving_around_midnight_fall_into_local_days(workspace: Workspace) -> None:
    # 22:30 UTC is 00:30 of the next day in Athens.
    drop(workspace, "dist/late.csv", invoice("N1", 1), datetime(2025, 11, 24, 22, 30, tzinfo=UTC))
    drop(workspace, "dist/early.csv", invoice("N2", 1), datetime(2025, 11, 24, 21, 30, tzinfo=UTC))
    assert [account for _, account, _ in taken(take(workspace, DAY))] == ["N1"]
    assert [account for _, account, _ in taken(take(workspace, date(2025, 11, 24)))] == ["N2"]


def test_a_day_without_arrivals_is_an_empty_partition(workspace: Workspace) -> None:
    day = take(workspace)
    assert (day.deliveries.height, day.quarantine.height) == (0, 0)
    assert Lake(workspace.lake).partitions("deliveries") == [DAY.isoformat()]


def test_chunks_add_up_exactly_beyond_the_digits_of_pythons_own_context() -> None:
    # Found here: sums of 29 and more digits were rounded to 28.
    def group(cost: str) -> RowGroup:
        return RowGroup("A", "2025-10", "IDR", 1, Decimal(cost), 0, None, None, None, None, ())

    total = _sum(group("98765432109876543210.123456789012345678"), group("0.000000000000000001")).total_cost
    assert total == Decimal("98765432109876543210.123456789012345679")


def test_a_delivery_was_seen_when_the_last_of_its_pieces_was_landed(workspace: Workspace) -> None:
    """Chunks count as arrived on the day of their folder; the clock says when each was really there."""
    folder, key = f"aws/{RECEIVED}/20251001-20251101/A", "b/20251001-20251101/A/c-1.csv"
    drop(workspace, f"{folder}/c-1.csv", rows_of("aws_cur", {}))
    config = workspace.load_config()
    open_inbox(workspace.home, config, Archive(workspace.archive, now=lambda: instant(26)))
    drop(workspace, f"{folder}/c-Manifest.json", aws_manifest("A", [key]))
    open_inbox(workspace.home, config, Archive(workspace.archive, now=lambda: instant(28)))
    for _ in range(2):
        day = take(workspace)
        assert day.deliveries["seen_at"].to_list() == [instant(28)]
        assert day.deliveries["received_at"].to_list() == [instant(25, 10)]


def test_an_invoice_sent_again_was_known_since_it_first_came(workspace: Workspace) -> None:
    config = workspace.load_config()
    for number, (folder, quantity) in enumerate([("received=2025-11-24", 1), (RECEIVED, 2)]):
        drop(workspace, f"dist/{folder}/a.csv", invoice("N1", quantity))
        open_inbox(workspace.home, config, Archive(workspace.archive, now=lambda day=27 + number: instant(day)))
    take(workspace, date(2025, 11, 24))
    take(workspace)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        read_deliveries(connection, Lake(workspace.lake), [DAY.isoformat()])
        facts = connection.execute("select received_at, seen_at from delivery_facts").fetchall()
    assert facts == [(instant(24, 10), instant(27))]
