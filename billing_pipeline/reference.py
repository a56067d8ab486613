"""The reference files as one checked set of typed frames: what prices, maps and taxes a charge.

A set with any problem is refused whole, with every problem it has: half a price list is worse than none.
What does not belong here: where the files are and when they arrived (`resources.reference_files`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from zoneinfo import ZoneInfo

import polars as pl

from billing_pipeline.errors import ReferenceInvalid
from billing_pipeline.periods import start_of_day
from billing_pipeline.reference_cells import parse_columns
from billing_pipeline.reference_checks import check_file, check_references
from billing_pipeline.reference_csv import ReferenceRows, read_rows
from billing_pipeline.schemas.reference import REFERENCE_FILES, REFERENCE_FILES_BY_NAME
from billing_pipeline.schemas.reference_file import RECORDED_AT, SOURCE_ROW


@dataclass(frozen=True)
class ReferenceSet:
    """One frame per reference file, all columns of its declaration, typed; an absent file is an empty frame.

    Every frame also has `source_row` (1 = first data row) and `recorded_at` (UTC), always filled.
    """

    customers: pl.DataFrame
    accounts: pl.DataFrame
    products: pl.DataFrame
    pricing_rules: pl.DataFrame
    pricebooks: pl.DataFrame
    pricebook_prices: pl.DataFrame
    special_prices: pl.DataFrame
    distributor_price_lists: pl.DataFrame
    global_adjustments: pl.DataFrame
    support_plans: pl.DataFrame
    custom_charges: pl.DataFrame
    credits: pl.DataFrame
    tax_rates: pl.DataFrame
    exchange_rates: pl.DataFrame

    def frames(self) -> dict[str, pl.DataFrame]:
        """Return the frames by file name, in the order of the documentation."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def read_reference_rows(name: str, content: bytes) -> ReferenceRows:
    """Return the cells of one reference file.

    Args:
        name: file name without `.csv`.
        content: its bytes.

    Raises:
        KeyError: there is no reference file of this name.
    """
    return read_rows(REFERENCE_FILES_BY_NAME[name], content)


def parse_reference(
    rows: Mapping[str, ReferenceRows], zone: ZoneInfo, arrival_days: Mapping[str, Mapping[str, date]] | date
) -> ReferenceSet:
    """Return the checked, typed set of reference files.

    Args:
        rows: cells by file name; a file that is absent has no rows.
        zone: the organisation's zone, in which days begin.
        arrival_days: for each file, the local day on which a row (by `ReferenceRows.identities`) first arrived, needed
            for rows without a `recorded_at` of their own; or one day for all.

    Raises:
        ReferenceInvalid: with every problem of every file.
    """
    problems: list[str] = []
    frames: dict[str, pl.DataFrame] = {}
    for file in REFERENCE_FILES:
        file_rows = rows.get(file.name) or read_rows(file, ",".join(file.column_names).encode())
        days = arrival_days if isinstance(arrival_days, date) else arrival_days.get(file.name, {})
        typed = parse_columns(file_rows, zone)
        recorded_at = _recorded_at(file_rows, typed.frame, zone, days)
        frames[file.name] = typed.frame.with_columns(recorded_at).select(*file.frame_types)
        well_formed = frames[file.name].filter(~pl.col(SOURCE_ROW).is_in(typed.wrong_rows.implode()))
        problems += [*file_rows.problems, *typed.problems, *check_file(file, well_formed)]
    unread = {name for name, file_rows in rows.items() if file_rows.problems}
    ids = {file.name: frames[file.name][file.columns[0].name] for file in REFERENCE_FILES if file.name not in unread}
    for file in REFERENCE_FILES:
        problems += check_references(file, frames[file.name], ids)
    if problems:
        raise ReferenceInvalid(tuple(problems))
    for file in REFERENCE_FILES:
        file.schema().validate(frames[file.name])
    return ReferenceSet(**frames)


def _recorded_at(
    rows: ReferenceRows, frame: pl.DataFrame, zone: ZoneInfo, days: Mapping[str, date] | date
) -> pl.Series:
    """Take the row's own instant, else the start of the local day on which it first arrived."""
    # Files of facts rather than terms (products, pricebooks, rates) have no such column.
    own = frame[RECORDED_AT].to_list() if RECORDED_AT in frame.columns else [None] * frame.height
    if None in own:
        written = rows.cells.get_column(RECORDED_AT, default=pl.Series([None] * frame.height)).is_not_null().to_list()
        start = cache(lambda day: start_of_day(day, zone))
        for index, identity in enumerate(rows.identities()):
            if own[index] is None:
                # Written but no instant: reported with its cell, and the set is refused.
                day = date(1970, 1, 1) if written[index] else days if isinstance(days, date) else days[identity]
                own[index] = start(day)
    return pl.Series(RECORDED_AT, own, pl.Datetime("us", "UTC"))
