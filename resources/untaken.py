"""What lies ready and no run has taken: the days to run next, for `billing run` and for the sensor."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from billing_pipeline.configuration import Source, WorkspaceConfig
from billing_pipeline.deliveries import FileSet
from billing_pipeline.manifests import Arrival
from billing_pipeline.periods import local_day
from billing_pipeline.schemas.deliveries import DELIVERIES, QUARANTINE
from resources.archive import Archive
from resources.intake import Inbox, assembled_arrivals
from resources.lake import Lake
from resources.landing import YOUNG_SECONDS, Landed, is_young, look_for_new
from resources.relations import read_partitions


def untaken_days(inbox: Inbox, lake: Lake, zone: ZoneInfo) -> list[date]:
    """Return the days of arrival with files that no run has taken yet; quarantined ones are tried again.

    A day whose quarantine is not empty is among them also when nothing of it waits any more: what was mended by a
    file of another day leaves that quarantine only when the day is built again.

    Returns:
        In order; days that are no partition among them.
    """
    taken = _taken(lake)
    days = {
        local_day(file_set.received_at, zone)
        for source, assembled in inbox.by_source.items()
        for file_set in assembled.complete
        if (source, file_set.sha256) not in taken
    }
    refused = {
        local_day(item.arrival.received_at, zone) for found in inbox.by_source.values() for item in found.refused
    }
    return sorted(days | refused | set(quarantined_days(lake)))


def quarantined_days(lake: Lake) -> list[date]:
    """Return the days whose quarantine is not empty, in order."""
    files = lake.files(QUARANTINE.name)
    if not files:
        return []
    query = "select distinct filename from read_parquet($files, filename = true, hive_partitioning = false)"
    with duckdb.connect() as connection:
        found = connection.execute(query, {"files": files}).fetchall()
    return sorted(date.fromisoformat(Path(name).stem) for (name,) in found)


@dataclass
class Untaken:
    """What a look at the landing folders found, nothing read, archived or changed.

    Attributes:
        by_day: files that no run has taken or refused, by day of arrival: source, name, size and time of each, or the
            hash of a complete set; the same for the same state.
        unfinished: names of files that are, or may be, still being written.
        quarantined: days whose quarantine is not empty.
    """

    by_day: dict[date, set[str]] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    quarantined: list[date] = field(default_factory=list)


def look_for_untaken(home: Path, config: WorkspaceConfig, archive: Archive, lake: Lake) -> Untaken:
    """Look what a run would find to do, without landing anything: of the files, only known manifests are opened.

    Args:
        home: the workspace's folder.
    """
    untaken = Untaken(quarantined=quarantined_days(lake))
    taken, quarantine = _taken(lake), _quarantine(lake)
    for source in config.sources:
        look = _SourceLook(source, config.organisation.zone, archive, lake, untaken)
        landed = look.note_new(home / source.landing_folder, quarantine)
        look.note_known(landed, taken, {(name, sha256) for owner, name, sha256, _ in quarantine if owner == source.id})
    return untaken


@dataclass
class _SourceLook:
    """The look at one source's files; what it finds goes to `untaken`."""

    source: Source
    zone: ZoneInfo
    archive: Archive
    lake: Lake
    untaken: Untaken

    def note_new(self, folder: Path, quarantine: Sequence[tuple[str, str, str, datetime]]) -> Landed:
        """Note files that no run has seen; return what could not be looked at."""
        source, landed = self.source, Landed()
        seconds = YOUNG_SECONDS if source.stable_after_seconds is None else source.stable_after_seconds
        for look in look_for_new(folder, source, self.archive, self.zone, landed):
            if is_young(look, seconds):
                self.untaken.unfinished.append(f"{source.id}/{look.name}")
                continue
            # A file of the same name may mend what is quarantined on another day.
            mended = [seen_at for owner, name, _, seen_at in quarantine if (owner, name) == (source.id, look.name)]
            for instant in (look.arrived, *mended):
                self._note(instant, f"{look.name}|{look.status.st_size}|{look.status.st_mtime_ns}")
        self.untaken.unfinished += [f"{source.id}/{item.arrival.name}" for item in landed.unfinished]
        return landed

    def note_known(self, landed: Landed, taken: set[tuple[str, str]], refused: set[tuple[str, str]]) -> None:
        """Note what landed in a run that did not come to take or refuse it."""
        found = assembled_arrivals(self.source, self.archive)
        newest = {arrival.name: arrival.sha256 for arrival in self.archive.arrivals(self.source.id)}
        is_taken = {file_set.sha256: (self.source.id, file_set.sha256) in taken for file_set in found.complete}
        done = refused | {
            (piece.name, piece.sha256)
            for file_set in found.complete
            for piece in _pieces(file_set)
            if is_taken[file_set.sha256]
        }
        states = [
            *(([item.arrival], f"{item.arrival.name}|{item.error.reason}") for item in landed.refused),
            *(([item.arrival], f"{item.arrival.name}|{item.error.reason}") for item in found.refused),
            *((_pieces(one), one.sha256) for one in found.complete if not is_taken[one.sha256]),
        ]
        for pieces, state in states:
            received_at = max(piece.received_at for piece in pieces)
            # A bad version that a newer one has replaced is in no delivery and, once its day was built, no quarantine.
            is_mended = self._is_built(received_at) and any(
                newest.get(piece.name, piece.sha256) != piece.sha256 and (piece.name, newest[piece.name]) in done
                for piece in pieces
            )
            if not is_mended and not any((piece.name, piece.sha256) in refused for piece in pieces):
                self._note(received_at, state)

    def _note(self, received_at: datetime, state: str) -> None:
        day = local_day(received_at, self.zone)
        self.untaken.by_day.setdefault(day, set()).add(f"{self.source.id}|{state}")

    def _is_built(self, received_at: datetime) -> bool:
        return self.lake.path(DELIVERIES.name, local_day(received_at, self.zone).isoformat()).exists()


def _pieces(file_set: FileSet) -> list[Arrival]:
    return [*file_set.files, *([file_set.manifest.arrival] if file_set.manifest else [])]


def _taken(lake: Lake) -> set[tuple[str, str]]:
    """Return source and hash of every set of files that is a delivery."""
    with duckdb.connect() as connection:
        read_partitions(connection, "taken", DELIVERIES, lake, None)
        return set(connection.execute("select distinct source, sha256 from taken").fetchall())


def _quarantine(lake: Lake) -> list[tuple[str, str, str, datetime]]:
    """Return source, name, hash and instant of arrival of every quarantined file."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        read_partitions(connection, "refused", QUARANTINE, lake, None)
        return connection.execute("select distinct source, file_name, sha256, seen_at from refused").fetchall()
