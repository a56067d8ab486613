"""The archive: the bytes of every file that ever arrived, by SHA-256 and read-only, and the record of its arrival."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from billing_pipeline.checksums import Algorithm
from billing_pipeline.deliveries import Arrival
from billing_pipeline.errors import BadInput
from billing_pipeline.identifiers import file_name_of
from resources import clock
from resources.carriers import sha256_of
from resources.lake import replacing
from resources.unfinished_files import unfinished_name

_BLOCK = 1 << 20


class Archive:
    """Content-addressed store of landed files.

    Args:
        root: folder of the archive.
        now: the clock that says when a file is first seen; the machine's unless a test sets it.
    """

    def __init__(self, root: Path, now: Callable[[], datetime] | None = None) -> None:
        self.root = root
        self._now = now or clock.utc_now

    def path(self, sha256: str) -> Path:
        """Return where the bytes with this hash are kept."""
        return self.root / "files" / sha256[:2] / sha256

    def store(self, file: Path) -> tuple[str, int]:
        """Copy a file into the archive while hashing it, so that what is kept is what was hashed.

        Returns:
            The SHA-256 of the bytes, and how many there are.

        Raises:
            OSError: the file cannot be read.
        """
        folder = self.root / "files"
        folder.mkdir(parents=True, exist_ok=True)
        incoming = unfinished_name(folder / "incoming")
        digest, size = hashlib.sha256(), 0
        try:
            with file.open("rb") as source, incoming.open("wb") as copy:
                while block := source.read(_BLOCK):
                    digest.update(block)
                    copy.write(block)
                    size += len(block)
                copy.flush()
                os.fsync(copy.fileno())
            sha256 = digest.hexdigest()
            target = self.path(sha256)
            # Bytes that rotted in the archive are mended by delivering the file again.
            if not target.exists() or sha256_of(target) != sha256:
                target.parent.mkdir(parents=True, exist_ok=True)
                incoming.chmod(0o444)
                incoming.replace(target)
            return sha256, size
        finally:
            incoming.unlink(missing_ok=True)

    def verified(self, arrival: Arrival) -> Path:
        """Return the archived file after comparing its bytes with the hash of its arrival.

        Raises:
            BadInput: the archive no longer holds what arrived.
        """
        path = self.path(arrival.sha256)
        if not path.exists():
            raise BadInput(arrival.name, f"its bytes are missing from the archive ({arrival.sha256})")
        found = sha256_of(path)
        if found != arrival.sha256:
            raise BadInput(arrival.name, f"its archived bytes were changed: {found} instead of {arrival.sha256}")
        return path

    def digest(self, arrival: Arrival, algorithm: Algorithm) -> str:
        """Return the hash of an archived file's bytes; one that the archive is not addressed by is kept beside it.

        Raises:
            BadInput: the archive no longer holds what arrived.
        """
        if algorithm == "sha256":
            return arrival.sha256
        kept = self.root / algorithm / arrival.sha256[:2] / arrival.sha256
        if not kept.exists():
            with self.verified(arrival).open("rb") as stream:
                digest = hashlib.file_digest(stream, algorithm).hexdigest()
            with replacing(kept) as temporary:
                temporary.write_text(digest, "ascii")
        return kept.read_text("ascii")

    def record(self, arrival: Arrival) -> None:
        """Write down an arrival, once, with the clock: a name and hash that are known keep their first instants."""
        folder = self.root / "arrivals" / arrival.source
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{file_name_of(arrival.name)}_{arrival.sha256[:16]}.json"
        if target.exists():
            return
        document = asdict(arrival) | {
            "received_at": arrival.received_at.isoformat(),
            "modified_at": arrival.modified_at.isoformat(),
            "seen_at": self._now().isoformat(),
        }
        text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        with replacing(target) as temporary:
            temporary.write_text(text, "utf-8")

    def arrivals(self, source: str) -> list[Arrival]:
        """Return every recorded arrival of a source, in order of arrival."""
        found = list(self._read(source))
        return sorted(found, key=lambda item: (item.received_at, item.modified_at, item.name, item.sha256))

    def _read(self, source: str) -> Iterator[Arrival]:
        for file in sorted((self.root / "arrivals" / source).glob("*.json")):
            document = json.loads(file.read_text("utf-8"))
            yield Arrival(
                source=document["source"],
                name=document["name"],
                sha256=document["sha256"],
                size=document["size"],
                received_at=datetime.fromisoformat(document["received_at"]),
                modified_at=datetime.fromisoformat(document["modified_at"]),
                # Arrivals of older versions do not say when they were seen.
                seen_at=datetime.fromisoformat(document.get("seen_at") or document["modified_at"]),
            )
