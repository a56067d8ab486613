"""`billing charges` as a user types it, and the daily files by the wishes of billing.toml or of a run."""

import csv
import json
import os
import pty
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from dagster import AssetKey, DagsterInstance, materialize

from assets.graph import build_definitions
from resources.workspace import Workspace
from tests.command_line import run_command
from tests.workspaces import RECEIVED, drop, files_below, invoice, make_workspace

DAY = "2025-11-25"
VIEWS = """
[views.default]
columns = ["Customer", "Quantity"]
sort = "Quantity:desc"
formats = ["csv"]
[views.big]
filters = ["Quantity=3.."]
formats = ["parquet", "csv"]
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = make_workspace(tmp_path_factory.mktemp("charges") / "home")
    for quantity in (2, 3, 4):
        drop(made, f"dist/{RECEIVED}/N{quantity}.csv", invoice(f"N{quantity}", quantity))
    assert run_command(made, "run", "--date", DAY) == 0
    return made


def with_views(workspace: Workspace, folder: Path) -> Workspace:
    copy = Workspace.at(folder / "home")
    shutil.copytree(workspace.home, copy.home)
    copy.config_file.write_text(copy.config_file.read_text() + VIEWS)
    return copy


def day_files(workspace: Workspace) -> dict[str, bytes]:
    return files_below(workspace.exports / "customer_charges" / DAY)


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def export_day(workspace: Workspace, **config: object) -> bool:
    """Materialize the daily files alone, as somebody does in the web server."""
    definitions = build_definitions(workspace)
    with DagsterInstance.ephemeral() as instance:
        result = materialize(
            [definitions.resolve_assets_def(AssetKey("customer_charges_export"))],
            partition_key=DAY,
            instance=instance,
            run_config={"ops": {"customer_charges_export": {"config": config}}},
            raise_on_error=False,
        )
    return result.success


def test_a_page_says_which_rows_of_how_many_it_shows(workspace: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(workspace, "charges", "list", "--page-size", "2", "--columns", "Invoice #,Total Sell Price") == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "Customer charges: rows 1-2 of 3, page 1 of 2"
    # Numbers stand at the right with the currency's decimals.
    assert [line.split("│")[1:4] for line in lines if line.startswith("│")] == [
        [" N4        ", "            44.00 ", " USD      "],
        [" N3        ", "            33.00 ", " USD      "],
    ]
    assert run_command(workspace, "charges", "list", "--page-size", "2", "--page", "2") == 0
    assert "rows 3-3 of 3, page 2 of 2" in capfd.readouterr().out
    assert run_command(workspace, "charges", "list", "--filter", "Customer~nobody") == 0
    assert capfd.readouterr().out.startswith("Customer charges: no rows\n")


def test_a_page_as_json_is_exact_and_says_where_it_stands(
    workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["--page-size", "1", "--page", "2", "--columns", "Quantity,total_sell_price", "--sort", "Quantity"]
    assert run_command(workspace, "charges", "list", "--json", *words) == 0
    assert json.loads(capfd.readouterr().out) == {
        "rows": 3,
        "page": 2,
        "pages": 3,
        "page_size": 1,
        "charges": [
            {
                "quantity": "3.000000000000000000",
                "total_sell_price": "33.000000000000000000000000",
                "currency": "USD",
            }
        ],
    }


@pytest.mark.parametrize(
    "words",
    [
        ["list", "--page", "9"],
        ["list", "--view", "nix"],
        ["list", "--filter", "Quantity=x"],
        ["list", "--where", "upper(unit) = 'A'"],
        ["list", "--from", "2025-11-02", "--to", "2025-11-01"],
        ["export", "--view", "nix", "--out", "x.csv"],
        ["export", "--mapping", "nix", "--out", "x.csv"],
        ["export", "--mapping", "../ar_import", "--out", "x.csv"],
        ["export", "--mapping", "ar_import", "--columns", "Unit", "--out", "x.csv"],
        ["export", "--mapping", "ar_import", "--format", "csv", "--out", "x.csv"],
        ["export", "--mapping", "ar_import", "--out", "x.xlsx"],
        ["mappings", "nix"],
    ],
)
def test_a_wish_that_cannot_be_followed_exits_with_2_and_makes_nothing(
    workspace: Workspace, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run_command(workspace, "charges", *words) == 2
    assert len(capfd.readouterr().err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_broken_mapping_is_named_with_its_key(
    workspace: Workspace, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    copy = with_views(workspace, tmp_path)
    copy.mappings.mkdir()
    (copy.mappings / "mine.toml").write_text('[columns]\na = { column = "margin" }')
    assert run_command(copy, "charges", "export", "--mapping", "mine", "--out", str(tmp_path / "x.csv")) == 1
    assert "mine.toml, key columns.a.column, value 'margin': there is no column" in capfd.readouterr().err


def test_views_hold_for_commands_and_options_replace_their_keys(
    workspace: Workspace, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    copy = with_views(workspace, tmp_path)
    folder = tmp_path / "out"
    # A folder takes the formats of the view, a file's name says its own.
    assert run_command(copy, "charges", "export", "--view", "big", "--columns", "Quantity", "--out", str(folder)) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["Customer Charges.csv", "Customer Charges.parquet"]
    assert rows_of(folder / "Customer Charges.csv") == [["Quantity"], ["4"], ["3"]]
    assert pq.read_table(folder / "Customer Charges.parquet").num_rows == 2
    assert run_command(copy, "charges", "export", "--filter", "Quantity=..3", "--out", str(tmp_path / "x.parquet")) == 0
    assert pq.read_table(tmp_path / "x.parquet").column_names == ["customer", "quantity"]
    assert pq.read_table(tmp_path / "x.parquet").column("quantity").to_pylist() == [3, 2]
    capfd.readouterr()
    assert run_command(copy, "charges", "list", "--json", "--view", "big", "--sort", "Quantity") == 0
    assert [row["quantity"][0] for row in json.loads(capfd.readouterr().out)["charges"]] == ["3", "4"]


def test_the_daily_files_follow_the_default_view_or_what_a_run_says(workspace: Workspace, tmp_path: Path) -> None:
    copy = with_views(workspace, tmp_path)
    assert sorted(day_files(copy)) == [f"Customer Charges.{name}" for name in ("csv", "parquet", "xlsx")]
    assert export_day(copy)
    rows = [f"Customer of dist,{quantity}" for quantity in (4, 3, 2)]
    assert day_files(copy) == {"Customer Charges.csv": "\r\n".join(["Customer,Quantity", *rows, ""]).encode()}
    assert export_day(copy, view="big", columns=["Quantity"], where="quantity < 4", formats=["csv", "xlsx"])
    assert sorted(day_files(copy)) == ["Customer Charges.csv", "Customer Charges.xlsx"]
    assert day_files(copy)["Customer Charges.csv"] == b"Quantity\r\n3\r\n"


def test_a_month_made_again_has_the_daily_files_of_the_view_of_then(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = make_workspace(tmp_path / "home")
    plain = made.config_file.read_text()
    made.config_file.write_text(plain + VIEWS)
    drop(made, f"dist/{RECEIVED}/N1.csv", invoice("N1", 1))
    assert run_command(made, "run", "--date", DAY) == 0
    then = day_files(made)
    instant = datetime.now(UTC).isoformat()
    made.config_file.write_text(plain)
    assert run_command(made, "run", "--date", DAY) == 0
    assert len(day_files(made)) == 3
    out = tmp_path / "again"
    assert run_command(made, "rebuild", "--month", "2025-10", "--as-of", instant, "--out", str(out)) == 0
    capfd.readouterr()
    assert files_below(out / "exports" / "customer_charges" / DAY) == then


@pytest.mark.parametrize(
    "config", [{"columns": ["Margin"]}, {"where": "1 = 1"}, {"filters": ["Unit~"]}, {"sort": "x"}, {"view": "nix"}]
)
def test_a_run_with_a_wish_that_cannot_be_followed_fails_and_leaves_the_files(
    workspace: Workspace, tmp_path: Path, config: dict[str, object]
) -> None:
    copy = with_views(workspace, tmp_path)
    before = day_files(copy)
    assert not export_day(copy, **config)
    assert day_files(copy) == before


def test_in_a_terminal_the_pager_gets_page_after_page_and_may_be_left(workspace: Workspace) -> None:
    """`head` leaves after one line, as a reader does who presses q."""
    environment = {**os.environ, "BILLING_HOME": str(workspace.home), "PAGER": "head -n 1"}
    start = "from billing_pipeline.cli import main; main()"
    command = [sys.executable, "-c", start, "charges", "list", "--page-size", "1"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        assert process.wait() == 0
    assert os.read(ours, 10_000).decode().strip() == "Customer charges: rows 1-1 of 3, page 1 of 3"
    os.close(ours)
