"""What lies ready and no run has taken: the days to run next, for `billing run` and for the sensor."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from billing_pipeline.configuration import Source, WorkspaceConfig
from billing_pipeline.deliveries import Arrival, Assembled, FileSet
from billing_pipeline.periods import local_day
from billing_pipeline.schemas.deliveries import DELIVERIES, QUARANTINE
from billing_pipeline.vendor_totals import is_totals_file
from resources.archive import Archive
from resources.inbox import Inbox, assembled_arrivals
from resources.lake import Lake
from resources.landing import YOUNG_SECONDS, Landed, is_young, look_for_new
from resources.listed_deliveries import ListedDeliveries
from resources.totals_intake import taken_totals

# Source, name and hash of a quarantined file, and the day in whose quarantine it is.
Quarantined = tuple[str, str, str, date]


def untaken_days(inbox: Inbox, lake: Lake, archive: Archive, zone: ZoneInfo) -> list[date]:
    """Return the days of arrival that a run would change; quarantined files are tried again.

    A day whose quarantine is not empty is among them also when nothing of it waits any more: what was mended by a
    file of another day leaves that quarantine only when the day is built again.

    Returns:
        In order; days that are no partition among them.
    """
    progress = Progress(inbox, lake, archive, zone)
    open_days = {local_day(item.received_at, zone) for item in progress.open_items()}
    return sorted({*open_days, *progress.outdated_days(), *quarantined_days(lake)})


def outdated_days(inbox: Inbox, lake: Lake, zone: ZoneInfo) -> list[date]:
    """Return the days that a run would list otherwise since something has arrived for another day, in order."""
    return ListedDeliveries(lake, inbox, zone).outdated_days()


def quarantined_days(lake: Lake) -> list[date]:
    """Return the days whose quarantine is not empty, in order."""
    return sorted({day for *_, day in _quarantine(lake)})


@dataclass(frozen=True)
class OpenItem:
    """A complete set of files, or a refused file, that no run has come to take or to refuse.

    Attributes:
        pieces: the files.
        state: the same for the same state.
        file_set: None for what is refused before it is read.
        reason: why it is refused.
    """

    source: str
    pieces: tuple[Arrival, ...]
    state: str
    file_set: FileSet | None = None
    reason: str = ""

    @property
    def received_at(self) -> datetime:
        """The instant at which the last piece was there."""
        return max(piece.received_at for piece in self.pieces)


class Progress:
    """How far runs have come with what has arrived.

    Args:
        inbox: what has arrived, put together.
        lake: what runs have made of it.
        archive: the arrivals, for the newest version of each file.
        zone: the organisation's time zone.
    """

    def __init__(self, inbox: Inbox, lake: Lake, archive: Archive, zone: ZoneInfo) -> None:
        self._inbox = inbox
        self._archive = archive
        self._zone = zone
        self._listed = ListedDeliveries(lake, inbox, zone)
        self._taken = self._listed.taken_sets()
        self._taken_totals = taken_totals(lake)
        self._built = set(lake.partitions(DELIVERIES.name))
        self._quarantine = _quarantine(lake)

    def open_items(self) -> Iterator[OpenItem]:
        """Yield what no run has come to take or to refuse."""
        for source, assembled in self._inbox.by_source.items():
            yield from self._open_items(source, assembled)

    def outdated_days(self) -> list[date]:
        """Return the days that a run would list otherwise since something has arrived for another day."""
        return self._listed.outdated_days()

    def _open_items(self, source: str, assembled: Assembled) -> Iterator[OpenItem]:
        refused = {(name, sha256, day) for owner, name, sha256, day in self._quarantine if owner == source}
        found = [*assembled.complete, *assembled.totals]
        taken = [one for one in found if self._is_taken(one)]
        done = {(name, sha256) for name, sha256, _ in refused} | {
            (piece.name, piece.sha256) for one in taken for piece in one.pieces
        }
        newest = {arrival.name: arrival.sha256 for arrival in self._archive.arrivals(source)}
        items = [
            *(
                OpenItem(source, (item.arrival,), f"{item.arrival.name}|{item.error.reason}", reason=item.error.reason)
                for item in assembled.refused
            ),
            *(OpenItem(source, one.pieces, one.sha256, one) for one in found if not self._is_taken(one)),
        ]
        for item in items:
            # A bad version that a newer one has replaced is in no delivery and, once its day was built, no quarantine.
            is_mended = self._is_built(item) and any(
                newest.get(piece.name, piece.sha256) != piece.sha256 and (piece.name, newest[piece.name]) in done
                for piece in item.pieces
            )
            # A manifest that was refused for want of a chunk may be complete on the day of the chunk.
            day = local_day(item.received_at, self._zone)
            is_refused = any((piece.name, piece.sha256, day) in refused for piece in item.pieces)
            if not is_mended and not is_refused:
                yield item

    def _is_taken(self, file_set: FileSet) -> bool:
        day = local_day(file_set.received_at, self._zone).isoformat()
        file = file_set.files[0]
        if is_totals_file(file.name):
            return (day, file_set.source, file.name, file.sha256) in self._taken_totals
        return (day, file_set.source, file_set.sha256) in self._taken

    def _is_built(self, item: OpenItem) -> bool:
        return local_day(item.received_at, self._zone).isoformat() in self._built


@dataclass
class Untaken:
    """What a look at the landing folders found, nothing read, archived or changed.

    Attributes:
        by_day: what a run of a day would change, by day of arrival: source, name, size and time of new files, the hash
            of a complete set, the state of a day that is out of date; the same for the same state.
        unfinished: names of files that are, or may be, still being written.
        quarantined: days whose quarantine is not empty.
    """

    by_day: dict[date, set[str]] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    quarantined: list[date] = field(default_factory=list)

    def note(self, day: date, source: str, state: str) -> None:
        """Note what a run of a day would change."""
        self.by_day.setdefault(day, set()).add(f"{source}|{state}")


def look_for_untaken(home: Path, config: WorkspaceConfig, archive: Archive, lake: Lake) -> Untaken:
    """Look what a run would find to do, without landing anything; only known manifests and checksum files are opened.

    Args:
        home: the workspace's folder.
    """
    untaken = Untaken(quarantined=quarantined_days(lake))
    zone, quarantine, inbox = config.organisation.zone, _quarantine(lake), Inbox()
    for source in config.sources:
        landed = _look_for_new(home / source.landing_folder, source, archive, zone, quarantine, untaken)
        inbox.by_source[source.id] = assembled_arrivals(source, archive)
        inbox.by_source[source.id].refused.extend(landed.refused)
    progress = Progress(inbox, lake, archive, zone)
    for item in progress.open_items():
        untaken.note(local_day(item.received_at, zone), item.source, item.state)
    for day in progress.outdated_days():
        untaken.note(day, "*", f"out of date|{_state_of(inbox)}")
    return untaken


def _look_for_new(
    folder: Path, source: Source, archive: Archive, zone: ZoneInfo, quarantine: Sequence[Quarantined], untaken: Untaken
) -> Landed:
    """Note files that no run has seen; return what could not be looked at."""
    landed = Landed()
    seconds = YOUNG_SECONDS if source.stable_after_seconds is None else source.stable_after_seconds
    for look in look_for_new(folder, source, archive, zone, landed):
        if is_young(look, seconds):
            untaken.unfinished.append(f"{source.id}/{look.name}")
            continue
        # A file of the same name may mend what is quarantined on another day.
        mended = [day for owner, name, _, day in quarantine if (owner, name) == (source.id, look.name)]
        for day in (local_day(look.arrived, zone), *mended):
            untaken.note(day, source.id, f"{look.name}|{look.status.st_size}|{look.status.st_mtime_ns}")
    untaken.unfinished += [f"{source.id}/{item.arrival.name}" for item in landed.unfinished]
    return landed


def _state_of(inbox: Inbox) -> str:
    """Return a hash of all that has arrived: what made a day out of date once may come again."""
    known = sorted(
        (one.source, one.sha256) for found in inbox.by_source.values() for one in (*found.complete, *found.totals)
    )
    return hashlib.sha256(repr(known).encode()).hexdigest()


def _quarantine(lake: Lake) -> list[Quarantined]:
    files = lake.files(QUARANTINE.name)
    if not files:
        return []
    query = (
        "select distinct source, file_name, sha256, filename"
        " from read_parquet($files, filename = true, hive_partitioning = false) order by all"
    )
    with duckdb.connect() as connection:
        found = connection.execute(query, {"files": files}).fetchall()
    return [(*others, date.fromisoformat(Path(file).stem)) for *others, file in found]
