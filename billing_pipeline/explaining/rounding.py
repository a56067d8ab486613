"""Why a line of a document is payable at another amount than its exact one.

What does not belong here: the allocation itself (`billing_pipeline.money`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from billing_pipeline.documents.formatting import plain_decimal
from billing_pipeline.money import EXACT, allocate_rounded, minor_unit, round_money


@dataclass(frozen=True)
class Rounding:
    """The rounding of one line; amounts in the document's currency.

    Attributes:
        share: payable - exact: what rounding added to the line or took from it.
        rank: place of the line's remainder among those of all lines, 1 is the largest.
        units_given: minor units the document gave to the largest remainders.
        explanation: the reason, one sentence.
        problem: None, or why the payable amount is not what the allocation gives.
    """

    exact: Decimal
    payable: Decimal
    share: Decimal
    rank: int
    line_count: int
    units_given: int
    explanation: str
    problem: str | None = None


def explain_rounding(
    exact_amounts: Sequence[Decimal], payable_amounts: Sequence[Decimal], index: int, currency: str
) -> Rounding:
    """Explain the rounding of one line among all lines of its document.

    Args:
        exact_amounts: exact amounts of the lines, in the document's order and currency.
        payable_amounts: payable amounts of the same lines.
        index: the line in question, 0 is the first.
        currency: ISO 4217 code.
    """
    unit = minor_unit(currency)
    exact, payable = exact_amounts[index], payable_amounts[index]
    floors = [amount.quantize(unit, rounding=ROUND_FLOOR, context=EXACT) for amount in exact_amounts]
    remainders = [EXACT.subtract(amount, floor) for amount, floor in zip(exact_amounts, floors, strict=True)]
    total = round_money(_exact_sum(exact_amounts), currency)
    given = int(EXACT.divide(EXACT.subtract(total, _exact_sum(floors)), unit))
    rank = sorted(range(len(remainders)), key=lambda line: (-remainders[line], line)).index(index) + 1
    allocated = allocate_rounded(exact_amounts, currency)[index]
    problem = None
    if allocated != payable:
        problem = (
            f"the payable amount is {_payable(payable, currency)}, the largest remainders give "
            f"{_payable(allocated, currency)}"
        )
    return Rounding(
        exact,
        payable,
        EXACT.subtract(payable, exact),
        rank,
        len(exact_amounts),
        given,
        _sentence(exact, floors[index], remainders[index], rank, given, len(exact_amounts), total, currency),
        problem,
    )


def _sentence(
    exact: Decimal,
    floor: Decimal,
    remainder: Decimal,
    rank: int,
    given: int,
    line_count: int,
    total: Decimal,
    currency: str,
) -> str:
    unit = plain_decimal(minor_unit(currency))
    if floor == exact:
        return "the exact amount is payable as it is"
    if line_count == 1:
        return f"the only line: rounded to {unit} {currency}, half away from zero"
    if given == 1:
        missing, places = unit, "the largest remainder got it"
    else:
        missing = f"{given} x {unit}"
        places = f"the {given} largest of the {line_count} lines' remainders got one each" if given else "none is due"
    reason = f"all lines rounded down miss {missing} of the document's {_payable(total, currency)}; {places}"
    place = "the largest" if rank == 1 else f"the {_ordinal(rank)} largest"
    own = f"rounded down to {_payable(floor, currency)} it leaves {plain_decimal(remainder)}, {place}"
    outcome = "so it is rounded up" if rank <= given else "so it stays rounded down"
    return f"{own}; {reason}, {outcome}"


def _payable(amount: Decimal, currency: str) -> str:
    return f"{round_money(amount, currency):f} {currency}"


def _ordinal(number: int) -> str:
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def _exact_sum(amounts: Sequence[Decimal]) -> Decimal:
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
