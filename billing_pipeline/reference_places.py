"""How a problem names its place in a reference file: file, rows, column and value, always in the same words."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import polars as pl

from billing_pipeline.reference_cells import PROBLEMS_PER_CHECK
from billing_pipeline.reference_csv import file_name
from billing_pipeline.schemas.reference_file import SOURCE_ROW, ReferenceFile

_ROWS_NAMED = 3


def cell_place(file: ReferenceFile, row: Mapping[str, object], column: str) -> str:
    """Return the place of one cell; an empty one has no value."""
    return rows_place(file, [row[SOURCE_ROW]], column, row[column])


def rows_place(
    file: ReferenceFile, rows: Sequence[object], column: str | None = None, value: object | None = None
) -> str:
    """Return the place of one or several rows, of a column and its value where a single one is to blame."""
    place = f"{file_name(file)}, {_numbered(rows)}"
    place += "" if column is None else f", column {column}"
    return place + ("" if value is None else f", value {shown(value)}")


def key_of(row: Mapping[str, object], key: Sequence[str]) -> str:
    """Return the filled columns of a row's key with their values."""
    return ", ".join(f"{name} {shown(row[name])}" for name in key if row[name] is not None)


def first_rows(frame: pl.DataFrame) -> list[dict[str, object]]:
    """Return the rows that a check names: one slip repeated in every row must not bury the others."""
    return frame.head(PROBLEMS_PER_CHECK).to_dicts()


def shown(value: object) -> str:
    """Write a decimal as a person would, without the zeros of its type."""
    if isinstance(value, Decimal):
        return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
    return str(value)


def _numbered(rows: Sequence[object]) -> str:
    if len(rows) == 1:
        return f"row {rows[0]}"
    named = [str(row) for row in rows[:_ROWS_NAMED]]
    more = len(rows) - len(named)
    last = f"{more} more" if more else named.pop()
    return f"rows {', '.join(named)} and {last}"
