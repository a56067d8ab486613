"""Invoice drafts: from priced charges to the lines and totals of one document.

What does not belong here: how a document looks (`documents`), where it is kept (`ledger`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from itertools import groupby
from typing import Any, Literal

import polars as pl

from billing_pipeline.configuration import Organisation
from billing_pipeline.errors import ReferenceInvalid
from billing_pipeline.identifiers import file_name_of
from billing_pipeline.money import EXACT, allocate_rounded, round_money
from billing_pipeline.periods import BillingPeriod

LineKind = Literal["usage", "subscription", "marketplace", "support", "custom", "credit", "adjustment"]
ErrorKind = Literal["unpriced", "unsettled", "difference", "currency", "unknown_customer", "already_invoiced"]

# The order in which a customer reads the lines; the last key only keeps equal lines in a fixed order.
LINE_ORDER = ("product_type", "product_name", "product_id", "unit", "line_kind", "tax_category")


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
        charge_ids: the charges behind the line, sorted.
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
    charge_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Invoice:
    """One document of one customer, billing period and currency.

    Attributes:
        invoice_number: None until approval.
        subtotal: net payable sum of the lines; credits_applied is positive.
        total: subtotal + tax_total - credits_applied.
        notes: sentences printed on the document, such as an override's reason.
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


@dataclass(frozen=True)
class DraftOptions:
    """What the operator chose for a run of drafts.

    Attributes:
        include_marketplace_fees: whether marketplace fees are on the drafts, at cost.
        override_unsettled: the reason why a period that is not settled is invoiced; printed on each draft.
        customers: customer ids the run is limited to; None means all.
    """

    include_marketplace_fees: bool = False
    override_unsettled: str | None = None
    customers: tuple[str, ...] | None = None


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


def draft_invoices(
    lines: pl.DataFrame,
    customers: pl.DataFrame,
    blocked: Mapping[str, tuple[InvoiceError, ...]],
    organisation: Organisation,
    period: BillingPeriod,
    options: DraftOptions,
) -> Drafted:
    """Make the draft of every customer who can be invoiced, and say why the others cannot.

    Args:
        lines: the rows of `sql/invoicing/draft_lines.sql`, in any order.
        customers: the reference rows in force, one a customer: customer_id, name, invoice_currency and, if
            present, email, contact, address, country, tax_id, payment_terms_days, enabled_currencies.
        blocked: customer id to the reasons why this period cannot be invoiced yet (unpriced charges, an
            unsettled source); such a customer gets no draft, also when it has lines.
        period: the billing period of all lines.

    Returns:
        One draft per customer, period and invoice currency, and the errors of the customers in scope.

    Raises:
        ReferenceInvalid: a customer has more than one reference row.
        UnknownCurrency: an invoice currency is not in ISO 4217.
    """
    known = _by_customer_id(customers)
    scope = None if options.customers is None else tuple(sorted(set(options.customers)))
    rows = _rows_by_customer(lines, options)
    concerned = rows.keys() | blocked.keys() | set(scope or ())
    invoices: list[Invoice] = []
    errors: list[InvoiceError] = []
    for customer_id in sorted(concerned if scope is None else concerned & set(scope)):
        own = rows.get(customer_id, [])
        customer = known.get(customer_id)
        refusals = list(blocked.get(customer_id, ()))
        if customer is None:
            reason = f"customer {customer_id}: not among the reference customers; add a row to customers.csv"
            refusals.append(InvoiceError(customer_id, period.text, reason, "unknown_customer"))
        else:
            refusals += _refusals(own, customer, period)
        errors += refusals
        if customer is not None and own and not refusals:
            invoices.append(_draft(own, customer, organisation, period, options))
    return Drafted(tuple(invoices), tuple(errors), scope)


def _by_customer_id(customers: pl.DataFrame) -> dict[str, dict[str, Any]]:
    known: dict[str, dict[str, Any]] = {}
    repeated = set()
    for customer in customers.iter_rows(named=True):
        if customer["customer_id"] in known:
            repeated.add(customer["customer_id"])
        known[customer["customer_id"]] = customer
    if repeated:
        raise ReferenceInvalid(tuple(f"customer {name} has more than one row in force" for name in sorted(repeated)))
    return known


