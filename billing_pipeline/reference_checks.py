"""What the rows of reference files must agree on: ranges, keys, methods, and each other's ids.

Every check returns sentences that name file, row, column and value. What does not belong here: single cells
(`reference_cells`).
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

import polars as pl

from billing_pipeline.reference_cells import PROBLEMS_PER_CHECK
from billing_pipeline.reference_csv import file_name
from billing_pipeline.schemas.reference_file import RECORDED_AT, SOURCE_ROW, CaseRule, ReferenceFile

_OPEN_END = date.max
# Pairs of columns of which the second, where filled, must be larger.
_RANGES = (
    ("valid_from", "valid_to"),
    ("granted_on", "expires_on"),
    ("from_quantity", "to_quantity"),
    ("from_amount", "to_amount"),
)


def check_file(file: ReferenceFile, frame: pl.DataFrame) -> list[str]:
    """Return every problem between the cells and rows of one file.

    Args:
        file: its declaration.
        frame: its typed rows, `source_row` and `recorded_at` filled.
    """
    return [*_empty_ranges(file, frame), *_cases(file, frame), *_repeated_keys(file, frame), *_overlaps(file, frame)]


def check_references(file: ReferenceFile, frame: pl.DataFrame, known_ids: Mapping[str, pl.Series]) -> list[str]:
    """Return the rows that name a row of another file which does not exist.

    Args:
        file: declaration of the file that names.
        frame: its typed rows.
        known_ids: values of the first column of each file that could be read; links to another are not judged.
    """
    links: list[tuple[str, str, CaseRule | None]] = [
        (column.name, column.references, None) for column in file.columns if column.references
    ]
    links += [(*case.references, case) for case in file.cases if case.references]
    problems: list[str] = []
    for column, target, case in links:
        if target not in known_ids:
            continue
        rows = frame if case is None else frame.filter(pl.col(case.column) == case.value)
        unknown = rows.filter(pl.col(column).is_not_null() & ~pl.col(column).is_in(known_ids[target].implode()))
        problems += [f"{_cell(file, row, column)}: is not in reference/{target}.csv" for row in _first_rows(unknown)]
    return problems


def overlapping_pairs(ranges: pl.DataFrame, key: tuple[str, ...]) -> list[tuple[int, int]]:
    """Find rows whose half-open day ranges overlap inside one key, by one sorted sweep.

    Args:
        ranges: `source_row`, `valid_from`, `valid_to` (null = open) and the key's columns (null equals null).
        key: columns within which ranges must not overlap; at least one.

    Returns:
        (earlier, later) rows by `source_row`, for each row that begins before the ranges swept before it ended; the
        earlier one is the one that ends last. Empty exactly when nothing overlaps.
    """
    ordered = ranges.with_columns(
        pl.col("valid_from").fill_null(date.min), pl.col("valid_to").fill_null(_OPEN_END)
    ).sort(*key, "valid_from", "valid_to", SOURCE_ROW)
    covered_until = pl.col("valid_to").cum_max().shift(1).over(key)
    late = ordered.filter(pl.col("valid_from") < covered_until)
    pairs = []
    for row in late.head(PROBLEMS_PER_CHECK).iter_rows(named=True):
        same_key = pl.all_horizontal(
            pl.col(name).eq_missing(pl.lit(row[name], dtype=ordered.schema[name])) for name in key
        )
        before = ordered.with_row_index("position").filter(same_key)
        position = before.filter(pl.col(SOURCE_ROW) == row[SOURCE_ROW])["position"][0]
        other = before.filter(pl.col("position") < position).sort("valid_to", maintain_order=True).row(-1, named=True)
        pairs.append((int(other[SOURCE_ROW]), int(row[SOURCE_ROW])))
    return pairs


def _overlaps(file: ReferenceFile, frame: pl.DataFrame) -> list[str]:
    if not file.overlap_key:
        return []
    active = pl.lit(True) if file.active_column is None else pl.col(file.active_column).fill_null(True)
    # A tier without a lower bound begins at 0; an id that is missing was reported with its cell.
    ranges = frame.filter(active & pl.col("valid_from").is_not_null()).with_columns(
        pl.col(name).fill_null(0) for name in file.overlap_key if frame.schema[name].is_decimal()
    )
    problems = []
    for earlier, later in overlapping_pairs(ranges, (*file.overlap_key, RECORDED_AT)):
        row = ranges.filter(pl.col(SOURCE_ROW) == later).row(0, named=True)
        named = ", ".join(f"{name} {_shown(row[name])}" for name in file.overlap_key if row[name] is not None)
        problems.append(
            f"{file_name(file)}, rows {earlier} and {later}: their valid ranges overlap for {named}; end the earlier "
            "one, or give the one that replaces it a later recorded_at"
        )
    return problems


def _empty_ranges(file: ReferenceFile, frame: pl.DataFrame) -> list[str]:
    problems = []
    for lower, upper in _RANGES:
        if {lower, upper} <= set(file.column_names):
            start = pl.col(lower).fill_null(0) if frame.schema[lower].is_decimal() else pl.col(lower)
            wrong = frame.filter(pl.col(upper) <= start)
            problems += [
                f"{_cell(file, row, upper)}: must be later than {lower} ({row[lower]})"
                if isinstance(row[upper], date)
                else f"{_cell(file, row, upper)}: must be more than {lower} ({_shown(row[lower] or Decimal(0))})"
                for row in _first_rows(wrong)
            ]
    return problems


def _repeated_keys(file: ReferenceFile, frame: pl.DataFrame) -> list[str]:
    problems = []
    for key in file.unique:
        rows = frame.drop_nulls(key.columns) if key.skip_empty else frame.drop_nulls(key.columns[:1])
        repeated = (
            rows.group_by(*key.columns, maintain_order=True)
            .agg(pl.col(SOURCE_ROW).sort())
            .filter(pl.col(SOURCE_ROW).list.len() > 1)
        )
        for row in repeated.head(PROBLEMS_PER_CHECK).iter_rows(named=True):
            numbers = " and ".join(str(number) for number in row[SOURCE_ROW])
            named = ", ".join(f"{name} {_shown(row[name])}" for name in key.columns if row[name] is not None)
            problems.append(f"{file_name(file)}, rows {numbers}: {named} must be unique")
    return problems


def _cases(file: ReferenceFile, frame: pl.DataFrame) -> list[str]:
    return [
        problem for case in file.cases for problem in _case(file, case, frame.filter(pl.col(case.column) == case.value))
    ]


def _case(file: ReferenceFile, case: CaseRule, rows: pl.DataFrame) -> Iterator[str]:
    for name in case.needs:
        for row in _first_rows(rows.filter(pl.col(name).is_null())):
            yield f"{_cell(file, row, name)}: {case.column} {case.value} needs a {name}"
    for name in case.forbids:
        for row in _first_rows(rows.filter(pl.col(name).is_not_null())):
            yield f"{_cell(file, row, name)}: {case.column} {case.value} takes no {name}"
    if case.needs_one_of:
        filled = pl.sum_horizontal(pl.col(name).is_not_null() for name in case.needs_one_of)
        for row in _first_rows(rows.filter(filled != 1)):
            names = " or ".join(case.needs_one_of)
            yield f"{file_name(file)}, row {row[SOURCE_ROW]}: {case.column} {case.value} needs {names}, and not both"
    yield from _percent_bounds(file, case, rows)


def _percent_bounds(file: ReferenceFile, case: CaseRule, rows: pl.DataFrame) -> Iterator[str]:
    if case.percent_from is not None:
        for row in _first_rows(rows.filter(pl.col("percent") < case.percent_from)):
            yield f"{_cell(file, row, 'percent')}: {case.column} {case.value} needs {case.percent_from} or more"
    if case.percent_to is not None:
        for row in _first_rows(rows.filter(pl.col("percent") > case.percent_to)):
            yield f"{_cell(file, row, 'percent')}: {case.column} {case.value} needs {case.percent_to} or less"


def _first_rows(frame: pl.DataFrame) -> list[dict[str, object]]:
    return frame.head(PROBLEMS_PER_CHECK).to_dicts()


def _cell(file: ReferenceFile, row: Mapping[str, object], column: str) -> str:
    value = "" if row[column] is None else f", value {_shown(row[column])}"
    return f"{file_name(file)}, row {row[SOURCE_ROW]}, column {column}{value}"


def _shown(value: object) -> str:
    """Write a decimal as a person would, without the zeros of its type."""
    if isinstance(value, Decimal):
        return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
    return str(value)
