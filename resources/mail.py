"""Sends queued mails through SMTP: each claimed before it is sent, and recorded as soon as the server has answered.

SMTP cannot tell a sender that dies before the answer whether the mail was taken: it is then sent again, with the same
Message-ID. What does not belong here: the queue (`billing_pipeline.ledger.outbox`), what a mail says
(`billing_pipeline.mails`).
"""

import os
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

from sqlalchemy import Engine

from billing_pipeline.errors import BillingError, ConfigurationInvalid
from billing_pipeline.ledger.documents import load_invoice
from billing_pipeline.ledger.outbox import (
    FAILED,
    QUEUED,
    SENT,
    MailLost,
    QueuedMail,
    claim,
    is_any_due,
    mark_failed,
    mark_sent,
)
from billing_pipeline.mail_settings import MailSettings
from billing_pipeline.mails import MailInvalid, compose
from resources.clock import utc_now
from resources.ledger import reading

# One answer of the server may take so long; a mail needs about ten, so a sender is taken for dead only after more.
TIMEOUT_SECONDS = 60
LEASE = timedelta(minutes=15)
_LONGEST_WAIT = timedelta(days=1)
# Replies from here on are final (RFC 5321, 4.2.1); those from 400 on may pass.
_FINAL_REPLIES = 500
_LONGEST_REASON = 500
_DONE = 250


class MailServerUnusable(BillingError):
    """The server cannot be reached, or takes no mail from us; no mail is to blame."""


@dataclass(frozen=True)
class Attempt:
    """What came of one mail.

    Attributes:
        status: sent, queued (it is tried again) or failed (it is not).
        error: what the server or the network said; None if it was sent.
        next_attempt_at: when it is tried again.
    """

    mail: QueuedMail
    status: str
    error: str | None = None
    next_attempt_at: datetime | None = None


@dataclass(frozen=True)
class _Refusal:
    """Why a mail was not taken, and whether asking again can help."""

    reason: str
    is_final: bool
    is_of_sender: bool = False


