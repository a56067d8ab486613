"""The state of a workspace as its readers see it, and what a kill may leave of two of them; for `kill_sweep`."""

import hashlib
import re
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

# Dagster's own records and DuckDB's spilled data are no results.
LEFT_OUT = (".dagster", ".duckdb")
LEDGER, WAREHOUSE = "ledger.db", "warehouse.duckdb"
# What nobody reads: files under the name they have until they are whole, and marks of what is under way.
_UNFINISHED = re.compile(r"\.writing$|\.building(\.wal)?$|/unfinished\.parquet$|/incoming\.[^/]+$|^\.unfinished/")


@dataclass(frozen=True)
class State:
    """What a workspace holds.

    Attributes:
        files: hash of bytes and mode of every file but ledger, warehouse and locks, by path.
        ledger: hash of its rows by table.
        snapshots: the snapshots of billed charges that documents refer to, by path.
        warehouse: hash of the rows and columns of all its tables.
        views: hash of the rows of each of its views.
    """

    files: dict[str, str]
    ledger: dict[str, str]
    snapshots: frozenset[str]
    warehouse: str
    views: dict[str, str]


def read_state(home: Path) -> State:
    """Read the state of a workspace without changing it.

    Raises:
        sqlite3.Error, duckdb.Error: ledger or warehouse cannot be read.
        AssertionError: the ledger is damaged.
    """
    files = {}
    for path in sorted(home.rglob("*")):
        name = str(path.relative_to(home))
        is_other = name.startswith((*LEFT_OUT, LEDGER, WAREHOUSE)) and not name.startswith(f"{WAREHOUSE}.")
        if path.is_file() and not is_other and path.suffix != ".lock":
            files[name] = f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mode & 0o777:o}"
    ledger, snapshots = _ledger(home)
    warehouse, views = _warehouse(home / WAREHOUSE)
    return State(files, ledger, snapshots, warehouse, views)


def faults_of_kill(before: State, killed: State, after: State) -> list[str]:
    """Return what a kill has left that is neither the state before nor the one after; empty if all is well."""
    faults = [
        f"{name} is neither as before nor as after"
        for name in sorted(before.files.keys() | killed.files.keys() | after.files.keys())
        if killed.files.get(name) not in {before.files.get(name), after.files.get(name)}
        and not (_UNFINISHED.search(name) and name not in before.files and name not in after.files)
    ]
    if killed.ledger not in (before.ledger, after.ledger):
        faults.append(f"the ledger is neither as before nor as after: {_differing(before.ledger, killed.ledger)}")
    if killed.warehouse not in {before.warehouse, after.warehouse}:
        faults.append("the warehouse is neither as before nor as after")
    faults += [
        f"view {name} is neither as before nor as after"
        for name, content in killed.views.items()
        if content not in {before.views.get(name), after.views.get(name)}
    ]
    return faults + [f"{name} is missing" for name in sorted(killed.snapshots - killed.files.keys())]


def differences(wanted: State, found: State) -> list[str]:
    """Return where two states differ; empty if they are the same."""
    faults = [f"{name} differs" for name in _differing(wanted.files, found.files)]
    faults += [f"table {name} of the ledger differs" for name in _differing(wanted.ledger, found.ledger)]
    faults += [f"view {name} differs" for name in _differing(wanted.views, found.views)]
    return faults + (["the warehouse differs"] if wanted.warehouse != found.warehouse else [])


def _differing(one: dict[str, str], other: dict[str, str]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _ledger(home: Path) -> tuple[dict[str, str], frozenset[str]]:
    with TemporaryDirectory() as folder:
        # A copy, with its journal: whoever opens a ledger whose writer has died takes back what was not committed.
        for path in home.glob(f"{LEDGER}*"):
            shutil.copy2(path, folder)
        connection = sqlite3.connect(Path(folder) / LEDGER)
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert connection.execute("pragma foreign_key_check").fetchall() == []
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        rows = {name: sorted(map(repr, connection.execute(f"select * from {name}"))) for name in tables}
        referred = connection.execute(
            "select distinct billing_period, charges_sha256 from invoices where charges_sha256 is not null"
        ).fetchall()
        connection.close()
    snapshots = frozenset(f"lake/billed_charges/{period}/{sha256}.parquet" for period, sha256 in referred)
    return {name: _hash(found) for name, found in rows.items()}, snapshots


def _warehouse(path: Path) -> tuple[str, dict[str, str]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute("select table_name from duckdb_tables() order by all").fetchall()
        views = connection.execute("select view_name from duckdb_views() where not internal order by all").fetchall()
        columns = connection.execute(
            "select table_name, column_name, data_type, comment from duckdb_columns() where not internal order by all"
        ).fetchall()
        content = [connection.execute(f"select * from {name} order by all").fetchall() for (name,) in tables]
        shown = {name: connection.execute(f"select * from {name} order by all").fetchall() for (name,) in views}
    return _hash([columns, tables, content]), {name: _hash(rows) for name, rows in shown.items()}


def _hash(rows: object) -> str:
    return hashlib.sha256(repr(rows).encode()).hexdigest()
