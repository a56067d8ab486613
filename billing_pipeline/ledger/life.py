"""The life of a document after it was drafted: deleted while a draft; closed, void or past due once it is open.

Each operation works in the transaction of the connection it is given: what it says it did is done when the caller
commits, all of it or nothing. A document that is not in a fitting state, or cannot go on for another reason, is refused
with that reason and the others go on. What does not belong here: drafts (`ledger.operations`), approval
(`ledger.approval`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from billing_pipeline.errors import WrongUsage
from billing_pipeline.ledger.events import Happened, record_events
from billing_pipeline.ledger.locks import DRAFTS, take_turn
from billing_pipeline.ledger.tables import invoices

DRAFT, OPEN, PAST_DUE, CLOSED, VOID = "draft", "open", "past due", "closed", "void"

# The status from which an operation starts.
FITTING: Mapping[str, tuple[str, ...]] = {
    "approve": (DRAFT,),
    "delete": (DRAFT,),
    "close": (OPEN, PAST_DUE),
    "void": (OPEN, PAST_DUE),
}


class ReasonMissing(WrongUsage):
    """A document is not made void without a reason."""


@dataclass(frozen=True)
class Act:
    """Who does something, and when.

    Attributes:
        at: the instant.
        who: user or job.
        day: the day of `at` in the organisation's zone.
    """

    at: datetime
    who: str
    day: date


@dataclass(frozen=True)
class Moved:
    """A document that went from one status to another; `to_status` is None where it was deleted."""

    invoice_id: str
    invoice_number: str | None
    from_status: str
    to_status: str | None


@dataclass(frozen=True)
class Refused:
    """A document that an operation left as it was, and why."""

    invoice_id: str
    reason: str


@dataclass(frozen=True)
class Outcome:
    """What became of the documents an operation was given, in the order in which it took them."""

    moved: tuple[Moved, ...]
    refused: tuple[Refused, ...]


def delete_drafts(connection: Connection, invoice_ids: Sequence[str], act: Act) -> Outcome:
    """Delete drafts, which unlocks their period for their customers."""
    present, refused = fitting(connection, invoice_ids, "delete")
    if present:
        statement = delete(invoices).where(invoices.c.invoice_id == bindparam("doomed"))
        connection.execute(statement, [{"doomed": row.invoice_id} for row in present])
    return recorded(
        connection, "deleted", [Moved(row.invoice_id, None, row.status, None) for row in present], refused, act
    )


def close(connection: Connection, invoice_ids: Sequence[str], paid_on: date, act: Act) -> Outcome:
    """Close documents that have been paid.

    Args:
        paid_on: the day of payment in the organisation's zone, not after the day of the act.

    Raises:
        WrongUsage: that day is yet to come.
    """
    if paid_on > act.day:
        raise WrongUsage(f"{paid_on} is yet to come; a document is closed when it has been paid")
    values = {"status": CLOSED, "paid_on": paid_on, "closed_at": act.at}
    return _move(connection, invoice_ids, "close", values, act, f"paid on {paid_on}")


def void(connection: Connection, invoice_ids: Sequence[str], reason: str, act: Act) -> Outcome:
    """Make documents void: they are owed no more, release their credits, and unlock their period for a new draft.

    One with a credit note that is not void is refused: its lines would be taken back twice.

    Raises:
        ReasonMissing: no reason is given.
    """
    if not reason.strip():
        raise ReasonMissing("say why: a document is not made void without a reason")
    corrected = _corrected(connection, invoice_ids)
    rest = [name for name in invoice_ids if name not in corrected]
    outcome = _move(connection, rest, "void", {"status": VOID, "void_reason": reason}, act, reason)
    refused = [Refused(name, f"is corrected by {note}; make that void first") for name, note in corrected.items()]
    return Outcome(outcome.moved, (*outcome.refused, *refused))


def mark_past_due(connection: Connection, act: Act) -> tuple[Moved, ...]:
    """Mark the open invoices past due whose due date has passed on the day of the act, with anything left to pay.

    Args:
        connection: a transaction that may write.
    """
    late = (invoices.c.status == OPEN, invoices.c.due_date < act.day, invoices.c.document_type == "invoice")
    columns = (invoices.c.invoice_id, invoices.c.invoice_number, invoices.c.status, invoices.c.total)
    rows = connection.execute(select(*columns).where(*late).order_by(invoices.c.invoice_id).with_for_update())
    # Compared here: SQLite keeps amounts as text.
    moved = [Moved(row.invoice_id, row.invoice_number, OPEN, PAST_DUE) for row in rows if row.total > 0]
    _set(connection, [one.invoice_id for one in moved], {"status": PAST_DUE})
    return recorded(connection, "past due", moved, [], act).moved


def _corrected(connection: Connection, invoice_ids: Sequence[str]) -> dict[str, str]:
    """Return which of some documents have a credit note that is not void, and one of those."""
    # Nobody drafts a credit note meanwhile.
    take_turn(connection, DRAFTS)
    notes = invoices.alias("notes")
    rows = connection.execute(
        select(invoices.c.invoice_id, notes.c.invoice_id)
        .join(notes, notes.c.corrects == invoices.c.invoice_number)
        .where(invoices.c.invoice_id.in_(invoice_ids), notes.c.status != VOID)
        .order_by(notes.c.invoice_id)
    )
    return {row[0]: row[1] for row in rows}


def _move(
    connection: Connection, invoice_ids: Sequence[str], operation: str, values: dict[str, Any], act: Act, detail: str
) -> Outcome:
    present, refused = fitting(connection, invoice_ids, operation)
    _set(connection, [row.invoice_id for row in present], values)
    moved = [Moved(row.invoice_id, row.invoice_number, row.status, values["status"]) for row in present]
    return recorded(connection, {"close": "closed"}.get(operation, operation), moved, refused, act, detail)


def fitting(
    connection: Connection, invoice_ids: Sequence[str], operation: str
) -> tuple[list[Row[Any, Any, Any, Any]], list[Refused]]:
    """Lock documents until the transaction ends.

    Args:
        operation: a key of `FITTING`.

    Returns:
        Those in a fitting status, by id: invoice_id, invoice_number, status, content_sha256; and why the others are
        refused.
    """
    columns = (invoices.c.invoice_id, invoices.c.invoice_number, invoices.c.status, invoices.c.content_sha256)
    chosen = select(*columns).where(invoices.c.invoice_id.in_(sorted(set(invoice_ids))))
    rows = connection.execute(chosen.order_by(invoices.c.invoice_id).with_for_update()).all()
    allowed = FITTING[operation]
    refused = [
        Refused(row.invoice_id, f"is {row.status}; only {' or '.join(allowed)} documents can be {_DONE[operation]}")
        for row in rows
        if row.status not in allowed
    ]
    missing = sorted(set(invoice_ids) - {row.invoice_id for row in rows})
    refused += [Refused(name, "there is no such document; `billing invoices list` shows all") for name in missing]
    return [row for row in rows if row.status in allowed], refused


_DONE = {"approve": "approved", "delete": "deleted", "close": "closed", "void": "made void"}


def _set(connection: Connection, invoice_ids: Sequence[str], values: Mapping[str, Any]) -> None:
    if invoice_ids:
        statement = update(invoices).where(invoices.c.invoice_id == bindparam("name")).values(**values)
        connection.execute(statement, [{"name": name} for name in invoice_ids])


def recorded(
    connection: Connection,
    action: str,
    moved: Sequence[Moved],
    refused: Sequence[Refused],
    act: Act,
    detail: str | None = None,
) -> Outcome:
    """Record what was done in the events; the detail is the document's number where no other is given."""
    happened = [
        Happened(one.invoice_id, action, one.from_status, one.to_status, detail or one.invoice_number) for one in moved
    ]
    record_events(connection, happened, act.at, act.who)
    return Outcome(tuple(moved), tuple(refused))
