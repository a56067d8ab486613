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

from billing_pipeline.errors import BadInput
from billing_pipeline.identifiers import file_set_sha256
from billing_pipeline.manifests import Arrival, Manifest, part_stem, read_manifest

__all__ = ["Arrival", "Assembled", "FileSet", "Manifest", "Refused", "Waiting", "assemble", "read_manifest"]

# Of a Cost and Usage Report, and of a Data Export.
_REPORT_PERIOD_FOLDER = re.compile(r"\d{8}-\d{8}|BILLING_PERIOD=\d{4}-\d{2}", re.IGNORECASE)


@dataclass(frozen=True)
class FileSet:
    """Files that are taken together or not at all: one file, or the chunks of one assembly."""

    source: str
    files: tuple[Arrival, ...]
    manifest: Manifest | None = None

    @property
    def sha256(self) -> str:
        """Hash of the set, whatever the order of its files."""
        return file_set_sha256(file.sha256 for file in self.files)

    @property
    def received_at(self) -> datetime:
        """The instant at which the last piece was there."""
        pieces = [file.received_at for file in self.files]
        return max(pieces if self.manifest is None else [*pieces, self.manifest.arrival.received_at])

    @property
    def modified_at(self) -> datetime:
        """The newest modification time in the set."""
        pieces = [file.modified_at for file in self.files]
        return max(pieces if self.manifest is None else [*pieces, self.manifest.arrival.modified_at])


@dataclass(frozen=True)
class Waiting:
    """A file that is neither taken nor refused yet, and what it waits for."""

    arrival: Arrival
    reason: str


@dataclass(frozen=True)
class Refused:
    """A file that is refused before its rows are looked at."""

    arrival: Arrival
    error: BadInput


@dataclass
class Assembled:
    """What the arrivals of one source add up to."""

    complete: list[FileSet] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def assemble(
    arrivals: Sequence[Arrival],
    manifests: Sequence[Manifest],
    needs_manifest: bool = False,
    unreadable: Sequence[Arrival] = (),
) -> Assembled:
    """Put the arrivals of one source together into complete sets of files.

    Args:
        arrivals: every data file that ever arrived, manifests not among them.
        manifests: every manifest that ever arrived and could be read.
        needs_manifest: whether a file inside a report's period folder, or with a chunk's number, belongs to a
            manifest (AWS reports).
        unreadable: manifests that were refused; what lies beside or below them is nobody's whole delivery.

    Returns:
        Complete sets (the same bytes twice are one set, the earlier), files that wait, and manifests whose
        chunks are not all there. The same for any order of the arguments.
    """
    result = Assembled()
    # A file overwritten in place within one instant of arrival (a received= folder) is its last version only.
    latest = {(arrival.name, arrival.received_at): arrival for arrival in sorted(arrivals, key=_by_arrival)}
    versions: dict[str, list[Arrival]] = {}
    for arrival in latest.values():
        versions.setdefault(arrival.name, []).append(arrival)
    manifests = sorted(manifests, key=lambda item: _by_arrival(item.arrival))
    sets, held = _assemblies(manifests, versions, result)
    homes = _homes(manifests, unreadable)
    for arrival in sorted(latest.values(), key=_by_arrival):
        if arrival not in held:
            reason = _waits_for(arrival, homes, needs_manifest)
            if reason is None:
                sets.append(FileSet(arrival.source, (arrival,)))
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
    manifests: Sequence[Manifest], versions: Mapping[str, Sequence[Arrival]], result: Assembled
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
                chunks.append(_chunk(manifest, key, versions, claims))
            except BadInput as error:
                missing = missing or error
        if _successor(manifest, manifests, manifest.arrival.received_at) is None:
            claims.update(dict.fromkeys(chunks, manifest.assembly_id))
        if missing is not None:
            successor = _successor(manifest, manifests, None)
            if successor is None:
                result.refused.append(Refused(manifest.arrival, missing))
            else:
                result.waiting.append(Waiting(manifest.arrival, _superseded(successor)))
            for chunk in chunks:
                held.setdefault(chunk, f"{manifest.arrival.name} lists chunks that are not here")
            continue
        held.update(dict.fromkeys(chunks, ""))
        file_set = FileSet(manifest.arrival.source, tuple(chunks), manifest)
        successor = _successor(manifest, manifests, file_set.received_at)
        if successor is None:
            sets.append(file_set)
        else:
            result.waiting.append(Waiting(manifest.arrival, _superseded(successor)))
    return sets, held


def _by_arrival(arrival: Arrival) -> tuple[datetime, datetime, str, str]:
    return (arrival.received_at, arrival.modified_at, arrival.name, arrival.sha256)


def _chunk(
    manifest: Manifest, key: str, versions: Mapping[str, Sequence[Arrival]], claims: Mapping[Arrival, str]
) -> Arrival:
    """Return the file that a manifest's key means: the longest tail of the key found at or above the manifest.

    Where each assembly overwrites the chunks of the one before (AWS: "overwrite existing report"), a version that an
    earlier assembly has is never part of a later one: it is merely not overwritten yet.
    """
    folder = PurePosixPath(manifest.arrival.name).parent
    tail = PurePosixPath(key).parts
    for length in range(len(tail), 0, -1):
        ancestors = [folder] if length == 1 else [folder, *folder.parents]
        for ancestor in ancestors:
            found = versions.get(str(ancestor.joinpath(*tail[-length:])))
            if found:
                own = [file for file in found if claims.get(file, manifest.assembly_id) == manifest.assembly_id]
                if not own:
                    reason = f"a chunk that the manifest lists is still that of assembly {claims[found[-1]]}"
                    raise BadInput(manifest.arrival.name, reason, column=manifest.keys_name, value=key)
                own = _of_stated_size(manifest, key, own)
                known = [file for file in own if file.received_at <= manifest.arrival.received_at]
                return known[-1] if known else own[0]
    reason = "a chunk that the manifest lists is not here"
    raise BadInput(manifest.arrival.name, reason, column=manifest.keys_name, value=key)


def _of_stated_size(manifest: Manifest, key: str, versions: Sequence[Arrival]) -> list[Arrival]:
    size = manifest.sizes.get(key)
    fitting = [file for file in versions if size is None or file.size == size]
    if not fitting:
        reason = f"{versions[-1].name} has {versions[-1].size} bytes, the manifest says {size}"
        raise BadInput(manifest.arrival.name, reason, column="byteCount", value=key)
    return fitting


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
            homes[PurePosixPath(arrival.name).parent] = f"its manifest {arrival.name} was refused"
    return homes


def _waits_for(arrival: Arrival, homes: Mapping[PurePosixPath, str], needs_manifest: bool) -> str | None:
    folder = PurePosixPath(arrival.name).parent
    for home in (folder, *folder.parents):
        # What lies below the landing folder itself may be anybody's; what lies in it, beside a manifest, is not.
        if home in homes and (home == folder or home.parts):
            return homes[home]
    is_chunk = any(_REPORT_PERIOD_FOLDER.fullmatch(part) for part in folder.parts) or part_stem(arrival.name)
    return "its manifest has not arrived" if needs_manifest and is_chunk else None
