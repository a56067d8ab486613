"""`billing mail`: send what approvals have queued, list it, and try again what was given up."""

from typing import Annotated

import typer

from billing_pipeline.cli.output import OUT, complain, show_table
from billing_pipeline.errors import BillingError, ConfigurationInvalid, WrongUsage
from billing_pipeline.ledger.outbox import FAILED, QUEUED, SENDING, SENT, list_mails, requeue
from billing_pipeline.mail_settings import named_address
from resources.clock import utc_now
from resources.ledger import open_ledger, reading
from resources.mail import Attempt, MailServerUnusable, send_mails
from resources.workspace import Workspace

app = typer.Typer(help="Mails to customers about approved documents.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

_STATUSES = (QUEUED, SENDING, SENT, FAILED)
_SENT_COLUMNS = ("mail_id", "invoice_id", "recipient", "status", "attempts", "next_attempt_at", "error")
_COLUMNS = (
    "mail_id",
    "invoice_id",
    "recipient",
    "subject",
    "status",
    "attempts",
    "queued_at",
    "sent_at",
    "next_attempt_at",
    "last_error",
)


class MailNotFound(BillingError):
    """There is no such mail, or it was not given up."""


@app.command("send")
def send_command(
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="At most so many.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Send the mails that are due, through the server that [mail] in billing.toml names.

    Run it after approvals and every few minutes, for those that must be tried again; two at once send each mail once.
    Exits 1 if a mail was not sent, or the server takes none.
    """
    workspace = Workspace.from_environment()
    config = workspace.load_config()
    if config.mail is None:
        raise ConfigurationInvalid(f"{workspace.config_file} has no [mail] settings: host, sender and link at least")
    attempts: list[Attempt] = []
    problem: MailServerUnusable | None = None
    try:
        for attempt in send_mails(open_ledger(config.ledger.url, workspace.home), config.mail, limit):
            attempts.append(attempt)  # noqa: PERF402 - those before an error are shown too
    except MailServerUnusable as error:
        problem = error
    rows: list[list[object]] = []
    for one in attempts:
        mail = one.mail
        facts = (mail.mail_id, mail.invoice_id, mail.recipient, one.status, mail.attempts)
        rows.append([*facts, one.next_attempt_at, one.error])
    if rows or as_json:
        show_table("Mails, times in UTC", _SENT_COLUMNS, rows, as_json)
    elif problem is None:
        OUT.print("No mail is due", markup=False)
    failed = [one for one in attempts if one.status != SENT]
    for one in failed:
        again = "is tried again" if one.status == QUEUED else "is not tried again; see `billing mail retry --help`"
        complain(f"mail {one.mail.mail_id} about {one.mail.invoice_id} {again}: {one.error}")
    if problem is not None:
        complain(f"{problem}; what is left stays queued")
    if failed or problem is not None:
        raise typer.Exit(1)


@app.command("list")
def list_command(
    status: Annotated[
        str | None, typer.Option("--status", metavar="STATUS", help=f"Only those that are {', '.join(_STATUSES)}.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the mails: what was queued and sent when, and why one was not."""
    if status is not None and status not in _STATUSES:
        raise typer.BadParameter(f"choose one of {', '.join(_STATUSES)}", param_hint="--status")
    workspace = Workspace.from_environment()
    with reading(open_ledger(workspace.load_config().ledger.url, workspace.home)).connect() as connection:
        mails = [mail for mail in list_mails(connection) if status in (None, mail.status)]
    rows = [[getattr(mail, name) for name in _COLUMNS] for mail in mails]
    show_table("Mails, times in UTC", _COLUMNS, rows, as_json)


@app.command("retry")
def retry_command(
    mail_id: Annotated[
        int, typer.Argument(metavar="ID", help="Mail, as `billing mail list --status failed` names it.")
    ],
    to: Annotated[
        str | None, typer.Option("--to", metavar="ADDRESS", help="Where to send it instead; correct customers.csv too.")
    ] = None,
) -> None:
    """Queue a mail again that was given up; `billing mail send` then tries it."""
    if to is not None:
        try:
            named_address(to)
        except ValueError as error:
            raise WrongUsage(f"--to: {error}") from error
    workspace = Workspace.from_environment()
    with open_ledger(workspace.load_config().ledger.url, workspace.home).begin() as connection:
        if not requeue(connection, mail_id, utc_now(), to):
            raise MailNotFound(f"there is no failed mail {mail_id}; `billing mail list --status failed` shows all")
    OUT.print(f"Mail {mail_id} is queued again", markup=False)
