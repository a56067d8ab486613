"""`billing status` and totals that arrive beside the files: from dropped file to state, draft and listing."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from billing_pipeline.cli.application import app
from resources.workspace import Workspace
from tests.worked_days import draft, publish, work_days
from tests.workspaces import RECEIVED, aws_manifest, drop, instant, invoice, make_workspace, query, rows_of

HEADER = "billing_account_id,billing_period,invoice_id,invoice_date,currency,net_total,tax_total,is_final\n"
PAYER = "000111111111"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    workspace = make_workspace(tmp_path / "home")
    monkeypatch.setenv("BILLING_HOME", str(workspace.home))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return workspace


def run(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout


def totals(net: str, is_final: str = "true") -> str:
    return f"{HEADER}{PAYER},2025-10,V-1,2025-11-03,USD,{net},,{is_final}\n"


def aws(cost: str, invoice_id: str) -> str:
    return rows_of("aws_cur", {"lineItem/UnblendedCost": cost, "bill/InvoiceId": invoice_id})


def status(workspace: Workspace, source: str, as_of_day: date = date(2025, 12, 1)) -> dict[str, Any]:
    """The row of October 2025 as `billing status --json` prints it, on a day."""
    publish(workspace, as_of_day)
    [row] = [row for row in json.loads(run("status", "--month", "2025-10", "--json")) if row["source"] == source]
    return dict(row)


def test_totals_settle_a_delivery_that_its_files_call_an_estimate(workspace: Workspace) -> None:
    drop(workspace, f"aws/{RECEIVED}/a.csv", aws("100.00", ""))
    run("run", "--month", "2025-10")
    assert query(workspace, "select count(*) from invoices") == [(0,)]
    assert query(workspace, "select distinct bucket from usage_reconciliation") == [("not_yet_final",)]
    assert status(workspace, "aws")["waits_for"] == "still estimates, usually final by 2025-11-21"

    drop(workspace, "aws/received=2025-11-26/invoice_totals.csv", totals("100.00"))
    run("run", "--month", "2025-10")
    assert query(workspace, "select total from invoices") == [(Decimal("110.00"),)]
    assert query(workspace, "select bucket, amount from usage_reconciliation") == [("billed", Decimal(100))]
    assert query(workspace, "select is_final from deliveries") == [(True,)]
    assert query(workspace, "select is_final from priced_line_items") == [(True,)]
    row = status(workspace, "aws")
    assert (row["state"], row["is_final"], row["vendor_total"]) == ("locked", True, "100.000000000000000000")


def test_totals_that_are_estimates_keep_a_final_delivery_from_being_billed(workspace: Workspace) -> None:
    drop(workspace, f"aws/{RECEIVED}/a.csv", aws("100.00", "V-1"))
    drop(workspace, "aws/received=2025-11-26/invoice_totals.csv", totals("100.00", "false"))
    work_days(workspace)
    assert [error.kind for error in draft(workspace, "2025-10").errors] == ["unsettled"]
    assert status(workspace, "aws")["state"] == "collecting"
    drop(workspace, "aws/received=2025-11-27/invoice_totals.csv", totals("100.00"))
    work_days(workspace)
    drafted = draft(workspace, "2025-10")
    assert (len(drafted.created), drafted.errors) == (1, ())


def test_totals_that_came_before_their_delivery_count_as_well(workspace: Workspace) -> None:
    drop(workspace, "aws/received=2025-11-20/invoice_totals.csv", totals("100.00"))
    assert work_days(workspace) == [date(2025, 11, 20)]
    assert status(workspace, "aws")["state"] == "collecting"
    drop(workspace, f"aws/{RECEIVED}/a.csv", aws("100.00", ""))
    assert work_days(workspace) == [date(2025, 11, 25)]
    row = status(workspace, "aws")
    assert (row["state"], row["difference"]) == ("settled", "0.000000000000000000")


def test_final_totals_that_disagree_block_until_somebody_accepts_the_difference(workspace: Workspace) -> None:
    drop(workspace, f"aws/{RECEIVED}/a.csv", aws("100.00", ""))
    drop(workspace, f"aws/{RECEIVED}/invoice_totals.csv", totals("101.00"))
    work_days(workspace)
    row = status(workspace, "aws")
    assert (row["state"], row["is_final"], row["difference"]) == ("collecting", True, "1.000000000000000000")
    assert row["waits_for"].startswith("account 000111111111: missing_rows 1 USD")
    assert [error.kind for error in draft(workspace, "2025-10").errors] == ["difference"]
    run("reconcile", "--month", "2025-10", "--accept", "aws", "--reason", "known")
    assert (status(workspace, "aws")["state"], status(workspace, "aws")["waits_for"]) == ("settled", None)
    drafted = draft(workspace, "2025-10")
    assert (len(drafted.created), drafted.errors) == (1, ())


def test_status_lists_every_source_also_one_without_delivery_and_the_chunks_that_are_missing(
    workspace: Workspace,
) -> None:
    folder = f"aws/{RECEIVED}/20251001-20251101"
    keys = [f"b/20251001-20251101/A/c-{number}.csv" for number in (1, 2, 3)]
    drop(workspace, f"{folder}/A/c-1.csv", aws("1.00", "V-1"))
    drop(workspace, f"{folder}/A/c-2.csv", aws("2.00", "V-1"))
    drop(workspace, f"{folder}/c-Manifest.json", aws_manifest("A", keys))
    drop(workspace, f"cloud/{RECEIVED}/a.csv", rows_of("focus", {}))
    work_days(workspace)
    row = status(workspace, "aws")
    assert (row["state"], row["files_expected"], row["files_received"]) == ("collecting", 3, 2)
    assert row["waits_for"] == (
        f"no delivery yet; {RECEIVED}/20251001-20251101/c-Manifest.json: 1 of 3 chunks are not here"
    )
    assert status(workspace, "cloud")["state"] == "settled"
    assert status(workspace, "dist")["waits_for"] == "no delivery yet"
    listed = json.loads(run("status", "--json"))
    assert {(row["source"], row["billing_period"]) for row in listed} == {
        (source, month) for source in ("aws", "cloud", "dist") for month in ("2025-10", "2025-11", "2025-12")
    }


def test_the_table_reads_well_and_names_what_is_late(workspace: Workspace) -> None:
    drop(workspace, f"aws/{RECEIVED}/a.csv", aws("1234.5678", ""))
    work_days(workspace)
    publish(workspace, date(2025, 11, 30))
    printed = run("status", "--month", "2025-10")
    assert "collecting, late" in printed
    assert "1,234.57" in printed
    assert "2025-11-21" in printed
    assert "Later than usual: aws 2025-10, cloud 2025-10, dist 2025-10" in printed


def test_a_month_that_was_rebuilt_knows_the_totals_of_then(workspace: Workspace, tmp_path: Path) -> None:
    drop(workspace, f"aws/{RECEIVED}/a.csv", aws("100.00", ""))
    drop(workspace, "aws/received=2025-11-26/invoice_totals.csv", totals("100.00"))
    work_days(workspace)
    for day, invoices in (("2025-11-25", 0), ("2025-11-26", 1)):
        out = tmp_path / day
        run("rebuild", "--month", "2025-10", "--as-of", day, "--out", str(out))
        rebuilt = Workspace.at(out)
        assert query(rebuilt, "select count(*) from invoices") == [(invoices,)]
        assert query(rebuilt, "select count(*) from vendor_totals") == [(invoices,)]


def test_intake_lists_totals_as_taken_and_as_replaced(workspace: Workspace) -> None:
    drop(workspace, "aws/invoice_totals.csv", totals("100.00", "false"), instant(24))
    [row] = json.loads(run("intake", "--json"))
    assert (row["state"], row["what"]) == ("ready", "invoice_totals.csv")
    work_days(workspace)
    drop(workspace, "aws/invoice_totals.csv", totals("101.00"), instant(25))
    work_days(workspace)
    listed = [
        (row["state"], row["what"], row["period"], row["rows"], row["total"], row["reason"])
        for row in json.loads(run("intake", "--json"))
    ]
    name = "invoice_totals.csv"
    assert listed == [
        ("replaced", name, "2025-10", 1, "100.000000000000000000", "the vendor's totals, not final"),
        ("taken", name, "2025-10", 1, "101.000000000000000000", "the vendor's totals"),
    ]


def test_a_broken_totals_file_is_quarantined_and_the_source_is_billed(workspace: Workspace) -> None:
    drop(workspace, "dist/received=2025-11-20/i.csv", invoice("N1", 2))
    drop(workspace, "dist/received=2025-11-20/invoice_totals.csv", totals("ten"))
    result = CliRunner().invoke(app, ["run", "--month", "2025-10"])
    assert result.exit_code == 1
    assert "invoice_totals.csv, row 1, column net_total, value ten: the value is no number" in result.stderr
    assert query(workspace, "select count(*) from customer_charges") == [(1,)]
    assert "1 file(s) in quarantine" in status(workspace, "dist")["waits_for"]
