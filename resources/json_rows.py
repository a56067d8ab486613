"""Rows that come as JSON objects: JSON Lines (plain or gzip), or the items of a JSON document.

The file streams through, a block of lines at a time, so memory stays bounded and row numbers are exact (1 is the
first object; blank lines are no rows). A number is never parsed as floating point: its text is what a CSV would hold.

Use it in two steps, as `csv_rows`:

    source = open_json_lines(read_chunks(file, carrier), file.name)   # source.header is what a header line would be
    batches = typed_batches(source, rows)                             # rows: a TypedRows made with that header

What is nested becomes flat columns, named by their path: `{"usage": {"amount": 1}}` is the column `usage.amount`,
which `normalise_header` finds for a declared column `usage_amount`. A list stays one column: JSON text, in which every
number stands as a string of its own digits, so `cast(json_extract_string(credit, '$.amount') as decimal(38, 18))` is
exact. Members in `whole` (normalised names) stay one column of JSON text too, also where they are objects.

What does not belong here: what a cell means (`typed_rows`), unpacking and its limits (`carriers`).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.cells import ABSENT
from billing_pipeline.vendors.format import Column, normalise_header
from billing_pipeline.vendors.header import HeaderMatch
from resources.typed_rows import RowsInvalid, TypedRows, read_type

BOM = b"\xef\xbb\xbf"
# Longer than any real object; a file without line ends would otherwise be gathered whole.
MAX_LINE_BYTES = 64 << 20
# Rows of a document per batch; JSON Lines have as many as a chunk of the file holds.
DOCUMENT_BATCH_ROWS = 5_000

Row = dict[str, str]
"""A flat object: text by path. null is an empty text, true and false are written so."""


@dataclass
class JsonRows:
    """A file's rows, flat.

    Attributes:
        file: name for errors.
        header: paths found in the first block of rows, in the order of their first appearance; of several spellings
            the first. A member that only later rows have is read all the same, see `typed_batches`.
        blocks: rows in file order, a block at a time.
    """

    file: str
    header: list[str]
    blocks: Iterator[list[Row]]


def parse_json(text: str | bytes) -> object:
    """Parse JSON, exactly: numbers become their text, and a key that stands twice in one object is an error.

    Raises:
        ValueError: no JSON, NaN or Infinity, or a repeated key.
        RecursionError: nested too deeply.
    """
    return json.loads(
        text, parse_float=str, parse_int=str, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys
    )


def _refuse_constant(text: str) -> str:
    raise ValueError(f"{text} is no number")


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} appears twice in one object")
    return members


def open_json_lines(chunks: Iterable[bytes], file: str, whole: frozenset[str] = frozenset()) -> JsonRows:
    """Read JSON Lines: one object per line, UTF-8.

    Args:
        chunks: the file's decompressed bytes, in order.
        file: name for errors.
        whole: normalised paths whose value stays JSON text even where it is an object (free-form tags).

    Raises:
        BadInput: the file has no row, or, while the blocks are read, a line is no JSON object.
    """
    return _with_header(_line_blocks(chunks, file, whole), file)


def open_objects(objects: Iterable[object], file: str, whole: frozenset[str] = frozenset()) -> JsonRows:
    """Read rows that are already parsed by `parse_json`, for example the items of a document.

    Args:
        objects: in file order.
        file, whole: as for `open_json_lines`.

    Raises:
        BadInput: there is none, or, while the blocks are read, one is no JSON object.
    """
    return _with_header(_object_blocks(objects, file, whole), file)


def _with_header(blocks: Iterator[list[Row]], file: str) -> JsonRows:
    first = next(blocks, [])
    if not first:
        raise BadInput(file, "the file has no rows")
    spellings: dict[str, str] = {}
    for path in dict.fromkeys(path for row in first for path in row):
        spellings.setdefault(normalise_header(path), path)

    def all_blocks() -> Iterator[list[Row]]:
        yield first
        yield from blocks

    return JsonRows(file, list(spellings.values()), all_blocks())


def _line_blocks(chunks: Iterable[bytes], file: str, whole: frozenset[str]) -> Iterator[list[Row]]:
    row_number = 1
    for lines in _whole_lines(chunks, file):
        block = []
        for line in lines:
            if line.strip():
                block.append(_flat_row(_parsed(line, file, row_number), file, row_number, whole))
                row_number += 1
        if block:
            yield block


def _whole_lines(chunks: Iterable[bytes], file: str) -> Iterator[list[bytes]]:
    pending = b""
    is_first = True
    for chunk in chunks:
        data = pending + chunk if pending else chunk
        if is_first:
            data, is_first = data.removeprefix(BOM), False
        cut = data.rfind(b"\n") + 1
        pending = data[cut:]
        if len(pending) > MAX_LINE_BYTES:
            raise BadInput(file, f"a line is longer than {MAX_LINE_BYTES >> 20} MB; this is no JSON Lines file")
        if cut:
            yield data[:cut].split(b"\n")
    if pending:
        yield [pending]


def _parsed(line: bytes, file: str, row_number: int) -> object:
    try:
        return parse_json(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        bad = repr(error.object[error.start : error.end])
        raise BadInput(file, "the file is not UTF-8", row=row_number, value=bad) from error
    except (ValueError, RecursionError) as error:
        raise BadInput(file, f"the line is no valid JSON: {error}", row=row_number) from error


def _object_blocks(objects: Iterable[object], file: str, whole: frozenset[str]) -> Iterator[list[Row]]:
    block = []
    for row_number, value in enumerate(objects, start=1):
        block.append(_flat_row(value, file, row_number, whole))
        if len(block) >= DOCUMENT_BATCH_ROWS:
            yield block
            block = []
    if block:
        yield block


def _flat_row(value: object, file: str, row_number: int, whole: frozenset[str]) -> Row:
    if not isinstance(value, dict):
        raise BadInput(file, "the row is no JSON object", row=row_number)
    row: Row = {}
    try:
        _flatten(value, "", row, whole)
    except (ValueError, RecursionError) as error:
        raise BadInput(file, str(error), row=row_number) from error
    return row


def _flatten(value: Mapping[str, object], path: str, row: Row, whole: frozenset[str]) -> None:
    for key, member in value.items():
        own_path = f"{path}.{key}" if path else key
        if own_path in row:
            raise ValueError(f"two members have the path {own_path!r}")
        if isinstance(member, str):
            row[own_path] = member
        elif isinstance(member, dict) and not (whole and normalise_header(own_path) in whole):
            _flatten(member, own_path, row, whole)
        elif isinstance(member, dict | list):
            row[own_path] = json.dumps(member, ensure_ascii=False)
        else:
            row[own_path] = "" if member is None else str(member).lower()


def typed_batches(source: JsonRows, rows: TypedRows) -> Iterator[pa.RecordBatch]:
    """Yield the rows, typed, in file order.

    Vendors leave a member out of the rows that have no value for it, so each block's members are matched anew; what
    the header lacked is found in later rows all the same.

    Raises:
        BadInput: a cell does not fit its column, or two members of a row mean one column.
    """
    wanted = {text: name for name in rows.columns for text in rows.vendor_format.headers_of(name)}
    paths: dict[str, str | None] = {}
    row_number = 1
    for block in source.blocks:
        own: dict[str, list[str]] = {}
        for path in dict.fromkeys(path for row in block for path in row):
            if path not in paths:
                paths[path] = wanted.get(normalise_header(path))
            name = paths[path]
            if name is not None:
                own.setdefault(name, []).append(path)
        try:
            read = {name: _array(_texts(block, own[name]), rows.columns[name]) for name in own}
            yield rows.batch(read, {}, row_number, len(block))
        except (RowsInvalid, pa.ArrowInvalid, UnicodeEncodeError) as error:
            raise _explained(rows, block, own, row_number, error) from error
        row_number += len(block)


def _texts(block: list[Row], paths: list[str]) -> list[str | None]:
    if len(paths) > 1 and any(sum(path in row for path in paths) > 1 for row in block):
        raise RowsInvalid
    path = paths[0]
    if len(paths) == 1:
        texts = [row.get(path, "") for row in block]
    else:
        texts = [next((row[path] for path in paths if path in row), "") for row in block]
    return [None if text in ABSENT else text for text in texts]


def _array(texts: list[str | None], column: Column) -> pa.Array:
    array = pa.array(texts, pa.string())
    wanted = read_type(column)
    if pa.types.is_dictionary(wanted):
        return array.dictionary_encode()
    return array if pa.types.is_string(wanted) else array.cast(wanted)


def _explained(
    rows: TypedRows, block: list[Row], own: Mapping[str, list[str]], first_row: int, error: Exception
) -> BadInput:
    for row_number, row in enumerate(block, start=first_row):
        for paths in own.values():
            found = [path for path in paths if path in row]
            if len(found) > 1:
                return BadInput(
                    rows.file, f"two members mean the same column: {found[0]!r} and {found[1]!r}",
                    row=row_number, column=found[1],
                )  # fmt: skip
            for path in found:
                try:
                    row[path].encode("utf-8")
                except UnicodeEncodeError:
                    return BadInput(
                        rows.file, "the text is no valid Unicode", row=row_number, column=path, value=ascii(row[path])
                    )
    names = list(own)
    match = HeaderMatch(
        {name: index for index, name in enumerate(names)},
        {**rows.match.own_names, **{name: own[name][0] for name in names}},
        {},
    )
    texts = ([next((row[path] for path in own[name] if path in row), "") for name in names] for row in block)
    return replace(rows, match=match, width=len(names)).explain(texts, first_row, f"the rows cannot be read: {error}")
