"""The text of one reference file: strict RFC 4180, header by name, every cell still text.

What does not belong here: what a cell means (`reference_cells`), how rows agree (`reference_checks`).
"""

import csv
import io
import re
from dataclasses import dataclass

import polars as pl

from billing_pipeline.schemas.reference_file import SOURCE_ROW, ReferenceFile

# A well-quoted field; whatever quote is left when these are taken away stands where RFC 4180 allows none.
# Python's csv module reads `5"x` without a word, so it is checked beforehand.
_QUOTED_FIELD = re.compile(r'(?:(?<=[,\r\n])|\A)"(?:[^"]|"")*"(?=[,\r\n]|\Z)')


@dataclass(frozen=True)
class ReferenceRows:
    """The rows of one file as text.

    Attributes:
        file: its declaration.
        cells: one text column per known column of the header, stripped, null where empty, and `source_row`
            (1 = first data row below the header, blank lines counted).
        problems: what is wrong with the text; the cells are empty when the text could not be read at all.
    """

    file: ReferenceFile
    cells: pl.DataFrame
    problems: tuple[str, ...] = ()

    def identities(self) -> pl.Series:
        """Return one text per row, equal for equal named cells, whatever the order or number of columns."""
        named = [
            pl.concat_str(pl.lit(f"{name}="), pl.col(name), pl.lit("\x1e"))
            for name in sorted(self.cells.columns)
            if name != SOURCE_ROW
        ]
        identity = pl.concat_str(*named, ignore_nulls=True) if named else pl.lit("")
        return self.cells.with_columns(identity=identity)["identity"]


def file_name(file: ReferenceFile) -> str:
    """Return the name by which problems call a file."""
    return f"reference/{file.name}.csv"


def read_rows(file: ReferenceFile, content: bytes) -> ReferenceRows:
    """Read the bytes of one reference file.

    Args:
        file: its declaration.
        content: UTF-8, with or without BOM; comma, RFC 4180 quotes, a header line.

    Returns:
        The cells, and every problem of the text: not UTF-8, broken quotes, unknown, repeated or missing columns,
        rows with more or fewer cells than the header.
    """
    try:
        text = content.decode("utf-8-sig")
        records = read_records(text)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return _unreadable(file, f"line {line} is no UTF-8; save the file as CSV UTF-8")
    except TextInvalid as error:
        return _unreadable(file, str(error))
    header = [name.strip() for name in records[0]] if records else []
    problems = _header_problems(file, header)
    rows, numbers = [], []
    for number, record in enumerate(records[1:], start=1):
        if len(record) == len(header):
            rows.append(record)
            numbers.append(number)
        elif any(cell.strip() for cell in record):
            problems.append(
                f"{file_name(file)}, row {number}: {len(record)} cells where the header names {len(header)}"
            )
    known = {name: index for index, name in enumerate(header) if name in file.column_names}
    texts = [pl.Series(name, [row[index] for row in rows], pl.String) for name, index in known.items()]
    cells = pl.DataFrame([*texts, pl.Series(SOURCE_ROW, numbers, pl.Int64)]).with_columns(
        pl.col(name).str.strip_chars().replace("", None) for name in known
    )
    filled = pl.any_horizontal(pl.col(name).is_not_null() for name in known) if known else pl.lit(True)
    return ReferenceRows(file, cells.filter(filled), tuple(problems))


class TextInvalid(Exception):
    """A text that is no CSV as this project reads it; the message begins with the line or with a verb."""


def _unreadable(file: ReferenceFile, reason: str) -> ReferenceRows:
    cells = pl.DataFrame(schema={**dict.fromkeys(file.column_names, pl.String), SOURCE_ROW: pl.Int64})
    return ReferenceRows(file, cells, (f"{file_name(file)}: {reason}",))


def read_records(text: str) -> list[list[str]]:
    """Return the records of a CSV text, the header among them, each a list of cells as they stand.

    Raises:
        TextInvalid: a zero byte, or quotes that RFC 4180 does not allow.
    """
    if "\x00" in text:
        raise TextInvalid(f"line {_line(text, text.index(chr(0)))} holds a zero byte; save the file as CSV UTF-8")
    if '"' in text:
        # Masked, not removed: the positions stay those of the file.
        bare = _QUOTED_FIELD.sub(lambda match: " " * len(match.group()), text)
        if '"' in bare:
            raise TextInvalid(f"line {_line(text, bare.index(chr(34)))}: a quote inside a cell must be doubled")
    try:
        return list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise TextInvalid(f"is no valid CSV: {error}") from error


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _header_problems(file: ReferenceFile, header: list[str]) -> list[str]:
    name = file_name(file)
    if not header:
        return [f"{name}: is empty; its first line must be a header: {','.join(file.column_names)}"]
    problems = [
        f"{name}, column {column!r}: is unknown; the columns are {', '.join(file.column_names)}"
        for column in dict.fromkeys(header)
        if column not in file.column_names
    ]
    problems += [f"{name}, column {column}: stands twice in the header" for column in sorted(_repeated(header))]
    problems += [
        f"{name}, column {column.name}: is missing from the header"
        for column in file.columns
        if column.required and column.name not in header
    ]
    return problems


def _repeated(names: list[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}
