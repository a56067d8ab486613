"""The distributor invoice's downloadable template: one invoice and one credit note that shows every field in use."""

from datetime import date
from decimal import Decimal

from billing_pipeline.samples.catalogue import Customer
from billing_pipeline.samples.distributor_items import DistributorInvoice, Item
from billing_pipeline.samples.licences import LICENCES


def template_invoices() -> list[DistributorInvoice]:
    """Return an invoice of two items and the credit note that takes one of them back in part."""
    customer = Customer("C1001", "Example Customer Ltd", "GR", "Athina", "10552", "billing@customer.example")
    seats = Item(
        "1", customer, LICENCES["CFQ7TTC0LCHC-0002"], "Microsoft 365 Business Standard", date(2026, 10, 1),
        date(2026, 11, 1), Decimal(10), Decimal("9.945"), "SO-100001", ordered_before_days=2,
    )  # fmt: skip
    installment = Item(
        "2", customer, LICENCES["CFQ7TTC0LFLZ-0002"], "Microsoft 365 E5", date(2026, 7, 1), date(2027, 7, 1),
        Decimal(3), Decimal("48.535"), "SO-100002", ordered_before_days=90, installment=(4, 12),
    )  # fmt: skip
    returned = Item(
        "1", customer, seats.licence, "Microsoft 365 Business Standard - seats returned", seats.start_date,
        seats.end_date, Decimal(4), seats.unit_cost, "SO-100001", ordered_before_days=19, credits_line_number="1",
    )  # fmt: skip
    invoice = DistributorInvoice(
        "INV-2026-0001", date(2026, 10, 3), "debit", "issued", "reseller_storefront", "billing_service",
        (seats, installment),
    )  # fmt: skip
    credit_note = DistributorInvoice(
        "INV-2026-0002", date(2026, 10, 20), "credit", "issued", "reseller_storefront", "manual", (returned,),
        invoice.invoice_number,
    )  # fmt: skip
    return [invoice, credit_note]
