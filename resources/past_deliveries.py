"""The deliveries of a past instant, worked out again from the archive in a lake of their own.

A day's deliveries as the lake lists them today may lack what was known then: a file that was overwritten in place, or
that a later rival put into the quarantine. So the days that matter are taken once more from the archive's arrivals;
what the lake below has converted already is not converted again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from billing_pipeline.configuration import WorkspaceConfig
from billing_pipeline.deliveries import FileSet
from billing_pipeline.periods import FIRST_DAY, BillingPeriod, local_day
from billing_pipeline.repeated_invoices import with_repeats
from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from resources.archive_as_of import ArchiveAsOf
from resources.inbox import Inbox, assembled_arrivals
from resources.intake import Intake
from resources.isolation import Converter
from resources.lake import Lake
from resources.overlay import OverlayLake
from resources.totals_intake import totals_frame

# The partition that holds the deliveries of every day that need not be worked through.
OTHER_DAYS = "other-days"


@dataclass
class PastDeliveries:
    """What had arrived by an instant.

    Attributes:
        lake: gets the deliveries, the quarantine and what is converted anew.
        by_day: deliveries by partition key, columns of `deliveries`.
        taken: days that were taken again from the archive.
    """

    intake: Intake
    inbox: Inbox
    zone: ZoneInfo
    lake: OverlayLake
    by_day: dict[str, pl.DataFrame]
    unlisted: frozenset[str]
    taken: set[str] = field(default_factory=set)

    @classmethod
    def look(
        cls,
        connection: duckdb.DuckDBPyConnection,
        converter: Converter,
        config: WorkspaceConfig,
        archive: ArchiveAsOf,
        lake: OverlayLake,
    ) -> "PastDeliveries":
        """Look which complete sets of files were known, and which of them the lake below lists.

        Args:
            archive: the archive as of the instant.
            lake: where days are taken again, over the workspace's lake with its `deliveries` shared.
        """
        zone = config.organisation.zone
        inbox = Inbox({source.id: assembled_arrivals(source, archive) for source in config.sources})
        listed = _listed(lake.below, zone)
        by_day: dict[str, pl.DataFrame] = {}
        unlisted: set[str] = set()
        for day, known in _sets_by_day(inbox, zone).items():
            rows = listed.get(day, DELIVERIES.empty_frame())
            by_day[day] = rows.join(known, on=["source", "sha256"], how="semi")
            if known.join(rows, on=["source", "sha256"], how="anti").height:
                unlisted.add(day)
        intake = Intake(connection, converter, config, archive, lake)
        return cls(intake, inbox, zone, lake, by_day, frozenset(unlisted))

    def take(self, days: Iterable[str]) -> None:
        """Take days again from the archive, those among them that were not yet."""
        for day in sorted(set(days) - self.taken):
            self.by_day[day] = self.intake.take(self.inbox, date.fromisoformat(day)).deliveries
            self.taken.add(day)

    def take_month(self, period: BillingPeriod) -> list[str]:
        """Take the days on which a delivery of a billing period had arrived, and return them."""
        self.take({*self.unlisted, *self._days_with(pl.col("billing_period") == period.text)})
        return self._days_with(pl.col("billing_period") == period.text)

    def take_invoices(self, invoices: Sequence[tuple[str, str]]) -> list[str]:
        """Take the days on which distributor invoices had arrived, by source and number, and return them."""
        wanted = pl.struct("source", "billing_account_id").is_in(
            [{"source": source, "billing_account_id": number} for source, number in invoices]
        )
        days = self._days_with((pl.col("format") == "distributor_invoice") & wanted) if invoices else []
        self.take(days)
        return self._days_with((pl.col("format") == "distributor_invoice") & wanted) if invoices else []

    def list_other_days(self) -> None:
        """List the deliveries of the days that were not taken, in one partition: they say what replaced what."""
        # What is a repeat of an invoice depends on what was known, which may be less than what the lake below knows.
        days = [frame.with_columns(day=pl.lit(day)) for day, frame in sorted(self.by_day.items())]
        known = with_repeats(pl.concat([DELIVERIES.empty_frame().with_columns(day=pl.lit("", pl.String)), *days]))
        others = known.filter(~pl.col("day").is_in(sorted(self.taken))).drop("day")
        self.lake.write_frame(DELIVERIES, OTHER_DAYS, others)
        self._state_totals_of_other_days()

    def _state_totals_of_other_days(self) -> None:
        """Read the totals of the days that were not taken once more: a few small files, each on its day of arrival."""
        by_day: dict[str, list[FileSet]] = {}
        for file in (file for found in self.inbox.by_source.values() for file in found.totals):
            by_day.setdefault(local_day(file.received_at, self.zone).isoformat(), []).append(file)
        for day in sorted(by_day.keys() - self.taken):
            # One that is refused now was refused then.
            self.lake.write_frame(VENDOR_TOTALS, day, totals_frame(by_day[day], self.intake.archive, []))

    def _days_with(self, condition: pl.Expr) -> list[str]:
        return sorted(day for day, frame in self.by_day.items() if frame.filter(condition).height)


def _sets_by_day(inbox: Inbox, zone: ZoneInfo) -> dict[str, pl.DataFrame]:
    """Return source and hash of the complete sets of each local day."""
    found: dict[str, list[tuple[str, str]]] = {}
    sets: list[FileSet] = [file_set for item in inbox.by_source.values() for file_set in item.complete]
    for file_set in sets:
        day = local_day(file_set.received_at, zone)
        # What counts as arrived on no day of arrival, no run takes.
        if day >= FIRST_DAY:
            found.setdefault(day.isoformat(), []).append((file_set.source, file_set.sha256))
    schema = {"source": pl.String, "sha256": pl.String}
    return {day: pl.DataFrame(pairs, schema=schema, orient="row") for day, pairs in found.items()}


def _listed(lake: Lake, zone: ZoneInfo) -> dict[str, pl.DataFrame]:
    """Return the deliveries of a lake by day of arrival."""
    files = lake.files(DELIVERIES.name)
    if not files:
        return {}
    frame = pl.read_parquet(files, hive_partitioning=False)
    days = [local_day(received_at, zone).isoformat() for received_at in frame["received_at"].to_list()]
    parts = frame.with_columns(pl.Series("day", days, pl.String)).partition_by("day", as_dict=True, include_key=False)
    return {str(key[0]): part for key, part in parts.items()}
