"""Values that a filter compares with a column: read exactly, of the column's own type, to be bound as parameters.

What does not belong here: how a filter is written (`charges.filters`, `charges.column_filters`).
"""

import re
from datetime import date
from decimal import Decimal

from billing_pipeline.charges.columns import Column
from billing_pipeline.errors import WrongUsage
from billing_pipeline.periods import PeriodInvalid, parse_day

Value = str | Decimal | date

_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+")
# DECIMAL(38, 24), the type of the totals, holds 14 digits before the point.
_MOST_WHOLE_DIGITS = 14


class ValueInvalid(WrongUsage):
    """A text that is no value of the column it is compared with."""


def read_number(text: str, column: Column, is_negative: bool = False) -> Decimal:
    """Read the digits of a number that fits the column's type.

    Args:
        text: a plain decimal without sign.
        is_negative: whether a minus stands before it.

    Raises:
        ValueInvalid: it is no plain decimal, or has more digits than the column.
    """
    if not _NUMBER.fullmatch(text):
        raise ValueInvalid(f"{column.header} is a number: write it as plain decimal, for example 1234.5")
    number = Decimal(text)
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    if len(digits) + exponent > _MOST_WHOLE_DIGITS or -exponent > column.scale:
        limit = f"at most {_MOST_WHOLE_DIGITS} digits before the point and {column.scale} after it"
        raise ValueInvalid(f"{column.header} has {limit}")
    return number.copy_negate() if is_negative else number


def read_day(text: str, column: Column) -> date:
    """Read a day, `YYYY-MM-DD`.

    Raises:
        ValueInvalid: it is none.
    """
    try:
        return parse_day(text)
    except PeriodInvalid as error:
        raise ValueInvalid(f"{column.header}: {error}") from error


def placeholder(column: Column) -> str:
    """Return the parameter for one value: a number is cast to the column's type, else the driver chooses a narrower."""
    return f"cast(? as {column.sql_type})" if column.kind in {"number", "price"} else "?"
