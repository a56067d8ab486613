r"""Filters of one column each: `Customer~acme`, `Type=Debit|Credit`, `Quantity=1..10`, `Invoice date=2026-10`.

A column by header or name, an operator, and values separated by `|`. `=` takes exactly these values, `~` texts that
contain one of them, whatever their case; `!=` and `!~` take the rest. A number or day may be a range, `10..20`, `10..`
or `..20`, both ends included; a day also a month, `2026-10`. Nothing at all stands for empty cells. In a text `\|` is a
bar and `\\` a backslash. What does not belong here: the expression language (`charges.filters`), which says more.
"""

import re
from calendar import monthrange
from collections.abc import Iterable
from typing import NoReturn

from billing_pipeline.charges.columns import Column, find_column, known_columns
from billing_pipeline.charges.filter_text import FilterInvalid
from billing_pipeline.charges.filters import ParsedFilter, all_of
from billing_pipeline.charges.values import Value, ValueInvalid, placeholder, read_day, read_number

# The first operator ends the column's name: no header holds one of these characters.
_OPERATOR = re.compile(r"!=|!~|<=|>=|<|>|=|~")
_KNOWN = {"=", "!=", "~", "!~"}
_MOST_CHARACTERS = 20_000
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
# A bar or backslash after a backslash stands for itself.
_PIECE = re.compile(r"\\[\\|]|[^|]", re.DOTALL)
_LIKE_SIGNS = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
_HOW = "write Customer~acme, Type=Debit|Credit, Quantity=1..10 or Invoice date=2026-10-01..2026-10-31"


def parse_column_filters(texts: Iterable[str]) -> ParsedFilter | None:
    """Read filters of one column each; a charge must pass all of them.

    Args:
        texts: what the user typed, one column each.

    Returns:
        The condition with values to bind; None if there are no filters.

    Raises:
        FilterInvalid: one cannot be read; the message points at the place in it.
    """
    return all_of([_ColumnFilter(text).read() for text in texts])


class _ColumnFilter:
    """Reads one filter; collects the values as it writes the SQL."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._values: list[Value] = []

    def read(self) -> ParsedFilter:
        if len(self._text) > _MOST_CHARACTERS:
            self._refuse_at(0, f"it is longer than {_MOST_CHARACTERS} characters")
        found = _OPERATOR.search(self._text)
        if found is None:
            self._refuse_at(0, f"a column, one of = != ~ !~ and a value are expected; {_HOW}")
        column = find_column(self._text[: found.start()])
        if column is None:
            name = self._text[: found.start()].strip()
            self._refuse_at(0, f"there is no column {name!r}; there are {known_columns()}")
        if found.group() not in _KNOWN:
            self._refuse_at(found.start(), f"{found.group()} is not known here; an open range is {column.header}=10..")
        is_like = "~" in found.group()
        if is_like and column.kind != "text":
            self._refuse_at(found.start(), f"~ is for text, and {column.header} is not text; use = with a range")
        condition = self._any_of(column, found.end(), is_like)
        return ParsedFilter(f"(not {condition})" if "!" in found.group() else condition, self._values)

    def _any_of(self, column: Column, start: int, is_like: bool) -> str:
        """Write `one or another`; neither side is ever null, so that `not` gives the rest, empty cells included."""
        terms = []
        for alternative, place in self._alternatives(start):
            if is_like:
                terms.append(self._contains(column, alternative, place))
            elif alternative:
                terms.append(self._is(column, alternative, place))
            else:
                terms.append(self._empty(column))
        return f"({' or '.join(terms)})"

    def _alternatives(self, start: int) -> list[tuple[str, int]]:
        """Return the values between the bars, with their places."""
        found: list[tuple[str, int]] = []
        place = start
        while place <= len(self._text):
            end = place
            while (piece := _PIECE.match(self._text, end)) is not None:
                end = piece.end()
            found.append((self._text[place:end].strip(), place))
            place = end + 1
        return found

    def _empty(self, column: Column) -> str:
        if column.kind != "text":
            return f'("{column.name}" is null)'
        self._values.append("")
        return f'("{column.name}" is null or "{column.name}" = ?)'

    def _contains(self, column: Column, text: str, place: int) -> str:
        if not text:
            self._refuse_at(place, f"a part of {column.header} is expected; {column.header}= finds empty cells")
        self._values += [f"%{_unescaped(text).translate(_LIKE_SIGNS)}%", "\\"]
        return f'("{column.name}" is not null and "{column.name}" ilike ? escape ?)'

    def _is(self, column: Column, text: str, place: int) -> str:
        name = f'"{column.name}"'
        if column.kind == "text":
            self._values.append(_unescaped(text))
            return f"({name} is not null and {name} = ?)"
        low, dots, high = text.partition("..")
        first = self._bound(column, low, place)
        last = self._bound(column, high if dots else text, place + len(low + dots) * bool(dots), is_end=True)
        if first is None and last is None:
            self._refuse_at(place, "a range needs a beginning or an end")
        # Both are of the column's type.
        if first is not None and last is not None and first > last:  # type: ignore[operator]
            self._refuse_at(place, f"the range ends before it begins; write {high.strip()}..{low.strip()}")
        terms = [f"{name} is not null"]
        for bound, sign in ((first, ">="), (last, "<=")):
            if bound is not None:
                self._values.append(bound)
                terms.append(f"{name} {sign} {placeholder(column)}")
        return f"({' and '.join(terms)})"

    def _bound(self, column: Column, text: str, place: int, is_end: bool = False) -> Value | None:
        """Read one end of a range; None where it is open."""
        word = text.strip()
        if not word:
            return None
        place += len(text) - len(text.lstrip())
        try:
            if column.kind != "date":
                return read_number(word.removeprefix("-"), column, is_negative=word.startswith("-"))
            if _MONTH.fullmatch(word) is None:
                return read_day(word, column)
            first_day = read_day(f"{word}-01", column)
            return first_day.replace(day=monthrange(first_day.year, first_day.month)[1]) if is_end else first_day
        except ValueInvalid as error:
            self._refuse_at(place, str(error))

    def _refuse_at(self, start: int, reason: str) -> NoReturn:
        raise FilterInvalid(f"filter {self._text[:60]!r}, character {start + 1}: {reason}") from None


def _unescaped(text: str) -> str:
    return re.sub(r"\\([\\|])", r"\1", text)
