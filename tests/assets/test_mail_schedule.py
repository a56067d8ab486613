"""The schedule that sends queued mails: off without a mail server, no run while none is due, else each mail once."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance, DefaultScheduleStatus, RunRequest, SkipReason, build_schedule_context

from assets.graph import build_definitions
from billing_pipeline.invoicing import Party
from billing_pipeline.ledger.documents import list_invoices
from billing_pipeline.ledger.outbox import list_mails
from resources.invoice_life import Desk
from resources.ledger import open_ledger, reading
from resources.workspace import Workspace
from tests.ledger_documents import MONDAY, draft, put
from tests.mail_server import Inbox, mail_server
from tests.workspaces import make_workspace

SETTINGS = """
[mail]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "billing@contoso.example"
link = "https://shop.example/{{invoice_number}}.pdf"
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "home")


def configure(workspace: Workspace, port: int) -> None:
    with workspace.config_file.open("a") as config:
        config.write(SETTINGS.format(port=port))


def approve_one(workspace: Workspace) -> None:
    """Approve a document whose mail is queued."""
    engine = open_ledger("sqlite:///ledger.db", workspace.home)
    put(engine, draft("a", lines=(), customer=Party("a", "Acme", email="ann@acme.example")))
    engine.dispose()
    desk = Desk.open(workspace, "ann")
    with reading(desk.engine).connect() as connection:
        documents = list_invoices(connection)
    assert desk.approve(documents, send=True).refused == ()


def ticked(workspace: Workspace) -> list[RunRequest] | SkipReason:
    """What the schedule asks for at a tick."""
    repository = build_definitions(workspace).get_repository_def()
    schedule = repository.get_schedule_def("mail_outbox")
    context = build_schedule_context(scheduled_execution_time=MONDAY + timedelta(minutes=15), repository_def=repository)
    tick = schedule.evaluate_tick(context)
    return list(tick.run_requests or []) or SkipReason(tick.skip_message)


def run(workspace: Workspace) -> Any:
    """Run the job as the schedule does."""
    job = build_definitions(workspace).resolve_job_def("mail_outbox")
    with DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(instance=instance, raise_on_error=False)


@pytest.mark.parametrize(("port", "status"), [(None, "STOPPED"), (25, "RUNNING")])
def test_the_schedule_is_on_from_the_beginning_only_where_a_mail_server_is_set(
    workspace: Workspace, port: int | None, status: str
) -> None:
    if port is not None:
        configure(workspace, port)
    schedule = build_definitions(workspace).get_repository_def().get_schedule_def("mail_outbox")
    assert schedule.default_status is DefaultScheduleStatus[status]
    assert schedule.cron_schedule == "*/15 * * * *"


def test_a_queued_mail_is_sent_by_one_run_and_then_none_is_due(workspace: Workspace) -> None:
    inbox = Inbox()
    with mail_server(inbox) as port:
        assert str(ticked(workspace)) == str(SkipReason("billing.toml has no [mail] settings."))
        configure(workspace, port)
        assert str(ticked(workspace)) == str(SkipReason("No mail is due."))
        approve_one(workspace)
        assert isinstance(ticked(workspace), list)
        assert run(workspace).success
        assert [message["To"] for message in inbox.messages] == ["ann@acme.example"]
        assert str(ticked(workspace)) == str(SkipReason("No mail is due."))


def test_a_mail_that_is_refused_fails_the_run_and_says_why(workspace: Workspace) -> None:
    inbox = Inbox()
    with mail_server(inbox) as port:
        configure(workspace, port)
        approve_one(workspace)
        inbox.recipients["ann@acme.example"] = "550 no such user"
        result = run(workspace)
    assert not result.success
    [failure] = [event for event in result.all_events if event.is_step_failure]
    assert "550 no such user" in str(failure.step_failure_data)


def test_a_server_that_does_not_answer_fails_the_run_and_leaves_the_mail_queued(workspace: Workspace) -> None:
    with mail_server(Inbox()) as port:
        pass
    configure(workspace, port)
    approve_one(workspace)
    assert not run(workspace).success
    with reading(open_ledger("sqlite:///ledger.db", workspace.home)).connect() as connection:
        assert [mail.status for mail in list_mails(connection)] == ["queued"]
