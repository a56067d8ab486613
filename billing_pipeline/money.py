"""Exact money: rounding to a currency's minor unit, and sharing a rounded total out among its lines.

Amounts are `decimal.Decimal`; a float is refused. What does not belong here: formatting for a
document or a sheet (`documents`), exchange rates.
"""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal

from iso4217 import Currency

from billing_pipeline.errors import BillingError

# Wide enough for a product of two DECIMAL(38) values: no operation in this module ever rounds by itself.
EXACT = Context(prec=80)


class UnknownCurrency(BillingError):
    """A text that is no ISO 4217 code with a minor unit."""


def minor_units(currency: str) -> int:
    """Return how many decimals the currency's minor unit has, after ISO 4217.

    Args:
        currency: alphabetic code, upper case, for example `EUR`.

    Returns:
        0 for JPY, 2 for EUR, 3 for BHD.

    Raises:
        UnknownCurrency: the code is not in ISO 4217, or names something without a minor unit (XAU).
    """
    try:
        exponent = Currency(currency).exponent
    except ValueError as error:
        raise UnknownCurrency(f"{currency!r} is no ISO 4217 currency code") from error
    if exponent is None:
        raise UnknownCurrency(f"{currency!r} has no minor unit in ISO 4217")
    return int(exponent)


def minor_unit(currency: str) -> Decimal:
    """Return the smallest payable amount of a currency: `Decimal('0.01')` for EUR."""
    return Decimal(1).scaleb(-minor_units(currency))


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Round an exact amount to the currency's minor unit, half away from zero.

    Args:
        amount: exact amount in `currency`.
        currency: ISO 4217 code.

    Returns:
        The payable amount, with exactly the currency's decimals.

    Raises:
        TypeError: amount is no Decimal; floating point never touches money.
        UnknownCurrency: see `minor_units`.
    """
    if not isinstance(amount, Decimal):
        raise TypeError(f"money is Decimal, not {type(amount).__name__}")
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP, context=EXACT)


def allocate_rounded(amounts: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Round lines so that they add up to their rounded sum, by largest remainder.

    Each line is rounded down; the minor units that are missing from the rounded exact sum go, one
    each, to the lines with the largest remainders (ties: the earlier line). No line moves by one
    whole minor unit or more.

    Args:
        amounts: exact amounts of the lines, all in `currency`.
        currency: ISO 4217 code.

    Returns:
        Payable amounts in the order given; their sum equals `round_money(sum(amounts), currency)`.

    Raises:
        TypeError, UnknownCurrency: see `round_money`.
    """
    unit = minor_unit(currency)
    exact_sum = Decimal(0)
    for amount in amounts:
        exact_sum = EXACT.add(exact_sum, amount)
    total = round_money(exact_sum, currency)
    floors = [amount.quantize(unit, rounding=ROUND_FLOOR, context=EXACT) for amount in amounts]
    missing = int(EXACT.divide(total - sum(floors, Decimal(0)), unit))
    remainders = [EXACT.subtract(amount, floor) for amount, floor in zip(amounts, floors, strict=True)]
    by_remainder = sorted(range(len(amounts)), key=lambda index: (-remainders[index], index))
    for index in by_remainder[:missing]:
        floors[index] += unit
    return floors
