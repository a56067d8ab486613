"""Intake: the files of one day become complete, converted deliveries, or go to the quarantine whole.

Everything is decided here and nothing is half taken: a delivery is listed only when every file of it was
converted, and a converted file that no delivery lists is removed.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from billing_pipeline.configuration import Source, WorkspaceConfig
from billing_pipeline.deliveries import Arrival, Assembled, FileSet, Manifest, Refused, Waiting, assemble, read_manifest
from billing_pipeline.errors import BadInput
from billing_pipeline.identifiers import delivery_id
from billing_pipeline.periods import BillingPeriod, add_business_days, local_day
from billing_pipeline.queries import sql_folder
from billing_pipeline.schemas.deliveries import DELIVERIES, QUARANTINE
from resources.archive import Archive
from resources.conversion import Converted, LandedFile, RowGroup, convert, duplicate_row_key
from resources.lake import Lake
from resources.landing import land

_MANIFEST_FORMATS = ("aws_cur",)


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
        refused = land(home / source.landing_folder, source, archive, config.organisation.zone)
        assembled = _assembled(source, archive)
        assembled.refused.extend(refused)
        inbox.by_source[source.id] = assembled
    return inbox


def _assembled(source: Source, archive: Archive) -> Assembled:
    files: list[Arrival] = []
    manifests: list[Manifest] = []
    refused: list[Refused] = []
    has_manifests = source.format in _MANIFEST_FORMATS
    for arrival in archive.arrivals(source.id):
        if has_manifests and arrival.name.lower().endswith("manifest.json"):
            try:
                manifests.append(read_manifest(arrival, archive.verified(arrival).read_bytes()))
            except BadInput as error:
                refused.append(Refused(arrival, error))
        else:
            files.append(arrival)
    assembled = assemble(files, manifests, needs_manifest=has_manifests)
    assembled.refused.extend(refused)
    return assembled


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
def converter_fingerprint() -> str:
    """Return a hash of everything that decides how a vendor's file becomes rows: a change converts anew."""
    package = Path(__file__).resolve().parent.parent
    files = [
        *sorted((package / "billing_pipeline" / "vendors").glob("*.py")),
        package / "billing_pipeline" / "schemas" / "vendor_charges.py",
        package / "resources" / "conversion.py",
        *sorted((sql_folder() / "staging").glob("*.sql")),
    ]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


class Intake:
    """Takes the deliveries of a day into the lake.

    Args:
        connection: DuckDB session for the conversions.
        config: the workspace's configuration.
        archive: where the files' bytes are.
        lake: where converted files go.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, config: WorkspaceConfig, archive: Archive, lake: Lake
    ) -> None:
        self.connection = connection
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
            taken: list[tuple[FileSet, list[dict[str, object]]]] = []
            for file_set in assembled.complete:
                if local_day(file_set.received_at, zone) != day:
                    continue
                try:
                    taken.append((file_set, earlier.get(file_set.sha256) or self._convert(source, file_set, day)))
                except BadInput as error:
                    refused.append(Refused(_blamed(file_set, error), error))
            for file_set, found in _without_rivals(source, taken, refused):
                rows += found
                del file_set
        refused = [item for item in refused if not self._was_mended(item)]
        deliveries = pl.DataFrame(rows, schema=DELIVERIES.empty_frame().schema).sort("delivery_id", "currency")
        quarantine = _quarantine_frame(refused)
        self.lake.write_frame(QUARANTINE, day.isoformat(), quarantine)
        self.lake.write_frame(DELIVERIES, day.isoformat(), deliveries)
        self._remove_unlisted(day, deliveries)
        return Day(deliveries, quarantine)

    def _earlier(self, day: date) -> Mapping[str, list[dict[str, object]]]:
        """Return what an earlier run of the same day took with the same conversion, by hash of the file set."""
        path = self.lake.path(DELIVERIES.name, day.isoformat())
        if not path.exists():
            return {}
        found: dict[str, list[dict[str, object]]] = {}
        for row in pl.read_parquet(path, hive_partitioning=False).to_dicts():
            files = json.loads(row["parquet_files"])
            if row["converter"] == converter_fingerprint() and all((self.lake.root / name).exists() for name in files):
                found.setdefault(row["sha256"], []).append(row)
        return found

    def _convert(self, source: Source, file_set: FileSet, day: date) -> list[dict[str, object]]:
        folder = self.lake.root / "vendor_charges" / day.isoformat()
        targets = [folder / f"{file_set.sha256[:16]}-{index}.parquet" for index in range(len(file_set.files))]
        try:
            converted = [
                convert(
                    self.connection,
                    source,
                    LandedFile(file.name, self.archive.verified(file), file.sha256),
                    file_set.sha256,
                    target,
                )
                for file, target in zip(file_set.files, targets, strict=True)
            ]
            if len(converted) > 1 and (duplicate := duplicate_row_key(self.connection, targets)):
                raise duplicate
            groups = _merged(converted)
            _check_manifest(file_set, groups)
        except BadInput:
            for target in targets:
                target.unlink(missing_ok=True)
            raise
        has_invoice_ids = all(item.has_invoice_id_column for item in converted)
        names = [str(target.relative_to(self.lake.root)) for target in targets]
        return [self._delivery(source, file_set, group, has_invoice_ids, names) for group in groups]

    def _delivery(
        self, source: Source, file_set: FileSet, group: RowGroup, has_invoice_ids: bool, names: Sequence[str]
    ) -> dict[str, object]:
        is_invoice = source.format == "distributor_invoice"
        slot = [source.id, group.billing_account_id] + ([] if is_invoice else [group.billing_period])
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
            "converter": converter_fingerprint(),
        }

    def _was_mended(self, refused: Refused) -> bool:
        """Tell whether a newer file of the same name has arrived since."""
        return any(
            later.name == refused.arrival.name
            and (later.received_at, later.modified_at) > (refused.arrival.received_at, refused.arrival.modified_at)
            for later in self.archive.arrivals(refused.arrival.source)
        )

    def _remove_unlisted(self, day: date, deliveries: pl.DataFrame) -> None:
        listed = {name for names in deliveries["parquet_files"].to_list() for name in json.loads(names)}
        for file in (self.lake.root / "vendor_charges" / day.isoformat()).glob("*"):
            if str(file.relative_to(self.lake.root)) not in listed:
                file.unlink()


def is_final(source: Source, group: RowGroup, has_invoice_ids: bool, file_set: FileSet, zone: ZoneInfo) -> bool:
    """Tell whether the vendor will still change a delivery.

    A distributor's invoice is final when it is issued. AWS and FOCUS from 1.2 leave the invoice id blank until
    the invoice exists. FOCUS 1.0 and 1.1 have no such column: there a delivery counts as final when it arrived
    after the day on which the vendor usually has settled (the upper bound of `settles_after_business_days`).
    """
    if source.format == "distributor_invoice":
        return group.invoice_status == "issued"
    if has_invoice_ids:
        return group.rows_without_invoice_id == 0
    month_end = BillingPeriod(group.billing_period).end_day
    settled_on = add_business_days(month_end, source.settles_after_business_days[1])
    return local_day(file_set.received_at, zone) >= settled_on


def _merged(converted: Sequence[Converted]) -> list[RowGroup]:
    """Add up the groups of a delivery's chunks."""
    merged: dict[tuple[str, str, str], RowGroup] = {}
    for group in (group for item in converted for group in item.groups):
        key = (group.billing_account_id, group.billing_period, group.currency)
        before = merged.get(key)
        merged[key] = group if before is None else _sum(before, group)
    return [merged[key] for key in sorted(merged)]


