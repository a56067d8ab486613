"""What the mail about a document says of its total."""

from dataclasses import replace

import pytest

from billing_pipeline.ledger.outbox import QueuedMail
from billing_pipeline.mail_settings import MailSettings
from billing_pipeline.mails import compose
from tests.documents import an_invoice, line
from tests.ledger_documents import MONDAY

MAIL = QueuedMail(
    mail_id=1,
    invoice_id="draft-2026-10-1001",
    kind="approved",
    recipient="ann@acme.example",
    subject="Invoice",
    status="sending",
    attempts=1,
    next_attempt_at=None,
    last_error=None,
    message_id="<1@contoso.example>",
    queued_at=MONDAY,
    sent_at=None,
)
SETTINGS = MailSettings.model_validate(
    {"host": "mail.example", "sender": "billing@contoso.example", "link": "https://shop.example/{invoice_number}.pdf"}
)


@pytest.mark.parametrize(
    ("amount", "total", "due"),
    [("7.50", "7.50 EUR", True), ("0.00", "0.00 EUR", False), ("-7.50", "7.50 EUR in your favour", False)],
)
def test_a_due_date_is_named_only_where_something_is_to_be_paid(amount: str, total: str, due: bool) -> None:
    issued = replace(an_invoice(line(1, amount)), invoice_number="INV-2026-000001", status="open")
    body = compose(MAIL, issued, SETTINGS).get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert f"Total: {total}\n" in text.replace("\r\n", "\n")
    assert ("Due:" in text) == due
