"""Prices and plans with tiers: the rows that make one of them must fit together at every quantity.

What does not belong here: rules of a single row and ranges of days (`reference_checks`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any

import polars as pl

from billing_pipeline.reference_cells import PROBLEMS_PER_CHECK
from billing_pipeline.reference_places import key_of, rows_place, shown
from billing_pipeline.schemas.reference_file import RECORDED_AT, SOURCE_ROW, ReferenceFile, Tiers

_Row = Mapping[str, Any]
_ZERO = Decimal(0)


def check_tiers(file: ReferenceFile, frame: pl.DataFrame) -> list[str]:
    """Return what keeps the tiers of one price from fitting together.

    Tiers are compared on every day on which they hold together. Those recorded at the same instant must agree and must
    not overlap. A tier that was changed later counts before the one it replaces; with all of them every quantity from 0
    on must have its tier. Above the last tier there may be none.

    Args:
        file: its declaration; without tiers there is nothing to check.
        frame: its typed rows, `source_row` and `recorded_at` filled.
    """
    if file.tiers is None:
        return []
    tiers = file.tiers
    # A key whose rows hold at every quantity has no tiers, however many rows; price books are full of those.
    lower = pl.col(tiers.lower).fill_null(0)
    is_tier = (lower > 0) | pl.col(tiers.upper).is_not_null()
    # A tier that ends before it begins was reported with its cell.
    is_empty = (pl.col(tiers.upper) <= lower).fill_null(False)
    tiered = frame.filter(~is_empty.any().over(*tiers.key) & is_tier.any().over(*tiers.key))
    tiered = tiered.sort(*tiers.key, SOURCE_ROW)
    problems: dict[str, None] = {}
    for _, group in tiered.group_by(*tiers.key, maintain_order=True):
        rows = group.to_dicts()
        for day in _days_of_change(rows):
            together = [row for row in rows if _holds(row, day)]
            problems.update(dict.fromkeys(_problems(file, tiers, together)))
        if len(problems) >= PROBLEMS_PER_CHECK:
            break
    return list(problems)[:PROBLEMS_PER_CHECK]


def _days_of_change(rows: Sequence[_Row]) -> list[date]:
    return sorted({day for row in rows for day in (row["valid_from"], row["valid_to"]) if day is not None})


def _holds(row: _Row, day: date) -> bool:
    starts = row["valid_from"] is not None and row["valid_from"] <= day
    return starts and (row["valid_to"] is None or day < row["valid_to"])


def _problems(file: ReferenceFile, tiers: Tiers, rows: Sequence[_Row]) -> Iterator[str]:
    if not rows:
        return
    by_instant = [
        list(group) for _, group in groupby(sorted(rows, key=itemgetter(RECORDED_AT)), key=itemgetter(RECORDED_AT))
    ]
    for at_once in by_instant:
        yield from _disagreements(file, tiers, at_once)
        yield from _overlaps(file, tiers, at_once)
    # The newest tier says how the price is made now; what it replaced is still in the file for the past.
    newest = by_instant[-1][-1]
    alike = [row for row in rows if all(row[name] == newest[name] for name in tiers.one_value)]
    yield from _gaps(file, tiers, alike)


def _disagreements(file: ReferenceFile, tiers: Tiers, rows: Sequence[_Row]) -> Iterator[str]:
    for name in tiers.agree:
        values = {shown(row[name]): row for row in rows if row[name] is not None}
        if len(values) > 1:
            numbers = sorted(row[SOURCE_ROW] for row in values.values())
            yield (
                f"{rows_place(file, numbers, name)}: the tiers of one {tiers.noun} must have one {name}, not"
                f" {' and '.join(sorted(values))}, for {key_of(rows[0], tiers.key)}"
            )


def _overlaps(file: ReferenceFile, tiers: Tiers, rows: Sequence[_Row]) -> Iterator[str]:
    ordered = sorted(rows, key=lambda row: (_lower(row, tiers), row[SOURCE_ROW]))
    for below, row in pairwise(ordered):
        # Two tiers that begin alike are reported as overlapping ranges of one key.
        if _lower(below, tiers) < _lower(row, tiers) and (
            below[tiers.upper] is None or below[tiers.upper] > _lower(row, tiers)
        ):
            end = "has no end" if below[tiers.upper] is None else f"ends at {shown(below[tiers.upper])}"
            place = rows_place(file, [below[SOURCE_ROW], row[SOURCE_ROW]], tiers.lower, row[tiers.lower])
            yield f"{place}: their tiers overlap, the lower one {end}, for {key_of(row, tiers.key)}"


def _gaps(file: ReferenceFile, tiers: Tiers, rows: Sequence[_Row]) -> Iterator[str]:
    reached: Decimal | None = _ZERO
    for row in sorted(rows, key=lambda row: _lower(row, tiers)):
        if reached is None:
            return
        if _lower(row, tiers) > reached:
            place = rows_place(file, [row[SOURCE_ROW]], tiers.lower, row[tiers.lower])
            reason = "the first tier must begin at 0" if reached == _ZERO else f"no tier holds from {shown(reached)} on"
            yield f"{place}: {reason}, for {key_of(row, tiers.key)}"
        reached = None if row[tiers.upper] is None else max(reached, row[tiers.upper])


def _lower(row: _Row, tiers: Tiers) -> Decimal:
    lower: Decimal | None = row[tiers.lower]
    return _ZERO if lower is None else lower
