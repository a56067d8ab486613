"""A real mail server for tests, which answers as a test wants it to."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

OK = "250 OK"


class Inbox:
    """What arrived, and how the next mails are answered.

    Attributes:
        recipients: answers to RCPT, by address; OK for others.
        contents: answers to DATA, the next one first; OK when they are used up.
        senders: how many connections must be there before any content is answered.
    """

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.envelopes: list[tuple[str | None, list[str]]] = []
        self.recipients: dict[str, str] = {}
        self.contents: list[str] = []
        self.sender_answer = OK
        self.senders = 1
        self.logins: list[tuple[bytes, bytes]] = []
        self._connected = 0

    @property
    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(content, policy=default) for content in self.received]  # type: ignore[arg-type,misc]

    async def handle_EHLO(self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: Any) -> Any:  # noqa: N802
        session.host_name = hostname
        self._connected += 1
        return responses

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if self.sender_answer == OK:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return self.sender_answer

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:  # noqa: N802
        answer = self.recipients.get(address, OK)
        if answer == OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        for _ in range(3000):
            if self._connected >= self.senders:
                break
            await asyncio.sleep(0.01)
        answer = self.contents.pop(0) if self.contents else OK
        if answer == OK:
            assert isinstance(envelope.content, bytes)
            self.received.append(envelope.content)
            self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return answer


class _AnyPort(Controller):
    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(inbox: Inbox, **settings: Any) -> Iterator[int]:
    """Run a server and give its port."""
    controller = _AnyPort(inbox, hostname="127.0.0.1", port=0, **settings)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()
