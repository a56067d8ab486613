"""What a Parquet file says of itself twice must agree: the only way to notice damage where its pages have no checksums.

Writers of the Java library (Spark, so AWS and Azure) give each page a CRC, which the reader verifies; DuckDB, Polars
and pyarrow do not unless told to. For those files a flipped bit inside a value that stays between the column's smallest
and largest goes unnoticed: `make test-corruption` counts how often. What does not belong here: what cells mean.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from billing_pipeline.errors import BadInput
from resources.carriers import LandedFile
from resources.parquet_footer import twice_stated_scales


def require_consistent(source: parquet.ParquetFile, file: LandedFile, most_bytes: int) -> None:
    """Check a file's footer before any page is read.

    Args:
        most_bytes: what the file may unpack to.

    Raises:
        BadInput: its counts, sizes or types contradict each other, or it is a decompression bomb.
    """
    metadata = source.metadata
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    if sum(group.num_rows for group in groups) != metadata.num_rows:
        raise _corrupt(file, f"its row groups do not add up to its {metadata.num_rows} rows")
    # A row takes a byte somewhere, or is one of a run; no vendor's rows are all the same.
    if metadata.num_rows > most_bytes:
        raise BadInput(file.name, f"the file says it has {metadata.num_rows} rows: a decompression bomb")
    for group in groups:
        _require_fitting_columns(group, metadata.schema, file)
    _require_one_scale(file)


def _require_fitting_columns(group: Any, schema: Any, file: LandedFile) -> None:
    chunks = [group.column(index) for index in range(group.num_columns)]
    if sum(chunk.total_compressed_size for chunk in chunks) > file.path.stat().st_size:
        raise _corrupt(file, "its columns are larger than the file")
    for index, chunk in enumerate(chunks):
        path = schema.column(index).path
        if chunk.path_in_schema != path:
            # One changed letter would make a column of the schema one that nobody reads.
            raise _corrupt(file, f"a column is called {path} and {chunk.path_in_schema}")
        is_flat = "." not in path
        if is_flat and chunk.num_values != group.num_rows:
            raise _corrupt(file, f"column {path} has {chunk.num_values} of {group.num_rows} values")


def _require_one_scale(file: LandedFile) -> None:
    try:
        stated = list(twice_stated_scales(file.path))
    except (IndexError, RecursionError) as error:
        raise _corrupt(file, "its footer cannot be read") from error
    for name, old, new in stated:
        if old != new:
            raise _corrupt(file, f"column {name} is a decimal of two scales and precisions, {old} and {new}")


def checked_batches(
    source: parquet.ParquetFile, file: LandedFile, columns: Sequence[str], batch_rows: int
) -> Iterator[pa.RecordBatch]:
    """Yield a file's rows in order, and compare each row group with its own statistics.

    Args:
        columns: names, or paths of struct members.
        batch_rows: most rows of a batch.

    Raises:
        BadInput: a row group has other rows than it says; its rows were yielded before it was noticed.
    """
    for index in range(source.metadata.num_row_groups):
        group = source.metadata.row_group(index)
        seen: dict[str, _Seen] = {}
        row_count = 0
        for batch in source.iter_batches(batch_size=batch_rows, row_groups=[index], columns=list(columns)):
            row_count += batch.num_rows
            for name, array in zip(batch.schema.names, batch.columns, strict=True):
                before = seen.get(name)
                seen[name] = _look(array) if before is None else before.merged(_look(array))
            yield batch
        if row_count != group.num_rows:
            raise _corrupt(file, f"it holds {row_count} rows where it says {group.num_rows}")
        for position in range(group.num_columns):
            chunk = group.column(position)
            if chunk.path_in_schema in seen and chunk.statistics is not None:
                _compare(seen[chunk.path_in_schema], chunk, source.schema.column(position), file)


@dataclass(frozen=True)
class _Seen:
    """What the values of one column chunk turned out to be."""

    null_count: int
    smallest: Any
    largest: Any

    def merged(self, other: "_Seen") -> "_Seen":
        low = [value for value in (self.smallest, other.smallest) if value is not None]
        high = [value for value in (self.largest, other.largest) if value is not None]
        return _Seen(self.null_count + other.null_count, min(low, default=None), max(high, default=None))


def _look(array: pa.Array) -> _Seen:
    # Python has no nanoseconds.
    is_too_fine = pa.types.is_timestamp(array.type) and array.type.unit == "ns"
    if pa.types.is_nested(array.type) or pa.types.is_null(array.type) or is_too_fine:
        return _Seen(array.null_count, None, None)
    bounds = pc.min_max(array.dictionary_decode() if pa.types.is_dictionary(array.type) else array).as_py()
    return _Seen(array.null_count, bounds["min"], bounds["max"])


def _compare(seen: _Seen, chunk: Any, column: Any, file: LandedFile) -> None:
    statistics = chunk.statistics
    if statistics.has_null_count and statistics.null_count != seen.null_count:
        reason = f"column {column.path} has {seen.null_count} empty cells where it says {statistics.null_count}"
        raise _corrupt(file, reason)
    if not statistics.has_min_max or seen.smallest is None:
        return
    low, high = _stated(statistics.min, column), _stated(statistics.max, column)
    if type(low) is not type(seen.smallest) or getattr(low, "tzinfo", None) != getattr(seen.smallest, "tzinfo", None):
        return
    # Long texts are cut in statistics: what is stated then still encloses the values.
    is_right = low <= seen.smallest <= seen.largest <= high
    if is_right and isinstance(low, int | float | Decimal):
        is_right = (low, high) == (seen.smallest, seen.largest)
    if not is_right:
        reason = f"column {column.path} holds {seen.smallest} to {seen.largest} where it says {low} to {high}"
        raise _corrupt(file, reason[:500])


def _stated(value: Any, column: Any) -> Any:
    if column.logical_type.type == "DECIMAL" and isinstance(value, bytes):
        return Decimal(int.from_bytes(value, "big", signed=True)).scaleb(-column.scale)
    return value


def _corrupt(file: LandedFile, reason: str) -> BadInput:
    return BadInput(file.name, f"the Parquet file is corrupt: {reason}")
