"""The way of an `invoice_totals.csv` into the lake: its day of arrival, its checksum, its versions, its quarantine."""

import hashlib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import duckdb
import pytest

from billing_pipeline.cli.runs import days_of_month
from billing_pipeline.periods import BillingPeriod
from resources.archive import Archive
from resources.inbox import Inbox, open_inbox
from resources.intake import Day, Intake
from resources.isolation import Converter
from resources.lake import Lake
from resources.session import duckdb_session
from resources.untaken import look_for_untaken, untaken_days
from resources.vendor_totals import read_vendor_totals
from resources.workspace import Workspace
from tests.workspaces import BILLING_TOML, RECEIVED, drop, files_below, instant, make_workspace, rows_of

DAY, EARLIER = date(2025, 11, 25), date(2025, 11, 24)
HEADER = "billing_account_id,billing_period,invoice_id,invoice_date,currency,net_total,tax_total,is_final\n"


def totals(net: str = "3.00", invoice: str = "V-1", is_final: str = "true", account: str = "0042") -> str:
    return f"{HEADER}{account},2025-10,{invoice},2025-11-03,USD,{net},,{is_final}\n"


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_workspace(tmp_path_factory.mktemp("totals") / "home")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb_session(memory_limit="1GB", threads=1) as session:
        yield session


def inbox(workspace: Workspace) -> Inbox:
    return open_inbox(workspace.home, workspace.load_config(), Archive(workspace.archive))


def take(workspace: Workspace, day: date = DAY) -> Day:
    with (
        duckdb_session(memory_limit="1GB", threads=1) as connection,
        Converter(connection, workspace.home) as converter,
    ):
        archive, lake = Archive(workspace.archive), Lake(workspace.lake)
        return Intake(connection, converter, workspace.load_config(), archive, lake).take(inbox(workspace), day)


def stated(day: Day) -> list[tuple[object, ...]]:
    return day.totals.select("source", "billing_account_id", "invoice_id", "net_total", "file_name").rows()


