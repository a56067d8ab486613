"""The archive: the bytes of every file that ever arrived, by SHA-256 and read-only, and the record of its arrival."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from billing_pipeline.deliveries import Arrival
from billing_pipeline.errors import BadInput
from billing_pipeline.identifiers import file_name_of
from resources.carriers import sha256_of
from resources.lake import replacing

_BLOCK = 1 << 20


class Archive:
    """Content-addressed store of landed files.

    Args:
        root: folder of the archive.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

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
        incoming = self.root / "files" / f"incoming.{os.getpid()}"
        incoming.parent.mkdir(parents=True, exist_ok=True)
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

    def record(self, arrival: Arrival) -> None:
        """Write down an arrival, once: a name and hash that are known keep their first instant."""
        folder = self.root / "arrivals" / arrival.source
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{file_name_of(arrival.name)}_{arrival.sha256[:16]}.json"
        if target.exists():
            return
        document = asdict(arrival) | {
            "received_at": arrival.received_at.isoformat(),
            "modified_at": arrival.modified_at.isoformat(),
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
            )
