"""The reference files as one checked set of typed frames: what prices, maps and taxes a charge.

A set with any problem is refused whole, with every problem it has: half a price list is worse than none.
What does not belong here: where the files are and when they arrived (`resources.reference_files`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl

from billing_pipeline.errors import ReferenceInvalid
from billing_pipeline.reference_cells import parse_columns
from billing_pipeline.reference_checks import check_file
from billing_pipeline.reference_csv import ReferenceRows, read_rows
from billing_pipeline.reference_links import Surroundings, check_links
from billing_pipeline.schemas.reference import REFERENCE_FILES, REFERENCE_FILES_BY_NAME
from billing_pipeline.schemas.reference_file import POLARS_TYPES, RECORDED_AT, SOURCE_ROW, ReferenceFile


@dataclass(frozen=True)
class ReferenceSet:
    """One frame per reference file, all columns of its declaration, typed; an absent file is an empty frame.

    Every frame also has `source_row` (1 = first data row) and `recorded_at` (UTC), always filled.

    Attributes:
        known: by file name, the rows of all versions ever in force: the file's columns, `source_row`, `recorded_at`,
            `withdrawn_at` (UTC; null while the row is still there) and `source_sha256` (of the version it was read
            from).
        taken_at: when this set was taken into use, by the clock; None for one that never was (what-if, tests).
        refused: problems of the files as they stand now; where there are any, this set is the last good one.
        notices: sentences about a set of the past that whoever asked for it should read.
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
    known: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    taken_at: datetime | None = None
    refused: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def frames(self) -> dict[str, pl.DataFrame]:
        """Return the frames by file name, in the order of the documentation."""
        return {file.name: getattr(self, file.name) for file in REFERENCE_FILES}


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
    rows: Mapping[str, ReferenceRows],
    zone: ZoneInfo,
    recorded_at: Mapping[str, pl.Series] | datetime,
    surroundings: Surroundings | None = None,
) -> ReferenceSet:
    """Return the checked, typed set of reference files.

    Args:
        rows: cells by file name; a file that is absent has no rows.
        zone: the organisation's zone, in which days begin.
        recorded_at: for each file, when each of its rows counts as recorded unless it says so itself; or one instant
            for all.
        surroundings: what the rows must fit beside each other; None judges them alone.

    Raises:
        ReferenceInvalid: with every problem of every file.
    """
    problems: list[str] = []
    frames: dict[str, pl.DataFrame] = {}
    for file in REFERENCE_FILES:
        file_rows = rows.get(file.name) or no_rows(file)
        typed = parse_columns(file_rows, zone)
        frames[file.name] = _with_recorded_at(file_rows, typed.frame, recorded_at)
        well_formed = frames[file.name].filter(~pl.col(SOURCE_ROW).is_in(typed.wrong_rows.implode()))
        problems += [*file_rows.problems, *typed.problems, *check_file(file, well_formed)]
    unread = {name for name, file_rows in rows.items() if file_rows.problems}
    problems += check_links(frames, unread, surroundings)
    if problems:
        raise ReferenceInvalid(tuple(problems))
    for file in REFERENCE_FILES:
        file.schema().validate(frames[file.name])
    return _set_of(frames)


def read_reference(
    rows: Mapping[str, ReferenceRows],
    zone: ZoneInfo,
    recorded_at: Mapping[str, pl.Series],
    as_of: datetime | None = None,
) -> ReferenceSet:
    """Return the typed set of files that were checked when they were taken into use.

    A row with a cell that a stricter declaration no longer takes is left out.

    Args:
        rows: as for `parse_reference`.
        zone: as for `parse_reference`.
        recorded_at: as for `parse_reference`.
        as_of: rows that name a later `recorded_at` are left out; None for all.
    """
    frames: dict[str, pl.DataFrame] = {}
    for file in REFERENCE_FILES:
        file_rows = rows.get(file.name) or no_rows(file)
        typed = parse_columns(file_rows, zone)
        frame = _with_recorded_at(file_rows, typed.frame, recorded_at)
        is_known = pl.lit(True)
        if as_of is not None and RECORDED_AT in file.column_names:
            is_known = pl.lit(typed.frame[RECORDED_AT].fill_null(as_of)) <= as_of
        frames[file.name] = frame.filter(~pl.col(SOURCE_ROW).is_in(typed.wrong_rows.implode()), is_known)
    return _set_of(frames)


def _set_of(frames: Mapping[str, pl.DataFrame]) -> ReferenceSet:
    return ReferenceSet(known={}, taken_at=None, refused=(), notices=(), **frames)


def no_rows(file: ReferenceFile) -> ReferenceRows:
    """Return what an absent file holds."""
    return read_rows(file, ",".join(file.column_names).encode())


def _with_recorded_at(
    rows: ReferenceRows, frame: pl.DataFrame, recorded_at: Mapping[str, pl.Series] | datetime
) -> pl.DataFrame:
    """Fill the instant of rows that do not say so themselves; files of facts have no such column of their own."""
    if isinstance(recorded_at, datetime):
        default = pl.repeat(recorded_at, frame.height, dtype=POLARS_TYPES["instant"], eager=True)
    else:
        default = recorded_at.get(rows.file.name, pl.Series([], dtype=POLARS_TYPES["instant"]))
    # Written but no instant: null here as well; it is reported with its cell, and the set is refused.
    own = [RECORDED_AT] if RECORDED_AT in frame.columns else []
    return frame.with_columns(pl.coalesce(*own, default).alias(RECORDED_AT)).select(*rows.file.frame_types)
