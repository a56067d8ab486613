"""The arithmetic of one price, written out with its numbers, and done again to see that it is right.

What does not belong here: which term set the price (`explaining.knowledge`), tiers (`explaining.tiers`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from billing_pipeline.documents.formatting import plain_decimal
from billing_pipeline.money import EXACT

HUNDREDTH = Decimal("0.01")
# Decimals to which pricing keeps an adjusted unit price, and an adjusted amount.
UNIT_PLACES = 15
TOTAL_PLACES = 24

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Arithmetic:
    """A price and how it came about; amounts in the charge's currency.

    Attributes:
        steps: formulas with real numbers, in order; each ends in `= result`.
        result: what the last step comes to; None where the charge has no price.
        problem: None, or how the result differs from the price of the charge.
    """

    steps: tuple[str, ...]
    result: Decimal | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Step:
    """One formula and what it comes to."""

    text: str
    value: Decimal


def price_arithmetic(item: Item, base: Sequence[Step] = ()) -> Arithmetic:
    """Write out how a priced charge got its price.

    Args:
        item: a row of priced_line_items.
        base: the steps up to the price before adjustments, where the item alone does not give them: tiers, credits.

    Returns:
        No steps and no result for a charge without price.
    """
    if item["total_sell"] is None:
        return Arithmetic(())
    steps = list(base)
    if not steps:
        unit_step = _unit_step(item)
        if unit_step is not None:
            steps = [unit_step, *_adjustment_steps(item, unit_step.value, UNIT_PLACES)]
            steps.append(_by_quantity(steps[-1].value, item))
            return _compared(steps, item)
        total_step = _total_step(item)
        if total_step is None:
            return Arithmetic((), None, f"the price by method {item['price_method']!r} cannot be written out")
        steps = [total_step]
    if item["charge_type"] != "Credit":
        steps += _adjustment_steps(item, steps[-1].value, TOTAL_PLACES)
    return _compared(steps, item)


def _compared(steps: Sequence[Step], item: Item) -> Arithmetic:
    result = steps[-1].value
    problem = None
    if result != item["total_sell"]:
        problem = f"the arithmetic gives {plain_decimal(result)}, the price is {plain_decimal(item['total_sell'])}"
    return Arithmetic(tuple(step.text for step in steps), result, problem)


def times(left: Decimal, right: Decimal, left_text: str, right_text: str) -> Step:
    """Return the step `left x right = product`, with the names of both sides."""
    value = EXACT.multiply(left, right)
    return Step(f"{left_text} x {right_text} = {plain_decimal(value)}", value)


def percent_steps(amount: Decimal, method: str, percent: Decimal | None, what: str) -> Step | None:
    """Return the step of a method that takes a percentage of an amount, or None for another method.

    Args:
        amount: cost or SRP, per unit or in total.
        what: its name.
    """
    named = f"{what} {plain_decimal(amount)}"
    if method == "srp":
        return Step(f"{named} = {plain_decimal(amount)}", amount)
    if percent is None:
        return None
    if method == "markup":
        return _with_percent(amount, percent, named)
    if method == "srp_discount":
        return _with_percent(amount, -percent, named)
    if method == "percent_of_srp":
        return times(amount, EXACT.multiply(percent, HUNDREDTH), named, f"{plain_decimal(percent)} %")
    return None


def _with_percent(amount: Decimal, percent: Decimal, named: str) -> Step:
    factor = EXACT.add(Decimal(1), EXACT.multiply(percent, HUNDREDTH))
    sign = "-" if percent < 0 else "+"
    return times(amount, factor, named, f"(1 {sign} {plain_decimal(abs(percent))} %)")


def _unit_step(item: Item) -> Step | None:
    """Return the unit price of a distributor's item before adjustments; None for usage and prices by quantity."""
    if item["line_number"] is None or item["charge_type"] == "Credit" or item["price_term"] == "pass_through":
        return None
    method = _method(item)
    if method == "fixed":
        price = item["price_unit_price"]
        return None if price is None else Step(f"fixed price {plain_decimal(price)}", price)
    amount, what = (item["unit_cost"], "unit cost") if method == "markup" else (item["srp"], "SRP per unit")
    return None if amount is None else percent_steps(amount, method, item["price_percent"], what)


def _total_step(item: Item) -> Step | None:
    """Return the price of usage before adjustments, which is made of amounts."""
    if item["price_term"] == "pass_through":
        cost = item["total_cost"]
        return Step(f"passed through at cost = {plain_decimal(cost)}", cost)
    method = _method(item)
    if method == "fixed":
        price = item["price_unit_price"]
        return None if price is None or item["quantity"] is None else _by_quantity(price, item, "fixed price ")
    amount, what = (item["total_cost"], "cost") if method == "markup" else (item["total_list"], "SRP")
    return None if amount is None else percent_steps(amount, method, item["price_percent"], what)


def _method(item: Item) -> str:
    """Return the method of a price; of a volume price that of the tier that was reached."""
    if item["price_method"] != "volume":
        return str(item["price_method"])
    return "fixed" if item["price_unit_price"] is not None else "markup"


def _by_quantity(unit_price: Decimal, item: Item, what: str = "") -> Step:
    unit = f" {item['unit']}" if item["unit"] else ""
    quantity = item["quantity"]
    return times(unit_price, quantity, f"{what}{plain_decimal(unit_price)}", f"{plain_decimal(quantity)}{unit}")


def _adjustment_steps(item: Item, price: Decimal, places: int) -> list[Step]:
    """Return the global adjustment of a price; it is rounded once, half away from zero, as pricing does."""
    percent = item["adjustment_percent"]
    if percent is None:
        return []
    what = "adjustments together" if ";" in (item["adjustment_ids"] or "") else "adjustment"
    step = _with_percent(price, percent, plain_decimal(price))
    rounded = step.value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=EXACT)
    if rounded == step.value:
        return [Step(f"{what}: {step.text}", step.value)]
    return [Step(f"{what}: {step.text}, rounded to {places} decimals = {plain_decimal(rounded)}", rounded)]
