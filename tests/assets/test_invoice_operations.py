"""The life of documents as a user works on them: `billing invoices approve`, `delete`, `close`, `void` and the rest."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing_pipeline.credits import CreditUse
from billing_pipeline.invoicing import Party
from billing_pipeline.ledger.outbox import list_mails
from billing_pipeline.periods import BillingPeriod
from resources.invoice_runs import draft_terms
from resources.ledger import open_ledger
from resources.reference_files import load_reference
from resources.workspace import Workspace
from tests.command_line import run_command
from tests.ledger_documents import LINE, draft, put
from tests.workspaces import RECEIVED, ZONE, drop, invoice, make_workspace, query

TODAY = datetime.now(UTC).astimezone(ZoneInfo(ZONE)).date()
LAST_DAY = TODAY - timedelta(days=1)
LINES = (replace(LINE, charge_count=0, charges_sha256=None),)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with drafts of customers a, b and c, of which only a has an address."""
    workspace = make_workspace(tmp_path / "home")
    engine = open_ledger("sqlite:///ledger.db", workspace.home)
    acme = Party("a", "Acme", email="ann@acme.example")
    put(
        engine,
        draft("a", customer=acme, lines=LINES, due_date=LAST_DAY),
        draft("b", lines=LINES, due_date=LAST_DAY),
        draft("c", lines=LINES, due_date=TODAY),
    )
    engine.dispose()
    return workspace


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def statuses(workspace: Workspace) -> dict[str, str]:
    return dict(query(workspace, "select customer_id, status from invoices"))


