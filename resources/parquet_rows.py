"""Parquet files of vendors: their columns become the same text and decimal columns that a CSV gives.

AWS and Azure write amounts as DOUBLE. Such a value is taken as its shortest decimal text that reads
back as the same DOUBLE: that is the text the vendor started from, not an approximation of it.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.cells import ABSENT
from billing_pipeline.vendors.format import Column
from resources.carriers import BOMB_BYTES, BOMB_RATIO, LandedFile
from resources.typed_rows import RowsInvalid, TypedRows, read_type

BATCH_ROWS = 65_536


def open_parquet(file: LandedFile) -> parquet.ParquetFile:
    """Open a Parquet file.

    Raises:
        BadInput: its footer cannot be read.
    """
    try:
        return parquet.ParquetFile(file.path, page_checksum_verification=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput(file.name, f"the Parquet file is corrupt: {error}") from error


def typed_batches(source: parquet.ParquetFile, file: LandedFile, rows: TypedRows) -> Iterator[pa.RecordBatch]:
    """Yield a Parquet file's rows, typed, in file order.

    Raises:
        BadInput: a page is corrupt, a cell does not fit its column, or the file is a decompression bomb.
    """
    header = source.schema_arrow.names
    wanted = {name: header[index] for name, index in rows.match.positions.items()}
    tags = {key: header[index] for key, index in rows.match.tags.items()}
    limit = max(BOMB_BYTES, BOMB_RATIO * file.path.stat().st_size)
    produced = 0
    row_number = 1
    try:
        for batch in source.iter_batches(batch_size=BATCH_ROWS, columns=[*wanted.values(), *tags.values()]):
            produced += batch.nbytes
            if produced > limit:
                raise BadInput(file.name, f"the file unpacks to over {BOMB_RATIO} times its size: a decompression bomb")
            try:
                read = {name: _read_as(batch.column(own), rows.columns[name]) for name, own in wanted.items()}
                tag_arrays = {key: _text_dictionary(batch.column(own)) for key, own in tags.items()}
                yield rows.batch(read, tag_arrays, row_number, batch.num_rows)
            except (RowsInvalid, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                reason = f"the rows cannot be read: {error}"
                raise rows.explain(_texts(batch, header), row_number, reason) from error
            row_number += batch.num_rows
    except OSError as error:
        raise BadInput(file.name, f"the Parquet file is corrupt: {error}", row=row_number) from error


def _read_as(array: pa.Array, column: Column) -> pa.Array:
    if column.kind != "amount":
        texts = _text_dictionary(array)
        return texts if column.is_enumerated else texts.cast(pa.string())
    wanted = read_type(column)
    if pa.types.is_floating(array.type):
        array = pa.array([None if value is None else repr(value) for value in array.to_pylist()], pa.string())
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        array = _absent_to_null(array)
    return array.cast(wanted)


def _text_dictionary(array: pa.Array) -> pa.DictionaryArray:
    if pa.types.is_map(array.type) or pa.types.is_nested(array.type):
        raise RowsInvalid
    values = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    texts = [_text(value) for value in values.dictionary.to_pylist()]
    if any(text in ABSENT for text in texts):
        return _absent_to_null(pa.array(texts, pa.string()).take(values.indices)).dictionary_encode()
    return pa.DictionaryArray.from_arrays(values.indices.cast(pa.int32()), pa.array(texts, pa.string()))


def _absent_to_null(array: pa.Array) -> pa.Array:
    return pc.if_else(pc.is_in(array, pa.array(ABSENT)), pa.scalar(None, pa.string()), array.cast(pa.string()))


def _text(value: object) -> str:
    """Return a cell as the text a CSV would hold."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value if isinstance(value, str) else repr(value)


def _texts(batch: pa.RecordBatch, header: list[str]) -> Iterator[list[str]]:
    position = {name: index for index, name in enumerate(batch.schema.names)}
    for row in range(batch.num_rows):
        yield [_text(batch.column(position[name])[row].as_py()) if name in position else "" for name in header]
