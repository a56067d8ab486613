"""What the lake lists as deliveries, day by day, beside what has arrived: repeats of invoices, and days out of date.

A day is taken with what is known then. What arrives for an earlier day afterwards may turn an invoice of a later day
into a repeat, or a repeat into news; and bytes that arrive once more with an earlier date belong to that day.
"""

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from billing_pipeline.periods import local_day
from billing_pipeline.repeated_invoices import with_repeats
from billing_pipeline.schemas.deliveries import DELIVERIES
from resources.inbox import Inbox
from resources.lake import Lake

_COLUMNS = (
    "source", "sha256", "format", "slot", "content_sha256", "invoice_status", "received_at", "landed_at",
    "unchanged_since",
)  # fmt: skip
_EMPTY = DELIVERIES.empty_frame().select(*_COLUMNS).with_columns(day=pl.lit("", pl.String))
_SET = ["day", "source", "sha256"]


class ListedDeliveries:
    """The deliveries that the lake lists, and the days to which their files belong as far as is known.

    Args:
        lake: its partitions of `deliveries` are read once.
        inbox: every complete set of files.
        zone: the organisation's time zone.
    """

    def __init__(self, lake: Lake, inbox: Inbox, zone: ZoneInfo) -> None:
        self._places = _places(inbox, zone)
        files = lake.files(DELIVERIES.name)
        self._listed = _read(files) if files else _EMPTY

    def mark_repeats(self, day: date, deliveries: pl.DataFrame) -> pl.DataFrame:
        """Return a day's deliveries with `unchanged_since`, and remember them as that day's.

        Args:
            deliveries: rows of the `deliveries` table.
        """
        others = self._listed.filter(pl.col("day") != day.isoformat())
        known = with_repeats(pl.concat([self._in_place(others), _of_day(deliveries, day)]))
        marked = deliveries.with_columns(known["unchanged_since"].tail(deliveries.height))
        self._listed = pl.concat([others, _of_day(marked, day)])
        return marked

    def outdated_days(self) -> list[date]:
        """Return the days on which the lake lists what belongs to another day, or takes news for a repeat."""
        placed = self._places.select("source", "sha256")
        moved = self._listed.join(self._places, on=_SET, how="anti").join(placed, on=["source", "sha256"], how="semi")
        in_place = self._in_place(self._listed)
        is_same = in_place["unchanged_since"].eq_missing(with_repeats(in_place)["unchanged_since"])
        changed = in_place.filter(~is_same)
        return sorted({date.fromisoformat(day) for day in (*moved["day"], *changed["day"])})

    def taken_sets(self) -> set[tuple[str, str, str]]:
        """Return day, source and hash of every set of files that is listed."""
        return set(self._listed.select(*_SET).iter_rows())

    def _in_place(self, listed: pl.DataFrame) -> pl.DataFrame:
        """Return what is listed on the day to which it belongs."""
        return listed.join(self._places, on=_SET, how="semi")


def _of_day(deliveries: pl.DataFrame, day: date) -> pl.DataFrame:
    return deliveries.select(*_COLUMNS).with_columns(day=pl.lit(day.isoformat()))


def _read(files: list[str]) -> pl.DataFrame:
    scanned = pl.scan_parquet(files, hive_partitioning=False, include_file_paths="day").select(*_EMPTY.columns)
    frame = scanned.collect()
    names = {path: Path(path).stem for path in frame["day"].unique()}
    return frame.with_columns(pl.col("day").replace_strict(names, return_dtype=pl.String))


def _places(inbox: Inbox, zone: ZoneInfo) -> pl.DataFrame:
    """Return the day to which each complete set of files belongs."""
    places = [
        (local_day(one.received_at, zone).isoformat(), one.source, one.sha256)
        for found in inbox.by_source.values()
        for one in found.complete
    ]
    return pl.DataFrame(places, schema=dict.fromkeys(_SET, pl.String), orient="row")
