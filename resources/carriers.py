"""What a landed file is carried in, told by its name and its first bytes, and its bytes, verified.

gzip is read with isal, which checks CRC and length; DuckDB and Polars do not. What does not belong
here: columns and cells (`csv_rows`, `json_rows`, `parquet_rows`, `invoice_rows`).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from isal import igzip, igzip_lib

from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.format import Carrier
from resources.zip_member import zip_chunks

CHUNK_BYTES = 4 << 20
# A file that grows beyond both limits is taken for a decompression bomb. Real billing exports compress 5 to 15 times.
BOMB_BYTES = 256 << 20
BOMB_RATIO = 200

_SUFFIXES: tuple[tuple[str, Carrier], ...] = (
    (".csv.gz", "csv.gz"),
    (".csv.zst", "csv.zst"),
    (".csv", "csv"),
    (".parquet", "parquet"),
    (".jsonl.gz", "jsonl.gz"),
    # Microsoft's exports are JSON Lines named `part-00000-....c000.json.gz`; a JSON document never comes packed.
    (".json.gz", "jsonl.gz"),
    (".jsonl", "jsonl"),
    (".json", "json"),
    (".xlsx", "xlsx"),
    (".zip", "zip"),
)
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PAR1", "Parquet"),
    (b"PK\x03\x04", "zip"),
)
_CONTENT: dict[Carrier, str] = {
    "csv": "text",
    "json": "text",
    "jsonl": "text",
    "jsonl.gz": "gzip",
    "csv.gz": "gzip",
    "csv.zst": "zstd",
    "parquet": "Parquet",
    "xlsx": "zip",
    "zip": "zip",
}


@dataclass(frozen=True)
class LandedFile:
    """One file as it was dropped.

    Attributes:
        name: path relative to the source's landing folder, for messages and for the canonical rows.
        path: where its bytes are.
        sha256: lower-case hex hash of its bytes.
    """

    name: str
    path: Path
    sha256: str


def sha256_of(path: Path) -> str:
    """Return the lower-case hex SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def carrier_of(file: LandedFile) -> Carrier:
    """Tell the carrier from the name, and check that the content is that.

    Raises:
        BadInput: the file is empty, may hold macros, or name and content do not agree.
    """
    lower_name = file.name.lower()
    with file.path.open("rb") as stream:
        start = stream.read(4)
    if not start:
        raise BadInput(file.name, "the file is empty")
    if lower_name.endswith((".xlsm", ".xltm", ".xlam", ".xlsb")):
        raise BadInput(file.name, "a workbook that may hold macros is refused; save it as .xlsx")
    carrier = next((carrier for suffix, carrier in _SUFFIXES if lower_name.endswith(suffix)), None)
    if carrier is None:
        known = ", ".join(suffix for suffix, _ in _SUFFIXES)
        raise BadInput(file.name, f"unknown format: the name must end in one of {known}")
    content = next((name for magic, name in _MAGIC if start.startswith(magic)), "text")
    if content != _CONTENT[carrier]:
        raise BadInput(file.name, f"the name says {carrier}, the content is {content}, not {_CONTENT[carrier]}")
    return carrier


def read_chunks(file: LandedFile, carrier: Carrier) -> Iterator[bytes]:
    """Yield a text file's decompressed bytes in order; reaching the end means all of it was verified.

    Args:
        carrier: csv, csv.gz, csv.zst, json, jsonl, jsonl.gz or zip.

    Raises:
        BadInput: a wrong CRC or length, a truncated archive, or a decompression bomb.
    """
    limit = max(BOMB_BYTES, BOMB_RATIO * file.path.stat().st_size)
    produced = 0
    try:
        if carrier in ("csv.gz", "jsonl.gz"):
            with igzip.IGzipFile(str(file.path), "rb") as stream:  # type: ignore[no-untyped-call]
                while chunk := stream.read(CHUNK_BYTES):
                    produced += len(chunk)
                    _refuse_bomb(file, produced, limit)
                    yield chunk
        elif carrier == "zip":
            for chunk in zip_chunks(file.path, file.name, CHUNK_BYTES, limit):
                produced += len(chunk)
                _refuse_bomb(file, produced, limit)
                yield chunk
        else:
            compression = "zstd" if carrier == "csv.zst" else None
            with pa.input_stream(str(file.path), compression=compression) as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    produced += len(chunk)
                    _refuse_bomb(file, produced, limit)
                    yield chunk
    except EOFError as error:
        raise BadInput(
            file.name, "the archive is truncated: it ends before its end mark, or garbage follows"
        ) from error
    except (igzip.BadGzipFile, igzip_lib.IsalError, OSError) as error:  # type: ignore[misc]
        raise BadInput(file.name, f"the archive is corrupt: {error}") from error


def _refuse_bomb(file: LandedFile, produced: int, limit: int) -> None:
    if produced > limit:
        raise BadInput(
            file.name,
            f"the file unpacks to more than {limit >> 20} MB, over {BOMB_RATIO} times its size: a decompression bomb",
        )