def in_force(workspace: Workspace, connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    read_vendor_totals(connection, Lake(workspace.lake))
    return connection.execute("select invoice_id, net_total from vendor_totals order by all").fetchall()


def untaken(workspace: Workspace) -> list[date]:
    config, archive, lake = workspace.load_config(), Archive(workspace.archive), Lake(workspace.lake)
    days = untaken_days(inbox(workspace), lake, archive, config.organisation.zone)
    assert sorted(look_for_untaken(workspace.home, config, archive, lake).by_day) == days
    return days


@pytest.mark.parametrize("folder", ["", f"{RECEIVED}/", "2025/10/"])
def test_totals_are_taken_wherever_they_lie_and_are_no_delivery(workspace: Workspace, folder: str) -> None:
    drop(workspace, f"cloud/{folder}invoice_totals.csv", totals(), instant(25))
    day = take(workspace)
    assert stated(day) == [("cloud", "0042", "V-1", Decimal(3), f"{folder}invoice_totals.csv")]
    assert day.deliveries.is_empty()
    assert day.quarantine.is_empty()
    assert not day.is_empty


def test_a_format_with_manifests_does_not_ask_one_of_its_totals(workspace: Workspace) -> None:
    drop(workspace, f"aws/{RECEIVED}/20251001-20251101/invoice_totals.csv", totals())
    assert [row[0] for row in stated(take(workspace))] == ["aws"]


def test_a_totals_file_is_a_day_of_arrival_until_a_run_has_taken_it(workspace: Workspace) -> None:
    drop(workspace, "cloud/invoice_totals.csv", totals(), instant(25))
    assert inbox(workspace).days(workspace.load_config().organisation.zone) == [DAY]
    assert untaken(workspace) == [DAY]
    take(workspace)
    assert untaken(workspace) == []
    drop(workspace, "cloud/invoice_totals.csv", totals("4.00"), instant(26))
    assert untaken(workspace) == [date(2025, 11, 26)]


def test_the_month_of_a_total_counts_its_day_of_arrival_among_its_days(workspace: Workspace) -> None:
    drop(workspace, f"cloud/{RECEIVED}/invoice_totals.csv", totals())
    take(workspace)
    assert days_of_month(Lake(workspace.lake), workspace, BillingPeriod("2025-10")) == [DAY]
    assert days_of_month(Lake(workspace.lake), workspace, BillingPeriod("2025-11")) == []


def test_the_newest_arrival_counts_whatever_day_is_run_first(
    workspace: Workspace, connection: duckdb.DuckDBPyConnection
) -> None:
    drop(workspace, "cloud/received=2025-11-24/invoice_totals.csv", totals("3.00"))
    drop(workspace, f"cloud/{RECEIVED}/invoice_totals.csv", totals("4.00"))
    for day in (DAY, EARLIER):
        take(workspace, day)
    assert in_force(workspace, connection) == [("V-1", Decimal(4))]


def test_of_a_file_overwritten_within_one_received_folder_the_last_version_counts(workspace: Workspace) -> None:
    drop(workspace, f"cloud/{RECEIVED}/invoice_totals.csv", totals("3.00"), instant(1))
    inbox(workspace)
    drop(workspace, f"cloud/{RECEIVED}/invoice_totals.csv", totals("4.00"), instant(2))
    assert [row[3] for row in stated(take(workspace))] == [Decimal(4)]
    assert untaken(workspace) == []


def test_a_day_that_is_run_again_writes_the_same_bytes(workspace: Workspace) -> None:
    drop(workspace, f"cloud/{RECEIVED}/invoice_totals.csv", totals())
    drop(workspace, f"aws/{RECEIVED}/invoice_totals.csv", totals())
    drop(workspace, f"cloud/{RECEIVED}/a.csv", rows_of("focus", {}))
    take(workspace)
    before = files_below(workspace.lake)
    take(workspace)
    assert files_below(workspace.lake) == before
    assert f"vendor_totals/{DAY}.parquet" in before


def test_a_refused_file_is_quarantined_and_the_rest_goes_on(workspace: Workspace) -> None:
    drop(workspace, f"cloud/{RECEIVED}/a.csv", rows_of("focus", {}))
    drop(workspace, f"cloud/{RECEIVED}/invoice_totals.csv", totals("3,00"), instant(1))
    drop(workspace, f"aws/{RECEIVED}/invoice_totals.csv", totals())
    day = take(workspace)
    [refused] = day.quarantine.to_dicts()
    assert (refused["file_name"], refused["row_number"]) == (f"{RECEIVED}/invoice_totals.csv", 1)
    assert "9 cells where the header names 8" in refused["reason"]
    assert day.deliveries.height == 1
    assert [row[0] for row in stated(day)] == ["aws"]
    drop(workspace, f"cloud/{RECEIVED}/invoice_totals.csv", totals("3.00"), instant(2))
    mended = take(workspace)
    assert mended.quarantine.is_empty()
    assert [row[0] for row in stated(mended)] == ["aws", "cloud"]
    assert untaken(workspace) == []


def test_totals_without_a_row_are_refused(workspace: Workspace) -> None:
    drop(workspace, f"cloud/{RECEIVED}/invoice_totals.csv", HEADER)
    assert take(workspace).quarantine["reason"].to_list() == ["it holds no totals: there is no row below the header"]


def test_a_giant_file_is_refused_unread(workspace: Workspace) -> None:
    drop(workspace, f"cloud/{RECEIVED}/invoice_totals.csv", totals() + "\n" * (9 << 20))
    assert "far more than any" in take(workspace).quarantine["reason"][0]


def test_totals_must_match_their_checksum(workspace: Workspace) -> None:
    drop(workspace, f"cloud/{RECEIVED}/invoice_totals.csv", totals("3.00"), instant(1))
    right = hashlib.sha256(totals("4.00").encode()).hexdigest()
    drop(workspace, f"cloud/{RECEIVED}/invoice_totals.csv.sha256", right, instant(1))
    day = take(workspace)
    assert stated(day) == []
    assert "it was damaged on its way" in day.quarantine["reason"][0]
    drop(workspace, f"cloud/{RECEIVED}/invoice_totals.csv", totals("4.00"), instant(2))
    assert [row[3] for row in stated(take(workspace))] == [Decimal(4)]


def test_totals_wait_for_the_checksum_that_is_required(workspace: Workspace) -> None:
    required = 'id = "cloud"\nrequires_checksum = true'
    workspace.config_file.write_text(BILLING_TOML.replace('id = "cloud"', required))
    drop(workspace, "cloud/invoice_totals.csv", totals(), instant(24))
    assert stated(take(workspace, EARLIER)) == []
    assert [item.arrival.name for item in inbox(workspace).waiting()] == ["invoice_totals.csv"]
    drop(workspace, "cloud/invoice_totals.csv.sha256", hashlib.sha256(totals().encode()).hexdigest(), instant(25))
    assert stated(take(workspace, EARLIER)) == []
    assert len(stated(take(workspace))) == 1
    assert untaken(workspace) == []
