"""What a reader sees of an invoice, as plain text: the data that a template lays out.

Every value is text or a list of texts, already formatted. What does not belong here: fonts, positions,
markup of any kind.
"""

import unicodedata
from datetime import timedelta
from itertools import groupby, pairwise
from typing import Any

from billing_pipeline.documents.formatting import format_amount, format_day, format_period, format_quantity
from billing_pipeline.invoicing import Invoice, InvoiceLine, Party
from billing_pipeline.periods import BillingPeriod

ZERO_WIDTH_SPACE = "\u200b"
# A run without a space that is longer than this may not fit into a column of the page.
_LONGEST_WORD = 24
# Below: Latin, Greek, Cyrillic, Armenian. From here on scripts join their letters or break by themselves.
_FIRST_JOINING_SCRIPT = "\u0590"


def invoice_view(invoice: Invoice) -> dict[str, Any]:
    """Return everything a document shows, as text.

    Args:
        invoice: the document; lines in reading order, those of one product type together.

    Returns:
        `number`, `status` (upper case), `period`, `issuer` and `customer` (name, lines of address and contact),
        `groups` (product type, lines, subtotal), `totals` (label, amount; the last is what is due), `notes` and the
        rest of the head. Amounts have the currency's decimals. `date` is the period's last day as [year, month, day]:
        the file's own date, so that no clock takes part.

    Raises:
        UnknownCurrency, PeriodInvalid: the document's currency or period is malformed.
    """
    last_day = BillingPeriod.parse(invoice.billing_period).end_day - timedelta(days=1)
    return {
        "title": "Statement",
        "number": invoice.invoice_number or invoice.invoice_id,
        "is_numbered": invoice.invoice_number is not None,
        "status": invoice.status.upper(),
        "period": format_period(invoice.billing_period),
        "currency": invoice.currency,
        "due_date": format_day(invoice.due_date) if invoice.due_date else None,
        "date": [last_day.year, last_day.month, last_day.day],
        "issuer": _party(invoice.organisation),
        "customer": _party(invoice.customer),
        "groups": [
            _group(product_type, list(lines), invoice.currency)
            for product_type, lines in groupby(invoice.lines, key=lambda line: line.product_type)
        ],
        "totals": _totals(invoice),
        "notes": [breakable(note) for note in invoice.notes],
        "options": ", ".join(option.replace("_", " ") for option in invoice.options),
    }


def breakable(text: str) -> str:
    """Let a very long word wrap, by zero-width spaces between its letters.

    Only runs of more than 24 characters without a space are touched, and only between characters of scripts whose
    letters stand alone; combining marks stay with their letter.

    Args:
        text: what a vendor or a user wrote.

    Returns:
        The same text, looking the same, with places where a line may end.
    """
    if len(text) <= _LONGEST_WORD:
        return text
    return " ".join(_breakable_word(word) if len(word) > _LONGEST_WORD else word for word in text.split(" "))


def _breakable_word(word: str) -> str:
    parts = [word[0]]
    for before, character in pairwise(word):
        stands_alone = max(before, character) < _FIRST_JOINING_SCRIPT and not unicodedata.combining(character)
        parts.append(ZERO_WIDTH_SPACE + character if stands_alone else character)
    return "".join(parts)


def _party(party: Party) -> dict[str, Any]:
    address = [line.strip() for line in (party.address or "").splitlines() if line.strip()]
    if party.country:
        address[-1:] = [", ".join([*address[-1:], party.country])]
    contact = [
        party.contact,
        party.email,
        party.phone,
        f"Tax ID {party.tax_id}" if party.tax_id else None,
    ]
    return {
        "id": party.id,
        "name": breakable(party.name),
        "address": [breakable(line) for line in address],
        "contact": [breakable(line) for line in contact if line],
    }


def _group(product_type: str, lines: list[InvoiceLine], currency: str) -> dict[str, Any]:
    return {
        "product_type": breakable(product_type or "Other"),
        "subtotal": format_amount(sum((line.amount for line in lines), start=lines[0].amount * 0), currency),
        "lines": [_line(line, currency) for line in lines],
    }


def _line(line: InvoiceLine, currency: str) -> dict[str, Any]:
    name = line.product_name or line.description
    return {
        "number": str(line.line_number),
        "name": breakable(name),
        "description": breakable(line.description) if line.description != name else None,
        "quantity": format_quantity(line.quantity) if line.quantity is not None else "",
        "unit": breakable(line.unit or ""),
        "amount": format_amount(line.amount, currency),
    }


def _totals(invoice: Invoice) -> list[dict[str, Any]]:
    rows = [("Subtotal", invoice.subtotal)]
    if invoice.tax_total:
        rows.append(("Tax", invoice.tax_total))
    if invoice.credits_applied:
        rows.append(("Credits applied", -invoice.credits_applied))
    rows.append(("Total due", invoice.total))
    return [{"label": label, "amount": format_amount(amount, invoice.currency)} for label, amount in rows]
