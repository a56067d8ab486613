"""The rows of all versions of a reference file, read from the archive once and kept for the next time.

The kept rows (a SHA-256, then Parquet) say which versions they come from; only versions that came later are read. They
can be deleted at any time. What does not belong here: what is in force (`resources.reference_files`).
"""

import hashlib
import json
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from billing_pipeline.reference import read_reference_rows
from billing_pipeline.reference_csv import ReferenceRows
from billing_pipeline.reference_history import add_version, first_versions, no_stretches
from billing_pipeline.schemas.reference_file import ReferenceFile
from resources.lake import replacing
from resources.reference_journal import ReferenceJournal, TakenVersion

FOLDER = ".reference"
_VERSIONS = b"versions"
# Kept rows of another reading are read again: raise it when text becomes cells in another way.
_READING = 1
_DIGEST_BYTES = 32
# Reading a short file again costs less than a file beside it.
_WORTH_KEEPING_ROWS = 1000


class ReferenceVersions:
    """Versions of reference files, read from the archive.

    Args:
        home: the workspace.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER
        self.journal = ReferenceJournal(home)

    def rows(self, file: ReferenceFile, version: TakenVersion) -> ReferenceRows | None:
        """Return the cells of one version; None where the file was absent."""
        if version.sha256 is None:
            return None
        return read_reference_rows(file.name, self.journal.read(version.file, version.sha256))

    def stretches(
        self, file: ReferenceFile, versions: Sequence[TakenVersion], last: ReferenceRows | None
    ) -> pl.DataFrame:
        """Return the stretches of rows (`reference_history.no_stretches`) of versions, oldest first.

        Args:
            file: declaration of the file.
            versions: of that file.
            last: cells of the last of them, which were read already.
        """
        stretches, kept = self._kept(file)
        pairs = zip(kept, (version.sha256 for version in versions), strict=False)
        common = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
        stretches = first_versions(stretches, common)
        for number, version in enumerate(versions[common:], start=common):
            rows = last if number == len(versions) - 1 else self.rows(file, version)
            stretches = add_version(file, stretches, number, version.sha256, rows)
        return stretches

    def keep(self, file: ReferenceFile, versions: Sequence[TakenVersion], stretches: pl.DataFrame) -> None:
        """Keep the stretches of versions for the next time, where reading the versions again would cost more."""
        if len(versions) == 1 or stretches.height < _WORTH_KEEPING_ROWS:
            return
        sha256s = [version.sha256 for version in versions]
        if sha256s != self._kept(file)[1]:
            table = stretches.to_arrow().replace_schema_metadata({_VERSIONS: json.dumps([_READING, *sha256s]).encode()})
            parquet = pa.BufferOutputStream()
            pq.write_table(table, parquet, compression="zstd")
            content = parquet.getvalue().to_pybytes()
            with replacing(self._path(file)) as temporary:
                temporary.write_bytes(hashlib.sha256(content).digest() + content)

    def _kept(self, file: ReferenceFile) -> tuple[pl.DataFrame, list[str | None]]:
        nothing: tuple[pl.DataFrame, list[str | None]] = (no_stretches(file), [])
        path = self._path(file)
        kept = path.read_bytes() if path.exists() else b""
        digest, content = kept[:_DIGEST_BYTES], kept[_DIGEST_BYTES:]
        # A flipped bit in a Parquet file reads as another price.
        if hashlib.sha256(content).digest() != digest:
            return nothing
        table = pq.read_table(pa.BufferReader(content))
        frame = pl.DataFrame(table)
        reading, *sha256s = json.loads(table.schema.metadata[_VERSIONS])
        return (frame, sha256s) if reading == _READING and frame.schema == nothing[0].schema else nothing

    def _path(self, file: ReferenceFile) -> Path:
        return self.folder / f"{file.name}.rows"
