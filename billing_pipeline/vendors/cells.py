"""Read the text of one cell after its column's declaration, or say in one sentence what is wrong.

The same rules serve the fast path, which looks at each distinct value once, and the slow one, which
finds the first offending cell of a file that the fast path refused.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

from billing_pipeline.money import UnknownCurrency, minor_units
from billing_pipeline.vendors.format import Column

# What every vendor means by "nothing here". Compared exactly: `null` or `none` is a name somebody chose.
ABSENT = ("", "NULL", "None")

# Digits of a DECIMAL(38,18) in front of the point, and of the DECIMAL(28,9) of quantities and prices: 19.
_INTEGER_DIGITS = {18: 20, 9: 19}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII)
_BOOLEANS = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}


class CellInvalid(ValueError):
    """A cell's text does not fit its column; the message is one sentence for a person."""


def read_amount(text: str, decimals: int) -> Decimal:
    """Read a plain or scientific decimal number, exactly.

    Args:
        decimals: most decimals the value may need; trailing zeros do not count.

    Raises:
        CellInvalid: no number, too many decimals, or too large.
    """
    if not _NUMBER.fullmatch(text):
        raise CellInvalid("this is no number")
    value = Decimal(text)
    digits, exponent = value.as_tuple().digits, value.as_tuple().exponent
    assert isinstance(exponent, int)  # NaN and Infinity are no numbers by the pattern above
    trailing_zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    if value and -(exponent + trailing_zeros) > decimals:
        raise CellInvalid(f"the number has more than {decimals} decimals; it is not rounded silently")
    if value and value.adjusted() >= _INTEGER_DIGITS[decimals]:
        raise CellInvalid(f"the number has more than {_INTEGER_DIGITS[decimals]} digits before the point")
    return value


def read_integer(text: str) -> int:
    """Read a whole number of at most nine digits.

    Raises:
        CellInvalid: anything else.
    """
    if not _INTEGER.fullmatch(text):
        raise CellInvalid("this is no whole number")
    return int(text)


def read_date(text: str) -> date:
    """Read `YYYY-MM-DD`.

    Raises:
        CellInvalid: anything else.
    """
    if not _DATE.fullmatch(text):
        raise CellInvalid("this is no date; write YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CellInvalid("there is no such date") from error


def read_instant(text: str, *, needs_zone: bool) -> datetime:
    """Read an ISO 8601 date and time as an instant in UTC.

    Without a zone it is UTC: FOCUS demands UTC, and its published sample leaves the `Z` out. A day
    alone is its midnight. More than six decimals of a second are cut only where they are zeros.

    Args:
        needs_zone: refuse an instant without zone, instead.

    Raises:
        CellInvalid: anything else.
    """
    match = _INSTANT.fullmatch(text)
    if not match:
        raise CellInvalid("this is no date and time; write ISO 8601, for example 2026-10-05T10:00:00Z")
    if needs_zone and match[5] is None:
        raise CellInvalid("the zone is missing; write for example 2026-10-05T10:00:00+02:00 or ...Z")
    fraction = (match[4] or "")[1:]
    if fraction[6:].strip("0"):
        raise CellInvalid("the time is finer than a microsecond")
    plain = text if len(fraction) <= 6 else text.replace(fraction, fraction[:6], 1)  # noqa: PLR2004
    try:
        instant = datetime.fromisoformat(plain)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CellInvalid("there is no such date and time") from error


def read_boolean(text: str) -> bool:
    """Read true or false, yes or no, 1 or 0, in any case.

    Raises:
        CellInvalid: anything else.
    """
    try:
        return _BOOLEANS[text.lower()]
    except KeyError as error:
        raise CellInvalid("this is neither true nor false") from error


def read_text(text: str, column: Column) -> str:
    """Return the text unchanged once it is one of the column's values or a currency, where declared.

    Raises:
        CellInvalid: it is not.
    """
    if column.values and text not in column.values:
        raise CellInvalid(f"the value must be one of {', '.join(column.values)}")
    if column.is_currency:
        try:
            minor_units(text)
        except UnknownCurrency as error:
            raise CellInvalid(str(error)) from error
    return text


def read_cell(text: str, column: Column) -> Decimal | int | date | datetime | bool | str | None:
    """Read one cell after its column's declaration.

    Returns:
        The typed value; None where the cell is absent.

    Raises:
        CellInvalid: the text does not fit.
    """
    if text in ABSENT:
        if not column.nullable:
            raise CellInvalid("the cell must not be empty")
        return None
    match column.kind:
        case "amount":
            return read_amount(text, column.decimals)
        case "integer":
            return read_integer(text)
        case "date":
            return read_date(text)
        case "instant":
            return read_instant(text, needs_zone=column.needs_zone)
        case "boolean":
            return read_boolean(text)
        case _:
            return read_text(text, column)
