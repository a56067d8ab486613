"""Intake: the files of one day become complete, converted deliveries, or go to the quarantine whole.

Everything is decided here and nothing is half taken: a delivery is listed only when every file of it was
converted, and a converted file that no delivery lists is removed.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from billing_pipeline.configuration import Source, WorkspaceConfig
from billing_pipeline.deliveries import Arrival, Assembled, FileSet, Refused, Waiting, assemble
from billing_pipeline.errors import BadInput
from billing_pipeline.identifiers import delivery_id
from billing_pipeline.manifests import Manifest, ManifestReader
from billing_pipeline.periods import local_day
from billing_pipeline.queries import sql_folder
from billing_pipeline.schemas.deliveries import DELIVERIES, QUARANTINE
from billing_pipeline.vendors.registry import FORMATS
from resources.archive import Archive
from resources.conversion import Converted, LandedFile, RowGroup, duplicate_row_key
from resources.intake_checks import (
    blamed,
    check_currency,
    check_manifest,
    is_final,
    latest_of,
    merged_groups,
    without_rivals,
)
from resources.isolation import Converter, Job
from resources.lake import Lake
from resources.landing import land

# Manifests are read here, not in a child: a report of 10,000 chunks lists them in 2 MB.
MOST_MANIFEST_BYTES = 8 << 20


@dataclass
class Inbox:
    """What lies ready for every source: complete sets of files, what waits and what is refused unread."""

    by_source: dict[str, Assembled] = field(default_factory=dict)

    def days(self, zone: ZoneInfo) -> list[date]:
        """Return every local day on which something arrived."""
        found = {
            local_day(file_set.received_at, zone) for item in self.by_source.values() for file_set in item.complete
        }
        found |= {local_day(item.arrival.received_at, zone) for one in self.by_source.values() for item in one.refused}
        return sorted(found)

    def waiting(self) -> list[Waiting]:
        """Return every file that is neither taken nor refused."""
        return [waiting for item in self.by_source.values() for waiting in item.waiting]


def open_inbox(home: Path, config: WorkspaceConfig, archive: Archive) -> Inbox:
    """Land what is new and put the arrivals of every source together."""
    inbox = Inbox()
    for source in config.sources:
        landed = land(home / source.landing_folder, source, archive, config.organisation.zone)
        assembled = assembled_arrivals(source, archive)
        assembled.refused.extend(landed.refused)
        assembled.waiting.extend(landed.unfinished)
        inbox.by_source[source.id] = assembled
    return inbox


def assembled_arrivals(source: Source, archive: Archive) -> Assembled:
    """Put the recorded arrivals of a source together; reads its manifests, and no data file."""
    files: list[Arrival] = []
    manifests: list[Manifest] = []
    refused: list[Refused] = []
    reader = FORMATS[source.format].manifest
    for arrival in archive.arrivals(source.id):
        if reader is not None and arrival.name.lower().endswith(reader.suffix):
            try:
                manifests.append(_manifest(reader, arrival, archive))
            except BadInput as error:
                refused.append(Refused(arrival, error))
        else:
            files.append(arrival)
    unreadable = [item.arrival for item in refused]
    assembled = assemble(files, manifests, needs_manifest=reader is not None, unreadable=unreadable)
    assembled.refused.extend(refused)
    return assembled


def _manifest(reader: ManifestReader, arrival: Arrival, archive: Archive) -> Manifest:
    if arrival.size > MOST_MANIFEST_BYTES:
        raise BadInput(
            arrival.name, f"the manifest has {arrival.size >> 20} MB, far more than any list of chunks needs"
        )
    return reader.read(arrival, archive.verified(arrival).read_bytes())


@dataclass(frozen=True)
class Day:
    """What one day's intake came to.

    Attributes:
        deliveries: frame with the columns of the `deliveries` table.
        quarantine: frame with the columns of the `quarantine` table.
    """

    deliveries: pl.DataFrame
    quarantine: pl.DataFrame


@cache
def converter_fingerprint(source: Source) -> str:
    """Return a hash of all that decides how a source's files become deliveries and rows: a change converts anew."""
    package = Path(__file__).resolve().parent.parent
    modules = (
        "canonical_files",
        "carriers",
        "control_rows",
        "conversion",
        "csv_rows",
        "intake",
        "intake_checks",
        "invoice_checks",
        "nested_columns",
        "invoice_rows",
        "zip_member",
        "json_pages",
        "json_rows",
        "opened_files",
        "parquet_checks",
        "parquet_footer",
    )
    files = [
        *sorted((package / "billing_pipeline" / "vendors").glob("*.py")),
        package / "billing_pipeline" / "schemas" / "vendor_charges.py",
        *(package / "resources" / f"{name}.py" for name in (*modules, "parquet_rows", "row_keys", "typed_rows")),
        *sorted((sql_folder() / "staging").glob("*.sql")),
        sql_folder() / "macros.sql",
    ]
    settings = source.model_dump_json(exclude={"folder", "stable_after_seconds"})
    content = [*(file.read_bytes() for file in files), settings.encode()]
    return hashlib.sha256(b"".join(content)).hexdigest()[:16]


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

    def take(self, inbox: Inbox, day: date) -> Day:
        """Convert and list everything that arrived on a local day; replace that day's partitions.

        Returns:
            The day's deliveries and refusals, as written.
        """
        zone = self.config.organisation.zone
        earlier = self._earlier(day)
        rows: list[dict[str, object]] = []
        refused: list[Refused] = []
        for source in self.config.sources:
            assembled = inbox.by_source[source.id]
            refused += [item for item in assembled.refused if local_day(item.arrival.received_at, zone) == day]
            of_day = [item for item in assembled.complete if local_day(item.received_at, zone) == day]
            new = [item for item in of_day if (source.id, item.sha256) not in earlier]
            converted = self._convert(source, new, day, refused)
            taken = [
                (item, found)
                for item in of_day
                if (found := earlier.get((source.id, item.sha256)) or converted.get(item.sha256))
            ]
            for found in without_rivals(source, taken, refused):
                rows += found
        refused = self._without_mended(refused)
        deliveries = pl.DataFrame(rows, schema=DELIVERIES.empty_frame().schema).sort("delivery_id", "currency")
        quarantine = _quarantine_frame(refused)
        self.lake.write_frame(QUARANTINE, day.isoformat(), quarantine)
        self.lake.write_frame(DELIVERIES, day.isoformat(), deliveries)
        self._remove_unlisted(day, deliveries)
        return Day(deliveries, quarantine)

    def _earlier(self, day: date) -> Mapping[tuple[str, str], list[dict[str, object]]]:
        """Return what an earlier run of the same day took with the same conversion, by source and hash of the set."""
        path = self.lake.path(DELIVERIES.name, day.isoformat())
        if not path.exists():
            return {}
        converters = {source.id: converter_fingerprint(source) for source in self.config.sources}
        found: dict[tuple[str, str], list[dict[str, object]]] = {}
        for row in pl.read_parquet(path, hive_partitioning=False).to_dicts():
            files = json.loads(row["parquet_files"])
            if row["converter"] == converters.get(row["source"]) and all(
                (self.lake.root / name).exists() for name in files
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
        return [self._delivery(source, file_set, group, has_invoice_ids, names) for group in groups]

    def _delivery(
        self, source: Source, file_set: FileSet, group: RowGroup, has_invoice_ids: bool, names: Sequence[str]
    ) -> dict[str, object]:
        is_invoice = source.format == "distributor_invoice"
        slot = [source.id, group.billing_account_id] + ([] if is_invoice else [group.billing_period])
        slot += [group.currency] if FORMATS[source.format].is_invoiced_per_currency else []
        return {
            "delivery_id": delivery_id(source.id, group.billing_account_id, group.billing_period, file_set.sha256),
            "source": source.id,
            "format": source.format,
            "vendor": source.vendor,
            "billing_account_id": group.billing_account_id,
            "billing_period": group.billing_period,
            "slot": "/".join(slot),
            "received_at": file_set.received_at,
            "landed_at": file_set.modified_at,
            "is_final": is_final(source, group, has_invoice_ids, file_set, self.config.organisation.zone),
            "file_count": len(file_set.files),
            "row_count": group.row_count,
            "total_cost": group.total_cost,
            "currency": group.currency,
            "sha256": file_set.sha256,
            "file_names": json.dumps([file.name for file in file_set.files], ensure_ascii=False),
            "parquet_files": json.dumps(list(names)),
            "invoice_ids": json.dumps(list(group.invoice_ids), ensure_ascii=False),
            "invoice_status": group.invoice_status,
            "vendor_net_total": group.net_total,
            "vendor_tax_total": group.tax_total,
            "converter": converter_fingerprint(source),
        }

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

    def _remove_unlisted(self, day: date, deliveries: pl.DataFrame) -> None:
        listed = {name for names in deliveries["parquet_files"].to_list() for name in json.loads(names)}
        for file in (self.lake.root / "vendor_charges" / day.isoformat()).glob("*"):
            if str(file.relative_to(self.lake.root)) not in listed:
                file.unlink()


def _arrived(refused: Refused) -> tuple[datetime, datetime]:
    return (refused.arrival.received_at, refused.arrival.modified_at)


def _quarantine_frame(refused: Sequence[Refused]) -> pl.DataFrame:
    rows = {
        (item.arrival.source, item.error.file, item.error.reason): {
            "source": item.arrival.source,
            "file_name": item.error.file,
            "sha256": item.arrival.sha256,
            "reason": item.error.reason,
            "row_number": item.error.row,
            "column_name": item.error.column,
            "value": item.error.value,
            "seen_at": item.arrival.received_at,
        }
        for item in refused
    }
    ordered = [rows[key] for key in sorted(rows)]
    return pl.DataFrame(ordered, schema=QUARANTINE.empty_frame().schema)
