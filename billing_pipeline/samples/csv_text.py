"""Text of the vendors' CSV: cells, pieces of lines, and numbers as each vendor writes them.

Rows are joined from ready-made pieces because a report of 10 million rows and 61 columns cannot be
formatted cell by cell in reasonable time.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal

# Wide enough that no product of a quantity and a rate is ever rounded by the context itself.
EXACT = Context(prec=60)
_NEEDS_QUOTES = frozenset(',"\r\n')
# Java's Double.toString leaves plain notation below 10**-3 and from 10**7; AWS writes its amounts with it.
_SCIENTIFIC_BELOW = -3
_SCIENTIFIC_FROM = 7


def cell(value: str) -> str:
    """Return a value as one CSV cell, quoted only where RFC 4180 needs it."""
    if _NEEDS_QUOTES.isdisjoint(value):
        return value
    return '"' + value.replace('"', '""') + '"'


def piece(columns: Iterable[str], values: Mapping[str, str]) -> bytes:
    """Return consecutive cells, comma between them; a column without a value stays empty.

    Args:
        columns: names in the order of the file.
        values: text by column name; names that are not among `columns` are ignored.
    """
    return ",".join(cell(values.get(column, "")) for column in columns).encode()


def times(quantity: Decimal, rate: Decimal, decimals: int) -> Decimal:
    """Return quantity x rate rounded half up to the decimals the vendor keeps."""
    return EXACT.multiply(quantity, rate).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, EXACT)


def java_double(number: Decimal) -> str:
    """Return a number as AWS writes it: `0.0`, `1.0`, `0.0416`, `8.85E-8`, `1.2E7`."""
    if not number:
        return "0.0"
    plain = number.normalize(EXACT)
    exponent = plain.adjusted()
    if _SCIENTIFIC_BELOW <= exponent < _SCIENTIFIC_FROM:
        text = f"{plain:f}"
        return text if "." in text else text + ".0"
    sign = "-" if plain < 0 else ""
    mantissa = "".join(str(digit) for digit in plain.as_tuple().digits)
    return f"{sign}{mantissa[0]}.{mantissa[1:] or '0'}E{exponent}"


def plain_decimal(number: Decimal) -> str:
    """Return a number without exponent and without trailing zeros: `0`, `12.5`, `0.0000016`."""
    if not number:
        return "0"
    return f"{number.normalize(EXACT):f}"
