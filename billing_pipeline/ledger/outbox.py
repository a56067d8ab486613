"""The queue of mails: each queued in the transaction that makes it true, claimed by one sender at a time.

A mail is `queued`, then `sending` while a sender holds it, then `sent`; or `queued` again after a failure that may
pass, or `failed` for good. A sender that dies holds its mails only until the time it claimed them for. What does not
belong here: sending, what a mail says.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, insert, select, update

from billing_pipeline.errors import BillingError
from billing_pipeline.ledger.tables import mail_outbox

QUEUED, SENDING, SENT, FAILED = "queued", "sending", "sent", "failed"


class MailLost(BillingError):
    """The mail is no longer this sender's: it took too long, and another one has claimed it."""


@dataclass(frozen=True)
class QueuedMail:
    """One mail of the queue. Instants in UTC.

    Attributes:
        kind: what it tells; a document has one mail of each kind.
        status: queued, sending, sent or failed.
        attempts: how often it has been claimed.
        next_attempt_at: when it may be tried; while it is sent, when its sender is taken for dead.
        message_id: the Message-ID, with angle brackets, the same at every attempt.
    """

    mail_id: int
    invoice_id: str
    kind: str
    recipient: str
    subject: str
    status: str
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None
    message_id: str
    queued_at: datetime
    sent_at: datetime | None


def message_id_of(invoice_id: str, kind: str, domain: str) -> str:
    """Return the Message-ID of the mail of a kind about a document; the same document has the same one for ever."""
    digest = hashlib.sha256(f"{kind}\n{invoice_id}".encode()).hexdigest()
    return f"<{digest[:40]}@{domain}>"


def enqueue(
    connection: Connection, invoice_id: str, kind: str, *, recipient: str, subject: str, message_id: str, at: datetime
) -> None:
    """Queue a mail about a document.

    Args:
        connection: the transaction that makes the mail true.
        kind: what it tells, such as `approved`.
        at: now; it may be sent at once.

    Raises:
        IntegrityError: the document has a mail of this kind already.
    """
    row = {"recipient": recipient, "subject": subject, "message_id": message_id, "queued_at": at, "next_attempt_at": at}
    key = {"invoice_id": invoice_id, "kind": kind}
    connection.execute(insert(mail_outbox), {**key, **row, "status": QUEUED, "attempts": 0})


def claim(connection: Connection, at: datetime, until: datetime, limit: int = 1) -> tuple[QueuedMail, ...]:
    """Take mails that are due for sending; commit before sending them.

    Args:
        connection: a transaction that may write.
        at: now.
        until: when this sender is taken for dead, and others may send what it has claimed.
        limit: how many at most.

    Returns:
        The mails, the one queued first first; nobody else gets them before `until`.
    """
    chosen = select(mail_outbox).where(_due(at)).order_by(mail_outbox.c.mail_id).limit(limit)
    rows = connection.execute(chosen.with_for_update(skip_locked=True)).all()
    taken = []
    for row in rows:
        attempts = row.attempts + 1
        change = update(mail_outbox).where(mail_outbox.c.mail_id == row.mail_id)
        connection.execute(change.values(status=SENDING, attempts=attempts, next_attempt_at=until))
        taken.append(_mail(row, status=SENDING, attempts=attempts, next_attempt_at=until))
    return tuple(taken)


def is_any_due(connection: Connection, at: datetime) -> bool:
    """Tell whether `claim` would find a mail at an instant."""
    return connection.execute(select(mail_outbox.c.mail_id).where(_due(at)).limit(1)).first() is not None


def mark_sent(connection: Connection, mail: QueuedMail, at: datetime) -> None:
    """Record that the server has taken a mail.

    Raises:
        MailLost: another sender has claimed it since.
    """
    _finish(connection, mail, {"status": SENT, "sent_at": at, "next_attempt_at": None, "last_error": None})


def mark_failed(connection: Connection, mail: QueuedMail, error: str, retry_at: datetime | None) -> None:
    """Record that a mail could not be sent.

    Args:
        error: what the server or the network said.
        retry_at: when to try again; None gives it up.

    Raises:
        MailLost: another sender has claimed it since.
    """
    status = FAILED if retry_at is None else QUEUED
    _finish(connection, mail, {"status": status, "next_attempt_at": retry_at, "last_error": error})


def requeue(connection: Connection, mail_id: int, at: datetime, recipient: str | None = None) -> bool:
    """Queue a mail again that was given up, to another address if one is given; return whether it was one."""
    given_up = and_(mail_outbox.c.mail_id == mail_id, mail_outbox.c.status == FAILED)
    values: dict[str, Any] = {"status": QUEUED, "next_attempt_at": at}
    if recipient is not None:
        values["recipient"] = recipient
    return connection.execute(update(mail_outbox).where(given_up).values(**values)).rowcount == 1


def list_mails(connection: Connection, invoice_id: str | None = None) -> tuple[QueuedMail, ...]:
    """Return the mails of a document, or of all, in the order in which they were queued."""
    chosen = select(mail_outbox).order_by(mail_outbox.c.mail_id)
    if invoice_id is not None:
        chosen = chosen.where(mail_outbox.c.invoice_id == invoice_id)
    return tuple(_mail(row) for row in connection.execute(chosen))


def _due(at: datetime) -> ColumnElement[bool]:
    return and_(mail_outbox.c.status.in_((QUEUED, SENDING)), mail_outbox.c.next_attempt_at <= at)


def _finish(connection: Connection, mail: QueuedMail, values: dict[str, Any]) -> None:
    own = and_(
        mail_outbox.c.mail_id == mail.mail_id,
        mail_outbox.c.status == SENDING,
        # Whoever claims it after this sender has counted one more.
        mail_outbox.c.attempts == mail.attempts,
    )
    if connection.execute(update(mail_outbox).where(own).values(**values)).rowcount != 1:
        raise MailLost(f"the mail about {mail.invoice_id} was claimed by another sender, or has been sent")


def _mail(row: Row[Any], **changes: Any) -> QueuedMail:
    return QueuedMail(**(dict(row._mapping) | changes))
