"""One reference file as it is in force, for whoever looks back: nothing is archived, checked or taken into use.

What does not belong here: the whole set, and taking files into use (`resources.reference_files`).
"""

from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from billing_pipeline.reference import read_reference
from billing_pipeline.reference_history import Arrival, history_of
from billing_pipeline.schemas.reference import REFERENCE_FILES_BY_NAME
from resources.reference_journal import ReferenceJournal
from resources.reference_versions import ReferenceVersions


def rows_in_force(home: Path, zone: ZoneInfo, name: str) -> pl.DataFrame:
    """Return the rows of one reference file as it was last taken into use; none where it never was.

    Args:
        home: the workspace.
        zone: the organisation's zone, in which a file's day of arrival is counted.
        name: of the file, such as `special_prices`.

    Raises:
        ArchiveDamaged: the version in force is missing or was changed.
    """
    file, archived, taken = REFERENCE_FILES_BY_NAME[name], ReferenceVersions(home), ReferenceJournal(home).taken()
    versions = [version for version in taken if version.file == f"reference/{name}.csv"]
    last = archived.rows(file, versions[-1]) if versions else None
    if last is None:
        return getattr(read_reference({}, zone, {}), name)  # type: ignore[no-any-return]
    first_at = min(version.taken_at for version in taken)
    arrivals = [Arrival.of(version.arrived_at, zone, version.taken_at == first_at) for version in versions]
    history = history_of(file, archived.stretches(file, versions, last), arrivals, zone)
    return getattr(read_reference({name: last}, zone, {name: history.recorded_at(last)}), name)  # type: ignore[no-any-return]
