"""`billing intake`: every delivery and file with its state, from the lake and from what lies in the landing folders."""

from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from assets.partitions import is_day_of_arrival
from billing_pipeline.cli.output import complain, show_table
from billing_pipeline.periods import local_day
from billing_pipeline.schemas.deliveries import QUARANTINE
from resources.archive import Archive
from resources.inbox import Inbox, open_inbox
from resources.lake import Lake
from resources.relations import mark_current, read_deliveries, read_partitions
from resources.untaken import OpenItem, Progress
from resources.vendor_totals import read_vendor_totals
from resources.workspace import Workspace

COLUMNS = ("state", "source", "what", "period", "arrived_at", "rows", "total", "currency", "reason")
Row = list[Any]


def show_intake(workspace: Workspace, as_json: bool) -> bool:
    """Print deliveries taken, invoices sent again, files ready, waiting or in quarantine, and days out of date.

    Returns:
        Whether nothing is in quarantine.
    """
    config = workspace.load_config()
    archive, lake, zone = Archive(workspace.archive), Lake(workspace.lake), config.organisation.zone
    inbox = open_inbox(workspace.home, config, archive)
    progress = Progress(inbox, lake, archive, zone)
    quarantined = _quarantined(lake)
    rows = [
        *_taken(lake, zone),
        *_totals(lake),
        *(_ready(item, zone) for item in progress.open_items()),
        *_waiting(inbox),
        *quarantined,
        *(_row("outdated", "", day.isoformat(), reason=_OUTDATED) for day in progress.outdated_days()),
    ]
    show_table("Intake", COLUMNS, rows, as_json)
    if quarantined:
        complain(f"{len(quarantined)} file(s) in quarantine")
    return not quarantined


_OUTDATED = "what has arrived for another day changes this day of arrival; the next run takes it again"


def _row(state: str, source: str, what: str, **others: object) -> Row:
    cells = {"state": state, "source": source, "what": what, **others}
    return [cells.get(column) for column in COLUMNS]


def _taken(lake: Lake, zone: ZoneInfo) -> list[Row]:
    """Return deliveries, and invoices that merely repeat one, in order of arrival."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        read_deliveries(connection, lake, None)
        mark_current(connection)
        columns = "source, billing_account_id, billing_period, received_at, row_count, total_cost, currency"
        found = connection.execute(
            f"select case when is_current then 'taken' else 'replaced' end, {columns}, is_final, unchanged_since"
            f" from known_deliveries union all select 'sent again', {columns}, is_final, unchanged_since"
            " from repeated_deliveries order by received_at, source, billing_account_id, billing_period, currency"
        ).fetchall()
    rows = []
    for *cells, is_final, unchanged_since in found:
        reason = "" if is_final else "not final"
        if unchanged_since is not None:
            reason = f"unchanged since {local_day(unchanged_since, zone)}"
        rows.append([*cells, reason])
    return rows


def _totals(lake: Lake) -> list[Row]:
    """Return the files of vendors' totals, a row per month and currency; replaced when none of it is in force."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        read_vendor_totals(connection, lake)
        found = connection.execute(
            "select case when count(vendor_totals.file_name) > 0 then 'taken' else 'replaced' end, stated.source,"
            " stated.file_name, stated.billing_period, stated.received_at, count(*), sum(stated.net_total),"
            " stated.currency, case when bool_and(stated.is_final) then 'the vendor''s totals' else"
            " 'the vendor''s totals, not final' end"
            " from every_vendor_total as stated left join vendor_totals"
            " using (source, file_name, file_sha256, row_number)"
            " group by stated.source, stated.file_name, stated.file_sha256, stated.billing_period, stated.received_at,"
            " stated.currency order by stated.received_at, stated.source, stated.file_name, stated.billing_period,"
            " stated.currency, stated.file_sha256"
        ).fetchall()
    return [list(row) for row in found]


def _ready(item: OpenItem, zone: ZoneInfo) -> Row:
    """Return the row of a complete set of files that no run has taken, or of a file that the next run will refuse."""
    manifest = None if item.file_set is None else item.file_set.manifest
    name = item.pieces[0].name if manifest is None else manifest.arrival.name
    day = local_day(item.received_at, zone)
    if not is_day_of_arrival(day, zone):
        reason = f"no run takes it: {day} is no day of arrival"
    elif item.file_set is None:
        reason = f"the next run refuses it: {item.reason}"
    else:
        files = len(item.file_set.files)
        reason = "the next run takes it" if files == 1 else f"the next run takes it and its {files} files"
    return _row("ready", item.source, name, arrived_at=item.received_at, reason=reason)


def _waiting(inbox: Inbox) -> list[Row]:
    return [
        _row("waiting", one.arrival.source, one.arrival.name, arrived_at=one.arrival.received_at, reason=one.reason)
        for one in inbox.waiting()
    ]


def _quarantined(lake: Lake) -> list[Row]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        read_partitions(connection, "quarantine", QUARANTINE, lake, None)
        found = connection.execute(
            "select source, file_name, seen_at, reason, row_number, column_name, value from quarantine"
            " order by seen_at, source, file_name, reason"
        ).fetchall()
    rows = []
    for source, name, seen_at, reason, row, column, value in found:
        places = (("row", row), ("column", column), ("value", value))
        where = "".join(f"{label} {cell}, " for label, cell in places if cell is not None)
        rows.append(_row("quarantined", source, name, arrived_at=seen_at, reason=f"{where}{reason}"))
    return rows
