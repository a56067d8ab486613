"""Statements as a user asks for them: previews that make nothing, one or several shown, drafts that repeat."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing_pipeline.cli.draft_options import period_to_draft
from resources import clock
from resources.document_files import FORMATS
from resources.workspace import Workspace
from tests.command_line import run_command
from tests.workspaces import RECEIVED, drop, files_below, invoice, make_workspace, rows_of

OCTOBER = ("--month", "2025-10")
DOCUMENTS = ("2025-10-C-aws-USD", "2025-10-C-dist-USD")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """October with usage of one customer and an invoice of another; nothing is drafted."""
    made = make_workspace(tmp_path_factory.mktemp("statements") / "home")
    drop(made, f"aws/{RECEIVED}/report.csv", rows_of("aws_cur", {"lineItem/UnblendedCost": "100.00"}))
    drop(made, f"dist/{RECEIVED}/invoice.csv", invoice("N1", 3))
    assert run_command(made, "run") == 0
    return made


def test_a_preview_shows_the_statements_and_makes_nothing(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = files_below(workspace.lake)
    assert run_command(workspace, "invoices", "preview", *OCTOBER) == 0
    printed = capsys.readouterr().out
    assert "Customer of aws (C-aws)" in printed
    assert "110.00 USD" in printed
    assert run_command(workspace, "invoices", "preview", *OCTOBER, "--customer", "C-dist", "--out", str(tmp_path)) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["2025-10-C-dist-USD.pdf"]
    capsys.readouterr()
    assert run_command(workspace, "invoices", "list", "--json") == 0
    assert (json.loads(capsys.readouterr().out), files_below(workspace.lake)) == ([], before)


def test_a_preview_says_who_would_get_no_draft(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(workspace, "invoices", "preview", *OCTOBER, "--include-tax") == 1
    said = capsys.readouterr().err
    assert "no draft for customer C-aws: customer C-aws (Customer of aws): no tax rate" in said
    assert "2 customer(s) without draft" in said


def test_a_month_drafted_and_exported_again_gives_the_same_bytes_in_every_format(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = []
    for folder in ("first", "second"):
        assert run_command(workspace, "invoices", "draft", *OCTOBER) == 0
        words = ("--format", ",".join(FORMATS), "--out", str(tmp_path / folder))
        assert run_command(workspace, "invoices", "export", *OCTOBER, *words) == 0
        made.append(files_below(tmp_path / folder))
    capsys.readouterr()
    assert run_command(workspace, "invoices", "events", DOCUMENTS[0], "--json") == 0
    assert made[0] == made[1]
    assert len(made[0]) == len(DOCUMENTS) * len(FORMATS)
    assert [event["action"] for event in json.loads(capsys.readouterr().out)] == ["drafted"]


def test_several_statements_are_shown_and_customers_see_no_drafts(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(workspace, "invoices", "draft", *OCTOBER) == 0
    capsys.readouterr()
    assert run_command(workspace, "invoices", "show", *OCTOBER, "--json") == 0
    assert {line["invoice_id"] for line in json.loads(capsys.readouterr().out)} == set(DOCUMENTS)
    assert run_command(workspace, "invoices", "show", DOCUMENTS[0], "no such") == 1
    shown = capsys.readouterr()
    assert "Customer of aws (C-aws)" in shown.out
    assert "no such: there is no such document" in shown.err
    assert run_command(workspace, "invoices", "list", "--for-customers", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run_command(workspace, "invoices", "export", DOCUMENTS[0], "--for-customers") == 2
    assert f"{DOCUMENTS[0]}: customers do not see drafts" in capsys.readouterr().err


def test_a_month_that_is_invoiced_is_named_and_is_no_failure(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(workspace, "invoices", "draft", *OCTOBER) == 0
    assert run_command(workspace, "invoices", "approve", DOCUMENTS[0]) == 0
    for command in ("draft", "preview"):
        capsys.readouterr()
        assert run_command(workspace, "invoices", command, *OCTOBER) == 0
        said = capsys.readouterr().err
        assert "no change for customer C-aws: already invoiced: INV-" in said
        assert "without draft" not in said
    assert run_command(workspace, "invoices", "draft", *OCTOBER, "--customer", "C-dist", "--include-tax") == 1
    assert "1 customer(s) without draft" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("now", "period"),
    [
        (datetime(2025, 10, 31, 21, 59, tzinfo=UTC), "2025-09"),
        (datetime(2025, 10, 31, 22, 0, tzinfo=UTC), "2025-10"),
        (datetime(2026, 1, 5, tzinfo=UTC), "2025-12"),
    ],
)
def test_last_month_is_drafted_where_none_is_named_by_the_organisations_clock(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, now: datetime, period: str
) -> None:
    monkeypatch.setattr(clock, "utc_now", lambda: now)
    assert period_to_draft(workspace, None).text == period
    assert period_to_draft(workspace, "2025-07").text == "2025-07"
