"""Find a row key that stands twice in one delivery, in bounded memory.

Equal keys have equal hashes: the 64-bit hashes are sorted and neighbours compared, and only the few
rows whose hashes meet are compared by their text.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from billing_pipeline.errors import BadInput
from billing_pipeline.queries import load_sql


class RowKeys:
    """The hashes of one file's row keys, gathered while its rows stream by: reading them again costs more."""

    def __init__(self) -> None:
        self._hashes: list[pl.Series] = []

    def add(self, keys: pa.ChunkedArray) -> None:
        """Add the keys of some rows."""
        self._hashes.append(pl.Series(keys).hash())

    def may_repeat(self) -> bool:
        """Tell whether two hashes are equal; `duplicate_row_key` tells whether two keys are."""
        if not self._hashes:
            return False
        ordered = pl.concat(self._hashes).sort()
        return bool((ordered == ordered.shift(1)).any())


def duplicate_row_key(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> BadInput | None:
    """Look for a key that two rows of one delivery share.

    Args:
        connection: a session from `duckdb_session`.
        paths: converted files (canonical Parquet) of the delivery, one per chunk.

    Returns:
        The first duplicate in the order of file name and row, naming the row it repeats; None when
        keys are unique or the format has none.
    """
    connection.read_parquet([str(path) for path in paths]).create_view("keyed_rows", replace=True)
    try:
        return _first_duplicate(connection)
    finally:
        connection.execute("drop view keyed_rows")


def _first_duplicate(connection: duckdb.DuckDBPyConnection) -> BadInput | None:
    hashes = connection.sql("select hash(x_row_key) as key_hash from keyed_rows where x_row_key is not null")
    ordered = hashes.pl()["key_hash"].sort()
    suspects = ordered.filter(ordered == ordered.shift(1)).unique().to_frame()
    if suspects.is_empty():
        return None
    connection.register("suspect_hashes", suspects.to_arrow())
    try:
        found = connection.execute(load_sql("staging/repeated_row_keys")).fetchall()
    finally:
        connection.unregister("suspect_hashes")
    if not found:
        return None
    file, row, key, first_file, first_row = found[0]
    where = f"row {first_row}" if first_file == file else f"row {first_row} of {first_file}"
    return BadInput(file, f"the row key already stands in {where}: the row would be counted twice", row=row, value=key)
