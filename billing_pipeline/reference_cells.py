"""From the text of a cell to its typed value, one kind at a time.

What does not belong here: rules between cells or rows (`reference_checks`).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl

from billing_pipeline.errors import BillingError
from billing_pipeline.money import minor_units
from billing_pipeline.periods import parse_day, start_of_day
from billing_pipeline.reference_csv import ReferenceRows, file_name
from billing_pipeline.schemas.reference_file import POLARS_TYPES, SOURCE_ROW, Column, Kind

# ASCII: Decimal and int also take the digits of other scripts.
_DECIMAL = re.compile(r"-?(\d+)(?:\.(\d+))?", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,9}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_BOOLEANS = {"true": True, "false": False}

# DECIMAL(38, 18) holds 20 digits before the point.
_AMOUNT_DIGITS, _AMOUNT_DECIMALS = 20, 18
_PERCENT_DECIMALS = 4
# 1 + percent / 100 must fit DECIMAL(10, 6), the type of a multiplier.
_PERCENT_BELOW = Decimal(999_900)
# One slip repeated in every row must not bury the others.
PROBLEMS_PER_CHECK = 20

CellValue = str | bool | int | date | datetime | Decimal


class CellInvalid(BillingError):
    """A cell's text that is not what its column may hold."""


def parse_cell(column: Column, text: str, zone: ZoneInfo) -> CellValue:
    """Return the value of one cell that is not empty.

    Args:
        column: its declaration.
        text: the cell, stripped.
        zone: the organisation's zone, for a plain day in an instant's place.

    Raises:
        CellInvalid: the text is not of the column's kind, or out of its bounds.
    """
    try:
        value = _PARSERS[column.kind](text, column, zone)
    except BillingError as error:
        raise CellInvalid(str(error)) from error
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        if column.minimum is not None and value < column.minimum:
            raise CellInvalid(f"must be {column.minimum} or more")
        if column.above is not None and value <= column.above:
            raise CellInvalid(f"must be more than {column.above}")
    return value


@dataclass(frozen=True)
class TypedRows:
    """The rows of one file with typed cells.

    Attributes:
        frame: all declared columns in their order and `source_row`; a cell that is empty, absent or wrong is null.
        wrong_rows: `source_row` of rows with a wrong cell; what such a row means is not judged any further.
        problems: what is wrong with the cells.
    """

    frame: pl.DataFrame
    wrong_rows: pl.Series
    problems: tuple[str, ...]


def parse_columns(rows: ReferenceRows, zone: ZoneInfo) -> TypedRows:
    """Return the typed cells of one file.

    Args:
        rows: the cells as text.
        zone: the organisation's zone.
    """
    problems: list[str] = []
    numbers = rows.cells[SOURCE_ROW]
    wrong_rows = [numbers.clear()]
    typed = [numbers]
    for column in rows.file.columns:
        if column.name not in rows.cells.columns:
            typed.append(pl.Series(column.name, [None] * rows.cells.height, POLARS_TYPES[column.kind]))
            continue
        texts = rows.cells[column.name]
        values, reasons = _parse_texts(column, texts, zone)
        typed.append(values)
        place = f"{file_name(rows.file)}, row {{}}, column {column.name}"
        for text, reason in list(reasons.items())[:PROBLEMS_PER_CHECK]:
            problems.append(f"{place.format(numbers.filter(texts == text)[0])}, value {text!r}: {reason}")
        if len(reasons) > PROBLEMS_PER_CHECK:
            more = len(reasons) - PROBLEMS_PER_CHECK
            problems.append(f"{file_name(rows.file)}, column {column.name}: and {more} more values like these")
        empty = numbers.filter(texts.is_null()) if column.filled else numbers.clear()
        problems += [f"{place.format(row)}: must not be empty" for row in empty.head(PROBLEMS_PER_CHECK)]
        wrong_rows += [empty, numbers.filter(texts.is_not_null() & values.is_null())]
    frame = pl.DataFrame(typed).select(*rows.file.column_names, SOURCE_ROW)
    return TypedRows(frame, pl.concat(wrong_rows).unique(), tuple(problems))


