"""Mails against a real server: each once, again after what may pass, never again after what may not."""

import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from sqlalchemy import Engine

from billing_pipeline.configuration import Organisation
from billing_pipeline.errors import ConfigurationInvalid
from billing_pipeline.invoicing import Party
from billing_pipeline.ledger.approval import Approval, approve
from billing_pipeline.ledger.life import Act, void
from billing_pipeline.ledger.outbox import QueuedMail, claim, list_mails, requeue
from billing_pipeline.mail_settings import SUBJECT, MailSettings
from resources import mail as sending
from resources.invoice_life import approval_mail
from resources.ledger import open_ledger
from resources.mail import LEASE, Attempt, MailServerUnusable, send_mails
from tests.ledger_documents import MONDAY, draft, put
from tests.mail_server import Inbox, mail_server

ORGANISATION = Organisation(
    id="contoso",
    name="Contoso Cloud Ltd",
    time_zone="Europe/Athens",
    currency="EUR",
    country="GR",
    charges_start_on=date(2020, 1, 1),
    standard_edition_since=date(2020, 1, 1),
)
LINK = "https://shop.example/{customer_id}/{invoice_number}.pdf"


class Clock:
    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(sending, "utc_now", clock)
    return clock


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def port(inbox: Inbox) -> Iterator[int]:
    with mail_server(inbox) as port:
        yield port


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_ledger("sqlite:///ledger.db", tmp_path)


def settings(port: int, **changes: Any) -> MailSettings:
    facts = {"host": "127.0.0.1", "port": port, "security": "none", "link": LINK}
    return MailSettings(**facts | {"sender": "Contoso <billing@contoso.example>"} | changes)


def queue(engine: Engine, *names: str, template: str = SUBJECT, **facts: Any) -> None:
    """Approve a document of each customer, whose address is NAME@acme.example, and queue its mail."""
    customers = [Party(name, **{"name": f"Acme {name}", "email": f"{name}@acme.example"} | facts) for name in names]
    drafts = [draft(customer.id, customer=customer) for customer in customers]
    put(engine, *drafts)
    approval = Approval(ORGANISATION, {}, partial(approval_mail, template=template))
    with engine.begin() as connection:
        act = Act(MONDAY, "ann", MONDAY.date())
        outcome = approve(connection, [one.invoice_id for one in drafts], approval, lambda: act)
    assert not outcome.refused


def send(engine: Engine, port: int, limit: int | None = None, **changes: Any) -> list[Attempt]:
    return list(send_mails(engine, settings(port, **changes), limit))


def mails(engine: Engine) -> list[QueuedMail]:
    with engine.connect() as connection:
        return list(list_mails(connection))


def states(engine: Engine) -> list[tuple[str, int]]:
    return [(mail.status, mail.attempts) for mail in mails(engine)]


def test_a_mail_is_sent_once_and_says_what_it_is_about(engine: Engine, port: int, inbox: Inbox, clock: Clock) -> None:
    queue(engine, "a")
    assert [one.status for one in send(engine, port)] == ["sent"]
    assert send(engine, port) == []
    clock.forward(days=30)
    assert send(engine, port) == []
    (message,) = inbox.messages
    assert inbox.envelopes == [("billing@contoso.example", ["a@acme.example"])]
    assert message["From"] == "Contoso <billing@contoso.example>"
    assert message["Subject"] == "Contoso Cloud Ltd: Invoice INV-2026-000001 for 2026-10"
    assert message["Message-ID"] == mails(engine)[0].message_id
    assert message["Date"].datetime == MONDAY
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        assert "https://shop.example/a/INV-2026-000001.pdf" in body.get_content()
        assert "12,345,678,901,234.12 EUR" in body.get_content()


def test_two_senders_at_once_send_every_mail_once(
    engine: Engine, port: int, inbox: Inbox, clock: Clock, tmp_path: Path
) -> None:
    names = [f"c{count}" for count in range(6)]
    queue(engine, *names)
    # The first content is answered only when both are connected.
    inbox.senders = 2
    attempts: list[Attempt] = []

    def work() -> None:
        attempts.extend(send(open_ledger("sqlite:///ledger.db", tmp_path), port))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.mail.recipient for one in attempts) == [f"{name}@acme.example" for name in names]
    assert sorted(recipient for _, (recipient,) in inbox.envelopes) == [f"{name}@acme.example" for name in names]
    assert states(engine) == [("sent", 1)] * 6


def test_what_may_pass_is_tried_again_later_each_time(engine: Engine, port: int, inbox: Inbox, clock: Clock) -> None:
    queue(engine, "a", "b")
    inbox.contents = ["451 try later"]
    assert [(one.status, one.error) for one in send(engine, port)] == [("queued", "451 try later"), ("sent", None)]
    clock.forward(minutes=4)
    assert send(engine, port) == []
    clock.forward(minutes=1)
    inbox.recipients["a@acme.example"] = "450 mailbox busy"
    assert [one.next_attempt_at for one in send(engine, port)] == [clock.now + timedelta(minutes=10)]
    clock.forward(minutes=10)
    inbox.recipients.clear()
    assert [one.status for one in send(engine, port)] == ["sent"]
    assert states(engine) == [("sent", 3), ("sent", 1)]