def test_approving_a_month_gives_numbers_and_shows_them_to_analysts(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(workspace, "invoices", "approve", "--month", "2026-10", "--who", "ann", "--json") == 0
    numbers = [f"INV-{TODAY.year}-00000{count}" for count in (1, 2, 3)]
    assert [row["invoice_number"] for row in said(capsys)] == numbers
    found = query(workspace, "select customer_id, invoice_number, status, issued_on from invoices order by 1")
    assert found == [(name, number, "open", TODAY) for name, number in zip("abc", numbers, strict=True)]
    assert run_command(workspace, "invoices", "events", "2026-10-a-EUR", "--json") == 0
    event = said(capsys)[-1]
    facts = [event[name] for name in ("who", "action", "from_status", "to_status")]
    assert facts == ["ann", "approved", "draft", "open"]


def test_what_is_named_and_cannot_be_done_is_an_error_while_the_rest_is_done(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(workspace, "invoices", "approve", "2026-10-a-EUR") == 0
    assert run_command(workspace, "invoices", "approve", "2026-10-a-EUR", "2026-10-b-EUR", "nothing", "--json") == 1
    err = capsys.readouterr().err
    assert "2026-10-a-EUR: is open; only draft documents can be approved" in err
    assert "nothing: there is no such document" in err
    assert statuses(workspace) == {"a": "open", "b": "open", "c": "draft"}
    assert run_command(workspace, "invoices", "approve", "--customer", "nobody") == 1


def test_with_all_only_fitting_documents_are_meant(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(workspace, "invoices", "approve", "--customer", "a", "--customer", "b") == 0
    assert run_command(workspace, "invoices", "delete", "--all") == 0
    assert "2 document(s) left as they are" in capsys.readouterr().err
    assert statuses(workspace) == {"a": "open", "b": "open"}


def test_sending_queues_one_mail_and_refuses_a_document_without_address(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(workspace, "invoices", "approve", "--month", "2026-10", "--send") == 1
    assert "2026-10-b-EUR: customer b has no email in customers.csv" in capsys.readouterr().err
    assert statuses(workspace) == {"a": "open", "b": "draft", "c": "draft"}
    engine = open_ledger("sqlite:///ledger.db", workspace.home)
    with engine.connect() as connection:
        (mail,) = list_mails(connection)
    engine.dispose()
    assert mail.recipient == "ann@acme.example"
    assert mail.subject == f"Contoso Cloud Ltd: Invoice INV-{TODAY.year}-000001 for 2026-10"


def test_a_document_is_past_due_then_closed_and_another_void(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(workspace, "invoices", "approve", "--all") == 0
    assert run_command(workspace, "invoices", "past-due") == 0
    assert statuses(workspace) == {"a": "past due", "b": "past due", "c": "open"}
    assert run_command(workspace, "invoices", "close", "2026-10-a-EUR", "--paid-on", LAST_DAY.isoformat()) == 0
    assert run_command(workspace, "invoices", "void", "--customer", "b", "--reason", "wrong customer") == 0
    assert query(workspace, "select status, paid_on, void_reason from invoices order by customer_id") == [
        ("closed", LAST_DAY, None),
        ("void", None, "wrong customer"),
        ("open", None, None),
    ]
    capsys.readouterr()
    assert run_command(workspace, "invoices", "list", "--status", "void", "--json") == 0
    assert [row["customer_id"] for row in said(capsys)] == ["b"]


@pytest.mark.parametrize(
    "words",
    [
        "approve",
        "void 2026-10-a-EUR",
        "void 2026-10-a-EUR --reason=",
        "close 2026-10-a-EUR --paid-on 2026-13-01",
        "close 2026-10-a-EUR --paid-on 2999-01-01",
    ],
)
def test_wrong_usage_changes_nothing(workspace: Workspace, words: str) -> None:
    assert run_command(workspace, "invoices", "approve", "--all") == 0
    before = statuses(workspace)
    assert run_command(workspace, "invoices", *words.split()) == 2
    assert statuses(workspace) == before


def test_the_story_of_an_unknown_document_is_an_error(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(workspace, "invoices", "events", "nothing") == 1
    assert "there is no invoice 'nothing'" in capsys.readouterr().err


def test_the_daily_job_marks_what_is_past_due(workspace: Workspace) -> None:
    assert run_command(workspace, "invoices", "approve", "--all") == 0
    assert run_command(workspace, "run", "--date", LAST_DAY.isoformat()) == 0
    assert statuses(workspace) == {"a": "past due", "b": "past due", "c": "open"}


def test_a_credit_note_is_drafted_and_approved_as_any_document(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(workspace, "invoices", "approve", "2026-10-a-EUR") == 0
    capsys.readouterr()
    words = ("invoices", "credit-note", "2026-10-a-EUR", "--line", "1", "--reason", "wrong price", "--json")
    assert run_command(workspace, *words) == 0
    (note,) = said(capsys)
    assert (note["invoice_id"], note["total"], note["status"]) == ("2026-10-a-EUR-CN1", f"-{LINE.amount}", "draft")
    assert run_command(workspace, "invoices", "approve", "2026-10-a-EUR-CN1") == 0
    found = query(workspace, "select invoice_number, corrects from invoices where document_type = 'credit_note'")
    assert found == [(f"INV-{TODAY.year}-000002", f"INV-{TODAY.year}-000001")]
    assert run_command(workspace, *words) == 2


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_a_workspace_may_have_its_ledger_in_postgresql(tmp_path: Path, ledger_url: str) -> None:
    workspace = make_workspace(tmp_path / "home")
    with workspace.config_file.open("a") as settings:
        settings.write(f'[ledger]\nurl = "{ledger_url}"\n')
    drop(workspace, f"dist/{RECEIVED}/invoice.csv", invoice("N1", 2))
    assert run_command(workspace, "run", "--month", "2025-10") == 0
    assert run_command(workspace, "invoices", "approve", "--all") == 0
    found = query(workspace, "select invoice_id, invoice_number, total from invoices")
    assert found == [("2025-10-C-dist-USD", f"INV-{TODAY.year}-000001", Decimal("22.0000"))]
    assert not (workspace.home / "ledger.db").exists()


def test_drafts_know_what_other_documents_take_of_credits(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "home")
    engine = open_ledger("sqlite:///ledger.db", workspace.home)
    use = CreditUse("gift", "general", Decimal("1.10"), Decimal("0.90"), None, None)
    put(engine, draft("a", period="2026-09", lines=LINES, credits=(use,)))
    put(engine, draft("a", period="2026-10", lines=LINES, credits=(use,)))
    reference = load_reference(workspace.home, ZoneInfo(ZONE))
    assert draft_terms(reference, engine, BillingPeriod("2026-10")).used_credits == {"gift": Decimal("1.10")}
    engine.dispose()
