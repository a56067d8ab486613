"""SQL by name: `sql/<stage>/<name>.sql`, one select a file, loaded by name and never assembled from text.

The only text ever put into a query is a relation's name or a list of files, both made by this program;
values are bound as parameters.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb


def sql_folder() -> Path:
    """Return the folder of the SQL files: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).resolve().parent
    for folder in (package.parent / "sql", package / "sql"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the SQL files are missing: neither beside nor inside the package billing_pipeline")


@cache
def load_sql(name: str) -> str:
    """Return the text of one SQL file.

    Args:
        name: path below `sql/` without suffix, for example `staging/focus`.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return (sql_folder() / f"{name}.sql").read_text(encoding="utf-8")


@contextmanager
def one_thread(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let one thread do the work of some statements, in the order of their input.

    Where two threads would each do nearly all of it (summing ten million rows to two million charges took them twice
    the CPU time and memory), and where rows that come in order shall stay so: sorting 650,000 charges again would cost
    0.8 CPU seconds and 300 MB. One thread that keeps the order of insertion takes row after row; a join is not turned
    round, so its left side is what is followed.
    """
    optimizers = f"{_BLIND},join_order,build_side_probe_side"
    with _set(connection, threads="1", preserve_insertion_order="true", disabled_optimizers=optimizers):
        yield


@contextmanager
def blind_to_statistics(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Keep what is known of a statement's inputs out of its plan.

    A file's bytes must follow from its rows. DuckDB writes a Parquet column that it knows to be without nulls another
    way than one that merely has none, so the same row had other bytes when it came from a table with more rows.
    """
    with _set(connection, disabled_optimizers=_BLIND):
        yield


_BLIND = "statistics_propagation"


@contextmanager
def _set(connection: duckdb.DuckDBPyConnection, **values: str) -> Iterator[None]:
    """Change settings of a session for some statements."""
    current = ", ".join(f"current_setting('{name}')" for name in values)
    found = connection.execute(f"select {current}").fetchone()
    assert found is not None
    connection.execute("; ".join(f"set {name} = '{value}'" for name, value in values.items()))
    try:
        yield
    finally:
        connection.execute("; ".join(f"set {name} = '{value}'" for name, value in zip(values, found, strict=True)))