def test_a_mail_is_given_up_after_max_attempts(engine: Engine, port: int, inbox: Inbox, clock: Clock) -> None:
    queue(engine, "a")
    inbox.recipients["a@acme.example"] = "450 mailbox busy"
    for _ in range(2):
        assert [one.status for one in send(engine, port, max_attempts=3)] == ["queued"]
        clock.forward(days=1)
    (last,) = send(engine, port, max_attempts=3)
    assert (last.status, last.error) == ("failed", "given up after 3 attempts: 450 mailbox busy")
    clock.forward(days=9)
    assert send(engine, port) == []


def test_a_final_refusal_is_not_tried_again_until_somebody_asks_for_it(
    engine: Engine, port: int, inbox: Inbox, clock: Clock
) -> None:
    queue(engine, "a", "b")
    inbox.recipients["a@acme.example"] = "550 5.1.1 no such user"
    assert [one.status for one in send(engine, port)] == ["failed", "sent"]
    clock.forward(days=9)
    assert send(engine, port) == []
    (mail, _) = mails(engine)
    assert (mail.attempts, mail.last_error) == (1, "550 5.1.1 no such user")
    with engine.begin() as connection:
        assert requeue(connection, mail.mail_id, clock.now, "ann@acme.example")
    assert [one.status for one in send(engine, port)] == ["sent"]
    assert inbox.envelopes[-1][1] == ["ann@acme.example"]
    assert inbox.messages[-1]["To"] == "ann@acme.example"


def test_a_refused_content_is_final(engine: Engine, port: int, inbox: Inbox, clock: Clock) -> None:
    queue(engine, "a")
    inbox.contents = ["554 looks like spam"]
    assert [(one.status, one.error) for one in send(engine, port)] == [("failed", "554 looks like spam")]


def test_a_sender_that_dies_after_the_claim_leaves_the_mail_to_the_next(
    engine: Engine, port: int, inbox: Inbox, clock: Clock
) -> None:
    queue(engine, "a")
    with engine.begin() as connection:
        claim(connection, clock.now, clock.now + LEASE)
    assert send(engine, port) == []
    clock.forward(minutes=15)
    assert [one.status for one in send(engine, port)] == ["sent"]
    assert len(inbox.received) == 1


