"""A run with reference files that have problems: the last good set prices, and whoever looks is told."""

from pathlib import Path

import pytest
from click.testing import Result
from dagster import AssetCheckKey, AssetKey
from typer.testing import CliRunner

from billing_pipeline.cli.application import app
from billing_pipeline.cli.jobs import open_jobs
from resources.reference_files import load_reference
from resources.workspace import Workspace
from tests.workspaces import drop, instant, invoice, make_workspace, query

PROBLEM = "reference/pricing_rules.csv, row 3, column percent, value 'ten': is no number"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    made = make_workspace(tmp_path / "home")
    monkeypatch.setenv("BILLING_HOME", str(made.home))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return made


def billing(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def check_of(workspace: Workspace, asset: str) -> tuple[bool, str]:
    key = AssetCheckKey(AssetKey(asset), "reference_files_are_in_force")
    with open_jobs(workspace) as jobs:
        [record] = jobs.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert record.event is not None
    assert record.event.dagster_event is not None
    evaluation = record.event.dagster_event.asset_check_evaluation_data
    return evaluation.passed, str(evaluation.metadata["problems"].value)


def test_a_refused_set_prices_nothing_and_the_last_good_one_does(workspace: Workspace) -> None:
    drop(workspace, "dist/first.csv", invoice("N1", 2), instant(25))
    assert billing("run").exit_code == 0
    assert check_of(workspace, "priced_line_items") == (True, "none")
    rules = workspace.reference / "pricing_rules.csv"
    good = rules.read_text()
    rules.write_text(good.replace("Distributor,markup,10", "Distributor,markup,ten"))
    drop(workspace, "dist/second.csv", invoice("N2", 3), instant(26))

    refused = billing("run")

    assert refused.exit_code == 1
    assert PROBLEM in refused.stderr
    assert (
        "the reference files have 1 problem and were refused, all of them; the set taken into use at" in refused.stderr
    )
    assert "reference" not in refused.stdout
    prices = "select invoice_number, cast(total_sell as varchar) from priced_line_items order by all"
    assert [(number, price.rstrip("0")) for number, price in query(workspace, prices)] == [("N1", "22."), ("N2", "33.")]
    passed, problems = check_of(workspace, "priced_line_items")
    assert not passed
    assert PROBLEM in problems
    assert billing("intake", "--retry").exit_code == 1
    assert billing("run", "--month", "2025-10").exit_code == 1
    assert not check_of(workspace, "invoice_drafts")[0]
    drafted = billing("invoices", "draft", "--month", "2025-10", "--override-unsettled", "test")
    assert (drafted.exit_code, PROBLEM in drafted.stderr) == (1, True)

    rules.write_text(good)
    assert billing("run", "--month", "2025-10").exit_code == 0
    assert check_of(workspace, "invoice_drafts") == (True, "none")


def test_the_instant_that_is_said_finds_the_set_again(workspace: Workspace) -> None:
    assert billing("run").exit_code == 0
    (workspace.reference / "customers.csv").write_text("nonsense\n")
    said = billing("run").stderr.rsplit("taken into use at ", 1)[1].split()[0]
    zone = workspace.load_config().organisation.zone
    reference = load_reference(workspace.home, zone)
    assert reference.refused
    found = load_reference(workspace.home, zone, type(reference.taken_at).fromisoformat(said))  # type: ignore[union-attr]
    assert found.taken_at == reference.taken_at


def test_without_any_good_set_the_run_fails_and_names_every_problem(workspace: Workspace) -> None:
    drop(workspace, "dist/first.csv", invoice("N1", 2), instant(25))
    (workspace.reference / "customers.csv").write_text("customer_id,nonsense\n1,2\n")
    failed = billing("run")
    assert failed.exit_code == 1
    assert "reference/customers.csv, column name: is missing from the header" in str(failed.exception)
