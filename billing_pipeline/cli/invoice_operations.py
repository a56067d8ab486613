"""`billing invoices approve`, `delete`, `close`, `void`, `credit-note`, `past-due`, `events`: the life of documents."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from billing_pipeline.cli.document_choice import (
    AllOption,
    CustomerOption,
    IdsArgument,
    JsonOption,
    MonthOption,
    WhoOption,
    choose,
    user,
)
from billing_pipeline.cli.output import OUT, complain, show_table
from billing_pipeline.ledger.documents import InvoiceNotFound, InvoiceSummary, list_invoices
from billing_pipeline.ledger.events import list_events
from billing_pipeline.ledger.life import FITTING, Outcome
from billing_pipeline.periods import BillingPeriod, parse_day
from resources.invoice_life import Desk
from resources.ledger import open_ledger, reading
from resources.publishing import publish_changes
from resources.workspace import Workspace

_COLUMNS = ("invoice_id", "invoice_number", "customer_id", "total", "currency", "from_status", "to_status", "reason")
_EVENT_COLUMNS = ("at", "who", "action", "from_status", "to_status", "detail")


def register(app: typer.Typer) -> None:
    """Add the commands to `billing invoices`."""
    app.command("approve")(approve_command)
    app.command("delete")(delete_command)
    app.command("close")(close_command)
    app.command("void")(void_command)
    app.command("credit-note")(credit_note_command)
    app.command("past-due")(past_due_command)
    app.command("events")(events_command)


def approve_command(
    invoice_ids: IdsArgument = None,
    month: MonthOption = None,
    customer: CustomerOption = None,
    everything: AllOption = False,
    send: Annotated[bool, typer.Option("--send", help="Queue a mail to each customer.")] = False,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve drafts: each gets its number, and never changes again."""
    _operate(
        "approve",
        (invoice_ids, month, customer, everything),
        who,
        as_json,
        lambda desk, documents: desk.approve(documents, send),
    )


