"""The landing folders: what lies there, when it counts as arrived, and its way into the archive.

A name never leads out of its landing folder: a link that does is refused, not followed.

A file that is still being written is left for the next run. What is guaranteed: the bytes archived are those of a file
whose size, modification time, change time and inode were the same before and after it was copied, and, where it was
modified within the last seconds, at a second look a moment later too; and no name under which tools keep unfinished
uploads is ever read. What no look can tell is a writer that pauses for longer: such a half is refused by its own end
mark (gzip, zip, xlsx, zstd, Parquet, JSON), by its manifest's sizes, or by its control totals; a plain CSV without
any, cut at the end of a row, is taken, and replaced by the whole file at the next run. A checksum file beside it
closes that gap, as does `stable_after_seconds` of a source in billing.toml: younger files wait. A file that matches
its checksum is finished, whatever its age.
"""

import os
import re
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

from billing_pipeline.checksums import Checksum, algorithm_of
from billing_pipeline.configuration import Source
from billing_pipeline.deliveries import Arrival, Refused, Waiting
from billing_pipeline.errors import BadInput
from billing_pipeline.periods import PeriodInvalid, noon, parse_day
from resources.archive import Archive
from resources.checksum_files import read_checksum_files

_RECEIVED = "received="
# Names of uploads under way: of browsers, WinSCP, rclone and mobile clients; `_.gstmp` of gcloud storage; eight random
# hexadecimal digits behind the name of aws s3 (s3transfer). rsync and azcopy begin theirs with a dot.
_UNFINISHED = re.compile(
    r"\.(tmp|part|partial|crdownload|download|filepart|writing)$|_\.gstmp$|\.(csv|gz|zip|zst|json|jsonl|parquet|xlsx)"
    r"\.[0-9a-f]{8}$",
    re.IGNORECASE,
)
# A file modified more recently than this is looked at twice, and left alone by the sensor.
YOUNG_SECONDS = 10
_MOMENT_SECONDS = 0.1
_GREW = "it changed while it was read: it is still being written"


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


@dataclass
class Landed:
    """What a look at a landing folder came to, apart from the files that were archived and recorded.

    Attributes:
        refused: files that could not even be read or that lead out of the folder.
        unfinished: files that are, or may be, still being written.
    """

    refused: list[Refused] = field(default_factory=list)
    unfinished: list[Waiting] = field(default_factory=list)


@dataclass(frozen=True)
class Look:
    """A file as it stood at one instant.

    Attributes:
        name: path relative to the landing folder.
        arrived: when it counts as arrived.
    """

    path: Path
    name: str
    arrived: datetime
    status: os.stat_result

    def is_unchanged(self) -> bool:
        """Tell whether it still stands as it did; copying it took time in between."""
        try:
            now = self.path.stat()
        except OSError:
            return False
        before = self.status
        return (now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino) == (
            before.st_size, before.st_mtime_ns, before.st_ctime_ns, before.st_ino,
        )  # fmt: skip


def land(folder: Path, source: Source, archive: Archive, zone: ZoneInfo) -> Landed:
    """Archive and record every file of a landing folder that is not known yet, unless it is still being written.

    Args:
        folder: the source's landing folder; it may be absent.

    Returns:
        What was refused, and what is left for the next run.
    """
    landed = Landed()
    looks = list(look_for_new(folder, source, archive, zone, landed))
    # Checksum files first: a file that matches its own is finished, however young it is.
    lists = [look for look in looks if algorithm_of(look.name) is not None]
    files = [look for look in looks if algorithm_of(look.name) is None]
    _land(lists, source, archive, {}, landed)
    checksums: dict[str, list[Checksum]] = {}
    for checksum in read_checksum_files(archive.arrivals(source.id), archive)[0] if files else ():
        checksums.setdefault(checksum.file, []).append(checksum)
    _land(files, source, archive, checksums, landed)
    return landed


