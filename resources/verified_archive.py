"""Whether the archive still holds what was put into it: vendors' files, and versions of reference files.

Only reads. What does not belong here: the rows made of the files (`resources.verified_lake`).
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from billing_pipeline.deliveries import Arrival
from billing_pipeline.errors import BillingError
from billing_pipeline.verification import Problem, Verified
from resources.archive import Archive
from resources.reference_journal import ReferenceJournal

# Told what is being looked at.
Watch = Callable[[str], None]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_BLOCK = 1 << 20


def verify_archive(root: Path, watch: Watch) -> Verified:
    """Compare every archived file with the SHA-256 it is named by, and every recorded arrival with its file."""
    archive = Archive(root)
    problems: list[Problem] = []
    names: dict[str, list[Arrival]] = {}
    for arrival in _arrivals(archive, problems):
        names.setdefault(arrival.sha256, []).append(arrival)
    files = sorted(path for path in (root / "files").glob("*/*") if _SHA256.fullmatch(path.name))
    for number, path in enumerate(files, 1):
        watch(f"archived file {number} of {len(files)}")
        problems += [Problem(_called(path, names), difference) for difference in _differences(archive, path, names)]
    found = {path.name for path in files}
    for sha256 in sorted(set(names) - found):
        first = names[sha256][0]
        problems.append(Problem(f"{first.source}/{first.name}", f"{archive.path(sha256)} is missing"))
    return Verified("archive", len(files), "files", tuple(problems))


def verify_reference(home: Path, watch: Watch) -> Verified:
    """Read the journal of reference versions whole, and compare every kept version with the SHA-256 it is named by."""
    journal = ReferenceJournal(home)
    problems: list[Problem] = []
    watch("reference versions")
    try:
        taken = [(one.file, one.sha256) for one in journal.taken() if one.sha256 is not None]
    except (BillingError, OSError, ValueError, KeyError, TypeError) as error:
        problems.append(Problem(str(journal.root / "journal"), f"it cannot be read: {error}"))
        taken = []
    named = {journal.path(file, sha256): file for file, sha256 in taken}
    kept = {path for path in journal.root.glob("*/*") if _SHA256.fullmatch(path.stem)}
    for path in sorted(kept | set(named)):
        if not path.exists():
            problems.append(Problem(named[path], f"{path} is missing; the journal of reference files names it"))
        elif (sha256 := _digests(path, ())["sha256"]) != path.stem:
            problems.append(Problem(named.get(path, path.name), f"{path} was changed: its SHA-256 is {sha256}"))
    return Verified("reference", len(kept | set(named)), "versions", tuple(problems))


def archived_sha256s(root: Path) -> frozenset[str]:
    """Return the names of all archived files."""
    return frozenset(path.name for path in (root / "files").glob("*/*") if _SHA256.fullmatch(path.name))


def _arrivals(archive: Archive, problems: list[Problem]) -> Iterator[Arrival]:
    for folder in sorted(path for path in (archive.root / "arrivals").glob("*") if path.is_dir()):
        try:
            yield from archive.arrivals(folder.name)
        except (OSError, ValueError, KeyError, TypeError) as error:
            problems.append(Problem(str(folder), f"the record of arrivals cannot be read: {error}"))


def _differences(archive: Archive, path: Path, names: dict[str, list[Arrival]]) -> Iterator[str]:
    beside = {"md5": archive.root / "md5" / path.name[:2] / path.name}
    kept = {name: place for name, place in beside.items() if place.exists()}
    try:
        found = _digests(path, tuple(kept))
        size = path.stat().st_size
    except OSError as error:
        yield f"{path} cannot be read: {error}"
        return
    if found["sha256"] != path.name:
        yield f"{path} was changed: its SHA-256 is {found['sha256']}; deliver the file again"
        return
    for name, place in kept.items():
        if place.read_bytes() != found[name].encode():
            yield f"{place} does not say its {name.upper()}, {found[name]}"
    for size_stated in sorted({arrival.size for arrival in names.get(path.name, ())} - {size}):
        yield f"{path} has {size} bytes, its arrival says {size_stated}"


def _called(path: Path, names: dict[str, list[Arrival]]) -> str:
    arrivals = names.get(path.name)
    return f"{arrivals[0].source}/{arrivals[0].name}" if arrivals else path.name


def _digests(path: Path, more: tuple[str, ...]) -> dict[str, str]:
    digests = {name: hashlib.new(name) for name in ("sha256", *more)}
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            for digest in digests.values():
                digest.update(block)
    return {name: digest.hexdigest() for name, digest in digests.items()}
