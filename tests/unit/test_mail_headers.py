"""Headers of mails: in 7 bits, in lines of legal length, and read as they were written."""

from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default

import pytest

from billing_pipeline.mail_headers import MailPolicy


def written(name: str, value: str | Address) -> bytes:
    message = EmailMessage(policy=MailPolicy())
    message[name] = value
    message.set_content("text")
    return bytes(message)


@pytest.mark.parametrize(
    "subject",
    [
        "Invoice INV-2026-000001",
        "Τιμολόγιο INV-2026-000001",
        "Cloud-Abrechnungsgesellschaft, Cloud-Abrechnungsgesellschaft, 株式会社サービス Söhne " + "é" * 80,
        "Zweigniederlassung & (a) Söhne Söhne 🎉 (a) for Contoso Cloud-Abrechnungsgesellschaft, Athen " * 3 + "!",
    ],
)
def test_a_subject_is_read_as_it_was_written(subject: str) -> None:
    content = written("Subject", subject)
    assert content.isascii()
    assert max(len(line) for line in content.split(b"\r\n")) <= 78
    assert message_from_bytes(content, policy=default)["Subject"] == subject


@pytest.mark.parametrize("name", ["", "Contoso, Ltd", "Γιάννης", "Söhne <evil@evil.example>, & Co"])
def test_a_name_before_an_address_is_no_address(name: str) -> None:
    content = written("From", Address(display_name=name, username="ann", domain="acme.example"))
    assert content.isascii()
    (found,) = message_from_bytes(content, policy=default)["From"].addresses
    assert (found.display_name, found.addr_spec) == (name, "ann@acme.example")
