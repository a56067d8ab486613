"""One DuckDB session: in memory, in UTC, within a memory limit, and with nothing loaded from outside."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from billing_pipeline.queries import sql_folder

# A list streams, only its sort is held: measured with a million rows, more makes the process larger and not faster.
# With 64 MB DuckDB sorts two million rows or fails with 1.1 million, as it happens.
EXPORT_MEMORY = "96MB"


@contextmanager
def duckdb_session(
    *,
    memory_limit: str = "800MB",
    threads: int = 2,
    temp_directory: Path | None = None,
    preserve_insertion_order: bool = False,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB connection for one piece of work and close it afterwards.

    Args:
        memory_limit: as DuckDB writes it, for example `800MB`; what does not fit spills to `temp_directory`.
        threads: threads of the engine.
        temp_directory: folder for spilled data; None makes one that is removed at the end.
        preserve_insertion_order: whether results and files keep the order of their input; costs memory.

    Yields:
        A connection to an empty in-memory database, time zone UTC, with the macros of `sql/macros.sql`, if any.

    Raises:
        duckdb.Error: an option is not understood.
    """
    with TemporaryDirectory(prefix="billing_duckdb_") as own_directory:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "threads": threads,
            "temp_directory": str(temp_directory or own_directory),
            "preserve_insertion_order": preserve_insertion_order,
            # A billing run must not depend on what a server offers today.
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        connection = duckdb.connect(":memory:", config=settings)
        try:
            connection.execute("set TimeZone = 'UTC'")
            macros = sql_folder() / "macros.sql"
            if macros.is_file():
                connection.execute(macros.read_text(encoding="utf-8"))
            yield connection
        finally:
            connection.close()


@contextmanager
def export_session(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a small session for a long list, which sorts in a folder of the workspace.

    Args:
        home: the workspace's folder.
    """
    scratch = home / ".duckdb"
    scratch.mkdir(parents=True, exist_ok=True)
    with duckdb_session(memory_limit=EXPORT_MEMORY, threads=1, temp_directory=scratch) as connection:
        yield connection
