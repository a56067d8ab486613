"""Invoice drafts: from priced charges, fees, taxes and credits to one document per customer.

What does not belong here: what a document is (`invoicing`), rates, taxes, credits and fees one by one (`exchange`,
`taxes`, `credits`, `fees`), where documents are kept (`ledger`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any, Final

import polars as pl

from billing_pipeline.adjustments import Adjustments, Standing
from billing_pipeline.configuration import Organisation
from billing_pipeline.credits import CreditUse, usable_balances, use_credits
from billing_pipeline.draft_rows import DraftRows
from billing_pipeline.errors import ReferenceInvalid
from billing_pipeline.exchange import RateMissing, RateTable
from billing_pipeline.fees import Fee, PlanInvalid, custom_charges, plans_in_force
from billing_pipeline.identifiers import file_name_of
from billing_pipeline.invoicing import Drafted, DraftOptions, Invoice, InvoiceError, InvoiceLine, LineKind, Party
from billing_pipeline.money import EXACT, allocate_rounded, round_money
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.taxes import Place, TaxLine, TaxUnknown, category_of, tax_lines

Row = Mapping[str, Any]

# The order in which a customer reads the lines; the last keys only keep equal lines in a fixed order.
LINE_ORDER: Final = (
    "product_type",
    "product_name",
    "product_id",
    "unit",
    "line_kind",
    "tax_category",
    "currency",
    "reference",
    "service_period",
    "description",
)


@dataclass(frozen=True)
class DraftTerms:
    """What drafts need beside the charges: rows of the reference files in force, and what the ledger knows.

    Attributes:
        customers: one row a customer: customer_id, name, invoice_currency and the optional columns.
        used_credits: what documents other than this period's drafts take of each credit_id, in its currency.
        adjustments: what locked months add, of any customers.
        awaited_sources: sources of usage that have delivered nothing for the period yet, by the customers who have
            accounts in them.
    """

    customers: Sequence[Row]
    pricebooks: Sequence[Row] = ()
    exchange_rates: Sequence[Row] = ()
    tax_rates: Sequence[Row] = ()
    credits: Sequence[Row] = ()
    support_plans: Sequence[Row] = ()
    custom_charges: Sequence[Row] = ()
    used_credits: Mapping[str, Decimal] = field(default_factory=dict)
    adjustments: Adjustments = field(default_factory=Adjustments)
    awaited_sources: Mapping[str, Sequence[str]] = field(default_factory=dict)


class _Refused(Exception):
    """A customer cannot be drafted; carries the error."""

    def __init__(self, error: InvoiceError) -> None:
        super().__init__(error.reason)
        self.error = error


def draft_invoices(
    lines: pl.DataFrame,
    terms: DraftTerms,
    blocked: Mapping[str, tuple[InvoiceError, ...]],
    organisation: Organisation,
    period: BillingPeriod,
    options: DraftOptions,
) -> Drafted:
    """Make the draft of every customer who can be invoiced, and say why the others cannot.

    Args:
        lines: the rows of `sql/invoicing/draft_lines.sql`, in any order.
        terms: what else is on the drafts, and how it is converted and taxed.
        blocked: customer id to the reasons why this period cannot be invoiced yet (unpriced charges, an
            unsettled source); such a customer gets no draft, also when it has lines.
        period: the billing period of all lines.

    Returns:
        One draft per customer, period and invoice currency, and the errors of the customers in scope. A customer with
        nothing to bill, in scope or not, gets neither.

    Raises:
        ReferenceInvalid: a customer has more than one reference row.
        UnknownCurrency: an invoice currency is not in ISO 4217.
    """
    known = _by_customer_id(terms.customers)
    scope = None if options.customers is None else tuple(sorted(set(options.customers)))
    if not options.include_marketplace_fees:
        lines = lines.filter(pl.col("line_kind") != "marketplace")
    rows = _grouped([*lines.iter_rows(named=True), *terms.adjustments.lines])
    books = _Books(terms, organisation, period, options)
    concerned = rows.keys() | blocked.keys() | books.fees.keys() | set(scope or ())
    invoices: list[Invoice] = []
    errors: list[InvoiceError] = []
    for customer_id in sorted(concerned if scope is None else concerned & set(scope)):
        refusals = list(blocked.get(customer_id, ()))
        customer = known.get(customer_id)
        if customer is None:
            reason = f"customer {customer_id}: not among the reference customers; add a row to customers.csv"
            refusals.append(InvoiceError(customer_id, period.text, reason, "unknown_customer"))
        else:
            refusals += books.refusals(rows.get(customer_id, []), customer)
        try:
            if customer is not None and not refusals:
                draft = books.draft(rows.get(customer_id, []), customer)
                invoices += [draft] if draft else []
        except _Refused as refused:
            refusals.append(refused.error)
        errors += refusals
    return Drafted(tuple(invoices), tuple(errors), scope)


def _by_customer_id(customers: Sequence[Row]) -> dict[str, Row]:
    known = {str(customer["customer_id"]): customer for customer in customers}
    if len(known) < len(customers):
        ids = [customer["customer_id"] for customer in customers]
        repeated = sorted({name for name in ids if ids.count(name) > 1})
        raise ReferenceInvalid(tuple(f"customer {name} has more than one row in force" for name in repeated))
    return known


def _grouped(rows: Sequence[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(str(row["customer_id"]), []).append(row)
    return grouped


class _Books:
    """Everything that is the same for all customers of a run."""

    def __init__(
        self, terms: DraftTerms, organisation: Organisation, period: BillingPeriod, options: DraftOptions
    ) -> None:
        self.terms = terms
        self.organisation = organisation
        self.period = period
        self.options = options
        self.rates = RateTable(terms.exchange_rates)
        self.last_day = period.last_day
        self.book_currencies = {row["pricebook_id"]: row["currency"] for row in terms.pricebooks}
        self.plans = _grouped(terms.support_plans)
        self.credits = _grouped(terms.credits)
        charges = {name: self._custom_charges(name, rows) for name, rows in _grouped(terms.custom_charges).items()}
        self.charges = {name: found for name, found in charges.items() if found}
        supported = {name for name, rows in self.plans.items() if plans_in_force(rows, period)}
        self.fees = dict.fromkeys([*self.charges, *supported])

    def _custom_charges(self, customer_id: str, rows: Sequence[Row]) -> list[Fee]:
        """Return the month's custom charges, and those of locked months that came to be known after their invoices."""
        adjustments = self.terms.adjustments
        billed = adjustments.standing.get(customer_id, Standing()).custom_charges
        due = [fee for fee in custom_charges(rows, self.period) if (fee.fee_id, self.period.text) not in billed]
        for month, reference in adjustments.months_of(customer_id, self.period).items():
            due += [
                replace(fee, service_period=month.text, reference=reference)
                for fee in custom_charges(rows, month)
                if (fee.fee_id, month.text) not in billed
            ]
        return due

    def refusals(self, rows: Sequence[Row], customer: Row) -> list[InvoiceError]:
        """Return why a customer's charges cannot be billed, whatever else is on the draft."""
        found = [
            self.error(
                customer, "currency", f"currency {currency} is not enabled; set a pricebook and invoice currency"
            )
            for currency in sorted({row["currency"] for row in rows} - self._enabled(customer))
        ]
        unpriced = [row["product_name"] for row in rows if row["amount_precise"] is None]
        awaited = self.terms.awaited_sources.get(customer["customer_id"], ())
        if not rows and self.options.override_unsettled is None and customer["customer_id"] in self.fees:
            # A document of fees alone would lock the month before its usage has come.
            found += [
                self.error(
                    customer,
                    "unsettled",
                    f"source {source} has delivered nothing for {self.period} yet; wait, or override with a reason",
                )
                for source in sorted(awaited)
            ]
        return [
            *found,
            *(
                self.error(customer, "unpriced", f"{name} holds an item without a price")
                for name in dict.fromkeys(unpriced)
            ),
        ]

    def error(self, customer: Row, kind: Any, reason: str) -> InvoiceError:
        """Return an error that names the customer."""
        who = f"customer {customer['customer_id']} ({customer['name']})"
        return InvoiceError(customer["customer_id"], self.period.text, f"{who}: {reason}", kind)

    def _enabled(self, customer: Row) -> set[str]:
        enabled = customer.get("enabled_currencies") or ()
        enabled = enabled.split(";") if isinstance(enabled, str) else enabled
        book = self.book_currencies.get(customer.get("pricebook_id"))
        return {customer["invoice_currency"], *enabled, *([book] if book else [])}

    def draft(self, rows: Sequence[Row], customer: Row) -> Invoice | None:
        """Return the customer's draft; None where there is nothing to bill.

        Raises:
            _Refused: a rate, a tax or a plan is missing or contradicts itself.
        """
        rows_of_draft = DraftRows(
            customer,
            self.period,
            self.rates,
            self.plans.get(customer["customer_id"], ()),
            self.terms.adjustments.months,
            self.terms.adjustments.support_billed.get(customer["customer_id"], ()),
        )
        try:
            drafted = rows_of_draft.of(rows, self.charges.get(customer["customer_id"], ()))
        except RateMissing as missing:
            raise _Refused(self.error(customer, "exchange_rate", str(missing))) from missing
        except PlanInvalid as invalid:
            raise _Refused(self.error(customer, "support_plan", str(invalid))) from invalid
        if all(row["line_kind"] == "adjustment" and not row["amount_precise"] for row in drafted):
            # Nothing, or nothing that the customer pays.
            return None
        drafted.sort(key=lambda row: tuple((row.get(name) is not None, row.get(name) or "") for name in LINE_ORDER))
        currency = customer["invoice_currency"]
        amounts = allocate_rounded([row["amount_precise"] for row in drafted], currency)
        lines = tuple(_line(number, *one) for number, one in enumerate(zip(drafted, amounts, strict=True), 1))
        subtotal = reduce(EXACT.add, amounts)
        taxes = self._taxes(lines, customer)
        tax_total = sum((tax.amount for tax in taxes), start=round_money(Decimal(0), currency))
        uses = self._credits(lines, taxes, EXACT.add(subtotal, tax_total), customer)
        applied = sum((use.amount for use in uses), start=round_money(Decimal(0), currency))
        return Invoice(
            invoice_id=f"{self.period}-{file_name_of(customer['customer_id'])}-{currency}",
            invoice_number=None,
            status="draft",
            customer=_customer_party(customer),
            organisation=_organisation_party(self.organisation),
            billing_period=self.period.text,
            currency=currency,
            lines=lines,
            subtotal=subtotal,
            tax_total=tax_total,
            credits_applied=applied,
            total=subtotal + tax_total - applied,
            due_date=self._due_date(customer),
            options=self._options_used(),
            notes=self._notes(customer),
            taxes=taxes,
            credits=uses,
            exchange_rates=rows_of_draft.rates_used,
        )

    def _taxes(self, lines: Sequence[InvoiceLine], customer: Row) -> tuple[TaxLine, ...]:
        if not self.options.include_tax:
            return ()
        own = customer.get("tax_category")
        amounts = [(category_of(line.tax_category, own), line.amount) for line in lines]
        place = Place(customer.get("country"), customer.get("region"), customer.get("postal_code"))
        try:
            return tax_lines(amounts, place, self.terms.tax_rates, self.last_day, customer["invoice_currency"])
        except TaxUnknown as unknown:
            raise _Refused(self.error(customer, "tax", str(unknown))) from unknown

    def _credits(
        self, lines: Sequence[InvoiceLine], taxes: Sequence[TaxLine], owed: Decimal, customer: Row
    ) -> tuple[CreditUse, ...]:
        """Take marketplace credits for marketplace fees first, then general credits for what is left of the whole."""
        currency = customer["invoice_currency"]
        rows = self.credits.get(customer["customer_id"], ())
        balances = usable_balances(rows, self.terms.used_credits, self.period, currency)
        uses: tuple[CreditUse, ...] = ()
        if self.options.use_credits_for_marketplace_fees:
            fees = min(self._marketplace_fees(lines, taxes, customer), owed)
            uses, rest = use_credits(balances, "marketplace", fees, currency)
            owed = EXACT.subtract(owed, EXACT.subtract(fees, rest)) if uses else owed
        if self.options.apply_credits:
            general, _ = use_credits(balances, "general", owed, currency)
            uses = (*uses, *general)
        return uses

    def _marketplace_fees(self, lines: Sequence[InvoiceLine], taxes: Sequence[TaxLine], customer: Row) -> Decimal:
        """Return the payable marketplace fees with the tax on them, each tax rounded to the minor unit."""
        currency, own = customer["invoice_currency"], customer.get("tax_category")
        fees = [line for line in lines if line.line_kind == "marketplace"]
        total = sum((line.amount for line in fees), start=round_money(Decimal(0), currency))
        for tax in taxes:
            base = sum(
                (line.amount for line in fees if category_of(line.tax_category, own) == tax.tax_category), Decimal(0)
            )
            total += round_money(base * tax.percent * Decimal("0.01"), currency)
        return total

    def _due_date(self, customer: Row) -> date:
        terms = customer.get("payment_terms_days")
        days = self.organisation.payment_terms_days if terms is None else int(terms)
        # Payment terms count from the last day of the period, not from the making of the draft: no clock.
        return self.last_day + timedelta(days=days)

    def _options_used(self) -> tuple[str, ...]:
        names = ("apply_credits", "include_tax", "include_marketplace_fees", "use_credits_for_marketplace_fees")
        used = [name for name in names if getattr(self.options, name)]
        return (*used, *(["override_unsettled"] if self.options.override_unsettled is not None else []))

    def _notes(self, customer: Row) -> tuple[str, ...]:
        notes = []
        if self.options.override_unsettled is not None:
            reason = self.options.override_unsettled
            notes.append(f"The billing period was not settled when this draft was made: {reason}")
        if self.options.apply_credits or self.options.use_credits_for_marketplace_fees:
            foreign = {row["currency"] for row in self.credits.get(customer["customer_id"], ())}
            notes += [
                f"Credits in {currency} are not applied: this statement is in {customer['invoice_currency']}"
                for currency in sorted(foreign - {customer["invoice_currency"]})
            ]
        return tuple(notes)


def _line(number: int, row: Row, amount: Decimal) -> InvoiceLine:
    kind: LineKind = row["line_kind"]
    optional = ("charges_sha256", "charged_currency", "charged_amount", "service_period", "reference")
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
        line_kind=kind,
        charge_count=row.get("charge_count") or 0,
        **{name: row.get(name) for name in optional},
    )


def _customer_party(customer: Row) -> Party:
    optional = {name: customer.get(name) for name in ("address", "email", "contact", "country", "tax_id")}
    return Party(id=customer["customer_id"], name=customer["name"], **optional)


def _organisation_party(organisation: Organisation) -> Party:
    # The logo stays as billing.toml names it: an absolute path would make a document differ between machines.
    names = ("id", "name", "address", "email", "phone", "country", "tax_id", "logo")
    return Party(**{name: getattr(organisation, name) for name in names})
