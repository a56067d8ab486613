"""What a reader sees of an invoice, as plain text: the data that a template lays out.

Every value is text or a list of texts, already formatted. What does not belong here: fonts, positions,
markup of any kind.
"""

import unicodedata
from datetime import timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any

from billing_pipeline.credits import CreditUse
from billing_pipeline.documents.customer_locale import CustomerLocale, locale_of
from billing_pipeline.exchange import AppliedRate
from billing_pipeline.invoicing import Invoice, InvoiceLine, Party
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.taxes import TaxLine

ZERO_WIDTH_SPACE = "\u200b"
# A run without a space that is longer than this may not fit into a column of the page.
_LONGEST_WORD = 24
# Below: Latin, Greek, Cyrillic, Armenian. From here on scripts join their letters or break by themselves.
_FIRST_JOINING_SCRIPT = "\u0590"


# The options of a run of drafts, in the reader's words.
_OPTIONS = {
    "apply_credits": "credits applied",
    "include_tax": "taxes included",
    "include_marketplace_fees": "marketplace fees passed on at cost",
    "use_credits_for_marketplace_fees": "marketplace credits used for marketplace fees",
    "override_unsettled": "made before the period was settled",
}
# A document on its way to being paid looks the same whatever has become of it: only these two are said on it.
_SHOWN_STATES = ("draft", "void")


def invoice_view(invoice: Invoice) -> dict[str, Any]:
    """Return everything a document shows, as text.

    Args:
        invoice: the document; lines in reading order, those of one product type together.

    Returns:
        What `docs/documents.md` describes: `title`, `number`, `issuer` and `customer` (name, lines of address and
        contact), `groups` (product type, lines, subtotal), `taxes`, `credits`, `rates`, `totals` (label, amount; the
        last is what is due, or what the customer is owed), `notes` and the rest of the head. Numbers and days are
        written as in the customer's country, amounts with the currency's decimals. `status` is in upper case, and None
        on a document that was issued and is not void. `date` is the day of issue, or the period's last day on a draft,
        as [year, month, day]: the file's own date, so that no clock takes part.

    Raises:
        UnknownCurrency, PeriodInvalid: the document's currency or period is malformed.
    """
    writing, currency = locale_of(invoice.customer.country), invoice.currency
    file_day = invoice.issued_on or BillingPeriod.parse(invoice.billing_period).end_day - timedelta(days=1)
    return {
        "title": _title(invoice),
        "number": invoice.invoice_number or invoice.invoice_id,
        "is_numbered": invoice.invoice_number is not None,
        "corrects": invoice.corrects,
        "status": invoice.status.upper() if invoice.status in _SHOWN_STATES else None,
        "period": writing.period(invoice.billing_period),
        "currency": currency,
        "issue_date": writing.day(invoice.issued_on) if invoice.issued_on else None,
        "due_date": writing.day(invoice.payable_by) if invoice.payable_by else None,
        "date": [file_day.year, file_day.month, file_day.day],
        "issuer": _party(invoice.organisation),
        "customer": _party(invoice.customer),
        "groups": [
            _group(product_type, list(lines), currency, writing)
            for product_type, lines in groupby(invoice.shown_lines, key=lambda line: line.product_type)
        ],
        "taxes": [_tax(tax, currency, writing) for tax in invoice.taxes],
        "credits": [_credit(use, currency, writing) for use in invoice.credits],
        "rates": [_rate(rate, writing) for rate in invoice.exchange_rates],
        "totals": _totals(invoice, writing),
        "notes": [breakable(note) for note in invoice.notes],
        "options": ", ".join(_OPTIONS.get(option, option.replace("_", " ")) for option in invoice.options),
    }


def _title(invoice: Invoice) -> str:
    if invoice.document_type == "credit_note":
        return "Credit note" if invoice.invoice_number else "Credit note (draft)"
    return "Invoice" if invoice.invoice_number else "Statement (draft)"


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


def _group(product_type: str, lines: list[InvoiceLine], currency: str, writing: CustomerLocale) -> dict[str, Any]:
    return {
        "product_type": breakable(product_type or "Other"),
        "subtotal": writing.amount(sum((line.amount for line in lines), start=lines[0].amount * 0), currency),
        "lines": [_line(line, currency, writing) for line in lines],
    }


def _line(line: InvoiceLine, currency: str, writing: CustomerLocale) -> dict[str, Any]:
    name = line.product_name or line.description
    details = [line.description] if line.description != name else []
    if line.service_period is not None:
        details.append(f"Service period {writing.period(line.service_period)}")
    if line.reference is not None:
        details.append(f"Refers to {line.reference}")
    if line.charged_currency is not None and line.charged_amount is not None:
        details.append(f"Charged {writing.amount(line.charged_amount, line.charged_currency)} {line.charged_currency}")
    return {
        "number": str(line.line_number),
        "name": breakable(name),
        "details": [breakable(detail) for detail in details],
        "quantity": writing.quantity(line.quantity) if line.quantity is not None else "",
        "unit": breakable(line.unit or ""),
        "amount": writing.amount(line.amount, currency),
    }


def _tax(tax: TaxLine, currency: str, writing: CustomerLocale) -> dict[str, Any]:
    return {
        "category": breakable(tax.tax_category.replace("_", " ")),
        "name": breakable(tax.name),
        "percent": f"{writing.quantity(tax.percent)} %",
        "base": writing.amount(tax.base, currency),
        "amount": writing.amount(tax.amount, currency),
        # The name of an untaxed group often is its reason.
        "reason": breakable(tax.reason) if tax.reason and tax.reason != tax.name else None,
    }


def _credit(use: CreditUse, currency: str, writing: CustomerLocale) -> dict[str, Any]:
    return {
        "credit_id": breakable(use.credit_id),
        "kind": use.kind,
        "vendor": breakable(use.vendor or ""),
        "amount": writing.amount(use.amount, currency),
        "left": writing.amount(use.left, currency),
        "expires_on": writing.day(use.expires_on) if use.expires_on else None,
    }


def _rate(rate: AppliedRate, writing: CustomerLocale) -> str:
    """Write a rate as it was quoted, also where amounts were divided by it: `1 USD = 0.9 EUR, ECB, 30 Oct 2026`."""
    quoted = f"1 {rate.base_currency} = {writing.quantity(rate.rate)} {rate.quote_currency}"
    return breakable(", ".join([quoted, *([rate.source] if rate.source else []), writing.day(rate.rate_date)]))


def _totals(invoice: Invoice, writing: CustomerLocale) -> list[dict[str, Any]]:
    rows = [("Subtotal", invoice.subtotal)]
    if invoice.tax_total or invoice.taxes:
        rows.append(("Tax", invoice.tax_total))
    if invoice.credits_applied:
        rows.append(("Credits applied", -invoice.credits_applied))
    rows.append(_owed(invoice))
    return [{"label": label, "amount": writing.amount(amount, invoice.currency)} for label, amount in rows]


def _owed(invoice: Invoice) -> tuple[str, Decimal]:
    """Return the last total and what it is called; what the reseller owes is written without its sign."""
    if invoice.is_in_favour:
        return "Total in your favour", -invoice.total
    return "Total credited" if invoice.document_type == "credit_note" else "Total due", invoice.total
