"""How amounts, quantities and days are written on documents, exactly from their decimals.

The only locale is `en`: comma between thousands, point before the decimals, days as `5 Oct 2026`. What does
not belong here: rounding rules and minor units (`money`), number formats of a workbook.
"""

from datetime import date
from decimal import Decimal

from billing_pipeline.money import round_money
from billing_pipeline.periods import BillingPeriod

# strftime follows the process's locale; a document must not.
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

# A spreadsheet takes a cell that begins with one of these for a formula (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def format_amount(amount: Decimal, currency: str) -> str:
    """Write an amount with its currency's decimals, rounded half away from zero: `1,234.50`.

    Args:
        amount: exact or payable amount in `currency`.
        currency: ISO 4217 code.

    Returns:
        The number without the currency; zero has no sign.

    Raises:
        TypeError, UnknownCurrency: see `billing_pipeline.money.round_money`.
    """
    payable = round_money(amount, currency)
    return f"{payable if payable else abs(payable):,f}"


def format_quantity(quantity: Decimal) -> str:
    """Write a quantity with all its digits and no trailing zeros: `1,234.5`."""
    return _trimmed(f"{quantity:,f}", 0)


def plain_decimal(value: Decimal, at_least: int = 0) -> str:
    """Write a decimal for other programs: exact, no thousands' separator, no exponent.

    Args:
        value: any finite decimal.
        at_least: decimals to keep even when they are zeros, for example the currency's.

    Returns:
        `0.10` for `Decimal('0.1000')` and `at_least=2`; zero has no sign.
    """
    return _trimmed(f"{value:f}", at_least)


def format_day(day: date) -> str:
    """Write a day as `5 Oct 2026`."""
    return f"{day.day} {_MONTHS[day.month - 1][:3]} {day.year:04}"


def format_period(billing_period: str) -> str:
    """Write a billing period `YYYY-MM` as `October 2026`.

    Raises:
        PeriodInvalid: the text is no billing period.
    """
    first_day = BillingPeriod.parse(billing_period).first_day
    return f"{_MONTHS[first_day.month - 1]} {first_day.year:04}"


def text_cell(text: str) -> str:
    r"""Return text that no spreadsheet takes for a formula.

    OWASP's escape: an apostrophe before text that begins with `=`, `+`, `-`, `@`, tab or carriage return. Only for
    text; a number is written as a number, so a negative amount keeps its sign.

    Args:
        text: content of one CSV field, before quoting.
    """
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _trimmed(digits: str, at_least: int) -> str:
    whole, _, decimals = digits.partition(".")
    decimals = decimals.rstrip("0").ljust(at_least, "0")
    number = f"{whole}.{decimals}" if decimals else whole
    return number.lstrip("-") if not number.strip("-0.,") else number