def _sum(one: RowGroup, other: RowGroup) -> RowGroup:
    return RowGroup(
        billing_account_id=one.billing_account_id,
        billing_period=one.billing_period,
        currency=one.currency,
        row_count=one.row_count + other.row_count,
        total_cost=Decimal(one.total_cost) + other.total_cost,
        rows_without_invoice_id=one.rows_without_invoice_id + other.rows_without_invoice_id,
        invoice_status=one.invoice_status,
        invoice_type=one.invoice_type,
        net_total=one.net_total,
        tax_total=one.tax_total,
        invoice_ids=tuple(sorted({*one.invoice_ids, *other.invoice_ids})),
    )


def _check_manifest(file_set: FileSet, groups: Sequence[RowGroup]) -> None:
    if file_set.manifest is None or file_set.manifest.billing_period is None:
        return
    for group in groups:
        if group.billing_period != file_set.manifest.billing_period:
            raise BadInput(
                file_set.manifest.arrival.name,
                f"the manifest is for {file_set.manifest.billing_period}, its chunks hold {group.billing_period}",
            )


def _blamed(file_set: FileSet, error: BadInput) -> Arrival:
    """Return the file of a set that an error names, else the first."""
    pieces = [*file_set.files, *([file_set.manifest.arrival] if file_set.manifest else [])]
    return next((file for file in pieces if file.name == error.file), file_set.files[0])


def _without_rivals(
    source: Source, taken: Sequence[tuple[FileSet, list[dict[str, object]]]], refused: list[Refused]
) -> Iterator[tuple[FileSet, list[dict[str, object]]]]:
    """Refuse usage files that claim one slot at one instant: nothing says which of them is the month.

    Distributor invoices may be sent twice a day, first pending, then issued: the file written last counts.
    """
    if source.format == "distributor_invoice":
        yield from taken
        return
    claims: dict[tuple[object, object], list[FileSet]] = {}
    for file_set, rows in taken:
        for row in rows:
            rivals = claims.setdefault((row["slot"], row["received_at"]), [])
            if file_set not in rivals:
                rivals.append(file_set)
    for file_set, rows in taken:
        rivals = [other for row in rows for other in claims[(row["slot"], row["received_at"])] if other is not file_set]
        if rivals:
            names = ", ".join(sorted({other.files[0].name for other in rivals}))
            reason = (
                f"it holds the same account and month as {names}, which arrived at the same time;"
                " parts of one delivery need a manifest, a newer version a later received= folder"
            )
            refused.append(Refused(file_set.files[0], BadInput(file_set.files[0].name, reason)))
        else:
            yield file_set, rows


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
