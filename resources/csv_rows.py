"""Strict CSV: comma, double quote, UTF-8, one header; nothing is sniffed.

The file streams through in chunks that end with a whole record, so memory stays bounded and row
numbers are exact. What does not belong here: what a cell means (`typed_rows`).
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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
        chunks: bytes of whole records, in order.
    """

    header: list[str]
    chunks: Iterator[bytes]


def open_csv(chunks: Iterable[bytes], file: str) -> CsvText:
    """Read the header of a CSV file and cut the rest into chunks of whole records.

    Raises:
        BadInput: the file is empty, is not UTF-8, or its header cannot be read.
    """
    records = _whole_records(chunks, file)
    first = next(records, b"").removeprefix(BOM)
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

    def rest() -> Iterator[bytes]:
        if first[end:]:
            yield first[end:]
        yield from records

    return CsvText(header, rest())


def _whole_records(chunks: Iterable[bytes], file: str) -> Iterator[bytes]:
    pending = b""
    for chunk in chunks:
        data = pending + chunk if pending else chunk
        # What is pending holds no end of a record, so it is not searched again.
        cut = _last_record_end(data, len(pending))
        if cut:
            yield data[:cut]
        pending = data[cut:]
        if len(pending) > MAX_RECORD_BYTES:
            raise BadInput(file, f"a row is longer than {MAX_RECORD_BYTES >> 20} MB; a quote may be open")
    if pending:
        if pending.count(b'"') % 2:
            raise BadInput(file, "the file ends inside quotes; it may be cut short")
        yield pending


def _last_record_end(data: bytes, start: int) -> int:
    """Return the offset behind the last line end from `start` on that is outside quotes, 0 if there is none."""
    quotes_before = data.count(b'"')
    end = len(data)
    while (newline := data.rfind(b"\n", start, end)) >= 0:
        quotes_before -= data.count(b'"', newline, end)
        if quotes_before % 2 == 0:
            return newline + 1
        end = newline
    return 0


def _end_of_first_record(data: bytes) -> int:
    quotes = start = 0
    while (newline := data.find(b"\n", start)) >= 0:
        quotes += data.count(b'"', start, newline)
        start = newline + 1
        if quotes % 2 == 0:
            return start
    return len(data)


def _require_utf8(chunk: bytes, file: str, rows_before: int) -> None:
    if chunk.isascii():
        return
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
    options = arrow_csv.ConvertOptions(
        column_types={declared[name]: read_type(rows.columns[name]) for name in declared}
        | dict.fromkeys(tags.values(), TEXT_DICTIONARY),
        include_columns=[*declared.values(), *tags.values()],
        null_values=list(ABSENT),
        strings_can_be_null=True,
    )
    row_number = 1
    for chunk in text.chunks:
        _require_utf8(chunk, rows.file, row_number - 1)
        start = row_number
        try:
            for batch in _read(chunk, names, options).to_batches():
                read = {name: batch.column(column) for name, column in declared.items()}
                tag_arrays = {key: batch.column(column) for key, column in tags.items()}
                yield rows.batch(read, tag_arrays, row_number, batch.num_rows)
                row_number += batch.num_rows
        except (RowsInvalid, pa.ArrowInvalid) as error:
            raise rows.explain(_records(chunk, rows.file, start), start, f"the rows cannot be read: {error}") from error


def _read(chunk: bytes, names: list[str], options: arrow_csv.ConvertOptions) -> pa.Table:
    return arrow_csv.read_csv(
        pa.py_buffer(chunk),
        read_options=arrow_csv.ReadOptions(
            column_names=names,
            # One block: where a block ends between CR and LF inside quotes, pyarrow 26 loses the LF.
            block_size=len(chunk) + 1,
            # One thread: the next stage has the other core, see read_ahead.
            use_threads=False,
        ),
        parse_options=arrow_csv.ParseOptions(delimiter=",", quote_char='"', newlines_in_values=b'"' in chunk),
        convert_options=options,
    )


def _records(chunk: bytes, file: str, first_row: int) -> Iterator[list[str]]:
    row_number = first_row
    # One field may be as long as a record; the standard library stops at 128 KB otherwise.
    csv.field_size_limit(MAX_RECORD_BYTES)
    reader = csv.reader(io.StringIO(chunk.decode("utf-8"), newline=""), strict=True)
    try:
        for record in reader:
            if record:
                yield record
                row_number += 1
    except csv.Error as error:
        raise BadInput(file, f"the row is no valid CSV: {error}", row=row_number) from error
