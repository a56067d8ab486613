"""What happened to documents: who, when, from which status to which. Nothing here is ever changed or removed.

What does not belong here: what may happen (`ledger.life`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from billing_pipeline.ledger.tables import events


@dataclass(frozen=True)
class Event:
    """One thing done to a document.

    Attributes:
        sequence: grows with every event of the ledger.
        at: in UTC.
        who: user or job.
        detail: a reason or a day, or None.
    """

    sequence: int
    invoice_id: str
    at: datetime
    who: str
    action: str
    from_status: str | None
    to_status: str | None
    detail: str | None


@dataclass(frozen=True)
class Happened:
    """One thing to write down; who and when are the same for all of a transaction."""

    invoice_id: str
    action: str
    from_status: str | None
    to_status: str | None
    detail: str | None = None


def record_events(connection: Connection, happened: Sequence[Happened], at: datetime, who: str) -> None:
    """Write down what was done to documents, in the transaction that does it."""
    if happened:
        connection.execute(insert(events), [{**vars(one), "at": at, "who": who} for one in happened])


def list_events(connection: Connection, invoice_id: str) -> tuple[Event, ...]:
    """Return everything that happened to a document, or to drafts that had its id, in order."""
    rows = connection.execute(select(events).where(events.c.invoice_id == invoice_id).order_by(events.c.sequence))
    return tuple(Event(**row) for row in rows.mappings())
