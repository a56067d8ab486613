"""`billing mail` as a user types it: send, list, retry."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from billing_pipeline.invoicing import Party
from resources.ledger import open_ledger
from resources.workspace import Workspace
from tests.command_line import run_command
from tests.ledger_documents import LINE, draft, put
from tests.mail_server import Inbox, mail_server
from tests.workspaces import make_workspace

SETTINGS = """
[mail]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "billing@contoso.example"
link = "https://shop.example/{{invoice_number}}.pdf"
subject = "{{document}} {{invoice_number}}"
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace without [mail], with drafts of a, who has an address, and b, who has none."""
    workspace = make_workspace(tmp_path / "home")
    engine = open_ledger("sqlite:///ledger.db", workspace.home)
    line = replace(LINE, charge_count=0, charges_sha256=None)
    acme = Party("a", "Acme", email="ann@acme.example")
    put(engine, draft("a", customer=acme, lines=(line,)), draft("b", lines=(line,), due_date=date(2999, 1, 1)))
    engine.dispose()
    return workspace


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_approved_documents_are_mailed_and_what_went_wrong_can_be_tried_again(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox = Inbox()
    with mail_server(inbox) as port:
        with workspace.config_file.open("a") as config:
            config.write(SETTINGS.format(port=port))
        assert run_command(workspace, "invoices", "approve", "--all", "--send") == 1
        assert "customer b has no email in customers.csv" in capsys.readouterr().err
        inbox.recipients["ann@acme.example"] = "550 [no] such user"
        assert run_command(workspace, "mail", "send") == 1
        captured = capsys.readouterr()
        assert "550 [no] such user" in captured.out
        assert "mail 1 about 2026-10-a-EUR is not tried again" in captured.err
        assert run_command(workspace, "mail", "send", "--json") == 0
        assert said(capsys) == []
        assert run_command(workspace, "mail", "list", "--status", "failed", "--json") == 0
        (mail,) = said(capsys)
        assert (mail["last_error"], mail["attempts"]) == ("550 [no] such user", 1)
        assert run_command(workspace, "mail", "retry", "1", "--to", "anna@acme.example") == 0
        capsys.readouterr()
        assert run_command(workspace, "mail", "send", "--limit", "5", "--json") == 0
        assert [(row["recipient"], row["status"]) for row in said(capsys)] == [("anna@acme.example", "sent")]
    (message,) = inbox.messages
    assert message["Subject"].startswith("Invoice INV-")
    assert run_command(workspace, "mail", "retry", "1") == 1
    assert "there is no failed mail 1" in capsys.readouterr().err
    assert run_command(workspace, "mail", "list", "--status", "sent", "--json") == 0
    assert [row["subject"] for row in said(capsys)] == [message["Subject"]]


def test_without_settings_nothing_is_sent_and_the_command_says_what_is_missing(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(workspace, "mail", "send") == 1
    assert "has no [mail] settings: host, sender and link at least" in capsys.readouterr().err


def test_a_server_that_is_down_is_an_error_and_leaves_the_mail_queued(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    with mail_server(Inbox()) as port:
        pass
    with workspace.config_file.open("a") as config:
        config.write(SETTINGS.format(port=port))
    assert run_command(workspace, "mail", "send") == 0
    assert run_command(workspace, "invoices", "approve", "2026-10-a-EUR", "--send") == 0
    capsys.readouterr()
    assert run_command(workspace, "mail", "send") == 1
    assert f"mail server 127.0.0.1:{port}: " in capsys.readouterr().err
    assert run_command(workspace, "mail", "list", "--json") == 0
    assert [(row["status"], row["attempts"]) for row in said(capsys)] == [("queued", 0)]


@pytest.mark.parametrize("words", ["send --limit 0", "list --status lost", "retry one", "retry 1 --to nobody"])
def test_wrong_usage_is_said_before_anything_is_done(workspace: Workspace, words: str) -> None:
    assert run_command(workspace, "mail", *words.split()) == 2
