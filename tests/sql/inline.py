"""The rows of a test as relations of a DuckDB session, and what a SQL file makes of them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.reference import REFERENCE_FILES_BY_NAME
from billing_pipeline.schemas.table import Table

Row = dict[str, Any]

_DUCKDB_TYPES = {
    "String": "varchar",
    "Date": "date",
    "Boolean": "boolean",
    "Int64": "bigint",
    "Datetime(time_unit='us', time_zone='UTC')": "timestamp with time zone",
    "Decimal(precision=12, scale=4)": "decimal(12, 4)",
    "Decimal(precision=38, scale=18)": "decimal(38, 18)",
}


def session() -> duckdb.DuckDBPyConnection:
    """Return a session as the pipeline's: in UTC, with the macros."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(load_sql("macros"))
    return connection


def make(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    types: Mapping[str, str],
    *rows: Mapping[str, Any],
    defaults: Mapping[str, Any] | None = None,
) -> None:
    """Make a relation of rows written in the test; what neither row nor defaults name is null."""
    columns = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
    connection.execute(f"create or replace temp table {name} ({columns})")
    for row in rows:
        cells = {**(defaults or {}), **row}
        assert set(cells) <= set(types), f"{name} has no column {set(cells) - set(types)}"
        values = [cells.get(column) for column in types]
        connection.execute(f"insert into {name} values ({', '.join('?' * len(types))})", values)


def table_types(table: Table) -> dict[str, str]:
    """Return the columns of a contract with their types."""
    return {column.name: column.type for column in table.columns}


def make_reference(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    *rows: Mapping[str, Any],
    defaults: Mapping[str, Any] | None = None,
) -> None:
    """Make `reference_<name>`; `source_row` counts the rows unless they say otherwise."""
    types = {column: _DUCKDB_TYPES[str(kind)] for column, kind in REFERENCE_FILES_BY_NAME[name].frame_types.items()}
    numbered = [{"source_row": number, **row} for number, row in enumerate(rows, start=1)]
    make(connection, f"reference_{name}", types, *numbered, defaults=defaults)


def make_known(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    *rows: Mapping[str, Any],
    defaults: Mapping[str, Any] | None = None,
) -> None:
    """Make `known_<name>`, the rows of all versions; `source_row` counts the rows unless they say otherwise."""
    types = {column: _DUCKDB_TYPES[str(kind)] for column, kind in REFERENCE_FILES_BY_NAME[name].known_types.items()}
    numbered = [{"source_row": number, **row} for number, row in enumerate(rows, start=1)]
    make(connection, f"known_{name}", types, *numbered, defaults=defaults)


def fetch(connection: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
    """Return the rows of a query by column name."""
    result = connection.execute(query, dict(parameters) if parameters else None)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def select(connection: duckdb.DuckDBPyConnection, file: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
    """Return the rows that a SQL file selects from the session's relations."""
    return fetch(connection, load_sql(file), parameters)


def output_types(
    connection: duckdb.DuckDBPyConnection, file: str, parameters: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Return the columns a SQL file selects, with DuckDB's names of their types."""
    result = connection.execute(load_sql(file), dict(parameters) if parameters else None)
    return {str(column[0]): str(column[1]) for column in result.description or []}


def instant(text: str) -> datetime:
    """Return an instant from `YYYY-MM-DD` or `YYYY-MM-DD HH:MM`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def pick(rows: list[Row], *columns: str) -> list[Any]:
    """Return one column of every row, or tuples of several."""
    return [row[columns[0]] if len(columns) == 1 else tuple(row[column] for column in columns) for row in rows]


def exact(text: str) -> Decimal:
    """Return a decimal from its text, so that no test passes through a float."""
    return Decimal(text)
