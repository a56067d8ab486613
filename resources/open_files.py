"""Files that have arrived and are in no delivery, by the month for which they are: chunks missing, waiting, refused.

What does not belong here: when a file is taken (`billing_pipeline.deliveries`), what a month waits for in words
(`sql/marts/billing_status.sql`).
"""

from collections.abc import Iterator
from datetime import datetime

import duckdb
import polars as pl

from billing_pipeline.configuration import Source, WorkspaceConfig
from billing_pipeline.deliveries import Assembled
from billing_pipeline.periods import local_day
from billing_pipeline.schemas.deliveries import QUARANTINE
from billing_pipeline.settlement import period_of_file
from resources.archive import Archive
from resources.inbox import assembled_arrivals
from resources.lake import Lake
from resources.relations import read_partitions

_SCHEMA = {
    "source": pl.String,
    "billing_period": pl.String,
    "kind": pl.String,
    "file_name": pl.String,
    "files_expected": pl.Int64,
    "files_received": pl.Int64,
    "reason": pl.String,
}
_Row = tuple[str, str, str, str, int, int, str]


def open_files(config: WorkspaceConfig, archive: Archive, lake: Lake) -> pl.DataFrame:
    """Return what has arrived and is not taken.

    Args:
        archive: its arrivals are put together; nothing is landed.
        lake: its quarantine of all days.

    Returns:
        A row per assembly without all its chunks (kind `incomplete`), waiting file (`waiting`) or refused file
        (`quarantined`): source, billing_period, kind, file_name, files_expected and files_received (of which that one
        row speaks), reason. The month is the manifest's, else that of `period_of_file`.
    """
    rows: list[_Row] = []
    refused = _quarantined(lake)
    for source in config.sources:
        assembled = assembled_arrivals(source, archive)
        rows += _of_source(config, source, assembled, refused.get(source.id, []))
    return pl.DataFrame(sorted(rows), schema=_SCHEMA, orient="row")


def _of_source(
    config: WorkspaceConfig, source: Source, assembled: Assembled, refused: list[tuple[str, str, datetime]]
) -> Iterator[_Row]:
    organisation = config.organisation

    def period(name: str, arrived_at: datetime) -> str:
        day = local_day(arrived_at, organisation.zone)
        return period_of_file(name, day, source, organisation.country).text

    # A chunk waits for its manifest's other chunks: the manifest says it for all of them.
    told = set()
    for item in assembled.incomplete:
        arrival, expected = item.manifest.arrival, len(item.manifest.keys)
        told.add(arrival.name)
        month = item.manifest.billing_period or period(arrival.name, arrival.received_at)
        reason = f"{expected - item.present} of {expected} chunks are not here"
        yield source.id, month, "incomplete", arrival.name, expected, item.present, reason
    for waiting in assembled.waiting:
        name = waiting.arrival.name
        is_told = any(waiting.reason.startswith(f"{manifest} lists chunks") for manifest in told)
        if name not in told and not is_told and not waiting.reason.startswith("superseded by"):
            month = period(name, waiting.arrival.received_at)
            expected = waiting.absent or 1
            yield source.id, month, "waiting", name, expected, expected - waiting.absent, waiting.reason
    for name, reason, arrived_at in refused:
        if name not in told:
            yield source.id, period(name, arrived_at), "quarantined", name, 1, 0, reason


def _quarantined(lake: Lake) -> dict[str, list[tuple[str, str, datetime]]]:
    """Return name, reason and arrival of every file in quarantine, by source."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        read_partitions(connection, "quarantine", QUARANTINE, lake, None)
        found = connection.execute("select source, file_name, reason, seen_at from quarantine order by all").fetchall()
    by_source: dict[str, list[tuple[str, str, datetime]]] = {}
    for source, name, reason, arrived_at in found:
        by_source.setdefault(source, []).append((name, reason, arrived_at))
    return by_source
