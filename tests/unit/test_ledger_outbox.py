"""The queue of mails, on SQLite and PostgreSQL: one per document and kind, one sender at a time, again if it failed."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from billing_pipeline.ledger.outbox import (
    MailLost,
    QueuedMail,
    claim,
    enqueue,
    list_mails,
    mark_failed,
    mark_sent,
    message_id_of,
    requeue,
)
from tests.ledger_documents import MONDAY, draft, put

SOON = MONDAY + timedelta(minutes=5)
LATER = MONDAY + timedelta(hours=1)


def queue(engine: Engine, *customers: str) -> None:
    put(engine, *(draft(name) for name in customers))
    with engine.begin() as connection:
        for name in customers:
            facts = {"recipient": f"{name}@acme.example", "subject": "Invoice"}
            message_id = message_id_of(f"2026-10-{name}-EUR", "approved", "contoso.example")
            enqueue(connection, f"2026-10-{name}-EUR", "approved", **facts, message_id=message_id, at=MONDAY)


def claimed(engine: Engine, limit: int = 10, later: timedelta = timedelta(0)) -> tuple[QueuedMail, ...]:
    with engine.begin() as connection:
        return claim(connection, MONDAY + later, SOON + later, limit)


def statuses(engine: Engine) -> list[tuple[str, int, str | None]]:
    with engine.connect() as connection:
        return [(mail.status, mail.attempts, mail.last_error) for mail in list_mails(connection)]


def test_a_document_has_one_mail_of_a_kind(ledger: Engine) -> None:
    queue(ledger, "a")
    with pytest.raises(IntegrityError):
        queue(ledger, "a")
    assert statuses(ledger) == [("queued", 0, None)]


def test_mails_are_claimed_in_order_and_by_one_sender(ledger: Engine) -> None:
    queue(ledger, "a", "b", "c")
    assert [mail.recipient for mail in claimed(ledger, 2)] == ["a@acme.example", "b@acme.example"]
    assert [mail.recipient for mail in claimed(ledger, 2)] == ["c@acme.example"]
    assert claimed(ledger) == ()


def test_a_sent_mail_is_never_claimed_again(ledger: Engine) -> None:
    queue(ledger, "a")
    (mail,) = claimed(ledger)
    with ledger.begin() as connection:
        mark_sent(connection, mail, SOON)
    assert claimed(ledger, later=timedelta(days=9)) == ()
    assert statuses(ledger) == [("sent", 1, None)]


def test_a_failed_mail_is_tried_again_when_it_is_time_with_the_same_message_id(ledger: Engine) -> None:
    queue(ledger, "a")
    (mail,) = claimed(ledger)
    with ledger.begin() as connection:
        mark_failed(connection, mail, "451 try later", LATER)
    assert statuses(ledger) == [("queued", 1, "451 try later")]
    assert claimed(ledger, later=timedelta(minutes=59)) == ()
    (again,) = claimed(ledger, later=timedelta(hours=1))
    assert (again.message_id, again.attempts) == (mail.message_id, 2)


def test_a_mail_that_is_given_up_waits_until_somebody_queues_it_again(ledger: Engine) -> None:
    queue(ledger, "a")
    (mail,) = claimed(ledger)
    with ledger.begin() as connection:
        mark_failed(connection, mail, "550 no such user", None)
    assert claimed(ledger, later=timedelta(days=9)) == ()
    with ledger.begin() as connection:
        assert requeue(connection, mail.mail_id, LATER)
        assert not requeue(connection, mail.mail_id, LATER)
    assert len(claimed(ledger, later=timedelta(hours=1))) == 1


def test_the_mails_of_a_dead_sender_go_to_another_and_the_dead_one_cannot_finish_them(ledger: Engine) -> None:
    queue(ledger, "a")
    (dead,) = claimed(ledger)
    assert claimed(ledger, later=timedelta(minutes=4)) == ()
    (alive,) = claimed(ledger, later=timedelta(minutes=5))
    with pytest.raises(MailLost), ledger.begin() as connection:
        mark_sent(connection, dead, SOON)
    with ledger.begin() as connection:
        mark_sent(connection, alive, LATER)
    assert statuses(ledger) == [("sent", 2, None)]


# On SQLite the second sender waits until the first has committed.
@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_two_senders_at_once_never_hold_the_same_mail(ledger: Engine) -> None:
    queue(ledger, "a", "b")
    with ledger.begin() as first, ledger.begin() as second:
        assert [mail.recipient for mail in claim(first, MONDAY, SOON, 1)] == ["a@acme.example"]
        assert [mail.recipient for mail in claim(second, MONDAY, SOON, 2)] == ["b@acme.example"]