def delete_command(
    invoice_ids: IdsArgument = None,
    month: MonthOption = None,
    customer: CustomerOption = None,
    everything: AllOption = False,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete drafts; their period is unlocked for their customers."""
    _operate(
        "delete",
        (invoice_ids, month, customer, everything),
        who,
        as_json,
        lambda desk, documents: desk.delete(_ids(documents)),
    )


def close_command(
    invoice_ids: IdsArgument = None,
    month: MonthOption = None,
    customer: CustomerOption = None,
    everything: AllOption = False,
    paid_on: Annotated[
        str | None, typer.Option("--paid-on", metavar="YYYY-MM-DD", help="Day of payment; default: today.")
    ] = None,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close open and past due documents: they have been paid."""
    day = None if paid_on is None else parse_day(paid_on)
    _operate(
        "close",
        (invoice_ids, month, customer, everything),
        who,
        as_json,
        lambda desk, documents: desk.close(_ids(documents), day),
    )


def void_command(
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the document.")],
    invoice_ids: IdsArgument = None,
    month: MonthOption = None,
    customer: CustomerOption = None,
    everything: AllOption = False,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make open and past due documents void: they are owed no more, and their month can be drafted again."""
    _operate(
        "void",
        (invoice_ids, month, customer, everything),
        who,
        as_json,
        lambda desk, documents: desk.void(_ids(documents), reason),
    )


def credit_note_command(
    invoice_id: Annotated[str, typer.Argument(metavar="ID", help="The issued document to correct.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; printed on the credit note.")],
    line: Annotated[
        list[int] | None, typer.Option("--line", metavar="N", help="Line; repeatable; default: all.")
    ] = None,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draft a credit note for lines of an issued document; approve it as any other."""
    workspace = Workspace.from_environment()
    desk = Desk.open(workspace, who or user())
    note = desk.draft_credit_note(invoice_id, line, reason)
    publish_changes(workspace, desk.act().day)
    row = [note.invoice_id, note.corrects, note.customer.id, note.total, note.currency, note.status]
    show_table("Credit note", ["invoice_id", "corrects", "customer_id", "total", "currency", "status"], [row], as_json)


def past_due_command(who: WhoOption = None, as_json: JsonOption = False) -> None:
    """Mark open invoices past due whose due date has passed; the daily job does the same."""
    workspace = Workspace.from_environment()
    desk = Desk.open(workspace, who or user())
    outcome = Outcome(desk.mark_past_due(), ())
    with reading(desk.engine).connect() as connection:
        _report(outcome, list_invoices(connection, status="past due"), as_json)
    publish_changes(workspace, desk.act().day)


def events_command(
    invoice_id: Annotated[str, typer.Argument(metavar="ID", help="Document, as `billing invoices list` names it.")],
    as_json: JsonOption = False,
) -> None:
    """Show what happened to a document: who, when, from which status to which."""
    workspace = Workspace.from_environment()
    with reading(open_ledger(workspace.load_config().ledger.url, workspace.home)).connect() as connection:
        events = list_events(connection, invoice_id)
    if not events:
        raise InvoiceNotFound(f"there is no invoice {invoice_id!r}; `billing invoices list` shows all")
    rows = [[getattr(event, name) for name in _EVENT_COLUMNS] for event in events]
    show_table(f"Events of {invoice_id}, times in UTC", _EVENT_COLUMNS, rows, as_json)


def _operate(
    operation: str,
    named: tuple[list[str] | None, str | None, list[str] | None, bool],
    who: str | None,
    as_json: bool,
    act: Callable[[Desk, Sequence[InvoiceSummary]], Outcome],
) -> None:
    """Do an operation on the documents that were named, report it, and publish what has changed.

    Args:
        named: ids, month, customers and whether all are meant.
        act: does it on those that are named by id, or are in a fitting status.
    """
    invoice_ids, month, customers, everything = named
    period = None if month is None else BillingPeriod.parse(month).text
    workspace = Workspace.from_environment()
    desk = Desk.open(workspace, who or user())
    with reading(desk.engine).connect() as connection:
        known = list_invoices(connection, period=period)
    choice = choose(known, invoice_ids, customers, everything or period is not None)
    meant = [head for head in choice.documents if choice.is_by_id or head.status in FITTING[operation]]
    outcome = act(desk, meant) if meant else Outcome((), ())
    publish_changes(workspace, desk.act().day)
    _report(outcome, known, as_json)
    left = len(choice.documents) - len(meant)
    if left:
        complain(f"{left} document(s) left as they are: only {' or '.join(FITTING[operation])} ones can be meant here")
    for problem in choice.problems:
        complain(problem)
    if outcome.refused or choice.problems:
        raise typer.Exit(1)


def _report(outcome: Outcome, known: Sequence[InvoiceSummary], as_json: bool) -> None:
    heads = {head.invoice_id: head for head in known}
    rows: list[list[object]] = []
    for one in outcome.moved:
        head = heads[one.invoice_id]
        facts = (head.customer_id, head.total, head.currency)
        rows.append([one.invoice_id, one.invoice_number, *facts, one.from_status, one.to_status or "deleted", None])
    for refusal in outcome.refused:
        complain(f"{refusal.invoice_id}: {refusal.reason}")
        if as_json and refusal.invoice_id in heads:
            head = heads[refusal.invoice_id]
            facts = (head.customer_id, head.total, head.currency)
            rows.append([head.invoice_id, head.invoice_number, *facts, head.status, head.status, refusal.reason])
    if rows or as_json:
        columns = _COLUMNS if as_json else _COLUMNS[:-1]
        show_table("Documents", columns, [row[: len(columns)] for row in rows], as_json)
    else:
        OUT.print("Nothing was done", markup=False)


def _ids(documents: Sequence[InvoiceSummary]) -> list[str]:
    return [head.invoice_id for head in documents]
