"""Read the text of one cell after its column's declaration, or say in one sentence what is wrong.

The same rules serve the fast path, which looks at each distinct value once, and the slow one, which
finds the first offending cell of a file that the fast path refused.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from billing_pipeline.money import UnknownCurrency, minor_units
from billing_pipeline.vendors.amounts import ABSENT, CellInvalid, read_amount, read_records, round_double
from billing_pipeline.vendors.format import Column, Kind

__all__ = [
    "ABSENT", "CellInvalid", "iso_date", "map_text", "read_amount", "read_cell", "read_instant", "round_double",
]  # fmt: skip

_INTEGER = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII)
_MONTH_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d{2})(:\d{2})?(?: ([AP])M)?)?", re.ASCII)
_TICKS = re.compile(r"(\.\d{6})\d(?=Z|[+-]|$)", re.ASCII)
_MONTH = re.compile(r"(\d{4})-?(0[1-9]|1[0-2])", re.ASCII)
_BOOLEANS = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}


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


def iso_date(text: str) -> str:
    """Return `M/D/YYYY` as `YYYY-MM-DD`, `M/D/YYYY h:mm[:ss][ AM]` as ISO 8601 too, any other text as it is.

    Month before day is what Microsoft writes in CSV files, whatever the language.
    """
    match = _MONTH_FIRST.fullmatch(text)
    if not match:
        return text
    day = f"{match[3]}-{int(match[1]):02}-{int(match[2]):02}"
    if match[4] is None:
        return day
    hour = int(match[4]) if match[7] is None else int(match[4]) % 12 + (12 if match[7] == "P" else 0)
    return f"{day}T{hour:02}:{match[5]}{match[6] or ''}"


def without_ticks(text: str) -> str:
    """Return an instant's text with six decimals of a second where it has .NET's seven (100 nanoseconds)."""
    return _TICKS.sub(r"\1", text)


def read_boolean(text: str) -> bool:
    """Read true or false, yes or no, 1 or 0, in any case.

    Raises:
        CellInvalid: anything else.
    """
    try:
        return _BOOLEANS[text.lower()]
    except KeyError as error:
        raise CellInvalid("this is neither true nor false") from error


def read_map(text: str) -> str | None:
    """Read a JSON object of texts, as AWS writes its map columns in CSV.

    Returns:
        The same members as JSON text, keys sorted, members without a value left out; None where none is left.

    Raises:
        CellInvalid: no JSON object, a key that stands twice, a member that holds members, or text that is no Unicode.
    """
    try:
        pairs = json.loads(
            text, parse_float=str, parse_int=str, parse_constant=_refuse_constant, object_pairs_hook=_MapPairs
        )
    except (ValueError, RecursionError) as error:
        raise CellInvalid("this is no JSON object") from error
    if not isinstance(pairs, _MapPairs):
        raise CellInvalid("this is no JSON object")
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise CellInvalid(f"the key {twice!r} stands twice in the map")
    if any(not isinstance(value, str | bool | None) for _, value in pairs):
        raise CellInvalid("a value of the map is neither text nor number")
    members = {key: str(value).lower() if isinstance(value, bool) else value for key, value in sorted(pairs)}
    written = json.dumps({key: value for key, value in members.items() if value is not None}, ensure_ascii=False)
    try:
        written.encode()
    except UnicodeEncodeError as error:
        raise CellInvalid("the map holds half of a Unicode character") from error
    return None if written == "{}" else written


class _MapPairs(list[tuple[str, object]]):
    """Members of a JSON object in the order of the text: an object, unlike a JSON list."""


def _refuse_constant(text: str) -> str:
    raise ValueError(f"{text} is no number")


def read_month(text: str) -> date:
    """Read `YYYYMM` or `YYYY-MM` as the first day of the month.

    Raises:
        CellInvalid: anything else.
    """
    match = _MONTH.fullmatch(text)
    if not match:
        raise CellInvalid("this is no month; write YYYYMM")
    return date(int(match[1]), int(match[2]), 1)


def map_text(pairs: Sequence[tuple[object, object]]) -> str:
    """Return the members of a map as the JSON text a CSV would hold; a repeated key stays repeated."""
    members = (f"{json.dumps(str(key))}: {json.dumps(None if value is None else str(value))}" for key, value in pairs)
    return "{" + ", ".join(members) + "}"


def read_text(text: str, column: Column) -> str:
    """Return the text unchanged once it is one of the column's values or a currency, where declared.

    Raises:
        CellInvalid: it is not.
    """
    if text in column.refused:
        raise CellInvalid(column.refused[text])
    if column.values and text not in column.values:
        raise CellInvalid(f"the value must be one of {', '.join(column.values)}")
    if column.is_currency:
        try:
            minor_units(text)
        except UnknownCurrency as error:
            raise CellInvalid(str(error)) from error
    return text


def _plain(text: str, column: Column) -> str:
    """Return a vendor's own spelling of a date or instant as ISO 8601."""
    if column.month_first:
        text = iso_date(text)
    if column.kind == "instant" and text.endswith(" UTC"):
        # BigQuery writes instants so in JSON: `2026-10-01 07:00:00 UTC`.
        text = text.removesuffix(" UTC") + "Z"
    return without_ticks(text) if column.has_ticks else text


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
    return _READERS[column.kind](_plain(text, column), column)


_READERS: Mapping[Kind, Callable[[str, Column], Decimal | int | date | datetime | bool | str | None]] = {
    "amount": lambda text, column: read_amount(text, column.decimals, is_double=column.is_double),
    "integer": lambda text, _: read_integer(text),
    "date": lambda text, _: read_date(text),
    "instant": lambda text, column: read_instant(text, needs_zone=column.needs_zone),
    "boolean": lambda text, _: read_boolean(text),
    "map": lambda text, _: read_map(text),
    "month": lambda text, _: read_month(text),
    "records": read_records,
    "text": read_text,
}
