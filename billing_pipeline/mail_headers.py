"""Writes the headers of mails, those with letters beyond ASCII above all, so that they read as they were.

The standard library's own folding (Python 3.11) loses or doubles blanks between encoded and plain words of longer
texts: "Cloud Söhne" may arrive as "CloudSöhne". Here a text beyond ASCII is encoded as a whole.
"""

from email.header import Header
from email.headerregistry import AddressHeader
from email.policy import EmailPolicy
from typing import Any


class MailPolicy(EmailPolicy):
    """SMTP's line ends, 7-bit content, and headers folded without loss; an address header holds one address."""

    def __init__(self, **settings: Any) -> None:
        # Base64 or quoted-printable where needed: not every server takes eight bits.
        super().__init__(**{"linesep": "\r\n", "cte_type": "7bit"} | settings)

    def fold(self, name: str, value: Any) -> str:
        """Write a header with its name and line ends."""
        if str(value).isascii() or self.utf8:
            return str(super().fold(name, value))
        if not isinstance(value, AddressHeader):
            return f"{name}: {self._encoded(name, str(value))}{self.linesep}"
        (address,) = value.addresses
        words = self._encoded(name, address.display_name)
        # On its own line, because the name may have filled the one before.
        return f"{name}: {words}{self.linesep} <{address.addr_spec}>{self.linesep}"

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Write a header as bytes."""
        return self.fold(name, value).encode("ascii" if not self.utf8 else "utf-8", "surrogateescape")

    def _encoded(self, name: str, text: str) -> str:
        return Header(text, "utf-8", header_name=name).encode(linesep=self.linesep)
