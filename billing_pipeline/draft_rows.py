"""The rows of one customer's draft, in the document's currency: charges, adjustments, fees.

What does not belong here: which customers are drafted, taxes, credits and totals (`drafting`); what the fees are
(`fees`), what has become of locked months (`adjustments`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from typing import Any, Final

from billing_pipeline.adjustments import Base, CustomerMonth, LockedMonth, SupportBilled
from billing_pipeline.exchange import AppliedRate, RateTable
from billing_pipeline.fees import SUPPORT_GROUP, Fee, plans_in_force, support_fee
from billing_pipeline.money import EXACT
from billing_pipeline.periods import BillingPeriod

Row = Mapping[str, Any]

# What a support plan's percentage is taken of: the month's charges, less what is credited of them.
_SUPPORTED_KINDS: Final = ("usage", "subscription", "credit")


@dataclass
class DraftRows:
    """Converts one customer's rows and adds the fees that depend on them; keeps the rates it used.

    Attributes:
        customer: row of the reference customers.
        period: the month that is drafted.
        rates: the table of exchange rates.
        plans: rows of the customer's support plans, of any days.
        months: the locked months that have adjustments, of any customers.
        support_billed: support fees of the drafted period on other documents of the customer.
        used: rates that were used, by currency and service period (empty: the drafted one).
    """

    customer: Row
    period: BillingPeriod
    rates: RateTable
    plans: Sequence[Row] = ()
    months: Mapping[CustomerMonth, LockedMonth] = field(default_factory=dict)
    support_billed: Sequence[SupportBilled] = ()
    used: dict[tuple[str, str], AppliedRate] = field(default_factory=dict)

    def of(self, rows: Sequence[Row], fees: Sequence[Fee]) -> list[dict[str, Any]]:
        """Return everything that stands on the draft, unordered.

        Args:
            rows: lines of charges and of adjustments.
            fees: custom charges.

        Raises:
            RateMissing: an amount cannot be converted.
            PlanInvalid: a support plan contradicts itself.
        """
        drafted = [self._converted(row) for row in rows]
        drafted += [self._fee_row(fee) for fee in fees]
        supported = [row for row in drafted if row["line_kind"] in _SUPPORTED_KINDS]
        base = (_total(supported, "amount_precise"), _total(supported, "cost_precise"))
        fees_of_month = [
            self._support(plan_id, tiers, base, self.period)
            for plan_id, tiers in plans_in_force(self.plans, self.period).items()
        ]
        drafted += [self._fee_row(fee) for fee in fees_of_month]
        return [*drafted, *self._changed_support(), *self._billed_support()]

    @property
    def rates_used(self) -> tuple[AppliedRate, ...]:
        """Every rate that was used, once, by currency and service period."""
        return tuple(dict.fromkeys(rate for _, rate in sorted(self.used.items(), key=lambda item: item[0])))

    @property
    def _currency(self) -> str:
        return str(self.customer["invoice_currency"])

    def _rate(self, currency: str, service_period: str | None) -> AppliedRate:
        key = (currency, service_period or "")
        if key not in self.used:
            month = self.months.get((self.customer["customer_id"], service_period or ""))
            self.used[key] = (
                self.rates.rate(currency, self._currency, self.period.last_day)
                if month is None
                else month.rate(currency, self._currency, self.rates)
            )
        return self.used[key]

    def _converted(self, row: Row) -> dict[str, Any]:
        if row["currency"] == self._currency:
            return dict(row)
        rate = self._rate(row["currency"], row.get("service_period"))
        return {
            **row,
            "amount_precise": rate.convert(row["amount_precise"]),
            "cost_precise": rate.convert(row["cost_precise"]),
            "charged_currency": row["currency"],
            "charged_amount": row["amount_precise"],
        }

    def _fee_row(self, fee: Fee) -> dict[str, Any]:
        row = {
            "currency": fee.currency,
            "product_type": fee.product_type,
            "product_id": fee.fee_id,
            "product_name": fee.description,
            "description": fee.description,
            "quantity": None,
            "unit": None,
            "amount_precise": fee.amount,
            "cost_precise": Decimal(0),
            "tax_category": fee.tax_category or "standard",
            "line_kind": fee.kind,
            "service_period": fee.service_period,
            "reference": fee.reference,
        }
        return self._converted(row)

    def _support(self, plan_id: str, tiers: Sequence[Row], base: Base, period: BillingPeriod) -> Fee:
        """Return the fee of a plan for a month, in the plan's currency.

        Args:
            base: price and cost of what is supported, in the document's currency.
        """
        currency = tiers[0].get("currency") or self._currency
        amount = base[0] if tiers[0]["basis"] == "sell" else base[1]
        # A plan's tiers and bounds are in its own currency, so the month is taken there, and the fee back.
        if currency != self._currency:
            amount = self.rates.rate(self._currency, currency, period.last_day).convert(amount)
        return support_fee(plan_id, tiers, amount, currency)

    def _changed_support(self) -> list[dict[str, Any]]:
        """Return what the adjustments of locked months change of the support fees that their documents billed."""
        rows = []
        for (customer_id, _), month in sorted(self.months.items()):
            if customer_id != self.customer["customer_id"]:
                continue
            before, after = self._month_bases(month)
            for plan_id, tiers in plans_in_force(self.plans, month.period).items():
                if plan_id not in month.support_plans:
                    continue
                then, now = (self._support(plan_id, tiers, base, month.period) for base in (before, after))
                changed = EXACT.subtract(now.amount, then.amount)
                if changed:
                    what = f"Adjustment, support of changed charges: Support {plan_id}"
                    place = (month.period.text, month.reference)
                    rows.append(self._support_row(plan_id, what, changed, now.currency, place))
        return rows

    def _month_bases(self, month: LockedMonth) -> tuple[Base, Base]:
        """Return price and cost of what is supported in a locked month, as billed and as it is, in this currency."""
        totals = [[Decimal(0), Decimal(0)], [Decimal(0), Decimal(0)]]
        for currency, bases in month.bases().items():
            for side, base in enumerate(bases):
                for place, amount in enumerate(base):
                    if currency != self._currency and amount:
                        converted = self._rate(currency, month.period.text).convert(amount)
                    else:
                        converted = amount
                    totals[side][place] = EXACT.add(totals[side][place], converted)
        return (totals[0][0], totals[0][1]), (totals[1][0], totals[1][1])

    def _billed_support(self) -> list[dict[str, Any]]:
        return [
            self._support_row(
                billed.plan_id,
                f"Adjustment, billed on another document: Support {billed.plan_id}",
                -billed.amount,
                billed.currency,
                (self.period.text, billed.reference),
            )
            for billed in self.support_billed
        ]

    def _support_row(
        self, plan_id: str, what: str, amount: Decimal, currency: str, place: tuple[str, str | None]
    ) -> dict[str, Any]:
        """Return a row without charges that refers to another document, `place`: service period and reference."""
        row = {
            "currency": currency,
            "product_type": SUPPORT_GROUP,
            "product_id": plan_id,
            "product_name": f"Support {plan_id}",
            "description": what,
            "quantity": None,
            "unit": None,
            "amount_precise": amount,
            "cost_precise": Decimal(0),
            "tax_category": "standard",
            "line_kind": "adjustment",
            "service_period": place[0],
            "reference": place[1],
        }
        return self._converted(row)


def _total(rows: Sequence[Row], name: str) -> Decimal:
    # Not sum(): the default context would round to 28 digits.
    return reduce(EXACT.add, (row[name] for row in rows), Decimal(0))
