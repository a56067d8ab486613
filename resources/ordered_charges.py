"""Charges in their order, put aside on disk once and read as often as there are files to write.

Sorting and writing out are two pieces of work, one after the other, so that the memory of one is free when the other
begins; together they took half as much again. What does not belong here: which charges (`charge_list`), how a cell is
written (`charge_cells`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import duckdb
import pyarrow as pa
import pyarrow.ipc

from billing_pipeline.charges.columns import Column
from resources.charge_cells import csv_row, sheet_row
from resources.charge_statistics import ListStatistics

_ROWS_AT_ONCE = 2_048
# What a sort gets if its session's own limit is too small: measured, 96 MB sort a million charges, 128 MB three.
_MORE_MEMORY = ("192MB", "384MB", "768MB", "1536MB", "3GB")
# Arrow's pool of threads would keep memory of its own, and one thread compresses as fast as one sorts.
_PUT_ASIDE = pyarrow.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
_TAKE_BACK = pyarrow.ipc.IpcReadOptions(use_threads=False)
# One thread that keeps the order: a query with two gave 199 rows of a million out of order, sorted subquery or not.
_READER_SETTINGS: dict[str, str | bool | int | float | list[str]] = {"threads": 1, "preserve_insertion_order": True}


class OrderedCharges:
    """Rows in order, on disk.

    Args:
        file: an Arrow stream of them, see `put_in_order`.
        show_invoice_numbers: whether the invoice number may be seen; else it is empty in whatever is read here.
    """

    def __init__(self, file: IO[bytes], show_invoice_numbers: bool) -> None:
        self._file = file
        self._shown_number = '"invoice_number"' if show_invoice_numbers else "''"

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a session that knows the rows as `charges`; they can be read once in it, and come in order."""
        self._file.seek(0)
        with (
            pyarrow.ipc.open_stream(self._file, options=_TAKE_BACK) as reader,
            duckdb.connect(config=_READER_SETTINGS) as connection,
        ):
            connection.register("ordered", reader)
            columns = ", ".join(
                f'{self._shown_number} as "{name}"' if name == "invoice_number" else f'"{name}"'
                for name in reader.schema.names
            )
            connection.execute(f"create temp view charges as select {columns} from ordered")
            yield connection

    @contextmanager
    def batches(self, expressions: str) -> Iterator[pa.RecordBatchReader]:
        """Open a stream of expressions over the rows, in order."""
        with self.reading() as connection:
            yield connection.sql(f"select {expressions} from charges").to_arrow_reader(_ROWS_AT_ONCE)

    def sheet_rows(
        self, columns: Sequence[Column], statistics: ListStatistics, has_links: bool
    ) -> Iterator[tuple[str, str | None]]:
        """Yield each row's XML and the text of its link."""
        row = sheet_row(columns, statistics.decimals, has_links)
        link = '"invoice_number"' if has_links else "null::varchar"
        with self.batches(f"{row} as xml, {link} as link_text") as batches:
            for batch in batches:
                yield from zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True)

    def csv_lines(self, columns: Sequence[Column], statistics: ListStatistics) -> Iterator[list[str]]:
        """Yield batches of CSV records."""
        with self.batches(f"{csv_row(columns, statistics.decimals)} as line") as batches:
            for batch in batches:
                yield batch.column(0).to_pylist()

    @contextmanager
    def values(self, columns: Sequence[Column]) -> Iterator[pa.RecordBatchReader]:
        """Open a stream of the values themselves, exact."""
        with self.batches(", ".join(f'"{column.name}"' for column in columns)) as batches:
            yield batches


@contextmanager
def put_in_order(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    parameters: Sequence[str | Decimal | date],
    show_invoice_numbers: bool,
) -> Iterator[OrderedCharges]:
    """Run a query with an ORDER BY and put its rows aside, in a file that is gone afterwards, come what may.

    Args:
        connection: where the query runs. Its memory_limit is raised if the sort needs more, up to 3 GB.
        query: a select with an ORDER BY and `?` for values.
        parameters: those values.
        show_invoice_numbers: see `OrderedCharges`.

    Raises:
        duckdb.Error: the query fails.
    """
    with TemporaryFile(dir=_scratch_folder(connection)) as file:
        _write(connection, query, parameters, file)
        yield OrderedCharges(file, show_invoice_numbers)


def _write(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[str | Decimal | date], file: IO[bytes]
) -> None:
    for more in _MORE_MEMORY:
        try:
            reader = connection.sql(query, params=list(parameters)).to_arrow_reader(_ROWS_AT_ONCE)
            with pyarrow.ipc.new_stream(file, reader.schema, options=_PUT_ASIDE) as writer:
                for batch in reader:
                    writer.write_batch(batch)
        # Arrow hands on what DuckDB says in the midst of a stream as an OSError.
        except (duckdb.OutOfMemoryException, OSError) as error:
            if "Out of Memory" not in str(error) or more == _MORE_MEMORY[-1]:
                raise
            file.seek(0)
            file.truncate()
            connection.execute(f"set memory_limit = '{more}'")
        else:
            return


def _scratch_folder(connection: duckdb.DuckDBPyConnection) -> Path | None:
    """Return the folder in which the session's own sorts spill, None for the system's if it has not been made."""
    # To the last row: a result that is not finished keeps the connection from its next query.
    [(name,)] = connection.execute("select current_setting('temp_directory')").fetchall()
    return Path(name) if name and Path(name).is_dir() else None
