"""The reference folder and its history: every version of a file is kept, and says when a row first arrived.

What does not belong here: what the files may say (`billing_pipeline.reference`).
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from billing_pipeline.errors import ReferenceInvalid
from billing_pipeline.periods import local_day
from billing_pipeline.reference import ReferenceSet, parse_reference, read_reference_rows
from billing_pipeline.reference_csv import ReferenceRows
from billing_pipeline.schemas.reference import REFERENCE_FILES_BY_NAME
from billing_pipeline.schemas.reference_file import RECORDED_AT
from resources.lake import replacing

_SHA_LENGTH = 12


def load_reference(home: Path, zone: ZoneInfo) -> ReferenceSet:
    """Archive the current reference files where they are new, and return them parsed and checked.

    Args:
        home: the workspace.
        zone: the organisation's zone, in which a file's day of arrival is counted.

    Returns:
        The set; a row without `recorded_at` has the start of the day on which the first snapshot holding it arrived.

    Raises:
        ReferenceInvalid: with every problem of every file, a file that is no reference file among them.
    """
    rows: dict[str, ReferenceRows] = {}
    arrival_days: dict[str, dict[str, date]] = {}
    unknown = []
    for path in sorted((home / "reference").glob("*.csv")):
        if path.stem not in REFERENCE_FILES_BY_NAME:
            unknown.append(f"reference/{path.name}: is unknown; the files are {', '.join(REFERENCE_FILES_BY_NAME)}")
            continue
        content = _take_snapshot(home, path, zone)
        rows[path.stem] = read_reference_rows(path.stem, content)
        arrival_days[path.stem] = _arrival_days(home, rows[path.stem])
    if unknown:
        raise ReferenceInvalid(tuple(unknown))
    return parse_reference(rows, zone, arrival_days)


def reference_frames(reference: ReferenceSet) -> list[tuple[str, pl.DataFrame]]:
    """Return the frames with the names that SQL files use: `reference_<file>`."""
    return [(f"reference_{name}", frame) for name, frame in reference.frames().items()]


def snapshot_folder(home: Path, name: str) -> Path:
    """Return where the versions of one reference file are kept, `<day of arrival>_<start of SHA-256>.csv`."""
    return home / "archive" / "reference" / name


def snapshots(home: Path, name: str) -> list[tuple[date, Path]]:
    """Return the kept versions of one reference file with their day of arrival, oldest first."""
    return [(date.fromisoformat(path.stem[:10]), path) for path in sorted(snapshot_folder(home, name).glob("*_*.csv"))]


def _take_snapshot(home: Path, path: Path, zone: ZoneInfo) -> bytes:
    """Keep the bytes of a reference file once; the day is the one of the file's modification, never changed later."""
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()[:_SHA_LENGTH]
    folder = snapshot_folder(home, path.stem)
    if not any(folder.glob(f"*_{sha256}.csv")):
        day = local_day(datetime.fromtimestamp(path.stat().st_mtime, UTC), zone)
        target = folder / f"{day}_{sha256}.csv"
        with replacing(target) as temporary:
            temporary.write_bytes(content)
        target.chmod(0o444)
    return content


def _arrival_days(home: Path, current: ReferenceRows) -> dict[str, date]:
    """Return the day on which each row without its own `recorded_at` first arrived.

    Versions are read from the oldest on, and only until every row has been met.
    """
    identities = current.identities()
    if RECORDED_AT in current.cells.columns:
        identities = identities.filter(current.cells[RECORDED_AT].is_null())
    missing = set(identities)
    days: dict[str, date] = {}
    for day, version in _versions(home, current) if missing else ():
        found = missing.intersection(version.identities())
        days.update(dict.fromkeys(found, day))
        missing -= found
        if not missing:
            break
    return days


def _versions(home: Path, current: ReferenceRows) -> Iterator[tuple[date, ReferenceRows]]:
    for day, path in snapshots(home, current.file.name):
        yield day, read_reference_rows(current.file.name, path.read_bytes())
