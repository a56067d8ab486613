"""`billing intake --retry` tries quarantined files again and says what came of each."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from billing_pipeline.cli.application import app
from tests.workspaces import drop, instant, make_workspace, rows_of


def test_retry_takes_what_a_corrected_configuration_lets_in_and_names_what_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_workspace(tmp_path / "home")
    monkeypatch.setenv("BILLING_HOME", str(workspace.home))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    right = workspace.config_file.read_text()
    workspace.config_file.write_text(right.replace('format = "focus"', 'format = "aws_cur2"'))
    drop(workspace, "cloud/good.csv", rows_of("focus", {"BilledCost": "3.00"}), instant(25))
    drop(workspace, "cloud/bad.csv", rows_of("focus", {"BilledCost": "three"}), instant(26))
    terminal = CliRunner()

    assert terminal.invoke(app, ["run"]).exit_code == 1
    workspace.config_file.write_text(right)
    retried = terminal.invoke(app, ["intake", "--retry"])

    assert retried.exit_code == 1
    assert "left the quarantine" in retried.stdout
    outcomes = [line for line in retried.stdout.splitlines() if "quarantine" in line and ".csv" in line]
    assert "good.csv" in next(line for line in outcomes if "left the quarantine" in line)
    assert "bad.csv" in next(line for line in outcomes if "still quarantined" in line)
    listed = json.loads(terminal.invoke(app, ["intake", "--json"]).stdout)
    assert {(row["state"], row["what"]) for row in listed} == {("taken", "0042"), ("quarantined", "bad.csv")}

    drop(workspace, "cloud/bad.csv", rows_of("focus", {"BilledCost": "4.00"}), instant(27))
    assert terminal.invoke(app, ["run"]).exit_code == 0
    nothing = terminal.invoke(app, ["intake", "--retry"])
    assert nothing.exit_code == 0
    assert "Nothing is in quarantine" in nothing.stdout
