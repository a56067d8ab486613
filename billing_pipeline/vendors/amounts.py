"""Read the text of an amount exactly, alone or as a member of a list of records.

What does not belong here: every other kind of cell (`cells`).
"""

import json
import re
from decimal import ROUND_HALF_UP, Context, Decimal

from billing_pipeline.vendors.format import Column

# What every vendor means by "nothing here". Compared exactly: `null` or `none` is a name somebody chose.
ABSENT = ("", "NULL", "None")

# Digits of a DECIMAL(38,18) in front of the point, and of the DECIMAL(28,9) of quantities and prices: 19.
_INTEGER_DIGITS = {18: 20, 9: 19}
# A double has up to 17 digits, which may stand anywhere below the 20 digits in front of the point.
_WIDE = Context(prec=400)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


class CellInvalid(ValueError):
    """A cell's text does not fit its column; the message is one sentence for a person."""


def read_amount(text: str, decimals: int, *, is_double: bool = False) -> Decimal:
    """Read a plain or scientific decimal number, exactly.

    Args:
        decimals: most decimals the value may need; trailing zeros do not count.
        is_double: more decimals are no error; the value is returned with all of them, see `round_double`.

    Raises:
        CellInvalid: no number, too many decimals, or too large.
    """
    if not _NUMBER.fullmatch(text):
        raise CellInvalid("this is no number")
    value = Decimal(text)
    digits, exponent = value.as_tuple().digits, value.as_tuple().exponent
    assert isinstance(exponent, int)  # NaN and Infinity are no numbers by the pattern above
    trailing_zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    if value and -(exponent + trailing_zeros) > decimals and not is_double:
        raise CellInvalid(f"the number has more than {decimals} decimals; it is not rounded silently")
    if value and value.adjusted() >= _INTEGER_DIGITS[decimals]:
        raise CellInvalid(f"the number has more than {_INTEGER_DIGITS[decimals]} digits before the point")
    return value


def round_double(value: Decimal, decimals: int) -> Decimal:
    """Round to the decimals that are kept, half away from zero, whatever the number of digits."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _WIDE)


def read_records(text: str, column: Column) -> str | None:
    """Read a JSON list of flat objects, as a nested and repeated field arrives.

    Returns:
        The list as JSON text: every member is a text or null, amounts are plain decimals of the column's. Where a
        double had to be rounded to them, `<member>_unrounded` beside it is what stood in the file. None for an empty
        list.

    Raises:
        CellInvalid: it is no such list, or an amount is no number.
    """
    try:
        records = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise CellInvalid("this is no JSON list") from error
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise CellInvalid("this is no JSON list of objects")
    return json.dumps([_read_record(record, column) for record in records], ensure_ascii=False) if records else None


def _read_record(record: dict[str, object], column: Column) -> dict[str, str | None]:
    read: dict[str, str | None] = {}
    for name, value in record.items():
        written = None if value is None or value in ABSENT else str(value)
        read[name] = written
        if name in column.amounts and written is not None:
            exact = read_amount(written, column.decimals, is_double=column.is_double)
            kept = round_double(exact, column.decimals)
            read[name] = format(kept, "f")
            if kept != exact:
                read[f"{name}_unrounded"] = written
    return read
