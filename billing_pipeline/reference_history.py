"""The history of one reference file: which rows its versions held, since when each was known and when it was withdrawn.

A row is its named cells (`ReferenceRows.identities`), whatever its place in the file; it is in the history once for
every stretch of versions that hold it. What does not belong here: where versions are kept
(`resources.reference_journal`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl

from billing_pipeline.periods import local_day, start_of_day
from billing_pipeline.reference_cells import parse_columns
from billing_pipeline.reference_csv import ReferenceRows
from billing_pipeline.schemas.reference_file import (
    POLARS_TYPES,
    RECORDED_AT,
    SOURCE_ROW,
    SOURCE_SHA256,
    WITHDRAWN_AT,
    ReferenceFile,
)

_INSTANT = POLARS_TYPES["instant"]
_IDENTITY = "identity"
_FROM = "from_version"
_TO = "to_version"
_DEFAULT = "counts_as_recorded_at"
_OWN = "own_recorded_at"


@dataclass(frozen=True)
class Arrival:
    """When a version arrived.

    Attributes:
        arrived_at: the instant at which rows that it no longer holds are withdrawn.
        known_since: the instant at which a row that it brought counts as recorded, unless the row says so itself.
    """

    arrived_at: datetime
    known_since: datetime

    @classmethod
    def of(cls, arrived_at: datetime, zone: ZoneInfo, is_first_set: bool) -> "Arrival":
        """Return the arrival of a version of the first set ever in force, or of a later one.

        The first set counts from the start of the day on which it arrived: nothing can have been priced before. A later
        version counts from its instant: what was priced earlier on that day keeps its price.
        """
        return cls(arrived_at, start_of_day(local_day(arrived_at, zone), zone) if is_first_set else arrived_at)


@dataclass(frozen=True)
class FileHistory:
    """What is known of one file from its versions.

    Attributes:
        known: every row that was ever in it: columns and types of `ReferenceFile.known_types`, by version and row.
        present: the rows of the last version: their identity, and when a row without a `recorded_at` of its own counts
            as recorded.
    """

    known: pl.DataFrame
    present: pl.DataFrame

    def recorded_at(self, rows: ReferenceRows) -> pl.Series:
        """Return for each row of the last version when it counts as recorded unless it says so itself."""
        identities = pl.DataFrame({_IDENTITY: rows.identities()})
        return identities.join(self.present, on=_IDENTITY, how="left", maintain_order="left")[_DEFAULT]


def no_stretches(file: ReferenceFile) -> pl.DataFrame:
    """Return the stretches of a file without versions.

    A stretch is a row of a run of versions that hold it: its cells as text, `source_row` in the first of them and that
    one's `source_sha256`, `from_version` and `to_version` (exclusive, null = the last one holds it), counted from 0.
    """
    types: dict[str, pl.DataType] = {
        **dict.fromkeys(file.column_names, pl.String()),
        SOURCE_ROW: pl.Int64(),
        SOURCE_SHA256: pl.String(),
        _FROM: pl.Int64(),
        _TO: pl.Int64(),
    }
    return pl.DataFrame(schema=types)


def add_version(
    file: ReferenceFile, stretches: pl.DataFrame, number: int, sha256: str | None, rows: ReferenceRows | None
) -> pl.DataFrame:
    """Return the stretches with one more version.

    Args:
        file: its declaration.
        stretches: of the versions before, by version and row.
        number: how many there were.
        sha256: of the version's bytes; None where the file is absent from then on.
        rows: the version's cells; None where the file is absent.
    """
    held = no_stretches(file) if rows is None else _held(file, number, sha256, rows)
    before, now = _identified(file, stretches), _identified(file, held)
    there = before.filter(pl.col(_TO).is_null())
    gone = there.join(now, on=_IDENTITY, how="anti").with_columns(pl.lit(number, pl.Int64).alias(_TO))
    parts = [
        before.filter(pl.col(_TO).is_not_null()),
        gone,
        there.join(now, on=_IDENTITY, how="semi"),
        # The same row twice in one file is one row.
        now.unique(_IDENTITY, keep="first", maintain_order=True).join(there, on=_IDENTITY, how="anti"),
    ]
    return pl.concat(parts).sort(_FROM, SOURCE_ROW).select(*stretches.columns)


def first_versions(stretches: pl.DataFrame, count: int) -> pl.DataFrame:
    """Return the stretches as they were when there were only so many versions."""
    ended = pl.when(pl.col(_TO) < count).then(pl.col(_TO)).otherwise(None)
    return stretches.filter(pl.col(_FROM) < count).with_columns(ended.alias(_TO))


def history_of(
    file: ReferenceFile,
    stretches: pl.DataFrame,
    arrivals: Sequence[Arrival],
    zone: ZoneInfo,
    as_of: datetime | None = None,
) -> FileHistory:
    """Return the history of one file.

    A row is withdrawn when the first version without it arrives. One that was withdrawn before it counted as recorded
    was never known.

    Args:
        file: its declaration.
        stretches: of its versions.
        arrivals: of each version, each later than the one before.
        zone: the organisation's zone, in which days begin.
        as_of: rows that name a later `recorded_at` are left out, later withdrawals have not happened; None for all.
    """
    instants = pl.DataFrame(
        {
            "number": pl.Series(range(len(arrivals)), dtype=pl.Int64),
            _DEFAULT: pl.Series([arrival.known_since for arrival in arrivals], dtype=_INSTANT),
            WITHDRAWN_AT: pl.Series([arrival.arrived_at for arrival in arrivals], dtype=_INSTANT),
        }
    )
    dated = stretches.join(
        instants.select("number", _DEFAULT), left_on=_FROM, right_on="number", how="left", maintain_order="left"
    ).join(instants.select("number", WITHDRAWN_AT), left_on=_TO, right_on="number", how="left", maintain_order="left")
    present = _identified(file, dated.filter(pl.col(_TO).is_null())).select(_IDENTITY, _DEFAULT)
    return FileHistory(_typed(file, dated, zone, as_of), present)


def _held(file: ReferenceFile, number: int, sha256: str | None, rows: ReferenceRows) -> pl.DataFrame:
    absent = [name for name in file.column_names if name not in rows.cells.columns]
    return rows.cells.with_columns(
        *(pl.lit(None, pl.String).alias(name) for name in absent),
        pl.lit(sha256, pl.String).alias(SOURCE_SHA256),
        pl.lit(number, pl.Int64).alias(_FROM),
        pl.lit(None, pl.Int64).alias(_TO),
    ).select(*no_stretches(file).columns)


def _identified(file: ReferenceFile, stretches: pl.DataFrame) -> pl.DataFrame:
    rows = ReferenceRows(file, stretches.select(*file.column_names, SOURCE_ROW))
    return stretches.with_columns(rows.identities().alias(_IDENTITY))


def _typed(file: ReferenceFile, dated: pl.DataFrame, zone: ZoneInfo, as_of: datetime | None) -> pl.DataFrame:
    # Row numbers repeat from version to version: rows are told apart by their place in the history.
    place = pl.int_range(dated.height, dtype=pl.Int64)
    typed = parse_columns(ReferenceRows(file, dated.select(*file.column_names, place.alias(SOURCE_ROW))), zone)
    own = pl.col(RECORDED_AT) if RECORDED_AT in file.column_names else pl.lit(None, _INSTANT)
    known = typed.frame.with_columns(
        dated[SOURCE_ROW].alias("row"),
        own.alias(_OWN),
        pl.coalesce(own, dated[_DEFAULT]).alias(RECORDED_AT),
        dated[WITHDRAWN_AT],
        dated[SOURCE_SHA256],
    ).filter(
        # A version that was taken held no wrong cell; a stricter declaration may find one later.
        ~pl.col(SOURCE_ROW).is_in(typed.wrong_rows.implode()),
        pl.col(WITHDRAWN_AT).is_null() | (pl.col(WITHDRAWN_AT) > pl.col(RECORDED_AT)),
    )
    if as_of is not None:
        known = known.filter(pl.col(_OWN).is_null() | (pl.col(_OWN) <= as_of)).with_columns(
            pl.when(pl.col(WITHDRAWN_AT) <= as_of).then(pl.col(WITHDRAWN_AT)).otherwise(None).alias(WITHDRAWN_AT)
        )
    return known.with_columns(pl.col("row").alias(SOURCE_ROW)).select(*file.known_types)