def _rows_by_customer(lines: pl.DataFrame, options: DraftOptions) -> dict[str, list[dict[str, Any]]]:
    if not options.include_marketplace_fees:
        lines = lines.filter(pl.col("line_kind") != "marketplace")
    ordered = lines.sort("customer_id", "currency", *LINE_ORDER).iter_rows(named=True)
    return {customer_id: list(rows) for customer_id, rows in groupby(ordered, key=lambda row: str(row["customer_id"]))}


def _refusals(rows: Sequence[dict[str, Any]], customer: dict[str, Any], period: BillingPeriod) -> list[InvoiceError]:
    who = f"customer {customer['customer_id']} ({customer['name']})"
    invoice_currency = customer["invoice_currency"]
    enabled = customer.get("enabled_currencies") or ()
    enabled = enabled.split(";") if isinstance(enabled, str) else enabled
    found: list[tuple[str, ErrorKind]] = []
    for currency in sorted({row["currency"] for row in rows} - {invoice_currency}):
        reason = f"currency {currency} is not enabled; set a pricebook and invoice currency"
        if currency in enabled:
            reason = f"currency {currency} is enabled but is not the invoice currency, {invoice_currency}"
        found.append((reason, "currency"))
    unpriced = [row["product_name"] for row in rows if row["amount_precise"] is None]
    found += [(f"{name} holds an item without a price", "unpriced") for name in dict.fromkeys(unpriced)]
    return [InvoiceError(customer["customer_id"], period.text, f"{who}: {reason}", kind) for reason, kind in found]


def _draft(
    rows: Sequence[dict[str, Any]],
    customer: dict[str, Any],
    organisation: Organisation,
    period: BillingPeriod,
    options: DraftOptions,
) -> Invoice:
    currency = customer["invoice_currency"]
    amounts = allocate_rounded([row["amount_precise"] for row in rows], currency)
    subtotal, nothing = reduce(EXACT.add, amounts), round_money(Decimal(0), currency)
    terms = customer.get("payment_terms_days")
    days = organisation.payment_terms_days if terms is None else int(terms)
    used = ["include_marketplace_fees"] if options.include_marketplace_fees else []
    notes = []
    if options.override_unsettled is not None:
        used.append("override_unsettled")
        notes.append(f"The billing period was not settled when this draft was made: {options.override_unsettled}")
    return Invoice(
        invoice_id=f"{period}-{file_name_of(customer['customer_id'])}-{currency}",
        invoice_number=None,
        status="draft",
        customer=_customer_party(customer),
        organisation=_organisation_party(organisation),
        billing_period=period.text,
        currency=currency,
        lines=tuple(
            _line(number, row, amount) for number, (row, amount) in enumerate(zip(rows, amounts, strict=True), 1)
        ),
        subtotal=subtotal,
        tax_total=nothing,
        credits_applied=nothing,
        total=subtotal,
        # Payment terms count from the last day of the period, not from the making of the draft: no clock.
        due_date=period.end_day + timedelta(days=days - 1),
        options=tuple(used),
        notes=tuple(notes),
    )


def _line(number: int, row: dict[str, Any], amount: Decimal) -> InvoiceLine:
    return InvoiceLine(
        line_number=number,
        product_type=row["product_type"],
        product_id=row["product_id"],
        product_name=row["product_name"],
        description=row["description"],
        quantity=row["quantity"],
        unit=row["unit"],
        amount_precise=row["amount_precise"],
        amount=amount,
        tax_category=row["tax_category"],
        line_kind=row["line_kind"],
        charge_ids=tuple(sorted(row["charge_ids"])),
    )


def _customer_party(customer: dict[str, Any]) -> Party:
    optional = {name: customer.get(name) for name in ("address", "email", "contact", "country", "tax_id")}
    return Party(id=customer["customer_id"], name=customer["name"], **optional)


def _organisation_party(organisation: Organisation) -> Party:
    # The logo stays as billing.toml names it: an absolute path would make a document differ between machines.
    names = ("id", "name", "address", "email", "phone", "country", "tax_id", "logo")
    return Party(**{name: getattr(organisation, name) for name in names})
