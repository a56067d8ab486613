"""Documents for tests: small ones, and one that uses everything a document can say."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from billing_pipeline.credits import CreditUse
from billing_pipeline.exchange import AppliedRate
from billing_pipeline.invoicing import Invoice, InvoiceLine, Party
from billing_pipeline.taxes import TaxLine


def line(number: int, amount: str, name: str = "Standard_D4s_v5", product_type: str = "Compute") -> InvoiceLine:
    """Return a line of usage of 744.5 hours."""
    return InvoiceLine(
        line_number=number,
        product_type=product_type,
        product_id="d4s",
        product_name=name,
        description=f"{name}, October",
        quantity=Decimal("744.500000000000000000"),
        unit="Hours",
        amount_precise=Decimal(amount),
        amount=Decimal(amount),
        tax_category="standard",
        line_kind="usage",
    )


def an_invoice(*lines: InvoiceLine, currency: str = "EUR") -> Invoice:
    """Return a draft of October 2026 for a customer in Britain, without taxes or credits."""
    subtotal = sum((one.amount for one in lines), Decimal(0))
    return Invoice(
        invoice_id="draft-2026-10-1001",
        invoice_number=None,
        status="draft",
        customer=Party("1001", "Acme GmbH", address="5 High Street\nLondon", country="GB"),
        organisation=Party("contoso", "Contoso Cloud Ltd", email="billing@contoso.example"),
        billing_period="2026-10",
        currency=currency,
        lines=lines,
        subtotal=subtotal,
        tax_total=Decimal(0),
        credits_applied=Decimal(0),
        total=subtotal,
        due_date=date(2026, 12, 1),
    )


def with_everything(invoice: Invoice) -> Invoice:
    """Return a document with two taxes of 24.00 in all, a credit of 5.00, two rates, options and a note."""
    return replace(
        invoice,
        taxes=(
            TaxLine("standard", "gb-20", "VAT 20%", Decimal("20.0000"), Decimal("120.00"), Decimal("24.00")),
            TaxLine("reverse_charge", None, "Reverse charge", Decimal(0), Decimal("7.00"), Decimal("0.00"), "Art. 196"),
        ),
        tax_total=Decimal("24.00"),
        credits=(CreditUse("cr-7", "general", Decimal("5.00"), Decimal("95.00"), date(2027, 1, 1), "Microsoft"),),
        credits_applied=Decimal("5.00"),
        total=invoice.subtotal + Decimal("19.00"),
        exchange_rates=(
            AppliedRate("USD", "EUR", Decimal("0.900000"), date(2026, 10, 30), "ECB", False),
            AppliedRate("EUR", "GBP", Decimal("0.87"), date(2026, 10, 30), None, True),
        ),
        options=("apply_credits", "include_tax"),
        notes=("Invoiced before it was settled.",),
    )