def test_a_sender_that_dies_before_it_records_sends_a_second_copy_that_a_receiver_can_tell(
    engine: Engine, port: int, inbox: Inbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    queue(engine, "a")
    with monkeypatch.context() as patch:
        patch.setattr(sending, "mark_sent", die)
        with pytest.raises(Killed):
            send(engine, port)
    assert states(engine) == [("sending", 1)]
    clock.forward(minutes=15)
    assert [one.status for one in send(engine, port)] == ["sent"]
    first, second = inbox.received
    assert first == second


def test_a_slow_sender_whose_mail_was_claimed_again_does_not_overwrite_what_became_of_it(
    engine: Engine, port: int, inbox: Inbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(engine, "a")
    settings_of_both, is_first, genuine = settings(port), True, sending.compose

    def slow(*arguments: Any) -> Any:
        nonlocal is_first
        if is_first:
            is_first = False
            clock.forward(minutes=16)
            assert [one.status for one in send_mails(engine, settings_of_both)] == ["sent"]
        return genuine(*arguments)

    monkeypatch.setattr(sending, "compose", slow)
    (attempt,) = send_mails(engine, settings_of_both)
    assert attempt.error is not None
    assert attempt.error.startswith("sent, but the mail about 2026-10-a-EUR was claimed by another sender")
    assert states(engine) == [("sent", 2)]


def test_a_server_that_is_down_costs_no_attempt(engine: Engine, inbox: Inbox, clock: Clock) -> None:
    queue(engine, "a")
    with mail_server(inbox) as port:
        pass
    with pytest.raises(MailServerUnusable, match=f"mail server 127.0.0.1:{port}: "):
        send(engine, port)
    assert states(engine) == [("queued", 0)]


def test_a_refused_sender_stops_the_run_and_fails_no_mail_for_good(
    engine: Engine, port: int, inbox: Inbox, clock: Clock
) -> None:
    queue(engine, "a", "b")
    inbox.sender_answer = "550 not your domain"
    with pytest.raises(MailServerUnusable, match=r"sender billing@contoso\.example: 550 not your domain"):
        send(engine, port)
    assert states(engine) == [("queued", 1), ("queued", 0)]


def test_a_connection_that_breaks_is_made_again(engine: Engine, port: int, inbox: Inbox, clock: Clock) -> None:
    queue(engine, "a", "b")
    inbox.recipients["a@acme.example"] = "421 closing"
    assert [(one.mail.recipient, one.status) for one in send(engine, port)] == [
        ("a@acme.example", "queued"),
        ("b@acme.example", "sent"),
    ]


def test_only_so_many_are_sent_as_the_limit_says(engine: Engine, port: int, clock: Clock) -> None:
    queue(engine, "a", "b", "c")
    assert len(send(engine, port, limit=2)) == 2
    assert states(engine) == [("sent", 1), ("sent", 1), ("queued", 0)]


@pytest.mark.parametrize(
    ("facts", "template", "expected"),
    [
        ({"name": "Acme\r\nBcc: spy@evil.example"}, "{customer_name}", "the subject holds a line break"),
        ({"name": "Acme\u2028Bcc: spy@evil.example"}, "{customer_name}", "the subject holds a line break"),
        ({"email": "a@acme.example\nBcc: spy@evil.example"}, SUBJECT, "recipient: 'a@acme.example\\nBcc"),
        ({"email": "a@acme.example, spy@evil.example"}, SUBJECT, "recipient: "),
        (
            {"email": "ännchen@acme.example"},
            SUBJECT,
            "recipient: 'ännchen@acme.example': letters beyond ASCII before @",
        ),
        ({"email": "nobody"}, SUBJECT, "recipient: 'nobody' is no e-mail address"),
    ],
)
def test_nothing_a_customer_is_called_becomes_a_header(
    engine: Engine, port: int, inbox: Inbox, clock: Clock, facts: dict[str, str], template: str, expected: str
) -> None:
    queue(engine, "a", template=template, **facts)
    (attempt,) = send(engine, port)
    assert attempt.status == "failed"
    assert attempt.error is not None
    assert attempt.error.startswith(expected)
    assert inbox.received == []


def test_names_of_any_script_arrive_and_are_never_markup(engine: Engine, port: int, inbox: Inbox, clock: Clock) -> None:
    name = 'Ελλάς <script>alert("1")</script> 株式会社 & Söhne\r\nPay to: another account'
    queue(engine, "ü/a?b", name=name, email="ann@bücher.example", country="GR", template="Τιμολόγιο {invoice_number}")
    assert [one.status for one in send(engine, port)] == ["sent"]
    (message,) = inbox.messages
    assert message["Subject"] == "Τιμολόγιο INV-2026-000001"
    assert inbox.envelopes[0][1] == ["ann@xn--bcher-kva.example"]
    assert inbox.received[0].isascii()
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert "株式会社 & Söhne Pay to: another account" in text.get_content()
    assert "12.345.678.901.234,12 EUR" in text.get_content()
    assert "<script" not in html.get_content()
    assert "&lt;script&gt;" in html.get_content()
    assert 'href="https://shop.example/%C3%BC%2Fa%3Fb/INV-2026-000001.pdf"' in html.get_content()


def test_a_document_that_was_made_void_meanwhile_is_not_announced(
    engine: Engine, port: int, inbox: Inbox, clock: Clock
) -> None:
    queue(engine, "a")
    with engine.begin() as connection:
        void(connection, ["2026-10-a-EUR"], "wrong", Act(MONDAY, "ann", MONDAY.date()))
    assert [(one.status, one.error) for one in send(engine, port)] == [("failed", "the document is void")]
    assert inbox.received == []


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of localhost, with its key in the same file."""
    path = tmp_path / "certificate.pem"
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    try:
        made = subprocess.run([*words.split(), "-keyout", "-"], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    path.write_bytes(made.stdout)
    return path


# aiosmtpd knows of STARTTLS only, and warns of a server that is TLS from the first byte.
@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_password_travels_only_to_a_server_whose_certificate_is_trusted(
    engine: Engine, inbox: Inbox, certificate: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    def login(_server: object, _session: object, _envelope: object, _mechanism: str, data: LoginPassword) -> AuthResult:
        inbox.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"secret", handled=False)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    tls: dict[str, Any] = {"ssl_context": context, "auth_require_tls": False}
    if security == "starttls":
        tls = {"tls_context": context, "require_starttls": True}
    wanted = {"host": "localhost", "security": security, "username": "billing", "password_variable": "MAIL_SECRET"}
    queue(engine, "a")
    with mail_server(inbox, authenticator=login, auth_required=True, **tls) as port:
        with pytest.raises(ConfigurationInvalid, match="MAIL_SECRET holds no password"):
            send(engine, port, **wanted)
        monkeypatch.setenv("MAIL_SECRET", "secret")
        with pytest.raises(MailServerUnusable, match="CERTIFICATE_VERIFY_FAILED"):
            send(engine, port, **wanted)
        assert inbox.logins == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        monkeypatch.setenv("MAIL_SECRET", "wrong")
        with pytest.raises(MailServerUnusable, match="535"):
            send(engine, port, **wanted)
        assert states(engine) == [("queued", 0)]
        monkeypatch.setenv("MAIL_SECRET", "secret")
        assert [one.status for one in send(engine, port, **wanted)] == ["sent"]
    assert len(inbox.received) == 1


def test_the_queue_is_read_at_the_real_time_too(engine: Engine, port: int) -> None:
    assert datetime.now(UTC) > MONDAY
    queue(engine, "a")
    assert [one.status for one in send(engine, port)] == ["sent"]
