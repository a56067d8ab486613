"""What a mail says: the message about an approved document, and the subject under which it is queued.

The same document gives the same bytes at every attempt. What does not belong here: the queue (`ledger.outbox`), the
server (`resources.mail`).
"""

import hashlib
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from billing_pipeline.documents.customer_locale import locale_of
from billing_pipeline.errors import BillingError
from billing_pipeline.invoicing import Invoice
from billing_pipeline.ledger.outbox import QueuedMail
from billing_pipeline.mail_headers import MailPolicy
from billing_pipeline.mail_settings import MailSettings, is_one_line, named_address

_TEMPLATES = Path(__file__).parent / "documents" / "templates"


class MailInvalid(BillingError):
    """The mail cannot be written; trying again does not help."""


def mail_subject(invoice: Invoice, template: str) -> str:
    """Return the subject of the mail about an approved document.

    Args:
        template: with placeholders of `SUBJECT_NAMES`; values are filled in as they are, and `compose` refuses a
            subject that is more than a line.
    """
    values = {
        "invoice_number": invoice.invoice_number or "",
        "invoice_id": invoice.invoice_id,
        "customer_id": invoice.customer.id,
        "customer_name": invoice.customer.name,
        "organisation": invoice.organisation.name,
        "document": document_word(invoice),
        "billing_period": invoice.billing_period,
    }
    return template.format_map(values)


def document_word(invoice: Invoice) -> str:
    """Return what the document is called."""
    return "Credit note" if invoice.document_type == "credit_note" else "Invoice"


def document_link(invoice: Invoice, template: str) -> str:
    """Return the address of a document's PDF, values URL-quoted."""
    values = {
        "invoice_number": invoice.invoice_number or "",
        "invoice_id": invoice.invoice_id,
        "customer_id": invoice.customer.id,
    }
    return template.format_map({name: quote(value, safe="") for name, value in values.items()})


def compose(mail: QueuedMail, invoice: Invoice, settings: MailSettings) -> EmailMessage:
    """Write a queued mail: plain text, and the same as HTML.

    Args:
        mail: recipient, subject, Message-ID and date (when it was queued).
        invoice: the issued document it is about.

    Returns:
        The message; the same arguments give the same bytes.

    Raises:
        MailInvalid: the document is void or was never issued, or a header would hold a line break or no address.
    """
    if invoice.status == "void" or invoice.invoice_number is None:
        raise MailInvalid(f"the document is {invoice.status}")
    for name, text in (("subject", mail.subject), ("Message-ID", mail.message_id)):
        if not is_one_line(text):
            raise MailInvalid(f"the {name} holds a line break or another control character: {text!r}")
    try:
        recipient = named_address(mail.recipient)
    except ValueError as error:
        raise MailInvalid(f"recipient: {error}") from error
    view = _view(invoice, settings)
    message = EmailMessage(policy=MailPolicy())
    message["From"] = named_address(settings.sender)
    message["To"] = recipient
    if settings.reply_to is not None:
        message["Reply-To"] = named_address(settings.reply_to)
    message["Subject"] = mail.subject
    message["Date"] = mail.queued_at
    message["Message-ID"] = mail.message_id
    # RFC 3834: absence notes and the like do not answer it.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_environment().get_template("mail.txt.j2").render(view))
    message.add_alternative(_environment().get_template("mail.html.j2").render(view), subtype="html")
    # The standard library would take a random one.
    message.set_boundary(hashlib.sha256(mail.message_id.encode()).hexdigest())
    return message


def _view(invoice: Invoice, settings: MailSettings) -> dict[str, str | None]:
    writing = locale_of(invoice.customer.country)
    values = {
        "organisation": invoice.organisation.name,
        "customer": invoice.customer.contact or invoice.customer.name,
        "customer_name": invoice.customer.name,
        "document": document_word(invoice),
        "number": invoice.invoice_number,
        "corrects": invoice.corrects,
        "period": writing.period(invoice.billing_period),
        "total": _total(invoice),
        "due_date": writing.day(invoice.payable_by) if invoice.payable_by else None,
        "link": document_link(invoice, settings.link),
        "phone": invoice.organisation.phone,
    }
    # A name of several lines could look like sentences of ours.
    return {name: None if value is None else _one_line(value) for name, value in values.items()}


def _total(invoice: Invoice) -> str:
    writing = locale_of(invoice.customer.country)
    if invoice.is_in_favour:
        return f"{writing.amount(-invoice.total, invoice.currency)} {invoice.currency} in your favour"
    return f"{writing.amount(invoice.total, invoice.currency)} {invoice.currency}"


def _one_line(text: str) -> str:
    return " ".join("".join(letter if is_one_line(letter) else " " for letter in text).split())


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=lambda name: name is None or ".html." in name,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
