"""What became of a month after its invoices: causes of adjustments, and what a locked month needs to be adjusted.

Invoices fix a month. When a later delivery changes it, the differences are billed on the next month's documents, on the
original service period. What does not belong here: finding the differences (`sql/invoicing/adjustment_items.sql`),
the other lines of a draft (`drafting`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from billing_pipeline.exchange import AppliedRate, RateTable
from billing_pipeline.invoicing import InvoiceError
from billing_pipeline.money import EXACT
from billing_pipeline.periods import BillingPeriod

CAUSES: Final = ("late_usage", "price", "quantity", "mapping", "withdrawn", "billed_elsewhere")

# Price and cost of a month in one currency.
Base = tuple[Decimal, Decimal]
NOTHING: Final[Base] = (Decimal(0), Decimal(0))
# A customer and a billing period, `YYYY-MM`.
CustomerMonth = tuple[str, str]


@dataclass(frozen=True)
class LockedMonth:
    """A month of one customer whose document stands, and what has changed in it since.

    Attributes:
        period: the month.
        reference: number of its document, or the id while it has none; None for a month without document.
        currency: of the document, if there is one.
        rates: those that the document was converted with.
        support_plans: ids of the support plans on the document.
        billed: by currency, price and cost of what support plans are taken of, as billed so far.
        changed: by currency, what the adjustments add to that.
    """

    period: BillingPeriod
    reference: str | None
    currency: str | None
    rates: tuple[AppliedRate, ...] = ()
    support_plans: frozenset[str] = frozenset()
    billed: Mapping[str, Base] = field(default_factory=dict)
    changed: Mapping[str, Base] = field(default_factory=dict)

    def rate(self, currency: str, into: str, table: RateTable) -> AppliedRate:
        """Return the rate that turns charges of the month into a document's currency.

        The month's own document decides, so that it makes no difference when a charge arrived; the table, as of the
        month's last day, where the document had no such charges or was in another currency.

        Raises:
            RateMissing: neither has one.
        """
        if into == self.currency:
            for rate in self.rates:
                pair = (rate.base_currency, rate.quote_currency)
                if (pair[::-1] if rate.is_inverse else pair) == (currency, into):
                    return rate
        return table.rate(currency, into, self.period.last_day)

    def bases(self) -> Mapping[str, tuple[Base, Base]]:
        """Return, by currency, price and cost as billed before and as they are with the adjustments."""
        return {
            currency: (before, (EXACT.add(before[0], added[0]), EXACT.add(before[1], added[1])))
            for currency in sorted(self.billed.keys() | self.changed.keys())
            for before, added in [(self.billed.get(currency, NOTHING), self.changed.get(currency, NOTHING))]
        }


@dataclass(frozen=True)
class SupportBilled:
    """A support fee that a document has billed as adjustment of a month.

    Attributes:
        period: the month, `YYYY-MM`.
        amount: exact, in `currency`.
        reference: the document.
    """

    plan_id: str
    period: str
    amount: Decimal
    currency: str
    reference: str


@dataclass(frozen=True)
class Generated:
    """Which months' invoices have been made for all customers.

    Attributes:
        months: billing periods, `YYYY-MM`, of which documents have been issued.
        refused: customers, each with a period, who got no draft: that month is still to be drafted for them.
    """

    months: frozenset[str] = frozenset()
    refused: frozenset[CustomerMonth] = frozenset()


@dataclass(frozen=True)
class Standing:
    """What documents of one customer stand for.

    Attributes:
        references: number of the issued document by earlier month, `YYYY-MM`.
        custom_charges: ids of the custom charges that are billed, each with the month it is for.
    """

    references: Mapping[str, str] = field(default_factory=dict)
    custom_charges: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Adjustments:
    """What locked months add to the drafts of a period.

    Attributes:
        lines: rows of `sql/invoicing/adjustment_lines.sql`.
        months: the locked months that have lines.
        blocked: why customers cannot be drafted because of them, by customer.
        support_billed: by customer, support fees of the drafted period that other documents have billed already.
        standing: by customer, what its documents stand for.
    """

    lines: Sequence[Mapping[str, Any]] = ()
    months: Mapping[CustomerMonth, LockedMonth] = field(default_factory=dict)
    blocked: Mapping[str, tuple[InvoiceError, ...]] = field(default_factory=dict)
    support_billed: Mapping[str, Sequence[SupportBilled]] = field(default_factory=dict)
    standing: Mapping[str, Standing] = field(default_factory=dict)
    generated: Generated = field(default_factory=Generated)

    def months_of(self, customer_id: str, period: BillingPeriod) -> dict[BillingPeriod, str | None]:
        """Return the months before a period that are locked for a customer, with the reference of a document."""
        found: dict[str, str | None] = dict.fromkeys(
            month
            for month in self.generated.months
            if month < period.text and (customer_id, month) not in self.generated.refused
        )
        found |= self.standing.get(customer_id, Standing()).references
        return {BillingPeriod(month): found[month] for month in sorted(found)}
