"""A document as it would read in another currency, for information; the document itself stays as it is.

What does not belong here: which rate holds (`exchange`), which currencies a customer may see (`resources`).
"""

from dataclasses import replace
from decimal import Decimal

from billing_pipeline.documents.customer_locale import locale_of
from billing_pipeline.exchange import AppliedRate
from billing_pipeline.invoicing import Invoice
from billing_pipeline.money import allocate_rounded, round_money


def in_other_currency(invoice: Invoice, rate: AppliedRate) -> Invoice:
    """Return a document with its amounts converted, and a note that says so.

    Args:
        invoice: the document; it is not changed.
        rate: from the document's currency into the other, or quoted the other way round and used inversely.

    Returns:
        The document in the other currency. Its total is the exact conversion of the total, rounded once; lines, taxes
        and credits are rounded so that they add up to it. Its note names the amount that is owed, and its
        rates end with the one that was used here.
    """
    currency = rate.base_currency if rate.is_inverse else rate.quote_currency
    parts = [
        *(line.amount for line in invoice.lines),
        *(tax.amount for tax in invoice.taxes),
        *(-use.amount for use in invoice.credits),
    ]
    payable = iter(allocate_rounded([rate.convert(part) for part in parts], currency))
    lines = tuple(
        replace(
            line,
            amount_precise=rate.convert(line.amount_precise),
            amount=next(payable),
            charged_currency=line.charged_currency or invoice.currency,
            charged_amount=line.amount_precise if line.charged_amount is None else line.charged_amount,
        )
        for line in invoice.lines
    )
    taxes = tuple(
        replace(tax, base=round_money(rate.convert(tax.base), currency), amount=next(payable)) for tax in invoice.taxes
    )
    credits_used = tuple(
        replace(use, amount=-next(payable), left=round_money(rate.convert(use.left), currency))
        for use in invoice.credits
    )
    subtotal = sum((line.amount for line in lines), Decimal(0))
    tax_total = sum((tax.amount for tax in taxes), Decimal(0))
    applied = sum((use.amount for use in credits_used), Decimal(0))
    owed = f"{locale_of(invoice.customer.country).amount(invoice.total, invoice.currency)} {invoice.currency}"
    note = f"Shown in {currency} for information. The document is in {invoice.currency}; its total is {owed}."
    return replace(
        invoice,
        currency=currency,
        lines=lines,
        subtotal=subtotal,
        tax_total=tax_total,
        credits_applied=applied,
        total=subtotal + tax_total - applied,
        taxes=taxes,
        credits=credits_used,
        exchange_rates=(*invoice.exchange_rates, rate),
        notes=(note, *invoice.notes),
    )