def _parse_texts(column: Column, texts: pl.Series, zone: ZoneInfo) -> tuple[pl.Series, dict[str, str]]:
    """Parse each different text once: a price book repeats its days, methods and products many thousand times."""
    values: dict[str, CellValue] = {}
    wrong: dict[str, str] = {}
    for text in texts.drop_nulls().unique(maintain_order=True).to_list():
        try:
            values[text] = parse_cell(column, text, zone)
        except CellInvalid as error:
            wrong[text] = str(error)
    meanings = pl.DataFrame(
        {"text": list(values), "value": list(values.values())},
        schema={"text": pl.String, "value": POLARS_TYPES[column.kind]},
    )
    joined = pl.DataFrame({"text": texts}).join(meanings, on="text", how="left", maintain_order="left")
    return joined["value"].alias(column.name), wrong


def _decimal(text: str, decimals: int) -> Decimal:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise CellInvalid("is no number; write digits with a point, for example 12.5")
    if len((match[2] or "").rstrip("0")) > decimals:
        raise CellInvalid(f"has more than {decimals} decimals")
    if len(match[1].lstrip("0")) > _AMOUNT_DIGITS:
        raise CellInvalid(f"has more than {_AMOUNT_DIGITS} digits before the point")
    return Decimal(text)


def _amount(text: str, column: Column, zone: ZoneInfo) -> Decimal:
    return _decimal(text, _AMOUNT_DECIMALS)


def _percent(text: str, column: Column, zone: ZoneInfo) -> Decimal:
    value = _decimal(text, _PERCENT_DECIMALS)
    if value >= _PERCENT_BELOW:
        raise CellInvalid(f"must be less than {_PERCENT_BELOW}")
    return value


def _integer(text: str, column: Column, zone: ZoneInfo) -> int:
    if not _INTEGER.fullmatch(text):
        raise CellInvalid("is no whole number")
    return int(text)


def _instant(text: str, column: Column, zone: ZoneInfo) -> datetime:
    if _DAY.fullmatch(text):
        return start_of_day(parse_day(text), zone)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise CellInvalid("is no instant; write ISO 8601 with zone, for example 2026-10-05T09:00:00+03:00") from error
    if instant.tzinfo is None:
        raise CellInvalid("has no zone; write for example 2026-10-05T09:00:00Z or +03:00")
    return instant.astimezone(UTC)


def _boolean(text: str, column: Column, zone: ZoneInfo) -> bool:
    if text.lower() not in _BOOLEANS:
        raise CellInvalid("must be true or false")
    return _BOOLEANS[text.lower()]


def _currency(text: str, column: Column, zone: ZoneInfo) -> str:
    minor_units(text)
    return text


def _currencies(text: str, column: Column, zone: ZoneInfo) -> str:
    return ";".join(_currency(code.strip(), column, zone) for code in text.split(";") if code.strip())


def _country(text: str, column: Column, zone: ZoneInfo) -> str:
    if not re.fullmatch(r"[A-Z]{2}", text):
        raise CellInvalid("is no ISO 3166-1 alpha-2 code, two capital letters")
    return text


def _choice(text: str, column: Column, zone: ZoneInfo) -> str:
    if text not in column.choices:
        raise CellInvalid(f"must be one of {', '.join(column.choices)}")
    return text


def _text(text: str, column: Column, zone: ZoneInfo) -> str:
    return text


def _date(text: str, column: Column, zone: ZoneInfo) -> date:
    return parse_day(text)


_PARSERS: Mapping[Kind, Callable[[str, Column, ZoneInfo], CellValue]] = {
    "text": _text,
    "date": _date,
    "instant": _instant,
    "percent": _percent,
    "amount": _amount,
    "quantity": _amount,
    "currency": _currency,
    "currencies": _currencies,
    "country": _country,
    "boolean": _boolean,
    "integer": _integer,
    "choice": _choice,
}
