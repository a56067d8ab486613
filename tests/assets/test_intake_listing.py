"""`billing intake` says of every delivery and every file how far it has come."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from billing_pipeline.cli.application import app
from resources.workspace import Workspace
from tests.workspaces import ACCOUNTS, RECEIVED, aws_manifest, drop, instant, invoice, make_workspace, query, rows_of

Listing = Callable[[], dict[tuple[str, str], str | None]]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    workspace = make_workspace(tmp_path / "home")
    monkeypatch.setenv("BILLING_HOME", str(workspace.home))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return workspace


def listing() -> dict[tuple[str, str], str]:
    """Reason by state and what."""
    printed = CliRunner().invoke(app, ["intake", "--json"]).stdout
    return {(row["state"], row["what"]): row["reason"] for row in json.loads(printed)}


def run(*options: str) -> int:
    return CliRunner().invoke(app, ["run", *options]).exit_code


def charges(workspace: Workspace) -> list[tuple[object, ...]]:
    """Customer charges by number, as the warehouse has them."""
    return query(workspace, "select invoice_number, total_sell_price from customer_charges order by all")


def exported(workspace: Workspace, *days: str) -> list[str]:
    """Invoice numbers in the export of some days."""
    out = workspace.home / "out.csv"
    options = ["--columns", "Invoice #", "--out", str(out), *days]
    assert CliRunner().invoke(app, ["charges", "export", *options]).exit_code == 0
    return out.read_text(encoding="utf-8-sig").splitlines()[1:]


def test_files_that_no_run_has_taken_are_ready(workspace: Workspace) -> None:
    drop(workspace, "cloud/a.csv", rows_of("focus", {}), instant(24))
    assert listing() == {("ready", "a.csv"): "the next run takes it"}
    assert run() == 0
    assert listing() == {("taken", "0042"): ""}


def test_an_assembly_is_ready_once_and_says_how_many_files_it_has(workspace: Workspace) -> None:
    folder = f"aws/{RECEIVED}/20251001-20251101/A"
    for number in (1, 2):
        drop(workspace, f"{folder}/c-{number}.csv", rows_of("aws_cur", {"identity/LineItemId": str(number)}))
    keys = [f"b/20251001-20251101/A/c-{number}.csv" for number in (1, 2)]
    drop(workspace, f"{folder}/c-Manifest.json", aws_manifest("A", keys))
    manifest = f"{RECEIVED}/20251001-20251101/A/c-Manifest.json"
    assert listing() == {("ready", manifest): "the next run takes it and its 2 files"}


def test_what_no_run_will_take_says_so(workspace: Workspace) -> None:
    drop(workspace, "cloud/received=2999-01-01/a.csv", rows_of("focus", {}))
    drop(workspace, "aws/20251001-20251101/A/c-Manifest.json", "{", instant(24))
    found = listing()
    assert found["ready", "received=2999-01-01/a.csv"] == "no run takes it: 2999-01-01 is no day of arrival"
    assert found["ready", "20251001-20251101/A/c-Manifest.json"].startswith("the next run refuses it: the manifest")


def test_a_checksum_without_its_file_is_listed_as_waiting(workspace: Workspace) -> None:
    drop(workspace, "cloud/a.csv.sha256", "0" * 64, instant(24))
    assert listing() == {("waiting", "a.csv.sha256"): "a.csv, of which it is the checksum, has not arrived"}


def test_an_invoice_sent_again_is_listed_and_neither_priced_nor_exported_again(workspace: Workspace) -> None:
    """Found here: the later day's list and workbook had it again."""
    drop(workspace, "dist/received=2025-11-24/first.csv", invoice("N1", 1), instant(24))
    assert run() == 0
    # One file with both: the first unchanged, the second new.
    both = invoice("N1", 1) + invoice("N2", 2).split("\n", 1)[1]
    drop(workspace, "dist/received=2025-11-25/month.csv", both, instant(25))
    assert run() == 0

    assert listing() == {
        ("taken", "N1"): "",
        ("taken", "N2"): "",
        ("sent again", "N1"): "unchanged since 2025-11-24",
    }
    assert [number for number, _ in charges(workspace)] == ["N1", "N2"]
    assert exported(workspace) == ["N2", "N1"]
    assert exported(workspace, "--from", "2025-11-25", "--to", "2025-11-25") == ["N2"]
    book = workspace.exports / "customer_charges" / "2025-11-25" / "Customer Charges.csv"
    assert "N1" not in book.read_text(encoding="utf-8-sig")
    assert query(workspace, "select count(*) from vendor_charges") == [(2,)]
    assert query(workspace, "select count(*) from deliveries") == [(2,)]


