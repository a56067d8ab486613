"""From files that arrived to complete deliveries: manifests, chunks, assemblies.

AWS writes a report as chunks and a manifest that lists them by their keys in a bucket. The manifest
in the period's root folder is overwritten by each assembly, so the assembly id decides which chunks
belong together. (AWS Cost and Usage Reports user guide, "Viewing your reports".)

What does not belong here: finding and hashing files (`resources.landing`), reading their rows
(`resources.conversion`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from billing_pipeline.errors import BadInput
from billing_pipeline.identifiers import file_set_sha256

_REPORT_PERIOD_FOLDER = re.compile(r"\d{8}-\d{8}")


@dataclass(frozen=True)
class Arrival:
    """One file that arrived, as recorded when it was first seen.

    Attributes:
        name: path relative to the source's landing folder, with `/`.
        received_at: when it counts as arrived: local noon of its `received=` folder, else its modification time.
        modified_at: the file's modification time; orders arrivals of one instant.
    """

    source: str
    name: str
    sha256: str
    size: int
    received_at: datetime
    modified_at: datetime


@dataclass(frozen=True)
class Manifest:
    """What one manifest says: which chunks make up which assembly.

    Attributes:
        keys: the chunks' keys in the vendor's bucket.
        billing_period: `YYYY-MM`, or None.
    """

    arrival: Arrival
    assembly_id: str
    keys: tuple[str, ...]
    billing_period: str | None


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


def read_manifest(arrival: Arrival, content: bytes) -> Manifest:
    """Read a CUR manifest.

    Args:
        content: the file's bytes, JSON with `assemblyId`, `reportKeys` and `billingPeriod`.

    Raises:
        BadInput: it is no JSON, lacks a key, or names a chunk outside the landing folder.
    """
    try:
        document = json.loads(content)
        assembly_id, keys = document["assemblyId"], document["reportKeys"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(arrival.name, f"the manifest cannot be read: {error}") from error
    if not isinstance(assembly_id, str) or not isinstance(keys, list) or not keys:
        raise BadInput(arrival.name, "the manifest names no assembly or no chunk", column="reportKeys")
    for key in keys:
        if not isinstance(key, str) or _leaves_the_folder(key):
            raise BadInput(
                arrival.name,
                "the manifest names a chunk that would leave the landing folder",
                column="reportKeys",
                value=str(key),
            )
    if len(set(keys)) != len(keys):
        raise BadInput(arrival.name, "the manifest names a chunk twice", column="reportKeys")
    start = document.get("billingPeriod", {}).get("start", "")
    period = f"{start[:4]}-{start[4:6]}" if re.match(r"\d{6}", start) else None
    return Manifest(arrival, assembly_id, tuple(keys), period)


def _leaves_the_folder(key: str) -> bool:
    parts = PurePosixPath(key.replace("\\", "/")).parts
    return not parts or parts[0] == "/" or ".." in parts or ":" in parts[0] or "\x00" in key


def assemble(arrivals: Sequence[Arrival], manifests: Sequence[Manifest], needs_manifest: bool = False) -> Assembled:
    """Put the arrivals of one source together into complete sets of files.

    Args:
        arrivals: every data file that ever arrived, manifests not among them.
        manifests: every manifest that ever arrived and could be read.
        needs_manifest: whether a file inside a report's period folder belongs to a manifest (AWS reports).

    Returns:
        Complete sets (the same bytes twice are one set, the earlier), files that wait, and manifests whose
        chunks are not all there.
    """
    result = Assembled()
    # A file overwritten in place within one instant of arrival (a received= folder) is its last version only.
    latest = {(arrival.name, arrival.received_at): arrival for arrival in sorted(arrivals, key=_by_arrival)}
    arrivals = list(latest.values())
    versions: dict[str, list[Arrival]] = {}
    for arrival in arrivals:
        versions.setdefault(arrival.name, []).append(arrival)
    used: set[Arrival] = set()
    sets: list[FileSet] = []
    for manifest in sorted(manifests, key=lambda item: _by_arrival(item.arrival)):
        try:
            chunks = tuple(_chunk(manifest, key, versions) for key in manifest.keys)
        except BadInput as error:
            result.refused.append(Refused(manifest.arrival, error))
            continue
        used.update(chunks)
        file_set = FileSet(manifest.arrival.source, chunks, manifest)
        successor = _successor(file_set, manifest, manifests)
        if successor is None:
            sets.append(file_set)
        else:
            reason = f"superseded by assembly {successor.assembly_id} of {successor.arrival.name}"
            result.waiting.append(Waiting(manifest.arrival, reason))
    for arrival in sorted(set(arrivals) - used, key=_by_arrival):
        waits_for = _waits_for(arrival, manifests, needs_manifest)
        if waits_for is None:
            sets.append(FileSet(arrival.source, (arrival,)))
        else:
            result.waiting.append(Waiting(arrival, waits_for))
    taken: set[str] = set()
    for file_set in sorted(sets, key=lambda item: (item.received_at, item.modified_at, item.files[0].name)):
        if file_set.sha256 not in taken:
            taken.add(file_set.sha256)
            result.complete.append(file_set)
    return result


def _by_arrival(arrival: Arrival) -> tuple[datetime, datetime, str, str]:
    return (arrival.received_at, arrival.modified_at, arrival.name, arrival.sha256)


def _chunk(manifest: Manifest, key: str, versions: Mapping[str, Sequence[Arrival]]) -> Arrival:
    """Return the file that a manifest's key means: the longest tail of the key found at or above the manifest."""
    folder = PurePosixPath(manifest.arrival.name).parent
    tail = PurePosixPath(key).parts
    for length in range(len(tail), 0, -1):
        ancestors = [folder] if length == 1 else [folder, *folder.parents]
        for ancestor in ancestors:
            found = versions.get(str(ancestor.joinpath(*tail[-length:])))
            if found:
                known = [file for file in found if file.received_at <= manifest.arrival.received_at]
                return known[-1] if known else found[0]
    raise BadInput(manifest.arrival.name, "a chunk that the manifest lists is not here", column="reportKeys", value=key)


def _successor(file_set: FileSet, manifest: Manifest, manifests: Sequence[Manifest]) -> Manifest | None:
    """Return the manifest of another assembly that was in force in the period's root when this set was complete."""
    folder = PurePosixPath(manifest.arrival.name).parent
    in_force = [
        other
        for other in manifests
        if PurePosixPath(other.arrival.name).parent in (folder, *folder.parents)
        and PurePosixPath(other.arrival.name).name == PurePosixPath(manifest.arrival.name).name
        and other.arrival.received_at <= file_set.received_at
    ]
    in_force.sort(key=lambda item: (-len(PurePosixPath(item.arrival.name).parts), *_by_arrival(item.arrival)))
    latest = in_force[-1] if in_force else manifest
    return None if latest.assembly_id == manifest.assembly_id else latest


def _waits_for(arrival: Arrival, manifests: Sequence[Manifest], needs_manifest: bool) -> str | None:
    folders = PurePosixPath(arrival.name).parent
    for manifest in manifests:
        home = PurePosixPath(manifest.arrival.name).parent
        below = home == folders or (home.parts and home in folders.parents)
        if below:
            return f"listed by no manifest of {home}"
    if needs_manifest and any(_REPORT_PERIOD_FOLDER.fullmatch(part) for part in folders.parts):
        return "its manifest has not arrived"
    return None
