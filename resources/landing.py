"""The landing folders: what lies there, when it counts as arrived, and its way into the archive.

A name never leads out of its landing folder: a link that does is refused, not followed.
"""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from billing_pipeline.configuration import Source
from billing_pipeline.deliveries import Arrival, Refused
from billing_pipeline.errors import BadInput
from billing_pipeline.periods import PeriodInvalid, noon, parse_day
from resources.archive import Archive

_RECEIVED = "received="
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

    Raises:
        BadInput: a `received=` folder names no day; to guess one would put the file into another month's terms.
    """
    for part in reversed(Path(name).parts[:-1]):
        if part.startswith(_RECEIVED):
            try:
                return noon(parse_day(part.removeprefix(_RECEIVED)), zone)
            except PeriodInvalid as error:
                raise BadInput(name, "the received= folder names no day YYYY-MM-DD", value=part) from error
    return modified_at


def land(folder: Path, source: Source, archive: Archive, zone: ZoneInfo) -> list[Refused]:
    """Archive and record every file of a landing folder that is not known yet.

    A file that is still being written is left for the next run.

    Args:
        folder: the source's landing folder; it may be absent.

    Returns:
        Files that could not even be read or that lead out of the folder.
    """
    known = {(arrival.name, arrival.size, arrival.modified_at) for arrival in archive.arrivals(source.id)}
    refused = []
    for path in _landed(folder):
        name, modified_at = _readable_name(path.relative_to(folder)), _modified_at(path.lstat())
        try:
            status = _require_plain_file(path, folder, name)
            modified_at = _modified_at(status)
            arrived = received_at(name, modified_at, zone)
            if (name, status.st_size, modified_at) in known:
                continue
            sha256, size = archive.store(path)
        except BadInput as error:
            refused.append(Refused(Arrival(source.id, name, "", 0, modified_at, modified_at), error))
        except OSError as error:
            unreadable = BadInput(name, f"the file cannot be read: {error.strerror}")
            refused.append(Refused(Arrival(source.id, name, "", 0, modified_at, modified_at), unreadable))
        else:
            after = path.stat()
            if (after.st_size, after.st_mtime_ns) == (size, status.st_mtime_ns):
                archive.record(Arrival(source.id, name, sha256, size, arrived, modified_at))
    return refused


def _modified_at(status: os.stat_result) -> datetime:
    return datetime.fromtimestamp(status.st_mtime_ns // 1000 / 1_000_000, UTC)


def _readable_name(path: Path) -> str:
    """Return a name that every report can show; bytes that are no UTF-8 in hexadecimal."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _require_plain_file(path: Path, folder: Path, name: str) -> os.stat_result:
    """Return the status of a file inside a folder, of a link's target where it is one.

    Raises:
        BadInput: it is no file (opening a pipe would wait for ever), leads out of the folder, or its name is no text.
        OSError: it is a link to nothing.
    """
    target = path.resolve(strict=True)
    if not target.is_relative_to(folder.resolve()):
        raise BadInput(name, "the name would leave the landing folder", value=str(path.readlink()))
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise BadInput(name, "it is neither a file nor a folder; a link to a folder is not followed")
    if name != path.relative_to(folder).as_posix():
        raise BadInput(name, "the file's name is not UTF-8")
    return status


def _landed(folder: Path) -> Iterator[Path]:
    """Yield files, and links to folders: those are named in the quarantine, never followed."""
    for directory, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if (Path(directory) / name).is_symlink()]
        for name in sorted([*files, *links]):
            is_finished = not name.lower().endswith(_UNFINISHED_SUFFIXES)
            if not name.startswith((".", "_")) and is_finished and name != TOTALS_FILE:
                yield Path(directory) / name