class MailServer:
    """A connection to the mail server that is made when it is needed, and made again after it has broken.

    Raises:
        ConfigurationInvalid: the environment variable that should hold the password does not.
    """

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._password = _password(settings)
        self._connection: smtplib.SMTP | None = None

    def connect(self) -> None:
        """Make sure that the server answers; a connection that has gone idle for too long is made anew.

        Raises:
            MailServerUnusable: it does not answer, its certificate is not trusted, or it refuses the user.
        """
        if self._connection is not None:
            with suppress(OSError):
                if self._connection.noop()[0] == _DONE:
                    return
            self.close()
        where = f"mail server {self._settings.host}:{self._settings.server_port}"
        try:
            self._connection = self._connected()
        except smtplib.SMTPResponseException as error:
            raise MailServerUnusable(f"{where}: {_reply(error.smtp_code, error.smtp_error)}") from error
        except UnicodeError:
            # Its text would show a part of the password.
            reason = "host, username or password holds a character that cannot be sent"
            raise MailServerUnusable(f"{where}: {reason}") from None
        # Every error of smtplib is an OSError too.
        except OSError as error:
            raise MailServerUnusable(f"{where}: {_readable(str(error) or type(error).__name__)}") from error

    def deliver(self, message: EmailMessage) -> _Refusal | None:
        """Hand a message over; return why it was not taken, None if it was."""
        assert self._connection is not None, "connect first"
        (sender,), (recipient,) = (message[name].addresses for name in ("From", "To"))
        try:
            self._connection.send_message(message, sender.addr_spec, [recipient.addr_spec])
        except smtplib.SMTPRecipientsRefused as error:
            ((code, text),) = error.recipients.values()
            return _Refusal(_reply(code, text), code >= _FINAL_REPLIES)
        except smtplib.SMTPSenderRefused as error:
            # As much for every other mail: it is the settings or the server that must change.
            reason = f"sender {sender.addr_spec}: {_reply(error.smtp_code, error.smtp_error)}"
            return _Refusal(reason, is_final=False, is_of_sender=True)
        except smtplib.SMTPResponseException as error:
            return _Refusal(_reply(error.smtp_code, error.smtp_error), error.smtp_code >= _FINAL_REPLIES)
        except OSError as error:
            self.close()
            return _Refusal(_readable(str(error) or type(error).__name__), is_final=False)
        return None

    def close(self) -> None:
        """End the connection; whatever the server says to that changes nothing."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.quit()
            except OSError:
                connection.close()

    def _connected(self) -> smtplib.SMTP:
        settings = self._settings
        place = (settings.host, settings.server_port)
        if settings.security == "tls":
            context = ssl.create_default_context()
            connection: smtplib.SMTP = smtplib.SMTP_SSL(*place, timeout=TIMEOUT_SECONDS, context=context)
        else:
            connection = smtplib.SMTP(*place, timeout=TIMEOUT_SECONDS)
        try:
            if settings.security == "starttls":
                connection.starttls(context=ssl.create_default_context())
            if settings.username is not None and self._password is not None:
                connection.login(settings.username, self._password)
        except BaseException:
            connection.close()
            raise
        return connection


def send_mails(engine: Engine, settings: MailSettings, limit: int | None = None) -> Iterator[Attempt]:
    """Send the mails that are due, the one queued first first; each is tried once.

    The server is asked before a mail is claimed, so that one which is down costs no mail an attempt.

    Args:
        engine: the ledger.
        limit: how many at most; None sends all.

    Yields:
        What came of each, after it has been recorded.

    Raises:
        MailServerUnusable: the server takes no mail at all now; what is left stays queued.
        ConfigurationInvalid: the password is missing.
    """
    started, count = utc_now(), 0
    with closing(MailServer(settings)) as server:
        while limit is None or count < limit:
            with reading(engine).connect() as connection:
                if not is_any_due(connection, started):
                    return
            server.connect()
            with engine.begin() as connection:
                # Due when this began: what fails meanwhile is not tried again at once.
                claimed = claim(connection, started, utc_now() + LEASE)
            if not claimed:
                return
            count += 1
            refusal = _try(engine, server, settings, claimed[0])
            yield _recorded(engine, settings, claimed[0], refusal)
            if refusal is not None and refusal.is_of_sender:
                raise MailServerUnusable(f"mail server {settings.host}: {refusal.reason}")


def _try(engine: Engine, server: MailServer, settings: MailSettings, mail: QueuedMail) -> _Refusal | None:
    with reading(engine).connect() as connection:
        invoice = load_invoice(connection, mail.invoice_id)
    try:
        message = compose(mail, invoice, settings)
    except MailInvalid as error:
        return _Refusal(str(error), is_final=True)
    return server.deliver(message)


def _recorded(engine: Engine, settings: MailSettings, mail: QueuedMail, refusal: _Refusal | None) -> Attempt:
    now = utc_now()
    try:
        with engine.begin() as connection:
            if refusal is None:
                mark_sent(connection, mail, now)
                return Attempt(mail, SENT)
            is_over = refusal.is_final or mail.attempts >= settings.max_attempts
            reason = refusal.reason
            if is_over and not refusal.is_final:
                reason = f"given up after {mail.attempts} attempts: {reason}"
            retry_at = None if is_over else now + _wait(settings, mail.attempts)
            mark_failed(connection, mail, reason, retry_at)
    except MailLost as error:
        done = "sent, but " if refusal is None else f"{refusal.reason}; "
        return Attempt(mail, QUEUED, f"{done}{error}")
    return Attempt(mail, FAILED if is_over else QUEUED, reason, retry_at)


def _wait(settings: MailSettings, attempts: int) -> timedelta:
    # A shift of more than eleven bits is over a day even from a minute.
    return min(_LONGEST_WAIT, timedelta(minutes=settings.retry_after_minutes << min(attempts - 1, 11)))


def _password(settings: MailSettings) -> str | None:
    if settings.password_variable is None:
        return None
    password = os.environ.get(settings.password_variable)
    if not password:
        raise ConfigurationInvalid(
            f"environment variable {settings.password_variable} holds no password; [mail] in billing.toml names it"
        )
    return password


def _reply(code: int, text: bytes | str) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return _readable(f"{code} {said}")


def _readable(text: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:_LONGEST_REASON]
