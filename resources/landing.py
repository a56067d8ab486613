"""The landing folders: what lies there, when it counts as arrived, and its way into the archive.

A name never leads out of its landing folder: a link that does is refused, not followed.
"""

import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from billing_pipeline.configuration import Source
from billing_pipeline.deliveries import Arrival, Refused
from billing_pipeline.errors import BadInput
from billing_pipeline.periods import noon
from resources.archive import Archive

_RECEIVED = re.compile(r"received=(\d{4}-\d{2}-\d{2})")
_UNFINISHED_SUFFIXES = (".tmp", ".part", ".partial", ".crdownload", ".filepart", ".writing")
# The vendor's invoice totals lie beside its files; they are no vendor file.
TOTALS_FILE = "invoice_totals.csv"


def received_at(name: str, modified_at: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which a landed file counts as arrived.

    Args:
        name: path relative to the landing folder.
        modified_at: the file's modification time.
        zone: the organisation's time zone.

    Returns:
        Local noon of the innermost `received=YYYY-MM-DD` folder, else `modified_at`.
    """
    for part in reversed(Path(name).parts[:-1]):
        match = _RECEIVED.fullmatch(part)
        if match:
            try:
                return noon(date.fromisoformat(match.group(1)), zone)
            except ValueError:
                break
    return modified_at


def land(folder: Path, source: Source, archive: Archive, zone: ZoneInfo) -> list[Refused]:
    """Archive and record every file of a landing folder that is not known yet.

    Args:
        folder: the source's landing folder; it may be absent.

    Returns:
        Files that could not even be read or that lead out of the folder.
    """
    known = {(arrival.name, arrival.size, arrival.modified_at) for arrival in archive.arrivals(source.id)}
    refused = []
    for path in _landed(folder):
        name = path.relative_to(folder).as_posix()
        status = path.lstat()
        modified_at = datetime.fromtimestamp(status.st_mtime_ns // 1000 / 1_000_000, UTC)
        arrived = received_at(name, modified_at, zone)
        if (name, status.st_size, modified_at) in known:
            continue
        try:
            if not path.resolve(strict=True).is_relative_to(folder.resolve()):
                raise BadInput(name, "the name would leave the landing folder", value=str(path.readlink()))
            sha256, size = archive.store(path)
        except BadInput as error:
            refused.append(Refused(Arrival(source.id, name, "", 0, arrived, modified_at), error))
        except OSError as error:
            unreadable = BadInput(name, f"the file cannot be read: {error.strerror}")
            refused.append(Refused(Arrival(source.id, name, "", 0, arrived, modified_at), unreadable))
        else:
            archive.record(Arrival(source.id, name, sha256, size, arrived, modified_at))
    return refused


def _landed(folder: Path) -> Iterator[Path]:
    for directory, folders, files in os.walk(folder):
        folders.sort()
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in sorted(files):
            if not name.startswith((".", "_")) and not name.endswith(_UNFINISHED_SUFFIXES) and name != TOTALS_FILE:
                yield Path(directory) / name
