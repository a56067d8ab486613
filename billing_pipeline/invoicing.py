"""What a document is: parties, lines, taxes, credits, totals; and what a run of drafts comes to.

What does not belong here: making drafts (`drafting`), how a document looks (`documents`), where it is kept (`ledger`).
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from billing_pipeline.credits import CreditUse
from billing_pipeline.exchange import AppliedRate
from billing_pipeline.taxes import TaxLine

LineKind = Literal["usage", "subscription", "marketplace", "support", "custom", "credit", "adjustment"]
DocumentType = Literal["invoice", "credit_note"]
ErrorKind = Literal[
    "unpriced",
    "unsettled",
    "difference",
    "currency",
    "exchange_rate",
    "tax",
    "support_plan",
    "unknown_customer",
    "already_invoiced",
]


@dataclass(frozen=True)
class Party:
    """One side of a document: the reseller or the customer.

    Attributes:
        country: ISO 3166-1 alpha-2 code, or None.
        logo: path of an image file, absolute, or None.
    """

    id: str
    name: str
    address: str | None = None
    email: str | None = None
    phone: str | None = None
    contact: str | None = None
    country: str | None = None
    tax_id: str | None = None
    logo: str | None = None


@dataclass(frozen=True)
class InvoiceLine:
    """One line of a document.

    Attributes:
        line_number: 1, 2, ... in the document's order.
        product_type: group of the line.
        description: what the customer reads.
        quantity: exact quantity in `unit`, or None where quantities of different units meet.
        amount_precise: exact amount in the document's currency.
        amount: payable amount; the lines' amounts add up to the document's subtotal.
        charged_currency: currency of the charges, where it is not the document's.
        charged_amount: exact amount in that currency, before it was converted.
        service_period: month of the service, `YYYY-MM`, of an adjustment of a month before the document's.
        reference: what an adjustment or a credit note's line refers to, such as an invoice number and line.
        charge_count: how many charges are behind the line; the document's snapshot holds them.
        charges_sha256: hash of their sorted ids, so that other charges are another content; None without charges.
    """

    line_number: int
    product_type: str
    product_id: str
    product_name: str
    description: str
    quantity: Decimal | None
    unit: str | None
    amount_precise: Decimal
    amount: Decimal
    tax_category: str
    line_kind: LineKind
    charge_count: int = 0
    charges_sha256: str | None = None
    charged_currency: str | None = None
    charged_amount: Decimal | None = None
    service_period: str | None = None
    reference: str | None = None


@dataclass(frozen=True)
class Invoice:
    """One document of one customer, billing period and currency.

    Attributes:
        invoice_number: None until approval.
        subtotal: net payable sum of the lines; credits_applied is positive.
        total: subtotal + tax_total - credits_applied.
        notes: sentences printed on the document, such as an override's reason.
        taxes: one per category and rate; their amounts add up to tax_total.
        credits: what is taken of each credit; the amounts add up to credits_applied.
        exchange_rates: every rate that turned charges into the document's currency.
        document_type: an invoice, or a credit note that corrects one.
        corrects: number of the document that a credit note corrects.
        issued_on: day of approval in the organisation's zone; None on a draft.
    """

    invoice_id: str
    invoice_number: str | None
    status: str
    customer: Party
    organisation: Party
    billing_period: str
    currency: str
    lines: tuple[InvoiceLine, ...]
    subtotal: Decimal
    tax_total: Decimal
    credits_applied: Decimal
    total: Decimal
    due_date: date | None
    options: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
    taxes: tuple[TaxLine, ...] = ()
    credits: tuple[CreditUse, ...] = ()
    exchange_rates: tuple[AppliedRate, ...] = ()
    document_type: DocumentType = "invoice"
    corrects: str | None = None
    issued_on: date | None = None

    @property
    def shown_lines(self) -> tuple[InvoiceLine, ...]:
        """The lines that a customer reads: an adjustment of nothing only says that the reseller's cost has changed.

        Numbers stay as they are, because other documents refer to them.
        """
        return tuple(
            line for line in self.lines if line.line_kind != "adjustment" or line.amount_precise or line.amount
        )

    @property
    def is_in_favour(self) -> bool:
        """Whether the reseller owes the total to the customer; a credit note says so in its title."""
        return self.document_type == "invoice" and self.total < 0

    @property
    def payable_by(self) -> date | None:
        """The due date of a document that leaves anything to pay; None on all others."""
        return self.due_date if self.total > 0 else None


@dataclass(frozen=True)
class DraftOptions:
    """What the operator chose for a run of drafts.

    Attributes:
        include_marketplace_fees: whether marketplace fees are on the drafts, at cost.
        include_tax: whether taxes are added.
        apply_credits: whether general credits reduce the drafts.
        use_credits_for_marketplace_fees: whether marketplace credits pay marketplace fees.
        override_unsettled: the reason why a period that is not settled is invoiced; printed on each draft.
        customers: customer ids the run is limited to; None means all.
    """

    include_marketplace_fees: bool = False
    override_unsettled: str | None = None
    customers: tuple[str, ...] | None = None
    include_tax: bool = False
    apply_credits: bool = False
    use_credits_for_marketplace_fees: bool = False


@dataclass(frozen=True, order=True)
class InvoiceError:
    """One reason why a customer got no draft.

    Attributes:
        reason: a sentence for the operator, which says what to do where that is known.
    """

    customer_id: str
    billing_period: str
    reason: str
    kind: ErrorKind


@dataclass(frozen=True)
class Drafted:
    """The outcome of one run of drafts.

    Attributes:
        invoices: the drafts, sorted by customer.
        errors: the customers without draft, sorted by customer, every reason of each.
        scope: the customer ids the run was limited to; None means all.
    """

    invoices: tuple[Invoice, ...]
    errors: tuple[InvoiceError, ...]
    scope: tuple[str, ...] | None = None
