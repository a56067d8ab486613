"""`[mail]` in billing.toml: what may stand there, and what is said about the rest."""

import pytest
from pydantic import ValidationError

from billing_pipeline.mail_settings import MailSettings, named_address

LEAST = {"host": "smtp.example", "sender": "billing@contoso.example", "link": "https://shop.example/{invoice_id}"}


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_each_security_has_its_usual_port(security: str, port: int) -> None:
    assert MailSettings(**LEAST | {"security": security}).server_port == port
    assert MailSettings(**LEAST | {"security": security, "port": 2525}).server_port == 2525


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"password": "secret"}, "Extra inputs are not permitted"),
        ({"username": "billing"}, "username and password_variable belong together"),
        ({"username": "billing", "password_variable": "SECRET", "security": "none"}, "readable to all"),
        ({"password_variable": "not a name"}, "String should match pattern"),
        ({"security": "ssl"}, "Input should be 'starttls', 'tls' or 'none'"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"sender": "Contoso"}, "'Contoso' is no e-mail address"),
        ({"sender": "a@contoso.example\nBcc: b@evil.example"}, "line break"),
        ({"reply_to": "a@contoso.example, b@contoso.example"}, "is no e-mail address"),
        ({"reply_to": "ännchen@contoso.example"}, "letters beyond ASCII before @"),
        ({"link": "javascript:alert(1)"}, "String should match pattern"),
        ({"link": "https://shop.example/{customer}"}, "{customer} is unknown; known are {invoice_number}"),
        ({"link": "https://shop.example/{invoice_id.__class__}"}, "is unknown"),
        ({"link": "https://shop.example/{invoice_id!r}"}, "is unknown"),
        ({"link": "https://shop.example/{"}, "write {{ and }} for braces"),
        ({"subject": "Invoice\nBcc: b@evil.example"}, "line break"),
        ({"subject": "{total}"}, "{total} is unknown"),
        ({"max_attempts": 0}, "greater than or equal to 1"),
        ({"retry_after_minutes": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_followed_is_refused(change: dict[str, object], expected: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MailSettings.model_validate(LEAST | change)
    assert expected in str(refused.value)


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("ann@acme.example", "", "ann@acme.example"),
        ("Ann <ann@acme.example>", "Ann", "ann@acme.example"),
        ('"Acme, Ltd" <ann@acme.example>', "Acme, Ltd", "ann@acme.example"),
        ("Γιάννης <a@παράδειγμα.example>", "Γιάννης", "a@xn--hxajbheg2az3al.example"),
    ],
)
def test_an_address_may_have_a_name_and_a_domain_of_any_script(text: str, name: str, address: str) -> None:
    found = named_address(text)
    assert (found.display_name, found.addr_spec) == (name, address)


@pytest.mark.parametrize(
    "text", ["", "@", "a@", "@b", "a b@c", "a@b, c@d", "a@b c@d", "<a@b", "a@b\r\n", "a@b\x00", "a@@b"]
)
def test_what_is_no_single_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no e-mail address|control character"):
        named_address(text)
