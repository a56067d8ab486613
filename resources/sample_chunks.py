"""Where sample files arrive and how their chunks are compressed, the same for every vendor.

What does not belong here: which files a vendor sends (`resources.sample_files` and the modules beside it).
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Self

from isal import isal_zlib

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.blocks import Block

ROWS_PER_CHUNK = 1_000_000
# Final files come on this day of the month after; usually five to fifteen business days are needed.
FINAL_ON_DAY = 8
# isal's fastest level: vendors' files are read far more often than these are written.
_LEVEL = 1
_GZIP = 31


def received_folder(home: Path, source: str, day: date) -> Path:
    """Return the landing folder of what a source sent on a day."""
    return home / "landing" / source / f"received={day:%Y-%m-%d}"


def final_day(month: BillingPeriod) -> date:
    """Return the day on which a month's final files arrive."""
    return month.end_day.replace(day=FINAL_ON_DAY)


def chunk_count(rows: int) -> int:
    """Return how many files that many rows are split into."""
    return -(-rows // ROWS_PER_CHUNK)


def write_gzip(paths: list[Path], header: bytes, blocks: Iterable[Block], rows_per_file: int) -> list[int]:
    """Write blocks into gzip files that each begin with the header; the next file begins at its share of the rows.

    Compression runs in a thread of its own, one block behind the generator: isal releases the interpreter.

    Args:
        paths: the files, in order; their folder exists.
        header: the first bytes of every file, empty where the format has none.
        blocks: rows, in the order of the files.
        rows_per_file: no file but the last takes another block when it has as many.

    Returns:
        The rows of each file.
    """
    written_rows, number = 0, 0
    rows = [0] * len(paths)
    with ThreadPoolExecutor(max_workers=1) as pool, ExitStack() as open_files:
        target = open_files.enter_context(_GzipFile(paths[0]))
        pending = pool.submit(target.write, header)
        for block in blocks:
            pending.result()
            if written_rows >= rows_per_file * (number + 1):
                number += 1
                open_files.close()
                target = open_files.enter_context(_GzipFile(paths[number]))
                target.write(header)
            pending = pool.submit(target.write, block.text)
            written_rows += block.rows
            rows[number] += block.rows
        pending.result()
    return rows


class _GzipFile:
    """A gzip file without time or name in its header, so that the same rows give the same bytes."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._compressor = isal_zlib.compressobj(_LEVEL, wbits=_GZIP)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.write(self._compressor.flush())
        self._file.close()

    def write(self, content: bytes) -> None:
        """Compress and append."""
        self._file.write(self._compressor.compress(content))