def test_a_day_whose_invoices_are_all_sent_again_has_no_charges_and_no_workbook(workspace: Workspace) -> None:
    drop(workspace, "dist/received=2025-11-24/first.csv", invoice("N1", 1), instant(24))
    drop(workspace, "dist/received=2025-11-25/again.csv", invoice("N1", 1) + "\n", instant(25))
    assert run() == 0
    assert (workspace.exports / "customer_charges" / "2025-11-24").is_dir()
    assert not (workspace.exports / "customer_charges" / "2025-11-25").exists()
    assert exported(workspace) == ["N1"]


def test_what_arrives_late_for_an_earlier_day_puts_later_days_out_of_date_and_the_run_mends_them(
    workspace: Workspace,
) -> None:
    """A, A, and then, dated between them, B: the second A is news again, and the newest."""
    drop(workspace, "dist/received=2025-11-22/a.csv", invoice("N1", 1), instant(22))
    drop(workspace, "dist/received=2025-11-24/b.csv", invoice("N1", 1) + "\n", instant(24))
    assert run() == 0
    assert ("sent again", "N1") in listing()
    drop(workspace, "dist/received=2025-11-23/c.csv", invoice("N1", 3), instant(23))
    assert run("--date", "2025-11-23") == 0
    states = [(state, what) for state, what in listing() if state != "replaced"]
    assert states == [("taken", "N1")]
    assert query(workspace, "select cast(received_at as date)::varchar, is_current from deliveries order by all") == [
        ("2025-11-22", False), ("2025-11-23", False), ("2025-11-24", True),
    ]  # fmt: skip
    assert exported(workspace) == ["N1"]
    assert charges(workspace) == [("N1", query(workspace, "select 11.00::decimal(38, 24)")[0][0])]


def test_bytes_that_turn_out_to_have_arrived_before_are_listed_on_the_earlier_day(workspace: Workspace) -> None:
    content = rows_of("focus", {})
    drop(workspace, "cloud/received=2025-11-25/a.csv", content, instant(25))
    assert run() == 0
    drop(workspace, "cloud/received=2025-11-20/a.csv", content, instant(25))
    found = listing()
    assert found["ready", "received=2025-11-20/a.csv"] == "the next run takes it"
    assert "the next run takes it again" in found["outdated", "2025-11-25"]
    assert run() == 0
    assert query(workspace, "select cast(received_at as date)::varchar from deliveries") == [("2025-11-20",)]
    assert listing() == {("taken", "0042"): "not final"}


def test_a_day_whose_bad_file_was_mended_is_not_built_again(workspace: Workspace) -> None:
    """Found here: every run built it anew, for ever."""
    drop(workspace, "cloud/a.csv", rows_of("focus", {"BilledCost": "three"}), instant(22))
    drop(workspace, "aws/20251001-20251101/A/c-Manifest.json", "{", instant(22))
    assert run() == 1
    drop(workspace, "cloud/a.csv", rows_of("focus", {}), instant(24))
    drop(workspace, "aws/20251001-20251101/A/c-1.csv", rows_of("aws_cur", {}), instant(24))
    manifest = aws_manifest("A", ["b/20251001-20251101/A/c-1.csv"])
    drop(workspace, "aws/20251001-20251101/A/c-Manifest.json", manifest, instant(24))
    assert run() == 0
    nothing = CliRunner().invoke(app, ["run"])
    assert (nothing.exit_code, "no day: nothing new has arrived" in nothing.stdout) == (0, True)
    assert ACCOUNTS["cloud"] in str(query(workspace, "select sub_account_id from vendor_charges"))
