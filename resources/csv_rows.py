"""Strict CSV: comma, double quote, UTF-8, one header; nothing is sniffed.

The file streams through in chunks that end with a whole record, so memory stays bounded and row
numbers are exact. What does not belong here: what a cell means (`typed_rows`).
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv

from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.cells import ABSENT
from resources.typed_rows import TEXT_DICTIONARY, RowsInvalid, TypedRows, read_type

BOM = b"\xef\xbb\xbf"
# Longer than any tag's key that a vendor puts into a header.
MAX_COLUMN_NAME = 1 << 16
# Longer than any real record; a quote that is never closed would otherwise swallow the whole file.
MAX_RECORD_BYTES = 64 << 20


@dataclass
class CsvText:
    """A CSV file's header and the chunks below it.

    Attributes:
        header: the file's own column names.
        chunks: bytes of whole records, in order; each is gone when the next is asked for.
    """

    header: list[str]
    chunks: Iterator[bytes | memoryview]


def open_csv(chunks: Iterable[bytes], file: str) -> CsvText:
    """Read the header of a CSV file and cut the rest into chunks of whole records.

    Raises:
        BadInput: the file is empty, is not UTF-8, or its header cannot be read.
    """
    records = _whole_records(chunks, file)
    first = bytes(next(records, b"")).removeprefix(BOM)
    _require_utf8(first, file, rows_before=-1)
    end = _end_of_first_record(first)
    # The limit is the process's own, so every reader sets the one it means.
    csv.field_size_limit(MAX_COLUMN_NAME)
    try:
        header = next(csv.reader(io.StringIO(first[:end].decode("utf-8"), newline=""), strict=True), [])
    except csv.Error as error:
        raise BadInput(file, f"the header is no valid CSV: {error}") from error
    if not any(header):
        raise BadInput(file, "the file has no header")

    def rest() -> Iterator[bytes | memoryview]:
        if first[end:]:
            yield first[end:]
        yield from records

    return CsvText(header, rest())


def _whole_records(chunks: Iterable[bytes], file: str) -> Iterator[memoryview]:
    """Yield bytes that end with a whole record.

    They stand in one buffer that is filled anew for the next ones: new memory for each would cost more than searching.
    """
    buffer = bytearray()
    pending = 0
    for chunk in chunks:
        filled = pending + len(chunk)
        if filled > len(buffer):
            # A buffer of which somebody has a view cannot grow.
            buffer = buffer[:pending] + bytearray(2 * filled - pending)
        buffer[pending:filled] = chunk
        # What is pending holds no end of a record, so it is not searched again.
        cut = _last_record_end(buffer, pending, filled)
        if cut:
            yield memoryview(buffer)[:cut]
        pending = filled - cut
        buffer[:pending] = buffer[cut:filled]
        if pending > MAX_RECORD_BYTES:
            raise BadInput(file, f"a row is longer than {MAX_RECORD_BYTES >> 20} MB; a quote may be open")
    if pending:
        if buffer.count(b'"', 0, pending) % 2:
            raise BadInput(file, "the file ends inside quotes; it may be cut short")
        yield memoryview(buffer)[:pending]


def _last_record_end(data: bytearray, start: int, end: int) -> int:
    """Return the offset behind the last line end in `data[start:end]` that is outside quotes, 0 if there is none."""
    quotes_before = _quote_count(data, end)
    while (newline := data.rfind(b"\n", start, end)) >= 0:
        quotes_before -= data.count(b'"', newline, end)
        if quotes_before % 2 == 0:
            return newline + 1
        end = newline
    return 0


def _quote_count(data: bytearray, end: int) -> int:
    if data.find(b'"', 0, end) < 0:
        return 0
    # bytes.count looks at one byte after the other; Polars at many, in a sixth of the time.
    codes = pa.Array.from_buffers(pa.uint8(), end, [None, pa.py_buffer(data)])
    return int((pl.Series(codes) == ord('"')).sum())


def _end_of_first_record(data: bytes) -> int:
    quotes = start = 0
    while (newline := data.find(b"\n", start)) >= 0:
        quotes += data.count(b'"', start, newline)
        start = newline + 1
        if quotes % 2 == 0:
            return start
    return len(data)


def _require_utf8(chunk: bytes | memoryview, file: str, rows_before: int) -> None:
    whole = pa.py_buffer(chunk)
    offsets = pa.array([0, whole.size], pa.int32()).buffers()[1]
    try:
        # Arrow looks at many bytes at once: a tenth of the time that decoding takes.
        pa.Array.from_buffers(pa.string(), 1, [None, offsets, whole]).validate(full=True)
    except pa.ArrowInvalid:
        _explain_encoding(bytes(chunk), file, rows_before)


def _explain_encoding(chunk: bytes, file: str, rows_before: int) -> None:
    try:
        chunk.decode("utf-8")
    except UnicodeDecodeError as error:
        good = chunk[: error.start].decode("utf-8")
        row = rows_before + max(1, sum(1 for record in csv.reader(io.StringIO(good, newline="")) if record))
        raise BadInput(
            file, "the file is not UTF-8", row=row or None, value=repr(chunk[error.start : error.end])
        ) from error


def typed_batches(text: CsvText, rows: TypedRows) -> Iterator[pa.RecordBatch]:
    """Yield a CSV file's rows, typed, in file order.

    Raises:
        BadInput: a row has too many or too few fields, or a cell does not fit its column.
    """
    names = [str(index) for index in range(len(text.header))]
    declared = {name: names[index] for name, index in rows.match.positions.items()}
    tags = {key: names[index] for key, index in rows.match.tags.items()}
    types = {declared[name]: read_type(rows.columns[name]) for name in declared}
    types |= dict.fromkeys(tags.values(), TEXT_DICTIONARY)
    options = arrow_csv.ConvertOptions(
        # To number texts that were read takes half of what reading them numbered takes.
        column_types={name: pa.string() if type_ == TEXT_DICTIONARY else type_ for name, type_ in types.items()},
        include_columns=[*declared.values(), *tags.values()],
        null_values=list(ABSENT),
        strings_can_be_null=True,
        # The whole chunk was looked at, also the columns that are not read.
        check_utf8=False,
    )
    row_number = 1
    for chunk in text.chunks:
        _require_utf8(chunk, rows.file, row_number - 1)
        start = row_number
        try:
            for batch in _read(chunk, names, options).to_batches():
                arrays = {name: _as_read(batch.column(name), type_) for name, type_ in types.items()}
                read = {name: arrays[column] for name, column in declared.items()}
                yield rows.batch(
                    read, {key: arrays[column] for key, column in tags.items()}, row_number, batch.num_rows
                )
                row_number += batch.num_rows
        except (RowsInvalid, pa.ArrowInvalid) as error:
            raise rows.explain(_records(chunk, rows.file, start), start, f"the rows cannot be read: {error}") from error


def _as_read(array: pa.Array, type_: pa.DataType) -> pa.Array:
    return array.dictionary_encode() if type_ == TEXT_DICTIONARY else array


def _read(chunk: bytes | memoryview, names: list[str], options: arrow_csv.ConvertOptions) -> pa.Table:
    return arrow_csv.read_csv(
        pa.py_buffer(chunk),
        read_options=arrow_csv.ReadOptions(
            column_names=names,
            # One block: where a block ends between CR and LF inside quotes, pyarrow 26 loses the LF.
            block_size=len(chunk) + 1,
            # One thread: the next stage has the other core, see read_ahead.
            use_threads=False,
        ),
        parse_options=arrow_csv.ParseOptions(delimiter=",", quote_char='"', newlines_in_values=True),
        convert_options=options,
    )


def _records(chunk: bytes | memoryview, file: str, first_row: int) -> Iterator[list[str]]:
    row_number = first_row
    # One field may be as long as a record; the standard library stops at 128 KB otherwise.
    csv.field_size_limit(MAX_RECORD_BYTES)
    reader = csv.reader(io.StringIO(str(chunk, "utf-8"), newline=""), strict=True)
    try:
        for record in reader:
            if record:
                yield record
                row_number += 1
    except csv.Error as error:
        raise BadInput(file, f"the row is no valid CSV: {error}", row=row_number) from error