def _land(
    looks: Sequence[Look], source: Source, archive: Archive, checksums: Mapping[str, Sequence[Checksum]], landed: Landed
) -> None:
    """Archive and record files, those that are still being written apart.

    Args:
        checksums: what every checksum file says, by the name of the file it speaks of.
        landed: gets what is refused and what is left for the next run.
    """
    young: list[tuple[Look, Arrival]] = []
    for look in looks:
        own = checksums.get(look.name, ())
        is_too_young = is_young(look, source.stable_after_seconds or 0)
        arrival = None if is_too_young and not own else _archived(look, source, archive, landed)
        if arrival is not None and any(archive.digest(arrival, item.algorithm) == item.digest for item in own):
            archive.record(arrival)
        elif is_too_young:
            reason = f"modified less than {source.stable_after_seconds} s ago: it may still be being written"
            landed.unfinished.append(_waiting(source, look, reason))
        elif arrival is not None:
            young.append((look, arrival))
    if any(is_young(look, YOUNG_SECONDS) for look, _ in young):
        time.sleep(_MOMENT_SECONDS)
    for look, arrival in young:
        if arrival.size == look.status.st_size and look.is_unchanged():
            archive.record(arrival)
        else:
            landed.unfinished.append(_waiting(source, look, _GREW))


def _archived(look: Look, source: Source, archive: Archive, landed: Landed) -> Arrival | None:
    """Copy a file into the archive; return what is to be recorded, None if it is gone or cannot be read."""
    try:
        sha256, size = archive.store(look.path)
    except FileNotFoundError:
        return None
    except OSError as error:
        landed.refused.append(_refused(source, look.name, look.status, error))
        return None
    return Arrival(source.id, look.name, sha256, size, look.arrived, _modified_at(look.status))


def look_for_new(folder: Path, source: Source, archive: Archive, zone: ZoneInfo, landed: Landed) -> Iterator[Look]:
    """Yield the files that no earlier look has recorded, without reading any; the others go to `landed`.

    Args:
        landed: gets what is refused, and uploads under way.
    """
    known = {(arrival.name, arrival.size, arrival.modified_at) for arrival in archive.arrivals(source.id)}
    for path in _landed(folder):
        name = _readable_name(path.relative_to(folder))
        try:
            status = path.lstat()
        except FileNotFoundError:
            # Renamed or removed since the folder was listed: a finished upload gets its final name like this.
            continue
        if _UNFINISHED.search(name):
            look = Look(path, name, _modified_at(status), status)
            landed.unfinished.append(_waiting(source, look, "its name says that it is still being uploaded"))
            continue
        try:
            status = _require_plain_file(path, folder, name)
            arrived = received_at(name, _modified_at(status), zone)
        except (BadInput, OSError) as error:
            landed.refused.append(_refused(source, name, status, error))
        else:
            if (name, status.st_size, _modified_at(status)) not in known:
                yield Look(path, name, arrived, status)


def is_young(look: Look, seconds: int) -> bool:
    """Tell whether a file was modified less than some seconds ago, or in the future of this machine's clock."""
    return time.time() - look.status.st_mtime < seconds


def _waiting(source: Source, look: Look, reason: str) -> Waiting:
    modified_at = _modified_at(look.status)
    return Waiting(Arrival(source.id, look.name, "", look.status.st_size, look.arrived, modified_at), reason)


def _refused(source: Source, name: str, status: os.stat_result, error: BadInput | OSError) -> Refused:
    if not isinstance(error, BadInput):
        error = BadInput(name, f"the file cannot be read: {error.strerror}")
    modified_at = _modified_at(status)
    return Refused(Arrival(source.id, name, "", 0, modified_at, modified_at), error)


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


def is_vendor_file(name: str) -> bool:
    """Tell whether a file of this name is a vendor's: not hidden, no marker as `_SUCCESS`."""
    return not PurePosixPath(name).name.startswith((".", "_"))


def _landed(folder: Path) -> Iterator[Path]:
    """Yield files, and links to folders: those are named in the quarantine, never followed."""
    for directory, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if (Path(directory) / name).is_symlink()]
        for name in sorted([*files, *links]):
            if is_vendor_file(name):
                yield Path(directory) / name
