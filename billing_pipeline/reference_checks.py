"""What the rows of one reference file must agree on: ranges, keys, methods.

Every check returns sentences that name file, row, column and value. What does not belong here: single cells
(`reference_cells`), tiers of one price (`reference_tiers`), what other files hold (`reference_links`).
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import polars as pl

from billing_pipeline.reference_cells import PROBLEMS_PER_CHECK
from billing_pipeline.reference_places import cell_place, first_rows, key_of, rows_place, shown
from billing_pipeline.reference_tiers import check_tiers
from billing_pipeline.schemas.reference_file import RECORDED_AT, SOURCE_ROW, CaseRule, ReferenceFile

_OPEN_END = date.max
# Pairs of columns of which the second, where filled, must be larger.
_RANGES = (
    ("valid_from", "valid_to"),
    ("granted_on", "expires_on"),
    ("from_quantity", "to_quantity"),
    ("from_amount", "to_amount"),
)
# Pairs of columns that must not be equal.
_DIFFERENT = (("quote_currency", "base_currency"),)


def check_file(file: ReferenceFile, frame: pl.DataFrame) -> list[str]:
    """Return every problem between the cells and rows of one file.

    Args:
        file: its declaration.
        frame: its typed rows, `source_row` and `recorded_at` filled.
    """
    return [
        *_empty_ranges(file, frame),
        *_equal_cells(file, frame),
        *_cases(file, frame),
        *_repeated_keys(file, frame),
        *_overlaps(file, frame),
        *check_tiers(file, frame),
    ]


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
        problems.append(
            f"{rows_place(file, [earlier, later])}: their valid ranges overlap for {key_of(row, file.overlap_key)}; end"
            " the earlier one, or give the one that replaces it a later recorded_at"
        )
    return problems


def _empty_ranges(file: ReferenceFile, frame: pl.DataFrame) -> list[str]:
    problems = []
    for lower, upper in _RANGES:
        if {lower, upper} <= set(file.column_names):
            start = pl.col(lower).fill_null(0) if frame.schema[lower].is_decimal() else pl.col(lower)
            wrong = frame.filter(pl.col(upper) <= start)
            problems += [
                f"{cell_place(file, row, upper)}: must be later than {lower} ({row[lower]})"
                if isinstance(row[upper], date)
                else f"{cell_place(file, row, upper)}: must be more than {lower} ({shown(row[lower] or Decimal(0))})"
                for row in first_rows(wrong)
            ]
    return problems


def _equal_cells(file: ReferenceFile, frame: pl.DataFrame) -> list[str]:
    return [
        f"{cell_place(file, row, one)}: must differ from {other}"
        for one, other in _DIFFERENT
        if {one, other} <= set(file.column_names)
        for row in first_rows(frame.filter(pl.col(one) == pl.col(other)))
    ]


def _repeated_keys(file: ReferenceFile, frame: pl.DataFrame) -> list[str]:
    problems = []
    for key in file.unique:
        rows = frame.drop_nulls(key.columns) if key.skip_empty else frame.drop_nulls(key.columns[:1])
        repeated = (
            rows.group_by(*key.columns, maintain_order=True)
            .agg(pl.col(SOURCE_ROW).sort())
            .filter(pl.col(SOURCE_ROW).list.len() > 1)
        )
        problems += [
            f"{rows_place(file, row[SOURCE_ROW])}: {key_of(row, key.columns)} must be unique"
            for row in repeated.head(PROBLEMS_PER_CHECK).iter_rows(named=True)
        ]
    return problems


def _cases(file: ReferenceFile, frame: pl.DataFrame) -> list[str]:
    return [
        problem for case in file.cases for problem in _case(file, case, frame.filter(pl.col(case.column) == case.value))
    ]


def _case(file: ReferenceFile, case: CaseRule, rows: pl.DataFrame) -> Iterator[str]:
    for name in case.needs:
        for row in first_rows(rows.filter(pl.col(name).is_null())):
            yield f"{cell_place(file, row, name)}: {case.column} {case.value} needs a {name}"
    for name in case.forbids:
        for row in first_rows(rows.filter(pl.col(name).is_not_null())):
            yield f"{cell_place(file, row, name)}: {case.column} {case.value} takes no {name}"
    if case.needs_one_of:
        filled = pl.sum_horizontal(pl.col(name).is_not_null() for name in case.needs_one_of)
        for row in first_rows(rows.filter(filled != 1)):
            names = " or ".join(case.needs_one_of)
            yield f"{rows_place(file, [row[SOURCE_ROW]])}: {case.column} {case.value} needs {names}, and not both"
    yield from _percent_bounds(file, case, rows)


def _percent_bounds(file: ReferenceFile, case: CaseRule, rows: pl.DataFrame) -> Iterator[str]:
    if case.percent_from is not None:
        for row in first_rows(rows.filter(pl.col("percent") < case.percent_from)):
            yield f"{cell_place(file, row, 'percent')}: {case.column} {case.value} needs {case.percent_from} or more"
    if case.percent_to is not None:
        for row in first_rows(rows.filter(pl.col("percent") > case.percent_to)):
            yield f"{cell_place(file, row, 'percent')}: {case.column} {case.value} needs {case.percent_to} or less"
