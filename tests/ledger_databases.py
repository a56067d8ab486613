"""Empty ledgers for tests, on both databases; PostgreSQL is a throw-away server of the test run, without network."""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from resources.ledger import open_ledger

_TEMPLATE = "ledger_template"
_NAMES = itertools.count(1)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger's file: copying it is quicker than making it anew."""
    folder = tmp_path_factory.mktemp("ledger")
    open_ledger("sqlite:///ledger.db", folder).dispose()
    return folder / "ledger.db"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server, with {} for the database; without PostgreSQL the test is skipped, and says so."""
    programs = _programs()
    if programs is None:
        reason = "PostgreSQL is not installed: no initdb in PATH or /usr/lib/postgresql/*/bin"
        # Set by .ci/run where it could install PostgreSQL.
        if os.environ.get("BILLING_REQUIRE_POSTGRESQL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    # Not below pytest's own folder: root's is closed to the user that the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="ledger-"))
    user = _server_user()
    if user is not None:
        shutil.chown(folder, user)
    data = folder / "data"
    try:
        _run(user, folder, programs / "initdb", "-D", data, "-U", "ledger", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-k {folder} -c listen_addresses= -c fsync=off -c max_connections=50"
        _run(user, folder, programs / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start")
        # Stops the server when this pipe closes: also when the test run is killed.
        watcher = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r _; "$0" -D "$1" -m immediate stop', programs / "pg_ctl", data],
            user=user,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        url = f"postgresql+psycopg://ledger@/{{}}?host={folder}"
        _execute(url, f"create database {_TEMPLATE}")
        open_ledger(url.format(_TEMPLATE)).dispose()
        yield url
        watcher.communicate()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty ledger, on each database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    server = request.getfixturevalue("postgresql_server")
    name = f"ledger_{next(_NAMES)}"
    _execute(server, f"create database {name} template {_TEMPLATE}")
    yield server.format(name)
    _execute(server, f"drop database {name} with (force)")


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of an empty ledger in SQLite: `ledger.db` in the test's folder."""
    shutil.copy(sqlite_template, tmp_path / "ledger.db")
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Engine]:
    """An empty ledger, on each database."""
    engine = open_ledger(ledger_url)
    yield engine
    engine.dispose()


def _programs() -> Path | None:
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists() and (place / "pg_ctl").exists()), None)


def _server_user() -> str | None:
    """Who runs the server: it refuses to be root."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _run(user: str | None, folder: Path, *command: object) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        user=user,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{Path(str(command[0])).name} failed: {done.stderr}")


def _execute(url: str, statement: str) -> None:
    engine = create_engine(url.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
