"""Parquet files of vendors: their columns become the same text and decimal columns that a CSV gives.

AWS and Azure write amounts as DOUBLE. Such a value is taken as its shortest decimal text that reads
back as the same DOUBLE: that is the text the vendor started from, not an approximation of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.cells import ABSENT, map_text
from billing_pipeline.vendors.format import Column
from resources.carriers import BOMB_BYTES, BOMB_RATIO, LandedFile
from resources.nested_columns import flat_columns, is_list, list_texts, member_of
from resources.parquet_checks import checked_batches, require_consistent
from resources.typed_rows import RowsInvalid, TypedRows, read_type

BATCH_ROWS = 65_536


def open_parquet(file: LandedFile) -> parquet.ParquetFile:
    """Open a Parquet file.

    Raises:
        BadInput: its footer cannot be read, or contradicts itself.
    """
    try:
        source = parquet.ParquetFile(file.path, page_checksum_verification=True)
        require_consistent(source, file, _most_bytes(file))
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise BadInput(file.name, f"the Parquet file is corrupt: {error}") from error
    return source


def _most_bytes(file: LandedFile) -> int:
    return max(BOMB_BYTES, BOMB_RATIO * file.path.stat().st_size)


def header_of(source: parquet.ParquetFile) -> list[str]:
    """Return the names of a file's columns, of the members of its structs by their path."""
    return list(flat_columns(source.schema_arrow))


def typed_batches(source: parquet.ParquetFile, file: LandedFile, rows: TypedRows) -> Iterator[pa.RecordBatch]:
    """Yield a Parquet file's rows, typed, in file order.

    Raises:
        BadInput: a page is corrupt, a cell does not fit its column, or the file is a decompression bomb.
    """
    paths = flat_columns(source.schema_arrow)
    header = list(paths)
    wanted = {name: header[index] for name, index in rows.match.positions.items()}
    tags = {key: header[index] for key, index in rows.match.tags.items()}
    limit = _most_bytes(file)
    produced = 0
    row_number = 1
    try:
        for batch in checked_batches(source, file, [*wanted.values(), *tags.values()], BATCH_ROWS):
            produced += batch.nbytes
            if produced > limit:
                raise BadInput(file.name, f"the file unpacks to over {BOMB_RATIO} times its size: a decompression bomb")
            try:
                read = {
                    name: _read_as(member_of(batch, paths[own]), rows.columns[name]) for name, own in wanted.items()
                }
                tag_arrays = {key: _text_dictionary(member_of(batch, paths[own])) for key, own in tags.items()}
                yield rows.batch(read, tag_arrays, row_number, batch.num_rows)
            except (RowsInvalid, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                reason = f"the rows cannot be read: {error}"
                raise rows.explain(_texts(batch, paths), row_number, reason) from error
            row_number += batch.num_rows
    except MemoryError:
        # Arrow's own is an ArrowException too; whoever set the limit says what it means.
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadInput(file.name, f"the Parquet file is corrupt: {error}", row=row_number) from error


def _read_as(array: pa.Array, column: Column) -> pa.Array:
    if column.kind == "map" and pa.types.is_map(array.type):
        array = pa.array([None if value is None else map_text(value) for value in array.to_pylist()], pa.string())
    if is_list(array.type):
        array = list_texts(array)
    array = _bytes_as_text(array)
    if column.kind != "amount":
        texts = _text_dictionary(array)
        return texts if column.is_enumerated else texts.cast(pa.string())
    wanted = read_type(column)
    if pa.types.is_floating(array.type):
        array = pa.array([None if value is None else repr(value) for value in array.to_pylist()], pa.string())
    elif column.is_double and not pa.types.is_string(array.type):
        array = pa.array([None if value is None else _text(value) for value in array.to_pylist()], pa.string())
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        array = _absent_to_null(array)
    return array.cast(wanted)


def _text_dictionary(array: pa.Array) -> pa.DictionaryArray:
    if pa.types.is_map(array.type) or pa.types.is_nested(array.type):
        raise RowsInvalid
    array = _bytes_as_text(array)
    values = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    texts = [_text(value) for value in values.dictionary.to_pylist()]
    if any(text in ABSENT for text in texts):
        return _absent_to_null(pa.array(texts, pa.string()).take(values.indices)).dictionary_encode()
    return pa.DictionaryArray.from_arrays(values.indices.cast(pa.int32()), pa.array(texts, pa.string()))


def _bytes_as_text(array: pa.Array) -> pa.Array:
    """Return a column of bytes as the UTF-8 that it is: older writers do not mark their texts as such."""
    is_bytes = pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type)
    return array.cast(pa.string()) if is_bytes else array


def _absent_to_null(array: pa.Array) -> pa.Array:
    return pc.if_else(pc.is_in(array, pa.array(ABSENT)), pa.scalar(None, pa.string()), array.cast(pa.string()))


def _text(value: object) -> str:
    """Return a cell as the text a CSV would hold."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, datetime):
        return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list) and all(isinstance(pair, tuple) for pair in value):
        return map_text(value)
    return value if isinstance(value, str) else repr(value)


def _texts(batch: pa.RecordBatch, paths: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yield the rows as the texts of a CSV, one per path; empty where the batch lacks the column."""
    columns = [_column(batch, names) for names in paths.values()]
    for row in range(batch.num_rows):
        yield ["" if column is None else _text(column[row].as_py()) for column in columns]


def _column(batch: pa.RecordBatch, names: Sequence[str]) -> pa.Array | None:
    try:
        array = member_of(batch, names)
    except (KeyError, pa.ArrowInvalid):
        return None
    return list_texts(array) if is_list(array.type) else array
