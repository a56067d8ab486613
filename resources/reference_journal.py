"""The archive of reference files: every version's bytes once, and the journal of the versions taken into use.

One entry of the journal is one set: the versions that changed with it, taken in one step or not at all. Entries are
only ever added. What does not belong here: what the files say (`billing_pipeline.reference`).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from filelock import FileLock

from billing_pipeline.errors import BillingError
from resources.lake import replacing

_TICK = timedelta(microseconds=1)


class ArchiveDamaged(BillingError):
    """The archive of reference files no longer holds what was put into it."""


@dataclass(frozen=True)
class FoundFile:
    """A file as it stands in the workspace.

    Attributes:
        content: its bytes.
        modified_at: its time, in UTC.
    """

    content: bytes
    modified_at: datetime

    @property
    def sha256(self) -> str:
        """Hash of its bytes."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class TakenVersion:
    """One version of one file, taken into use.

    Attributes:
        file: path inside the workspace, such as `reference/customers.csv`.
        sha256: of its bytes; None where the file is absent from then on.
        arrived_at: the file's time; where that is not later than the previous version's, the clock when it was taken.
        taken_at: the clock; later than at the set before.
    """

    file: str
    sha256: str | None
    arrived_at: datetime
    taken_at: datetime


def find_file(path: Path) -> FoundFile:
    """Read a file and its time."""
    # Nanoseconds, divided exactly: a float would move the instant.
    microseconds = path.stat().st_mtime_ns // 1000
    return FoundFile(path.read_bytes(), datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds))


class ReferenceJournal:
    """The archived versions and the journal of one workspace.

    Args:
        home: the workspace.
    """

    def __init__(self, home: Path) -> None:
        self.root = home / "archive" / "reference"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep other processes from taking a set at the same time."""
        self.root.mkdir(parents=True, exist_ok=True)
        with FileLock(self.root / "journal.lock"):
            yield

    def path(self, file: str, sha256: str) -> Path:
        """Return where the bytes of one version are kept."""
        name = PurePosixPath(file)
        return self.root / name.stem / f"{sha256}{name.suffix}"

    def keep(self, file: str, found: FoundFile) -> None:
        """Keep the bytes of a version, read-only, unless they are there."""
        target = self.path(file, found.sha256)
        if not target.exists():
            with replacing(target) as temporary:
                temporary.write_bytes(found.content)
                temporary.chmod(0o444)

    def read(self, file: str, sha256: str) -> bytes:
        """Return the bytes of a version.

        Raises:
            ArchiveDamaged: they are missing or were changed.
        """
        path = self.path(file, sha256)
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise ArchiveDamaged(f"{path} is missing; the journal of reference files names it") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ArchiveDamaged(f"{path} was changed: its bytes no longer have the SHA-256 of its name")
        return content

    def taken(self) -> list[TakenVersion]:
        """Return every version taken into use, in order.

        Raises:
            ArchiveDamaged: an entry is missing.
        """
        versions: list[TakenVersion] = []
        for number, path in enumerate(self._entries(), start=1):
            if path != self._entry(number):
                raise ArchiveDamaged(f"{self._entry(number)} is missing; later entries of the journal exist")
            document = json.loads(path.read_text("utf-8"))
            versions += [
                TakenVersion(
                    version["file"],
                    version["sha256"],
                    datetime.fromisoformat(version["arrived_at"]),
                    datetime.fromisoformat(document["taken_at"]),
                )
                for version in document["versions"]
            ]
        return versions

    def append(self, versions: Sequence[TakenVersion]) -> None:
        """Add one set of changed versions to the journal, whole or not at all; call it inside `writing`.

        Args:
            versions: of one `taken_at`; at least one.
        """
        document = {
            "taken_at": versions[0].taken_at.isoformat(),
            "versions": [
                {"file": one.file, "sha256": one.sha256, "arrived_at": one.arrived_at.isoformat()} for one in versions
            ],
        }
        target = self._entry(len(self._entries()) + 1)
        with replacing(target) as temporary:
            temporary.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", "utf-8")
            temporary.chmod(0o444)

    def _entries(self) -> list[Path]:
        return sorted((self.root / "journal").glob("*.json"))

    def _entry(self, number: int) -> Path:
        return self.root / "journal" / f"{number:06}.json"


def changed_versions(
    taken: Sequence[TakenVersion], found: Mapping[str, FoundFile], files: Sequence[str], at: datetime
) -> list[TakenVersion]:
    """Return what the journal must say next for the files as they stand.

    Args:
        taken: the journal.
        found: files that are there, by path inside the workspace.
        files: every file that is looked at, there or not.
        at: the clock.
    """
    last = {version.file: version for version in taken}
    # The clock of a machine may go back; the journal's does not.
    taken_at = max([at, *(version.taken_at + _TICK for version in taken[-1:])])
    changes = []
    for file in files:
        before, now = last.get(file), found.get(file)
        sha256 = None if now is None else now.sha256
        if sha256 == (None if before is None else before.sha256):
            continue
        arrived_at = taken_at if now is None else now.modified_at
        if before is not None and arrived_at <= before.arrived_at:
            arrived_at = max(taken_at, before.arrived_at + _TICK)
        changes.append(TakenVersion(file, sha256, arrived_at, taken_at))
    return changes


def known_versions(taken: Sequence[TakenVersion], as_of: datetime) -> tuple[list[TakenVersion], list[TakenVersion]]:
    """Return the versions that were known at an instant, and those among them that had not arrived by then.

    Known is what was taken into use by then. For an instant before anything was taken, it is what had arrived by its
    file's time, else the first version of each file.
    """
    if not taken or as_of >= taken[0].taken_at:
        return [version for version in taken if version.taken_at <= as_of], []
    arrived = [version for version in taken if version.arrived_at <= as_of]
    files = {version.file for version in arrived}
    early = [v for v in taken if v.file not in files and v.taken_at == taken[0].taken_at]
    return [*arrived, *early], early
