"""From files that arrived to complete deliveries: manifests, chunks, assemblies.

AWS writes a report as chunks and a manifest that lists them by their keys in a bucket. The manifest
in the period's root folder is overwritten by each assembly, so the assembly id decides which chunks
belong together. (AWS Cost and Usage Reports user guide, "Viewing your reports".)

What does not belong here: finding and hashing files (`resources.landing`), reading their rows
(`resources.conversion`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from billing_pipeline.checksum_verdicts import Judgement
from billing_pipeline.chunks import NotYet, find_chunk
from billing_pipeline.errors import BadInput
from billing_pipeline.identifiers import file_set_sha256
from billing_pipeline.manifests import Arrival, Manifest, part_stem, read_manifest

__all__ = ["Arrival", "Assembled", "FileSet", "Manifest", "Refused", "Waiting", "assemble", "read_manifest"]

NOTHING_SAID = Judgement()
# Of a Cost and Usage Report, and of a Data Export.
_REPORT_PERIOD_FOLDER = re.compile(r"\d{8}-\d{8}|BILLING_PERIOD=\d{4}-\d{2}", re.IGNORECASE)


@dataclass(frozen=True)
class FileSet:
    """Files that are taken together or not at all: one file, or the chunks of one assembly.

    Attributes:
        checksums: checksum files without which it is not taken (`requires_checksum`).
    """

    source: str
    files: tuple[Arrival, ...]
    manifest: Manifest | None = None
    checksums: tuple[Arrival, ...] = ()

    @property
    def sha256(self) -> str:
        """Hash of the set, whatever the order of its files."""
        return file_set_sha256(file.sha256 for file in self.files)

    @property
    def pieces(self) -> tuple[Arrival, ...]:
        """All that had to be there: the files, the manifest that holds them together, required checksums."""
        manifests = () if self.manifest is None else (self.manifest.arrival,)
        return (*self.files, *manifests, *self.checksums)

    @property
    def received_at(self) -> datetime:
        """The instant at which the last piece was there."""
        return max(piece.received_at for piece in self.pieces)

    @property
    def modified_at(self) -> datetime:
        """The newest modification time in the set."""
        return max(piece.modified_at for piece in self.pieces)

    @property
    def seen_at(self) -> datetime:
        """The clock when the last piece was landed, whatever the instant at which it counts as arrived."""
        return max(piece.seen_at or piece.modified_at for piece in self.pieces)


@dataclass(frozen=True)
class Waiting:
    """A file that is neither taken nor refused yet, and what it waits for.

    Attributes:
        absent: how many files it lists that are not here; of a checksum file.
    """

    arrival: Arrival
    reason: str
    absent: int = 0


@dataclass(frozen=True)
class Refused:
    """A file that is refused before its rows are looked at."""

    arrival: Arrival
    error: BadInput


@dataclass(frozen=True)
class Incomplete:
    """An assembly that is in force and of which chunks are not here, or may not be taken yet.

    Attributes:
        present: how many of its chunks are here.
    """

    manifest: Manifest
    present: int


@dataclass
class Assembled:
    """What the arrivals of one source add up to.

    Attributes:
        complete: sets of files that are converted.
        totals: `invoice_totals.csv` files, each a set of its own; they have no rows to convert.
        incomplete: assemblies that wait for chunks; their manifests are among `waiting` or `refused`, too.
    """

    complete: list[FileSet] = field(default_factory=list)
    totals: list[FileSet] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    incomplete: list[Incomplete] = field(default_factory=list)


def assemble(
    arrivals: Sequence[Arrival],
    manifests: Sequence[Manifest],
    needs_manifest: bool = False,
    unreadable: Sequence[Arrival] = (),
    judgement: Judgement = NOTHING_SAID,
) -> Assembled:
    """Put the arrivals of one source together into complete sets of files.

    Args:
        arrivals: every data file that ever arrived, manifests not among them.
        manifests: every manifest that ever arrived and could be read.
        needs_manifest: whether a file inside a report's period folder, or with a chunk's number, belongs to a
            manifest (AWS reports).
        unreadable: manifests that are not taken; what lies beside or below them is nobody's whole delivery.
        judgement: what checksum files say of the files.

    Returns:
        Complete sets (the same bytes twice are one set, the earlier), files that wait, files that do not match their
        checksums, and manifests whose chunks are not all there. The same for any order of the arguments.
    """
    result = Assembled()
    # A file overwritten in place within one instant of arrival (a received= folder) is its last version only.
    latest = {(arrival.name, arrival.received_at): arrival for arrival in sorted(arrivals, key=_by_arrival)}
    versions: dict[str, list[Arrival]] = {}
    for arrival in latest.values():
        versions.setdefault(arrival.name, []).append(arrival)
    manifests = sorted(manifests, key=lambda item: _by_arrival(item.arrival))
    sets, held = _assemblies(manifests, versions, judgement, result)
    homes = _homes(manifests, unreadable)
    for arrival in sorted(latest.values(), key=_by_arrival):
        verdict = judgement.verdict(arrival)
        if verdict.refused is not None:
            result.refused.append(Refused(arrival, verdict.refused))
        elif arrival not in held:
            reason = verdict.waits_for or _waits_for(arrival, homes, needs_manifest)
            if reason is None:
                sets.append(FileSet(arrival.source, (arrival,), checksums=judgement.needed_for([arrival])))
            else:
                result.waiting.append(Waiting(arrival, reason))
        elif held[arrival]:
            result.waiting.append(Waiting(arrival, held[arrival]))
    taken: set[str] = set()
    for file_set in sorted(sets, key=lambda item: (item.received_at, item.modified_at, item.files[0].name)):
        if file_set.sha256 not in taken:
            taken.add(file_set.sha256)
            result.complete.append(file_set)
    return result


def _assemblies(
    manifests: Sequence[Manifest],
    versions: Mapping[str, Sequence[Arrival]],
    judgement: Judgement,
    result: Assembled,
) -> tuple[list[FileSet], dict[Arrival, str]]:
    """Return the assemblies that are complete and in force, and every chunk of any: empty, or what it waits for."""
    sets: list[FileSet] = []
    held: dict[Arrival, str] = {}
    claims: dict[Arrival, str] = {}
    for manifest in manifests:
        chunks: list[Arrival] = []
        missing: BadInput | None = None
        for key in manifest.keys:
            try:
                chunks.append(find_chunk(manifest, key, versions, claims, judgement))
            except BadInput as error:
                missing = missing or error
        if _successor(manifest, manifests, manifest.arrival.received_at) is None:
            claims.update(dict.fromkeys(chunks, manifest.assembly_id))
        if missing is not None:
            _leave(manifest, len(chunks), missing, _successor(manifest, manifests, None), result)
            for chunk in chunks:
                held.setdefault(chunk, f"{manifest.arrival.name} lists chunks that are not here")
            continue
        held.update(dict.fromkeys(chunks, ""))
        checksums = judgement.needed_for([*chunks, manifest.arrival])
        file_set = FileSet(manifest.arrival.source, tuple(chunks), manifest, checksums)
        successor = _successor(manifest, manifests, file_set.received_at)
        if successor is None:
            sets.append(file_set)
        else:
            result.waiting.append(Waiting(manifest.arrival, _superseded(successor)))
    return sets, held


def _leave(manifest: Manifest, present: int, missing: BadInput, successor: Manifest | None, result: Assembled) -> None:
    """Say of an assembly without all its chunks what it waits for, or that it is refused."""
    if successor is not None:
        result.waiting.append(Waiting(manifest.arrival, _superseded(successor)))
        return
    result.incomplete.append(Incomplete(manifest, present))
    if isinstance(missing, NotYet):
        result.waiting.append(Waiting(manifest.arrival, missing.reason))
    else:
        result.refused.append(Refused(manifest.arrival, missing))


def _by_arrival(arrival: Arrival) -> tuple[datetime, datetime, str, str]:
    return (arrival.received_at, arrival.modified_at, arrival.name, arrival.sha256)


def _successor(manifest: Manifest, manifests: Sequence[Manifest], at: datetime | None) -> Manifest | None:
    """Return the manifest of another assembly of the same month that was in force in the period's root at an instant.

    Args:
        manifests: in order of arrival.
        at: None for now.
    """
    path = PurePosixPath(manifest.arrival.name)
    in_force = manifest
    depth = len(path.parts)
    for other in manifests:
        other_path = PurePosixPath(other.arrival.name)
        is_above = other_path.name == path.name and other_path.parent in (path.parent, *path.parent.parents)
        is_same_month = None in (manifest.billing_period, other.billing_period) or (
            other.billing_period == manifest.billing_period
        )
        # The highest manifest is the period's own; of its versions the last one counts.
        is_known = at is None or other.arrival.received_at <= at
        if is_above and is_same_month and is_known and len(other_path.parts) <= depth:
            in_force, depth = other, len(other_path.parts)
    return None if in_force.assembly_id == manifest.assembly_id else in_force


def _superseded(successor: Manifest) -> str:
    return f"superseded by assembly {successor.assembly_id} of {successor.arrival.name}"


def _homes(manifests: Sequence[Manifest], unreadable: Sequence[Arrival]) -> dict[PurePosixPath, str]:
    """Return the folders whose files only a manifest may release, and what a file in them waits for."""
    homes = {
        folder: f"listed by no manifest of {folder}"
        for folder in (PurePosixPath(manifest.arrival.name).parent for manifest in manifests)
    }
    newest = {manifest.arrival.name: manifest.arrival for manifest in manifests}
    for arrival in sorted(unreadable, key=_by_arrival):
        readable = newest.get(arrival.name)
        if readable is None or _by_arrival(readable) < _by_arrival(arrival):
            homes[PurePosixPath(arrival.name).parent] = f"its manifest {arrival.name} is not taken"
    return homes


def _waits_for(arrival: Arrival, homes: Mapping[PurePosixPath, str], needs_manifest: bool) -> str | None:
    folder = PurePosixPath(arrival.name).parent
    for home in (folder, *folder.parents):
        # What lies below the landing folder itself may be anybody's; what lies in it, beside a manifest, is not.
        if home in homes and (home == folder or home.parts):
            return homes[home]
    is_chunk = any(_REPORT_PERIOD_FOLDER.fullmatch(part) for part in folder.parts) or part_stem(arrival.name)
    return "its manifest has not arrived" if needs_manifest and is_chunk else None
