"""What lies ready for every source: complete sets of files, what waits, and what is refused unread."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from billing_pipeline.checksum_verdicts import Judgement, judge
from billing_pipeline.checksums import algorithm_of
from billing_pipeline.configuration import Source, WorkspaceConfig
from billing_pipeline.deliveries import Arrival, Assembled, FileSet, Refused, Waiting, assemble
from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import Manifest, ManifestReader
from billing_pipeline.periods import local_day
from billing_pipeline.vendor_totals import is_totals_file
from billing_pipeline.vendors.registry import FORMATS
from resources.archive import Archive
from resources.checksum_files import read_checksum_files, read_list
from resources.landing import is_vendor_file, land


@dataclass
class Inbox:
    """What lies ready for every source: complete sets of files, what waits and what is refused unread."""

    by_source: dict[str, Assembled] = field(default_factory=dict)

    def days(self, zone: ZoneInfo) -> list[date]:
        """Return every local day on which something arrived."""
        found = {
            local_day(file_set.received_at, zone)
            for item in self.by_source.values()
            for file_set in (*item.complete, *item.totals)
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
    """Put the recorded arrivals of a source together; reads its manifests and checksum files, and no data file."""
    arrivals = archive.arrivals(source.id)
    judgement, refused = _judged(source, arrivals, archive)
    files: list[Arrival] = []
    manifests: list[Manifest] = []
    waiting: list[Waiting] = []
    not_taken: list[Arrival] = []
    reader = FORMATS[source.format].manifest
    for arrival in arrivals:
        if algorithm_of(arrival.name) is not None or is_totals_file(arrival.name):
            continue
        if reader is None or not arrival.name.lower().endswith(reader.suffix):
            files.append(arrival)
            continue
        verdict = judgement.verdict(arrival)
        try:
            if verdict.refused is not None:
                raise verdict.refused
            if verdict.waits_for is None:
                manifests.append(_manifest(reader, arrival, archive))
            else:
                waiting.append(Waiting(arrival, verdict.waits_for))
                not_taken.append(arrival)
        except BadInput as error:
            refused.append(Refused(arrival, error))
            not_taken.append(arrival)
    assembled = assemble(files, manifests, reader is not None, not_taken, judgement)
    assembled.refused.extend(refused)
    assembled.waiting.extend([*waiting, *_unheard(judgement, {arrival.name for arrival in arrivals})])
    _add_totals(assembled, [arrival for arrival in arrivals if is_totals_file(arrival.name)], judgement)
    return assembled


def _add_totals(assembled: Assembled, arrivals: Sequence[Arrival], judgement: Judgement) -> None:
    """Sort the files of totals by what their checksums say.

    Args:
        arrivals: in order of arrival; of a file overwritten in place within one instant of arrival (a received= folder)
            the last version counts.
    """
    latest = {(arrival.name, arrival.received_at): arrival for arrival in arrivals}
    for arrival in latest.values():
        verdict = judgement.verdict(arrival)
        if verdict.refused is not None:
            assembled.refused.append(Refused(arrival, verdict.refused))
        elif verdict.waits_for is not None:
            assembled.waiting.append(Waiting(arrival, verdict.waits_for))
        else:
            assembled.totals.append(FileSet(arrival.source, (arrival,), checksums=judgement.needed_for([arrival])))


def _judged(source: Source, arrivals: Sequence[Arrival], archive: Archive) -> tuple[Judgement, list[Refused]]:
    checksums, refused = read_checksum_files(arrivals, archive)
    files = [arrival for arrival in arrivals if algorithm_of(arrival.name) is None]
    unreadable = [item.arrival for item in refused]
    return judge(files, checksums, unreadable, archive.digest, source.requires_checksum), refused


def _unheard(judgement: Judgement, names: set[str]) -> list[Waiting]:
    """Say what the newest checksum files wait for: one line each."""
    absent: dict[Arrival, list[str]] = {}
    for checksum in judgement.unheard:
        if is_vendor_file(checksum.file):
            absent.setdefault(checksum.arrival, []).append(checksum.file)
    found = []
    for arrival, files in absent.items():
        version = "the version of " if files[0] in names else ""
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        reason = f"{version}{files[0]}{more}, of which it is the checksum, has not arrived"
        found.append(Waiting(arrival, reason, absent=len(files)))
    return found


def _manifest(reader: ManifestReader, arrival: Arrival, archive: Archive) -> Manifest:
    return reader.read(arrival, read_list(arrival, archive, "the manifest"))
