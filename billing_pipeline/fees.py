"""What a customer pays beside the vendors' charges: support plans and custom charges.

Amounts are exact and in the currency of their row; the document converts and rounds them. What does not belong here:
prices of products (`pricing`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from billing_pipeline.documents.formatting import plain_decimal
from billing_pipeline.errors import BillingError
from billing_pipeline.money import EXACT
from billing_pipeline.periods import BillingPeriod

SUPPORT_GROUP: Final = "Support"
_PERCENT = Decimal("0.01")


class PlanInvalid(BillingError):
    """Rows of one support plan do not say one thing."""


@dataclass(frozen=True)
class Fee:
    """One line that is no vendor's charge.

    Attributes:
        fee_id: plan_id or charge_id of its row.
        kind: line kind on the document.
        amount: exact, in `currency`.
        tax_category: or None for the standard one.
        service_period: month that it is for, `YYYY-MM`, where that is not the document's.
        reference: document of that month, if there is one.
    """

    fee_id: str
    kind: Literal["support", "custom"]
    description: str
    product_type: str
    amount: Decimal
    currency: str
    tax_category: str | None
    service_period: str | None = None
    reference: str | None = None


def custom_charges(rows: Iterable[Mapping[str, Any]], period: BillingPeriod) -> list[Fee]:
    """Return a customer's custom charges of a month.

    Args:
        rows: rows of custom_charges.csv of one customer. `once` belongs to the month of valid_from, `monthly` to every
            month that the row's days touch; of several rows of a charge_id in force the one recorded last counts.

    Returns:
        Sorted by charge_id.
    """
    chosen: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        is_due = (
            period.first_day <= row["valid_from"] < period.end_day
            if row["recurrence"] == "once"
            else row["valid_from"] < period.end_day and (row["valid_to"] is None or row["valid_to"] > period.first_day)
        )
        known = chosen.get(row["charge_id"])
        if is_due and (known is None or known["recorded_at"] < row["recorded_at"]):
            chosen[row["charge_id"]] = row
    return [
        Fee(
            name,
            "custom",
            row["description"],
            row["product_type"],
            row["amount"],
            row["currency"],
            row.get("tax_category"),
        )
        for name, row in sorted(chosen.items())
    ]


def plans_in_force(rows: Iterable[Mapping[str, Any]], period: BillingPeriod) -> dict[str, list[Mapping[str, Any]]]:
    """Return the rows of a customer's support plans that hold on the last day of a month, by plan_id.

    Of several rows of one tier the one recorded last counts; tiers are in order.
    """
    last_day = period.end_day - timedelta(days=1)
    chosen: dict[tuple[str, Decimal], Mapping[str, Any]] = {}
    for row in rows:
        key = (row["plan_id"], row["from_amount"] or Decimal(0))
        in_force = row["valid_from"] <= last_day and (row["valid_to"] is None or last_day < row["valid_to"])
        if in_force and (key not in chosen or chosen[key]["recorded_at"] < row["recorded_at"]):
            chosen[key] = row
    plans: dict[str, list[Mapping[str, Any]]] = {}
    for (plan_id, _), row in sorted(chosen.items()):
        plans.setdefault(plan_id, []).append(row)
    return plans


def support_fee(plan_id: str, tiers: Sequence[Mapping[str, Any]], base: Decimal, currency: str) -> Fee:
    """Return what a support plan costs for a month.

    Args:
        tiers: the plan's rows in force, one unless its method is `tiered`.
        base: the month's amount that percentages are taken of, in `currency`: the customer's price or the cost of usage
            and subscriptions, as the plan's basis says. A month with more credits than charges counts as none.
        currency: of base, and of the plan's amounts.

    Raises:
        PlanInvalid: the rows name several methods or bases, or a plan that is not tiered has several rows.
    """
    methods = {row["method"] for row in tiers}
    if len(methods) > 1 or len({row["basis"] for row in tiers}) > 1 or (methods != {"tiered"} and len(tiers) > 1):
        raise PlanInvalid(f"support plan {plan_id}: its rows in force do not agree on one method and basis")
    first = tiers[0]
    base = max(base, Decimal(0))
    if first["method"] == "fixed":
        amount, spoken = first["amount"], "fixed"
    elif first["method"] == "percent":
        amount, spoken = _share(base, first["percent"]), f"{plain_decimal(first['percent'])} %"
    else:
        amount = sum((_share(_part(base, row), row["percent"]) for row in tiers), Decimal(0))
        spoken = "tiered"
    minimum = max((row["minimum"] for row in tiers if row["minimum"] is not None), default=None)
    maximum = min((row["maximum"] for row in tiers if row["maximum"] is not None), default=None)
    if minimum is not None and amount < minimum:
        amount, spoken = minimum, f"{spoken}, minimum"
    if maximum is not None and amount > maximum:
        amount, spoken = maximum, f"{spoken}, maximum"
    return Fee(plan_id, "support", f"Support {plan_id} ({spoken})", SUPPORT_GROUP, amount, currency, None)


def _share(amount: Decimal, percent: Decimal) -> Decimal:
    return EXACT.multiply(EXACT.multiply(amount, percent), _PERCENT)


def _part(base: Decimal, tier: Mapping[str, Any]) -> Decimal:
    """Return how much of an amount lies in a tier."""
    lower = tier["from_amount"] or Decimal(0)
    upper = base if tier["to_amount"] is None else min(base, tier["to_amount"])
    return max(EXACT.subtract(upper, lower), Decimal(0))
