"""The mails that approvals have queued, sent by a schedule: the same as `billing mail send`.

Off unless `[mail]` in billing.toml names a server, and no run while no mail is due.
"""

from collections.abc import Mapping

from dagster import (
    DefaultScheduleStatus,
    Failure,
    JobDefinition,
    MetadataValue,
    OpExecutionContext,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    job,
    op,
    schedule,
)
from dagster._core.definitions.metadata import RawMetadataValue

from assets.metadata import markdown_table
from billing_pipeline.errors import BillingError
from billing_pipeline.ledger.outbox import SENT, is_any_due
from resources.clock import utc_now
from resources.connections import WorkspaceResource
from resources.ledger import open_ledger, reading
from resources.mail import Attempt, send_mails
from resources.workspace import Workspace

EVERY_MINUTES = 15
_COLUMNS = ["mail", "document", "recipient", "status", "error"]


@op(description="Sends the mails that are due, each once; fails if one was not sent, or the server takes none.")
def send_due_mails(context: OpExecutionContext, workspace: WorkspaceResource) -> None:
    """Send the mails that are due.

    Raises:
        Failure: a mail was not sent, or the server takes none now; what may pass is tried again by a later run.
    """
    config = workspace.config
    if config.mail is None:
        raise Failure(f"{workspace.workspace.config_file} has no [mail] settings: host, sender and link at least")
    attempts: list[Attempt] = []
    problems: list[str] = []
    try:
        for attempt in send_mails(open_ledger(config.ledger.url, workspace.workspace.home), config.mail):
            attempts.append(attempt)  # noqa: PERF402 - those before an error are shown too
    except BillingError as error:
        problems.append(str(error))
    problems += [f"mail {one.mail.mail_id} about {one.mail.invoice_id}: {one.error}" for one in attempts if one.error]
    rows = [
        [str(one.mail.mail_id), one.mail.invoice_id, one.mail.recipient, one.status, one.error or ""]
        for one in attempts
    ]
    sent = sum(one.status == SENT for one in attempts)
    metadata: Mapping[str, RawMetadataValue] = {"sent": sent, "mails": MetadataValue.md(markdown_table(_COLUMNS, rows))}
    if problems:
        # A run of its own is made when a mail is due again: a retry of this one would come too early.
        raise Failure("; ".join(problems), metadata=metadata, allow_retries=False)
    context.add_output_metadata(metadata)


def build_mail_outbox(workspace: Workspace, time_zone: str) -> tuple[JobDefinition, ScheduleDefinition]:
    """Return the job `mail_outbox` of a workspace, and its schedule."""
    is_configured = workspace.load_config().mail is not None

    @job(description="Sends the mails that approvals have queued, as `billing mail send` does.")
    def mail_outbox() -> None:
        send_due_mails()

    @schedule(
        name="mail_outbox",
        job=mail_outbox,
        cron_schedule=f"*/{EVERY_MINUTES} * * * *",
        execution_timezone=time_zone,
        default_status=DefaultScheduleStatus.RUNNING if is_configured else DefaultScheduleStatus.STOPPED,
        description=f"Every {EVERY_MINUTES} minutes, if a mail is due: sends what approvals have queued. On from the"
        " beginning where [mail] is set.",
    )
    def mail_outbox_schedule(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        config = workspace.load_config()
        if config.mail is None:
            return SkipReason("billing.toml has no [mail] settings.")
        with reading(open_ledger(config.ledger.url, workspace.home)).connect() as connection:
            if not is_any_due(connection, utc_now()):
                return SkipReason("No mail is due.")
        return RunRequest(run_key=context.scheduled_execution_time.isoformat())

    return mail_outbox, mail_outbox_schedule
