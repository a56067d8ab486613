"""A DuckDB connection that notes the CPU seconds of each statement."""

import re
from typing import Any

import duckdb

from measuring.usage import Parts

_MADE = re.compile(r"create or replace temp (?:table|view) (\w+)|create (?:table|view) (\w+)|(copy) ")
_LONGEST_NAME = 60


class TracedConnection:
    """Passes everything on to a connection; `parts` gets the CPU seconds of `execute` by what is made.

    Args:
        connection: the real one.
        parts: where the seconds are added.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, parts: Parts) -> None:
        self._connection = connection
        self._parts = parts

    def execute(self, query: str, *arguments: Any) -> Any:
        """Run a statement and note what it took."""
        found = _MADE.search(query)
        name = next(filter(None, found.groups())) if found else " ".join(query.split())[:_LONGEST_NAME]
        with self._parts(name):
            return self._connection.execute(query, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
