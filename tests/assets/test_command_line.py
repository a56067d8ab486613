"""The command as a user types it: exit codes, what is said on stderr, and JSON that programs can read."""

import json
import sys
from pathlib import Path

import duckdb
import pytest

from billing_pipeline.cli import main
from resources.workspace import Workspace
from tests.workspaces import RECEIVED, drop, invoice, make_workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = make_workspace(tmp_path_factory.mktemp("command") / "home")
    drop(made, f"dist/{RECEIVED}/invoice.csv", invoice("N1", 2))
    return made


def run(workspace: Workspace, *words: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BILLING_HOME", str(workspace.home))
        patch.setenv("DAGSTER_HOME", str(workspace.home / ".dagster"))
        patch.setattr(sys, "argv", ["billing", *words])
        try:
            main()
        except SystemExit as stopped:
            return int(stopped.code or 0)
    return 0


@pytest.mark.parametrize(
    "words",
    [
        "run --date 2026-99-01",
        "run --from 2026-10-06 --to 2026-10-05",
        "run --date 2026-10-06 --month 2026-10",
        "invoices list --month 2024-13",
        "invoices export",
        "invoices draft --month 2025-11 --override-unsettled=",
        "charges export --columns Nope --out x.csv",
        "charges export --sort Currency:up --out x.csv",
        "charges export --where drop --out x.csv",
    ],
)
def test_wrong_usage_exits_with_2_and_says_why(
    workspace: Workspace, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(workspace, *words.split()) == 2
    assert capfd.readouterr().err.strip()


@pytest.mark.parametrize("month", ["1999-01", "2999-01"])
def test_a_month_without_partition_is_refused_in_one_line(
    workspace: Workspace, month: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(workspace, "invoices", "draft", "--month", month) == 1
    error = capfd.readouterr().err
    assert f"{month} is no billing period to draft" in error
    assert "Traceback" not in error


def test_json_writes_amounts_as_plain_decimals(workspace: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(workspace, "run", "--date", "2025-11-25", "--json") == 0
    capfd.readouterr()
    assert run(workspace, "intake", "--json") == 0
    (delivery,) = json.loads(capfd.readouterr().out)
    assert delivery["what"] == "N1"
    assert delivery["total"] == "20.000000000000000000"


@pytest.mark.parametrize("words", ["reconcile --month 2025-10", "status", "margins --month 2025-10"])
def test_a_warehouse_of_another_version_is_said_in_one_line(
    tmp_path: Path, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    old = make_workspace(tmp_path / "home")
    duckdb.connect(str(old.warehouse)).close()
    assert run(old, *words.split()) == 1
    error = capfd.readouterr().err
    assert "another version of this program" in error
    assert "Traceback" not in error
