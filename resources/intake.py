"""Intake: the files of one day become complete, converted deliveries, or go to the quarantine whole.

Everything is decided here and nothing is half taken: a delivery is listed only when every file of it was
converted, and what was converted in vain is removed.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl

from billing_pipeline.configuration import Source, WorkspaceConfig
from billing_pipeline.deliveries import FileSet, Refused
from billing_pipeline.errors import BadInput
from billing_pipeline.periods import local_day
from billing_pipeline.schemas.deliveries import DELIVERIES, QUARANTINE
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from resources.archive import Archive
from resources.conversion import Converted, LandedFile, duplicate_row_key
from resources.converted_files import converted_files
from resources.delivery_rows import arrival_facts, delivery_row, quarantine_frame
from resources.fingerprint import converter_fingerprint
from resources.inbox import Inbox, assembled_arrivals, open_inbox
from resources.intake_checks import (
    blamed,
    check_currency,
    check_manifest,
    latest_of,
    merged_groups,
    without_rivals,
)
from resources.isolation import Converter, Job
from resources.lake import Lake
from resources.listed_deliveries import ListedDeliveries
from resources.totals_intake import totals_frame

__all__ = ["Day", "Inbox", "Intake", "assembled_arrivals", "open_inbox"]


@dataclass(frozen=True)
class Day:
    """What one day's intake came to.

    Attributes:
        deliveries: frame with the columns of the `deliveries` table.
        quarantine: frame with the columns of the `quarantine` table.
        totals: frame with the columns of the `vendor_totals` table.
    """

    deliveries: pl.DataFrame
    quarantine: pl.DataFrame
    totals: pl.DataFrame

    @property
    def is_empty(self) -> bool:
        """Whether nothing arrived on the day."""
        return self.deliveries.is_empty() and self.quarantine.is_empty() and self.totals.is_empty()


class Intake:
    """Takes the deliveries of a day into the lake.

    Args:
        connection: DuckDB session for checks across files.
        converter: converts files, several at once.
        config: the workspace's configuration.
        archive: where the files' bytes are.
        lake: where converted files go.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        converter: Converter,
        config: WorkspaceConfig,
        archive: Archive,
        lake: Lake,
    ) -> None:
        self.connection = connection
        self.converter = converter
        self.config = config
        self.archive = archive
        self.lake = lake
        self._beside: tuple[Inbox, ListedDeliveries] | None = None

    def take(self, inbox: Inbox, day: date) -> Day:
        """Convert and list everything that arrived on a local day; replace that day's partitions.

        Returns:
            The day's deliveries, refusals and vendor totals, as written.
        """
        zone = self.config.organisation.zone
        earlier, present = self._earlier(day), set(converted_files(self.lake, day.isoformat()))
        rows: list[dict[str, object]] = []
        refused: list[Refused] = []
        for source in self.config.sources:
            assembled = inbox.by_source[source.id]
            refused += [item for item in assembled.refused if local_day(item.arrival.received_at, zone) == day]
            of_day = [item for item in assembled.complete if local_day(item.received_at, zone) == day]
            new = [item for item in of_day if (source.id, item.sha256) not in earlier]
            converted = self._convert(source, new, day, refused)
            taken = [
                (item, [row | arrival_facts(item) for row in found])
                for item in of_day
                if (found := earlier.get((source.id, item.sha256)) or converted.get(item.sha256))
            ]
            for found in without_rivals(source, taken, refused):
                rows += found
        stated = [file for one in inbox.by_source.values() for file in one.totals]
        totals = totals_frame(
            [file for file in stated if local_day(file.received_at, zone) == day], self.archive, refused
        )
        refused = self._without_mended(refused)
        deliveries = pl.DataFrame(rows, schema=DELIVERIES.empty_frame().schema)
        deliveries = self._listed(inbox).mark_repeats(day, deliveries).sort("delivery_id", "currency")
        quarantine = quarantine_frame(refused)
        self.lake.write_frame(QUARANTINE, day.isoformat(), quarantine)
        self.lake.write_frame(VENDOR_TOTALS, day.isoformat(), totals)
        self.lake.write_frame(DELIVERIES, day.isoformat(), deliveries)
        self._remove_untaken(day, deliveries, present)
        return Day(deliveries, quarantine, totals)

    def _listed(self, inbox: Inbox) -> ListedDeliveries:
        """Return what the lake lists; read once for all days that are taken from one inbox."""
        if self._beside is None or self._beside[0] is not inbox:
            self._beside = (inbox, ListedDeliveries(self.lake, inbox, self.config.organisation.zone))
        return self._beside[1]

    def _earlier(self, day: date) -> Mapping[tuple[str, str], list[dict[str, object]]]:
        """Return what an earlier run of the same day took with the same conversion, by source and hash of the set."""
        path = self.lake.find(DELIVERIES.name, day.isoformat())
        if path is None:
            return {}
        converters = {source.id: converter_fingerprint(source) for source in self.config.sources}
        found: dict[tuple[str, str], list[dict[str, object]]] = {}
        for row in pl.read_parquet(path, hive_partitioning=False).to_dicts():
            files = json.loads(row["parquet_files"])
            if row["converter"] == converters.get(row["source"]) and all(
                self.lake.locate(name).exists() for name in files
            ):
                found.setdefault((row["source"], row["sha256"]), []).append(row)
        return found

    def _convert(
        self, source: Source, file_sets: Sequence[FileSet], day: date, refused: list[Refused]
    ) -> dict[str, list[dict[str, object]]]:
        """Convert sets of files, all their files at once.

        Returns:
            Rows of the `deliveries` table by hash of the set; sets that are refused go to `refused` instead.
        """
        jobs: dict[str, list[Job]] = {}
        for file_set in file_sets:
            try:
                jobs[file_set.sha256] = self._jobs(source, file_set, day)
            except BadInput as error:
                refused.append(Refused(blamed(file_set, error), error))
        outcomes = iter(self.converter.convert([job for some in jobs.values() for job in some]))
        found: dict[str, list[dict[str, object]]] = {}
        for file_set in file_sets:
            if file_set.sha256 not in jobs:
                continue
            own = jobs[file_set.sha256]
            try:
                found[file_set.sha256] = self._judged(source, file_set, own, [next(outcomes) for _ in own])
            except BadInput as error:
                for job in own:
                    job.target.unlink(missing_ok=True)
                refused.append(Refused(blamed(file_set, error), error))
        return found

    def _jobs(self, source: Source, file_set: FileSet, day: date) -> list[Job]:
        folder = self.lake.root / "vendor_charges" / day.isoformat()
        return [
            Job(
                source=source,
                file=LandedFile(file.name, self.archive.verified(file), file.sha256),
                size=file.size,
                file_set_sha256=file_set.sha256,
                target=folder / f"{source.id}-{file_set.sha256[:16]}-{index}.parquet",
                billing_month=file_set.manifest.billing_period if file_set.manifest else None,
            )
            for index, file in enumerate(file_set.files)
        ]

    def _judged(
        self, source: Source, file_set: FileSet, jobs: Sequence[Job], outcomes: Sequence[Converted | BadInput]
    ) -> list[dict[str, object]]:
        """Return a set's deliveries once all its files are good, and good together.

        Raises:
            BadInput: a file is not, or they do not belong together.
        """
        converted = []
        for outcome in outcomes:
            if isinstance(outcome, BadInput):
                raise outcome
            converted.append(outcome)
        latest = latest_of(source, converted)
        if latest is not None:
            again = [replace(job, billing_month=latest) for job in jobs]
            return self._judged(source, file_set, again, self.converter.convert(again))
        targets = [job.target for job in jobs]
        if len(converted) > 1 and (duplicate := duplicate_row_key(self.connection, targets)):
            raise duplicate
        groups = merged_groups(converted)
        check_manifest(file_set, converted, groups)
        check_currency(source, file_set, groups)
        has_invoice_ids = all(item.has_invoice_id_column for item in converted)
        names = [str(target.relative_to(self.lake.root)) for target in targets]
        organisation = self.config.organisation
        return [delivery_row(source, file_set, group, has_invoice_ids, names, organisation) for group in groups]

    def _without_mended(self, refused: Sequence[Refused]) -> list[Refused]:
        """Leave out refusals of files of which a newer version has arrived since."""
        newest: dict[tuple[str, str], tuple[datetime, datetime]] = {}
        for source in {item.arrival.source for item in refused}:
            for arrival in self.archive.arrivals(source):
                # In order of arrival: the last of a name is its newest.
                newest[source, arrival.name] = (arrival.received_at, arrival.modified_at)
        return [
            item
            for item in refused
            if newest.get((item.arrival.source, item.arrival.name), _arrived(item)) <= _arrived(item)
        ]

    def _remove_untaken(self, day: date, deliveries: pl.DataFrame, present: Collection[Path]) -> None:
        """Remove what was converted and not taken; of a delivery that is replaced the published warehouse reads on.

        Args:
            present: the converted files before anything was converted.
        """
        listed = {name for names in deliveries["parquet_files"].to_list() for name in json.loads(names)}
        for file in converted_files(self.lake, day.isoformat()):
            is_unfinished = file.name.startswith(".")
            if is_unfinished or (file not in present and str(file.relative_to(self.lake.root)) not in listed):
                file.unlink(missing_ok=True)


def _arrived(refused: Refused) -> tuple[datetime, datetime]:
    return (refused.arrival.received_at, refused.arrival.modified_at)
