"""The reference folder and its history: which set of files is in force, now or at a past instant.

What does not belong here: what the files may say (`billing_pipeline.reference`), where versions are kept
(`resources.reference_journal`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from billing_pipeline.configuration import WorkspaceConfig
from billing_pipeline.errors import ConfigurationInvalid, ReferenceInvalid
from billing_pipeline.periods import local_day
from billing_pipeline.reference import ReferenceSet, parse_reference, read_reference, read_reference_rows
from billing_pipeline.reference_csv import ReferenceRows
from billing_pipeline.reference_history import Arrival, FileHistory, add_version, history_of, no_stretches
from billing_pipeline.reference_links import Surroundings
from billing_pipeline.schemas.reference import REFERENCE_FILES, REFERENCE_FILES_BY_NAME
from resources import clock
from resources.logo_versions import find_logo
from resources.reference_journal import (
    FoundFile,
    ReferenceJournal,
    TakenVersion,
    changed_versions,
    find_file,
    known_versions,
)
from resources.reference_versions import ReferenceVersions
from resources.workspace import CONFIG_FILE, parse_config

_FILES = {f"reference/{file.name}.csv": file.name for file in REFERENCE_FILES}
# Rows that a what-if brings count as known when any charge was priced.
_ALWAYS = Arrival(datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC))


def load_reference(
    home: Path, zone: ZoneInfo, as_of: datetime | None = None, *, now: Callable[[], datetime] | None = None
) -> ReferenceSet:
    """Take the reference files as they stand into use where they are new and good, and return the set in force.

    Args:
        home: the workspace.
        zone: the organisation's zone, in which a file's day of arrival is counted.
        as_of: a past instant: then nothing is archived or checked, and the set is the one that was in force at it.
        now: the clock; the machine's unless a test sets it.

    Returns:
        The set in force. Its `refused` says why the files as they stand are not, `notices` what a caller should say
        about a past set.

    Raises:
        ReferenceInvalid: the files have problems, and there never was a good set; names every problem.
        ArchiveDamaged: a version that was taken into use is missing or was changed.
    """
    if as_of is not None:
        return _set_of_the_past(home, zone, as_of)
    journal = ReferenceJournal(home)
    with journal.writing():
        return _take(home, journal, zone, (now or clock.utc_now)())


def load_whatif_reference(
    home: Path, zone: ZoneInfo, folder: Path, *, now: Callable[[], datetime] | None = None
) -> ReferenceSet:
    """Return the set in force with the reference files of another folder in place of its own; archives nothing.

    Rows of replaced files count as known from the beginning unless they have a `recorded_at` of their own, and have
    no history. Files that were never taken into use, in a workspace that never ran, stand in as they are.

    Args:
        home: the workspace.
        zone: the organisation's zone.
        folder: holds one or several reference files, named as in the workspace.
        now: the clock, which says which rows have ended; the machine's unless a test sets it.

    Raises:
        ReferenceInvalid: the set with the replaced files has problems, or the folder holds no reference file.
    """
    at = (now or clock.utc_now)()
    replaced, strays = _found_files(folder, "")
    if not replaced or strays:
        raise ReferenceInvalid(tuple(strays) or (f"{folder} holds no reference file such as customers.csv",))
    taken = _of_reference(ReferenceJournal(home).taken())
    found, kept = dict(replaced), [version for version in taken if version.file not in replaced]
    if not taken:
        found = {**_found_files(home, "reference/")[0], **replaced}
        kept = changed_versions(
            [], {name: one for name, one in found.items() if name not in replaced}, list(_FILES), at
        )
    first_at = min((version.taken_at for version in taken), default=at)
    rows, histories = _read(home, kept if taken else [], zone, first_at)
    arrived = {version.file: version.arrived_at for version in kept}
    for path, one in found.items():
        file = REFERENCE_FILES_BY_NAME[_FILES[path]]
        rows[file.name] = read_reference_rows(file.name, one.content)
        stretches = add_version(file, no_stretches(file), 0, one.sha256, rows[file.name])
        arrival = Arrival.of(arrived[path], zone, is_first_set=True) if path in arrived else _ALWAYS
        histories[file.name] = history_of(file, stretches, [arrival], zone)
    try:
        reference = _judged(rows, histories, (), zone, _surroundings(_config(home)[0], at, zone))
    except ReferenceInvalid as error:
        # The problems name the files of a workspace; these stand in the other folder.
        problems = error.problems
        for name in replaced:
            problems = tuple(text.replace(name, str(folder / Path(name).name)) for text in problems)
        raise ReferenceInvalid(problems) from error
    return reference


def config_as_of(home: Path, as_of: datetime) -> WorkspaceConfig:
    """Return what `billing.toml` said at a past instant, by the same rules as `load_reference(as_of=)`.

    Raises:
        ConfigurationInvalid: no version of it was ever taken into use.
    """
    journal = ReferenceJournal(home)
    known, _ = known_versions([one for one in journal.taken() if one.file == CONFIG_FILE], as_of)
    shas = [version.sha256 for version in known if version.sha256 is not None]
    if not shas:
        raise ConfigurationInvalid(f"no version of {home / CONFIG_FILE} was ever taken into use; run `billing run`")
    return parse_config(home / CONFIG_FILE, journal.read(CONFIG_FILE, shas[-1]))


def reference_frames(reference: ReferenceSet) -> list[tuple[str, pl.DataFrame]]:
    """Return the frames with the names that SQL files use: `reference_<file>` and `known_<file>`.

    The first holds the set in force, the second every row that was ever in force, with `withdrawn_at` and
    `source_sha256`.
    """
    return [
        *((f"reference_{name}", frame) for name, frame in reference.frames().items()),
        *((f"known_{name}", frame) for name, frame in reference.known.items()),
    ]


def _take(home: Path, journal: ReferenceJournal, zone: ZoneInfo, at: datetime) -> ReferenceSet:
    found, strays = _found_files(home, "reference/")
    config, config_file = _config(home)
    if config_file is not None:
        found[CONFIG_FILE] = config_file
    logo = find_logo(home, config)
    found |= logo
    for file, one in found.items():
        journal.keep(file, one)
    taken = journal.taken()
    changes = changed_versions(taken, found, [*_FILES, *([CONFIG_FILE] if config else []), *logo], at)
    candidate = _of_reference([*taken, *changes])
    try:
        reference = _checked(home, candidate, zone, _surroundings(config, at, zone), tuple(strays))
    except ReferenceInvalid as error:
        # The configuration is in force as soon as it can be read, whatever becomes of the reference files.
        changes = [version for version in changes if version.file not in _FILES]
        _append(journal, changes)
        if not _of_reference(taken):
            raise
        return replace(_unchecked(home, _of_reference(taken), zone), refused=error.problems)
    _append(journal, changes)
    return reference


def _append(journal: ReferenceJournal, changes: Sequence[TakenVersion]) -> None:
    if changes:
        journal.append(changes)


def _set_of_the_past(home: Path, zone: ZoneInfo, as_of: datetime) -> ReferenceSet:
    known, early = known_versions(_of_reference(ReferenceJournal(home).taken()), as_of)
    reference = _unchecked(home, tuple(known), zone, as_of)
    if not early:
        return reference
    names = ", ".join(version.file for version in early)
    notice = f"by {as_of.isoformat()} nothing had arrived of {names}: the first version of each is used"
    return replace(reference, notices=(notice,))


def _of_reference(versions: Sequence[TakenVersion]) -> tuple[TakenVersion, ...]:
    return tuple(version for version in versions if version.file in _FILES)


# A run asks for the same set in every step. What was archived never changes, so neither does the answer.
@lru_cache(maxsize=1)
def _checked(
    home: Path,
    versions: tuple[TakenVersion, ...],
    zone: ZoneInfo,
    surroundings: Surroundings | None,
    strays: tuple[str, ...],
) -> ReferenceSet:
    """Return the set of the last of archived versions with its history, checked.

    Raises:
        ReferenceInvalid: it has problems, files that are no reference files among them.
    """
    rows, histories = _read(home, versions, zone, _first_at(versions), keep=True)
    return _judged(rows, histories, versions, zone, surroundings, strays)


def _judged(
    rows: Mapping[str, ReferenceRows],
    histories: Mapping[str, FileHistory],
    versions: Sequence[TakenVersion],
    zone: ZoneInfo,
    surroundings: Surroundings | None,
    strays: tuple[str, ...] = (),
) -> ReferenceSet:
    recorded_at = {name: histories[name].recorded_at(cells) for name, cells in rows.items()}
    try:
        reference = parse_reference(rows, zone, recorded_at, surroundings)
    except ReferenceInvalid as error:
        raise ReferenceInvalid((*strays, *error.problems)) from error
    if strays:
        raise ReferenceInvalid(strays)
    return _with_history(reference, histories, versions)


@lru_cache(maxsize=1)
def _unchecked(
    home: Path, versions: tuple[TakenVersion, ...], zone: ZoneInfo, as_of: datetime | None = None
) -> ReferenceSet:
    """Return a set that was checked when it was taken into use."""
    rows, histories = _read(home, versions, zone, _first_at(versions), as_of)
    recorded_at = {name: histories[name].recorded_at(cells) for name, cells in rows.items()}
    return _with_history(read_reference(rows, zone, recorded_at, as_of), histories, versions)


def _read(
    home: Path,
    versions: Sequence[TakenVersion],
    zone: ZoneInfo,
    first_at: datetime,
    as_of: datetime | None = None,
    keep: bool = False,
) -> tuple[dict[str, ReferenceRows], dict[str, FileHistory]]:
    """Return the rows of each file that is there after the last of archived versions, and the history of every file."""
    archived = ReferenceVersions(home)
    rows: dict[str, ReferenceRows] = {}
    histories: dict[str, FileHistory] = {}
    for path, name in _FILES.items():
        file, of_file = REFERENCE_FILES_BY_NAME[name], [version for version in versions if version.file == path]
        last = archived.rows(file, of_file[-1]) if of_file else None
        if last is not None:
            rows[name] = last
        stretches = archived.stretches(file, of_file, last)
        if keep:
            archived.keep(file, of_file, stretches)
        arrivals = [Arrival.of(version.arrived_at, zone, version.taken_at == first_at) for version in of_file]
        histories[name] = history_of(file, stretches, arrivals, zone, as_of)
    return rows, histories


def _first_at(versions: Sequence[TakenVersion]) -> datetime:
    """Return when the first of all sets was taken into use; versions known at an instant always include some of it."""
    return min((version.taken_at for version in versions), default=datetime.min.replace(tzinfo=UTC))


def _with_history(
    reference: ReferenceSet, histories: Mapping[str, FileHistory], versions: Sequence[TakenVersion]
) -> ReferenceSet:
    known = {name: history.known for name, history in histories.items()}
    return replace(reference, known=known, taken_at=max((version.taken_at for version in versions), default=None))


def _found_files(folder: Path, prefix: str) -> tuple[dict[str, FoundFile], list[str]]:
    """Return the reference files of a folder by their path inside a workspace, and complaints about other CSV files."""
    found: dict[str, FoundFile] = {}
    strays = []
    for path in sorted((folder / prefix).glob("*.csv")):
        if path.stem in REFERENCE_FILES_BY_NAME:
            found[f"reference/{path.name}"] = find_file(path)
        else:
            place = f"{prefix}{path.name}" if prefix else str(path)
            strays.append(f"{place}: is unknown; the files are {', '.join(REFERENCE_FILES_BY_NAME)}")
    return found, strays


def _config(home: Path) -> tuple[WorkspaceConfig, FoundFile] | tuple[None, None]:
    """Return what billing.toml says and its bytes, or nothing where it cannot be read: whoever needs it says so."""
    path = home / CONFIG_FILE
    try:
        found = find_file(path)
        return parse_config(path, found.content), found
    except (OSError, ConfigurationInvalid):
        return None, None


def _surroundings(config: WorkspaceConfig | None, at: datetime, zone: ZoneInfo) -> Surroundings | None:
    return None if config is None else Surroundings(config.sources, local_day(at, zone))
