"""Conversion in child processes with limits: whatever a file does to its reader, this process lives.

Archives, workbooks and binary files are read by child processes that may use only so much memory, processor
time and disk; a file whose reader dies is refused like any other bad file. Several files are converted at
once. Small plain text is read here: it can do no harm and a child costs a second to start.
"""

import errno
import logging
import os
import resource
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

import duckdb

from billing_pipeline.configuration import Source
from billing_pipeline.errors import BadInput
from resources.conversion import Converted, LandedFile, convert
from resources.session import duckdb_session

_LOG = logging.getLogger("billing.conversion")
_JSON = (".json", ".jsonl")
_TOO_MUCH = "reading it takes more memory, time or disk than a billing file may"


# What a file came to, and the seconds it took.
Outcome = tuple[Converted | BadInput, float]


@dataclass(frozen=True)
class Limits:
    """What one child may use for one file.

    Attributes:
        memory_bytes: address space of the process; the readers stream and need far less.
        cpu_seconds: processor time for any file, however small.
        cpu_seconds_per_megabyte: processor time on top, by the file's size (measured: 0.5 for a gzipped CUR).
        output_bytes_per_input_byte: size of the converted file; real exports shrink.
        smallest_output_bytes: output that is always allowed.
        plain_text_bytes: plain CSV up to this size is read in the parent.
        plain_json_bytes: the same for JSON, which takes up to thirty times its size in memory.
    """

    memory_bytes: int = 6 << 30
    cpu_seconds: int = 120
    cpu_seconds_per_megabyte: int = 5
    output_bytes_per_input_byte: int = 50
    smallest_output_bytes: int = 256 << 20
    plain_text_bytes: int = 32 << 20
    plain_json_bytes: int = 4 << 20


@dataclass(frozen=True)
class Job:
    """One file to convert.

    Attributes:
        size: of the file, in bytes.
        target: Parquet file to write.
        billing_month: of the whole delivery, where it is known; see `conversion.convert`.
    """

    source: Source
    file: LandedFile
    size: int
    file_set_sha256: str
    target: Path
    billing_month: str | None = None


class Converter:
    """Converts files, several at once, each within limits; a context manager that ends its children.

    Args:
        connection: session for what is read in this process.
        temporary: folder for the engines' own files.
        workers: children at once.
        limits: what each may use.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        temporary: Path,
        workers: int = 2,
        limits: Limits | None = None,
    ) -> None:
        self._connection = connection
        self._temporary = temporary
        self._workers = workers
        self._limits = limits or Limits()
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def convert(self, jobs: Sequence[Job]) -> list[Converted | BadInput]:
        """Convert files; one that cannot be taken is returned as its error, the others go on.

        Returns:
            One outcome for each job, in their order.
        """
        futures = {job.target: self._submit(job) for job in jobs if not self._is_harmless(job)}
        outcomes = []
        for job in jobs:
            is_isolated = job.target in futures
            outcome, seconds = self._outcome(job, futures[job.target]) if is_isolated else _timed(self._connection, job)
            _tell(job, outcome, seconds)
            outcomes.append(outcome)
        return outcomes

    def _is_harmless(self, job: Job) -> bool:
        name = job.file.name.lower()
        if name.endswith(_JSON):
            return job.size <= self._limits.plain_json_bytes
        return name.endswith(".csv") and job.size <= self._limits.plain_text_bytes

    def _submit(self, job: Job) -> "Future[Outcome] | None":
        if self._pool is None:
            self._pool = _pool(self._workers)
        try:
            return self._pool.submit(_convert_in_child, job, self._limits, self._temporary)
        except BrokenProcessPool:
            return None

    def _outcome(self, job: Job, future: "Future[Outcome] | None") -> Outcome:
        try:
            if future is not None:
                return future.result()
        except BrokenProcessPool:
            self._close()
        # A dead child takes its neighbours' work along and does not say whose file it was: each tries again, alone.
        with _pool(1) as alone:
            try:
                return alone.submit(_convert_in_child, job, self._limits, self._temporary).result()
            except BrokenProcessPool:
                job.target.unlink(missing_ok=True)
                return BadInput(job.file.name, _TOO_MUCH), 0.0

    def _close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


@contextmanager
def _limited(job: Job, limits: Limits) -> Iterator[None]:
    """Limit this process for one file; only the soft limits move, so the next file gets its own."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    budget = limits.cpu_seconds + limits.cpu_seconds_per_megabyte * (job.size >> 20)
    _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + budget)
    _lower(resource.RLIMIT_FSIZE, max(limits.smallest_output_bytes, limits.output_bytes_per_input_byte * job.size))
    _lower(resource.RLIMIT_AS, limits.memory_bytes)
    yield


def _lower(limit: int, soft: int) -> None:
    _, hard = resource.getrlimit(limit)
    resource.setrlimit(limit, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _convert_in_child(job: Job, limits: Limits, temporary: Path) -> Outcome:
    try:
        with (
            _limited(job, limits),
            duckdb_session(memory_limit="1GB", threads=1, temp_directory=temporary) as connection,
        ):
            return _timed(connection, job)
    except (MemoryError, duckdb.OutOfMemoryException):
        return BadInput(job.file.name, _TOO_MUCH), 0.0
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
        return BadInput(job.file.name, _TOO_MUCH), 0.0


def _timed(connection: duckdb.DuckDBPyConnection, job: Job) -> Outcome:
    begun = time.perf_counter()
    return _converted(connection, job), time.perf_counter() - begun


def _tell(job: Job, outcome: Converted | BadInput, seconds: float) -> None:
    if isinstance(outcome, BadInput):
        _LOG.info("refused %s/%s", job.source.id, job.file.name)
    else:
        rate = outcome.row_count / seconds if seconds else 0
        _LOG.info("%s/%s: %s rows, %s rows/s", job.source.id, job.file.name, f"{outcome.row_count:,}", f"{rate:,.0f}")


def _converted(connection: duckdb.DuckDBPyConnection, job: Job) -> Converted | BadInput:
    try:
        return convert(connection, job.source, job.file, job.file_set_sha256, job.target, job.billing_month)
    except BadInput as error:
        return error
    except (MemoryError, duckdb.OutOfMemoryException):
        raise
    except Exception as error:
        # One bad file never stops the others, also when it finds a fault in a reader: that is told, not hidden.
        _LOG.exception("the reader of %s failed", job.file.name)
        if isinstance(error, OSError) and error.errno in (errno.EFBIG, errno.ENOMEM):
            return BadInput(job.file.name, _TOO_MUCH)
        return BadInput(job.file.name, f"its reader failed: {type(error).__name__}: {error}"[:500])


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent)


def _end_with_parent() -> None:
    """See to it that this child ends when its parent is killed: it would wait for work for ever."""
    Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
