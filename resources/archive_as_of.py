"""The archive as a past instant knew it: what had arrived, and had been seen, by then."""

from datetime import datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from billing_pipeline.deliveries import Arrival
from billing_pipeline.periods import local_day, start_of_day
from resources.archive import Archive


class ArchiveAsOf(Archive):
    """An archive that shows only what was known at an instant, and takes nothing.

    A file was known when it had been landed by then. Before the workspace landed its first file nobody had seen
    anything: for such an instant the declared arrivals alone say what was known, so that months which were loaded
    afterwards can be looked at day by day too.

    Args:
        root: folder of the archive.
        as_of: the instant.
        zone: the organisation's zone, in which a `received=` folder names a day.
    """

    def __init__(self, root: Path, as_of: datetime, zone: ZoneInfo) -> None:
        super().__init__(root)
        self._as_of = as_of
        self._zone = zone

    def arrivals(self, source: str) -> list[Arrival]:
        """Return the arrivals of a source that were known, in order of arrival."""
        return [arrival for arrival in super().arrivals(source) if self._is_known(arrival)]

    def store(self, file: Path) -> tuple[str, int]:
        """Refuse: nothing is added to the past."""
        raise NotImplementedError("an archive as of an instant takes no files")

    def record(self, arrival: Arrival) -> None:
        """Refuse: nothing is added to the past."""
        raise NotImplementedError("an archive as of an instant takes no arrivals")

    def _is_known(self, arrival: Arrival) -> bool:
        if self._first_seen_at is None or self._as_of < self._first_seen_at:
            return arrival.received_at <= self._as_of
        # A received= folder means noon; what was dropped into today's in the morning is there in the morning.
        declared = start_of_day(local_day(arrival.received_at, self._zone), self._zone)
        return _seen_at(arrival) <= self._as_of and declared <= self._as_of

    @cached_property
    def _first_seen_at(self) -> datetime | None:
        sources = sorted(folder.name for folder in (self.root / "arrivals").glob("*") if folder.is_dir())
        seen = [_seen_at(arrival) for source in sources for arrival in super(ArchiveAsOf, self).arrivals(source)]
        return min(seen, default=None)


def _seen_at(arrival: Arrival) -> datetime:
    return arrival.seen_at or arrival.modified_at
