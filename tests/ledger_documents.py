"""Documents for tests of the ledger, and putting them in."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine

from billing_pipeline.invoicing import Drafted, Invoice, InvoiceError, InvoiceLine, Party
from billing_pipeline.ledger.operations import ReplaceResult, replace_drafts
from billing_pipeline.periods import BillingPeriod

MONDAY = datetime(2026, 11, 9, 7, 0, tzinfo=UTC)
LINE = InvoiceLine(
    line_number=1,
    product_type="Compute",
    product_id="vm",
    product_name="Machines",
    description="Hours of machines",
    quantity=Decimal("0.100000000000000001"),
    unit="Hours",
    amount_precise=Decimal("12345678901234.123456789012345678901234"),
    amount=Decimal("12345678901234.12"),
    tax_category="standard",
    line_kind="usage",
    charge_count=2,
    charges_sha256="a" * 64,
)


def draft(customer_id: str = "c1", currency: str = "EUR", period: str = "2026-10", **fields: Any) -> Invoice:
    """A draft of one line of 12,345,678,901,234.12, unless other lines are given."""
    lines = fields.pop("lines", (LINE,))
    total = sum((line.amount for line in lines), Decimal("0.00"))
    values: dict[str, Any] = {
        "invoice_id": f"{period}-{customer_id}-{currency}",
        "invoice_number": None,
        "status": "draft",
        "customer": Party(customer_id, "Acme Ελλάς", contact="Ann"),
        "organisation": Party("contoso", "Contoso Cloud Ltd", logo="logo.png"),
        "billing_period": period,
        "currency": currency,
        "lines": lines,
        "subtotal": total,
        "tax_total": Decimal("0.00"),
        "credits_applied": Decimal("0.00"),
        "total": total,
        "due_date": date(2026, 11, 30),
        "options": ("include_marketplace_fees",),
        "notes": ("a note",),
    }
    return Invoice(**values | fields)


def put(
    engine: Engine,
    *drafts: Invoice,
    errors: tuple[InvoiceError, ...] = (),
    scope: tuple[str, ...] | None = None,
    at: datetime = MONDAY,
) -> ReplaceResult:
    """Replace the drafts of the period of the first draft, or of 2026-10."""
    period = BillingPeriod(drafts[0].billing_period if drafts else "2026-10")
    with engine.begin() as connection:
        return replace_drafts(connection, period, Drafted(drafts, errors, scope), at, "ann")
