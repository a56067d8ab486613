"""Prices by quantity, written out: graduated slices and begun packages.

What does not belong here: a volume price; its tier is a price like any other (`explaining.arithmetic`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise
from typing import Any

from billing_pipeline.documents.formatting import plain_decimal
from billing_pipeline.explaining.arithmetic import Step, times
from billing_pipeline.money import EXACT

Cells = Mapping[str, Any]
ZERO = Decimal(0)


@dataclass(frozen=True)
class TierSteps:
    """The steps of a price by quantity, and the rows they use, by their place among the rows given."""

    steps: tuple[Step, ...]
    used: tuple[int, ...]


def holds_quantity(cells: Cells, quantity: Decimal) -> bool:
    """Return whether a tier `[from_quantity, to_quantity)` contains a quantity."""
    first, end = cells.get("from_quantity") or ZERO, cells.get("to_quantity")
    return first <= abs(quantity) and (end is None or abs(quantity) < end)


def graduated_steps(rows: Sequence[Cells], before: Decimal, after: Decimal, unit: str) -> TierSteps | None:
    """Return the steps of a graduated price for the quantity between two totals.

    Args:
        rows: tiers, the one that counts first where several hold the same quantity.
        before: what the customer had used before the charge, in `unit`.
        after: the same with the charge.

    Returns:
        A step a slice, then their sum; None where no tier holds a part of the quantity.
    """
    bounds = {ZERO, abs(before), abs(after)}
    bounds |= {row.get("from_quantity") or ZERO for row in rows}
    bounds |= {row["to_quantity"] for row in rows if row.get("to_quantity") is not None}
    edges = sorted(bounds)
    slices: list[tuple[int, Decimal, Decimal, Decimal]] = []
    for first, end in pairwise(edges):
        quantity = EXACT.subtract(_part(after, first, end), _part(before, first, end))
        if quantity == 0:
            continue
        place = next((index for index, row in enumerate(rows) if holds_quantity(row, first)), None)
        if place is None:
            return None
        if slices and slices[-1][0] == place:
            _, start, _, sum_before = slices.pop()
            slices.append((place, start, end, EXACT.add(sum_before, quantity)))
        else:
            slices.append((place, first, end, quantity))
    steps = [_slice_step(rows[place], first, end, quantity, unit) for place, first, end, quantity in slices]
    if len(steps) > 1:
        total = ZERO
        for step in steps:
            total = EXACT.add(total, step.value)
        steps.append(
            Step(" + ".join(plain_decimal(step.value) for step in steps) + f" = {plain_decimal(total)}", total)
        )
    if not steps:
        steps = [Step("no quantity, so no price = 0", ZERO)]
    return TierSteps(tuple(steps), tuple(dict.fromkeys(place for place, *_ in slices)))


def package_steps(row: Cells, before: Decimal, after: Decimal) -> tuple[Step, ...]:
    """Return the steps of a price per begun package for the quantity between two totals."""
    size = row["package_size"]
    opened, held = _packages(after, size), _packages(before, size)
    packages = EXACT.subtract(opened, held)
    text = f"packages of {plain_decimal(size)} begun by {plain_decimal(after)}: {plain_decimal(opened)}"
    if before:
        text += f", of them before this charge (by {plain_decimal(before)}): {plain_decimal(held)}"
    return (
        Step(f"{text} = {plain_decimal(packages)}", packages),
        times(packages, row["unit_price"], plain_decimal(packages), f"{plain_decimal(row['unit_price'])} per package"),
    )


def _slice_step(row: Cells, first: Decimal, end: Decimal, quantity: Decimal, unit: str) -> Step:
    where = f"from {plain_decimal(first)} to {plain_decimal(end)}"
    named = " ".join(word for word in (plain_decimal(quantity), unit, where) if word)
    return times(quantity, row["unit_price"], named, plain_decimal(row["unit_price"]))


def _part(quantity: Decimal, first: Decimal, end: Decimal) -> Decimal:
    """Return how much of a quantity lies between two bounds; negative for a negative quantity."""
    part = max(EXACT.subtract(min(abs(quantity), end), first), ZERO)
    return -part if quantity < 0 else part


def _packages(quantity: Decimal, size: Decimal) -> Decimal:
    count = EXACT.divide(abs(quantity), size).to_integral_value(ROUND_CEILING, context=EXACT)
    return -count if quantity < 0 else count
