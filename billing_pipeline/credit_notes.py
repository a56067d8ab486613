"""Credit notes: documents of their own that take back lines of an issued one, which itself never changes.

What does not belong here: which lines have been credited already (`ledger.corrections`).
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import reduce

from billing_pipeline.errors import WrongUsage
from billing_pipeline.invoicing import Invoice, InvoiceLine
from billing_pipeline.money import EXACT, round_money
from billing_pipeline.taxes import TaxLine

_PERCENT = Decimal("0.01")


class CorrectionInvalid(WrongUsage):
    """A document cannot be corrected as it was asked for."""


def credit_note(original: Invoice, line_numbers: Sequence[int] | None, reason: str, invoice_id: str) -> Invoice:
    """Return the draft of a credit note.

    Its lines are those of the original with the other sign, each with a reference to it; taxes are the original's, on
    the lines taken back. Credits that the original used are not given back: all of a credit note is owed to the
    customer.

    Args:
        original: an issued invoice.
        line_numbers: the lines to take back; None for all.
        reason: printed on the credit note.
        invoice_id: id of the credit note.

    Raises:
        CorrectionInvalid: the original is no invoice, has no such line, or its taxes cannot be told line by line.
    """
    if original.document_type != "invoice":
        raise CorrectionInvalid(f"{original.invoice_id} is a credit note itself")
    wanted = {line.line_number for line in original.lines} if line_numbers is None else set(line_numbers)
    unknown = sorted(wanted - {line.line_number for line in original.lines})
    if unknown:
        raise CorrectionInvalid(f"{original.invoice_id} has no line {', '.join(map(str, unknown))}")
    taken = [line for line in original.lines if line.line_number in wanted]
    zero = round_money(Decimal(0), original.currency)
    lines = tuple(_taken_back(line, number, original) for number, line in enumerate(taken, 1))
    subtotal = reduce(EXACT.add, (line.amount for line in lines), zero)
    taxes = _taxes(original, lines)
    tax_total = reduce(EXACT.add, (tax.amount for tax in taxes), zero)
    return replace(
        original,
        invoice_id=invoice_id,
        invoice_number=None,
        status="draft",
        lines=lines,
        subtotal=subtotal,
        tax_total=tax_total,
        credits_applied=zero,
        total=EXACT.add(subtotal, tax_total),
        due_date=None,
        options=(),
        notes=(f"Credit note to {original.invoice_number} of {original.issued_on}: {reason}",),
        taxes=taxes,
        credits=(),
        document_type="credit_note",
        corrects=original.invoice_number,
        issued_on=None,
    )


def line_reference(invoice_number: str | None, line_number: int) -> str:
    """Return how a line of a credit note refers to the line it takes back."""
    return f"{invoice_number} line {line_number}"


def _taken_back(line: InvoiceLine, number: int, original: Invoice) -> InvoiceLine:
    return replace(
        line,
        line_number=number,
        quantity=None if line.quantity is None else -line.quantity,
        amount_precise=-line.amount_precise,
        amount=-line.amount,
        # The charges stay behind the original's line, to which the reference leads.
        charge_count=0,
        charges_sha256=None,
        charged_amount=None if line.charged_amount is None else -line.charged_amount,
        reference=line_reference(original.invoice_number, line.line_number),
    )


def _taxes(original: Invoice, lines: Sequence[InvoiceLine]) -> tuple[TaxLine, ...]:
    categories = {tax.tax_category for tax in original.taxes}
    bases: dict[str, Decimal] = {}
    for line in lines if categories else ():
        # A customer's own category holds for every line, and is then the only one of the document.
        category = next(iter(categories)) if len(categories) == 1 else line.tax_category
        if category not in categories:
            raise CorrectionInvalid(f"{original.invoice_id} has no tax of category {category}, which a line has")
        bases[category] = EXACT.add(bases.get(category, Decimal(0)), line.amount)
    taxes = []
    for tax in original.taxes:
        if tax.tax_category in bases:
            base = bases[tax.tax_category]
            exact = EXACT.multiply(EXACT.multiply(base, tax.percent), _PERCENT)
            # Without a rate there is a reason, and nothing is charged.
            amount = round_money(Decimal(0) if tax.reason else exact, original.currency)
            taxes.append(replace(tax, base=base, amount=amount))
    return tuple(taxes)
