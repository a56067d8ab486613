"""The arithmetic of a credit: the frozen price of the line it credits, or a part of it.

The rounding is that of `sql/pricing/priced_credits.sql`. What does not belong here: which line is credited.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from billing_pipeline.documents.formatting import plain_decimal
from billing_pipeline.explaining.arithmetic import Step, times
from billing_pipeline.money import EXACT

Item = Mapping[str, Any]

# Decimals of a part of a price, of a unit price made of a total, and of the unit price that is credited.
SHARE_PLACES = 18
RATIO_PLACES = 10
UNIT_PLACES = 15


def credit_steps(credit: Item, debit: Item) -> tuple[Step, ...]:
    """Return the steps from the credited line's frozen price to the credit.

    Args:
        credit: the credit's row of priced_line_items; unit prices and totals are negative, the quantity positive.
        debit: the row of the line it credits.
    """
    quantity = credit["quantity"]
    share = _share(-credit["unit_cost"], debit["unit_cost"])
    if debit["unit_sell"] is None:
        whole = debit["total_sell"]
        if share is None and quantity == debit["quantity"]:
            return (_credited(whole, "frozen price of the whole credited line"),)
        ratio = _rounded(EXACT.divide(whole, debit["quantity"]), RATIO_PLACES)
        named = f"frozen price {plain_decimal(whole)} / {plain_decimal(debit['quantity'])}"
        steps = [Step(f"{named}, to {RATIO_PLACES} decimals = {plain_decimal(ratio)}", ratio)]
    else:
        ratio = debit["unit_sell"]
        steps = [Step(f"frozen unit price of the credited line = {plain_decimal(ratio)}", ratio)]
    if share is not None:
        part = _rounded(_rounded(EXACT.multiply(ratio, share), SHARE_PLACES), UNIT_PLACES)
        costs = f"{plain_decimal(-credit['unit_cost'])} / {plain_decimal(debit['unit_cost'])}"
        steps.append(
            Step(f"part credited: {plain_decimal(ratio)} x {costs} of the unit cost = {plain_decimal(part)}", part)
        )
    per_unit = -steps[-1].value
    return (*steps, times(per_unit, quantity, plain_decimal(per_unit), _with_unit(quantity, credit["unit"])))


def _share(credited_cost: Decimal, debited_cost: Decimal) -> Decimal | None:
    """Return which part of the unit cost is credited, or None where it is all of it, or more."""
    if credited_cost >= debited_cost:
        return None
    return _rounded(EXACT.divide(credited_cost, debited_cost), SHARE_PLACES)


def _credited(amount: Decimal, what: str) -> Step:
    return Step(f"{what} {plain_decimal(amount)}, credited = {plain_decimal(-amount)}", -amount)


def _rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=EXACT)


def _with_unit(quantity: Decimal, unit: str | None) -> str:
    return f"{plain_decimal(quantity)} {unit}" if unit else plain_decimal(quantity)
