"""One line of a document: its rounding, and whether the charges behind it add up to it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from billing_pipeline.documents.formatting import plain_decimal
from billing_pipeline.explaining.model import ChargeExplanation, DocumentFacts, LineExplanation
from billing_pipeline.explaining.notes import exact_sum
from billing_pipeline.explaining.rounding import explain_rounding
from billing_pipeline.invoicing import Invoice

Item = Mapping[str, Any]

# Lines that are made of vendors' charges; any other has none behind it.
KINDS_OF_CHARGES = ("usage", "subscription", "marketplace", "credit")


def explain_line(
    invoice: Invoice,
    line_number: int,
    billed: Mapping[str, Decimal],
    items: Mapping[str, Item],
    charges: Sequence[ChargeExplanation] = (),
) -> LineExplanation:
    """Explain one line of a document.

    Args:
        invoice: the document, whole.
        line_number: the line.
        billed: by charge_id the exact amount billed for each charge behind the line, in the charges' own currency; of
            an adjustment what it changed by.
        items: by charge_id their rows of priced_line_items, as far as the lake has them.
        charges: their explanations; none for the short form.
    """
    index = next(place for place, line in enumerate(invoice.lines) if line.line_number == line_number)
    line = invoice.lines[index]
    rounding = explain_rounding(
        [other.amount_precise for other in invoice.lines],
        [other.amount for other in invoice.lines],
        index,
        invoice.currency,
    )
    found = [items[charge_id] for charge_id in billed if charge_id in items]
    # An adjustment bills what a charge changed by, so its charges need not be the customer's, nor of that amount.
    is_adjustment = line.line_kind == "adjustment"
    amounts = {} if is_adjustment else {item["charge_id"]: billed_amount(item, line.line_kind) for item in found}
    total = exact_sum([amount for amount in (billed if is_adjustment else amounts).values() if amount is not None])
    exact, currency = (
        (line.amount_precise, invoice.currency)
        if line.charged_amount is None
        else (line.charged_amount, line.charged_currency)
    )
    problems = [rounding.problem] if rounding.problem else []
    missing = len(billed) - len(found)
    if missing:
        problems.append(f"{missing} of its {len(billed)} charges are not in the lake any more")
    elsewhere = sorted({str(item["customer_id"]) for item in found} - {invoice.customer.id})
    if elsewhere and not is_adjustment:
        problems.append(f"the lake gives charges of it to {', '.join(elsewhere)}, not to {invoice.customer.id}")
    problems += [
        f"{charge_id} was billed at {plain_decimal(amount)}, the lake has it at {_spoken(amounts[charge_id])}"
        for charge_id, amount in billed.items()
        if charge_id in amounts and amounts[charge_id] != amount
    ]
    if (line.line_kind in KINDS_OF_CHARGES or line.charge_count) and total != exact:
        problems.append(
            f"its charges add up to {plain_decimal(total)}, its exact amount is {plain_decimal(exact)} {currency}"
        )
    return LineExplanation(
        line_number=line.line_number,
        product_type=line.product_type,
        product_name=line.product_name,
        description=line.description,
        quantity=line.quantity,
        unit=line.unit,
        line_kind=line.line_kind,
        rounding=rounding,
        charge_count=len(billed),
        charges_amount=total,
        charged_amount=exact,
        charged_currency=currency or invoice.currency,
        adjusts=": ".join(part for part in (line.service_period, line.reference) if part) if is_adjustment else None,
        row_count=sum(item["row_count"] for item in found),
        term_names=tuple(sorted({_term_name(item) for item in found})),
        charges=tuple(charges),
        problems=tuple(problems),
    )


def document_facts(invoice: Invoice) -> DocumentFacts:
    """Return what is said about a document as a whole."""
    return DocumentFacts(
        invoice_id=invoice.invoice_id,
        invoice_number=invoice.invoice_number,
        status=invoice.status,
        customer_id=invoice.customer.id,
        customer_name=invoice.customer.name,
        billing_period=invoice.billing_period,
        currency=invoice.currency,
        subtotal=invoice.subtotal,
        total=invoice.total,
        due_date=invoice.due_date,
        notes=invoice.notes,
    )


def billed_amount(item: Item, line_kind: str) -> Decimal | None:
    """Return what a charge adds to a line: its price, of a marketplace fee its cost."""
    amount: Decimal | None = item["total_cost"] if line_kind == "marketplace" else item["total_sell"]
    return amount


def _term_name(item: Item) -> str:
    return " ".join(word for word in (item["price_term"], item["price_term_id"]) if word) or "no term"


def _spoken(amount: Decimal | None) -> str:
    return "no price" if amount is None else plain_decimal(amount)
