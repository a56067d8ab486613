"""Run a format's staging SQL over its rows, each distinct thing once.

The SQL says what every canonical column is, and its text tells what the column is made of. One that is handed on
unchanged is taken from the rows as they were read; one that is made of repeating values alone is made once per
combination of them; only the others are made row by row. That, and dictionaries that stay dictionaries from the
reader to the Parquet file, saves a third of staging and writing. What does not belong here: files (`conversion`).
"""

from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from billing_pipeline.vendors.column_origins import Origin, Origins, column_origins
from resources.combinations import combinations
from resources.typed_rows import TEXT_DICTIONARY

RAW_ROWS = "raw_rows"
ROW_NUMBER = "row_number"


class Staging:
    """Makes canonical rows of one format's rows, a row group at a time.

    Args:
        connection: a session that keeps the order of rows.
        staging_sql: name of the select; it reads `raw_rows`.
        schema: of `raw_rows`.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, staging_sql: str, schema: pa.Schema) -> None:
        self._connection = connection
        self._sql = load_sql(staging_sql)
        self._unchanged: dict[str, str] = {}
        self._made_of_repeated: list[str] = []
        self._repeated: list[str] = []
        self._alike: dict[tuple[pa.DataType, bool], pa.Array] = {}
        origins = column_origins(self._sql, RAW_ROWS, schema.names)
        if origins is not None and origins[ROW_NUMBER].unchanged == ROW_NUMBER:
            self._divide(origins, schema)
        divided = {*self._unchanged, *self._made_of_repeated}
        self._by_row = [name for name in VENDOR_CHARGES.column_names if name not in divided]

    def _divide(self, origins: Origins, schema: pa.Schema) -> None:
        """Note which canonical columns need not be made row by row."""
        repeated: set[str] = set()
        for name in VENDOR_CHARGES.column_names:
            # A column that the format's SQL does not speak of is null: it is made of nothing.
            origin = origins.get(name, Origin(frozenset()))
            if origin.unchanged is not None:
                self._unchanged[name] = origin.unchanged
            elif all(pa.types.is_dictionary(schema.field(column).type) for column in origin.columns):
                self._made_of_repeated.append(name)
                repeated |= origin.columns
        self._repeated = [name for name in schema.names if name in repeated]

    def canonical(self, raw_rows: pa.Table, parameters: Mapping[str, str]) -> pa.Table:
        """Return the canonical rows of a row group; texts may be dictionaries.

        Raises:
            duckdb.Error: a value that the SQL cannot convert.
        """
        if not self._unchanged:
            return self._staged(raw_rows, parameters, self._by_row)
        raw_rows = raw_rows.unify_dictionaries()
        by_row = self._staged_row_by_row(raw_rows, parameters, self._by_row)
        columns = {name: by_row[name] for name in self._by_row}
        columns |= {name: _as_written(raw_rows[own]) for name, own in self._unchanged.items()}
        columns |= self._made_once(raw_rows, parameters)
        return pa.table({name: columns[name] for name in VENDOR_CHARGES.column_names})

    def _made_once(self, raw_rows: pa.Table, parameters: Mapping[str, str]) -> dict[str, pa.Array]:
        """Return the columns that are made of repeating values, from one row of each combination."""
        repeated = [raw_rows[name].combine_chunks() for name in self._repeated]
        codes, first_rows = combinations(repeated, raw_rows.num_rows)
        made = self._staged_row_by_row(raw_rows.take(first_rows), parameters, self._made_of_repeated)
        return {name: self._spread(made[name].combine_chunks(), codes) for name in self._made_of_repeated}

    def _staged_row_by_row(self, raw_rows: pa.Table, parameters: Mapping[str, str], names: Sequence[str]) -> pa.Table:
        staged = self._staged(raw_rows, parameters, [ROW_NUMBER, *names])
        is_promise_kept = staged[ROW_NUMBER].equals(raw_rows[ROW_NUMBER])
        assert is_promise_kept, "the staging SQL gives other rows than its text promises"
        return staged

    def _staged(self, raw_rows: pa.Table, parameters: Mapping[str, str], names: Sequence[str]) -> pa.Table:
        self._connection.register(RAW_ROWS, raw_rows)
        try:
            staged = self._connection.sql(self._sql, params=dict(parameters))
            return staged.project(", ".join(_expressions(staged.columns, names))).to_arrow_table()
        finally:
            self._connection.unregister(RAW_ROWS)

    def _spread(self, values: pa.Array, codes: pa.Array) -> pa.Array:
        """Return, for each row, the value of its combination."""
        is_text = pa.types.is_string(values.type)
        if values.null_count == len(values):
            return self._repeat(pa.scalar(None, TEXT_DICTIONARY if is_text else values.type), len(codes))
        if not is_text:
            return values.take(codes)
        texts = values.dictionary_encode()
        is_constant = len(texts.dictionary) == 1 and not texts.null_count
        indices = self._repeat(pa.scalar(0, pa.int32()), len(codes)) if is_constant else texts.indices.take(codes)
        return pa.DictionaryArray.from_arrays(indices, texts.dictionary)

    def _repeat(self, value: pa.Scalar, count: int) -> pa.Array:
        """Return a column of one value, kept for the next: half of the canonical columns are empty in any format."""
        key = (value.type, value.is_valid)
        if key not in self._alike or len(self._alike[key]) < count:
            self._alike[key] = pa.repeat(value, count) if value.is_valid else pa.nulls(count, value.type)
        return self._alike[key].slice(0, count)


def _expressions(given: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return what to select of a format's SQL; a canonical column that it does not speak of is null."""
    absent = {column.name: column for column in VENDOR_CHARGES.columns if column.name not in given}
    assert all(column.nullable for column in absent.values()), f"the staging SQL lacks {list(absent)}"
    return [f"cast(null as {absent[name].type}) as {name}" if name in absent else name for name in names]


def _as_written(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as it is written: texts may stay a dictionary, anything else is plain."""
    is_plain = not pa.types.is_dictionary(column.type) or column.type == TEXT_DICTIONARY
    return column if is_plain else column.cast(column.type.value_type)
