"""What `[mail]` in billing.toml may say: the server, the sender, the link and the subject.

No password stands there: `password_variable` names the environment variable that holds it. What does not belong here:
mails (`mails`), sending them (`resources.mail`).
"""

import string
import unicodedata
from collections.abc import Collection
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

LINK_NAMES = ("invoice_number", "invoice_id", "customer_id")
SUBJECT_NAMES = (*LINK_NAMES, "customer_name", "organisation", "document", "billing_period")
SUBJECT = "{organisation}: {document} {invoice_number} for {billing_period}"
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
# Control characters, lone surrogates, line and paragraph separators: whatever might end a header line somewhere.
_NOT_IN_A_LINE = ("Cc", "Cs", "Zl", "Zp")


class MailSettings(BaseModel):
    """How mails are sent.

    Attributes:
        port: None takes the usual one: 587 for starttls, 465 for tls, 25 for none.
        security: starttls and tls check the server's certificate.
        password_variable: name of the environment variable that holds the password of `username`.
        sender: address, or `Name <address>`; the envelope's too.
        link: address of the document's PDF, with placeholders of `LINK_NAMES`.
        subject: with placeholders of `SUBJECT_NAMES`.
        max_attempts: after so many failures that may pass a mail is given up.
        retry_after_minutes: wait after the first one; it doubles with each, up to a day.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: Annotated[str, Field(min_length=1)] | None = None
    password_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    sender: str
    reply_to: str | None = None
    link: Annotated[str, Field(pattern=r"^https?://[^\s/]")]
    subject: str = SUBJECT
    max_attempts: Annotated[int, Field(ge=1)] = 8
    retry_after_minutes: Annotated[int, Field(ge=1, le=1440)] = 5

    @field_validator("sender", "reply_to")
    @classmethod
    def _is_address(cls, text: str | None) -> str | None:
        if text is not None:
            named_address(text)
        return text

    @field_validator("link")
    @classmethod
    def _link_is_fillable(cls, template: str) -> str:
        return _checked(template, LINK_NAMES)

    @field_validator("subject")
    @classmethod
    def _subject_is_fillable(cls, template: str) -> str:
        return _checked(template, SUBJECT_NAMES)

    @model_validator(mode="after")
    def _credentials_fit(self) -> Self:
        if (self.username is None) != (self.password_variable is None):
            raise ValueError("username and password_variable belong together")
        if self.username is not None and self.security == "none":
            raise ValueError('security "none" would send the password readable to all; use "starttls" or "tls"')
        return self

    @property
    def server_port(self) -> int:
        """The port to connect to."""
        return self.port or _PORTS[self.security]


def is_one_line(text: str) -> bool:
    """Tell whether a text holds nothing that could end a line, and so begin another header."""
    return not any(unicodedata.category(character) in _NOT_IN_A_LINE for character in text)


def named_address(text: str) -> Address:
    """Read one address, `ann@acme.example` or `Ann <ann@acme.example>`.

    Raises:
        ValueError: it is none, more than one, or holds a control character.
    """
    if not is_one_line(text):
        raise ValueError(f"{text!r} holds a line break or another control character")
    name, address = parseaddr(text)
    if not address.rpartition("@")[0].isascii():
        raise ValueError(f"{text!r}: letters beyond ASCII before @ are not supported")
    try:
        found = Address(display_name=name, addr_spec=address)
        if not found.domain.isascii():
            # Of a domain there is an ASCII form that every server takes; of the part before @ there is none.
            domain = found.domain.encode("idna").decode("ascii")
            found = Address(display_name=name, username=found.username, domain=domain)
    # An IndexError escapes the standard library's parser for some malformed addresses.
    except (ValueError, IndexError, MessageError) as error:
        raise ValueError(f"{text!r} is no e-mail address") from error
    # parseaddr reads the first address of a list, and drops what it does not understand.
    is_whole = text.strip() == address if not name else text.strip().endswith(f"<{address}>")
    if not (found.username and found.domain and is_whole):
        raise ValueError(f"{text!r} is no e-mail address")
    return found


def _checked(template: str, names: Collection[str]) -> str:
    if not is_one_line(template):
        raise ValueError("holds a line break or another control character")
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"{error}; write {{{{ and }}}} for braces") from error
    for _, name, form, conversion in parts:
        if name is not None and (name not in names or form or conversion):
            raise ValueError(f"{{{name}}} is unknown; known are {', '.join(f'{{{known}}}' for known in names)}")
    return template
