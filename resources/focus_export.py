"""The FOCUS 1.2 export: what customers are charged for a month, as a file for their own cost tools.

What does not belong here: what a row is (`sql/focus/`), the meaning of the columns
(`billing_pipeline.schemas.focus_export`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from billing_pipeline.errors import BillingError
from billing_pipeline.identifiers import file_name_of
from billing_pipeline.ledger.documents import load_invoices, snapshots_of_period
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.focus_export import FOCUS_EXPORT, focus_name
from billing_pipeline.schemas.table import Column
from resources.focus_documents import name_documents
from resources.invoice_runs import Books
from resources.lake import quoted, replacing
from resources.ledger import reading
from resources.session import duckdb_session

FocusFormat = Literal["csv", "parquet"]
ISSUED = ("open", "past due", "closed")
_ORDER = "billing_account_id, billing_currency, document_id, part, position, x_charge_id nulls first, billed_cost"
_STAGES = ("line_charges", "document_rows")
# A spreadsheet takes a text that begins with one of these for a formula (OWASP, "CSV Injection").
_FORMULA_STARTS = "('=', '+', '-', '@', chr(9), chr(13))"
_MEMORY = "1GB"


class NothingToExport(BillingError):
    """No document fits what was asked for."""


@dataclass(frozen=True)
class FocusRequest:
    """What to export.

    Attributes:
        period: billing period of the documents.
        customers: ids of the customers; None means all.
        with_drafts: whether drafts are in it too: for the reseller's eyes, customers do not see them.
        file_format: csv (gzip where the file's name ends in .gz) or parquet.
        is_per_customer: whether each customer gets a file of its own, in a folder.
    """

    period: BillingPeriod
    customers: tuple[str, ...] | None = None
    with_drafts: bool = False
    file_format: FocusFormat = "csv"
    is_per_customer: bool = False


@dataclass(frozen=True)
class FocusFile:
    """A file that was written: its place, its rows, and how many documents they are of."""

    path: Path
    rows: int
    documents: int


def export_focus(books: Books, request: FocusRequest, out: Path) -> list[FocusFile]:
    """Write the documents of a month as FOCUS 1.2; the same documents give the same bytes.

    Void documents are left out: nothing is owed for them. The rows of a document add up to its payable total exactly.

    Args:
        books: the ledger of the documents and the lake with the charges behind them.
        out: the file, or the folder where each customer gets one.

    Returns:
        The files written, by customer where each has its own.

    Raises:
        NothingToExport: there is no such document, or a customer asked for has none.
        SnapshotMissing, ChargesDisagree: see `resources.focus_documents.name_documents`.
    """
    wanted = (*ISSUED, "draft") if request.with_drafts else ISSUED
    with reading(books.engine).connect() as ledger:
        found = load_invoices(ledger, period=request.period.text)
        snapshots = snapshots_of_period(ledger, request.period.text)
    documents = [one for one in found if one.status in wanted]
    if request.customers is not None:
        documents = [one for one in documents if one.customer.id in request.customers]
    customers = sorted({one.customer.id for one in documents})
    _check_found(customers, request)
    with duckdb_session(memory_limit=_MEMORY) as connection:
        name_documents(connection, documents, snapshots, books.config, books.lake)
        for stage in _STAGES:
            connection.execute(f"create or replace temp view {stage} as {load_sql(f'focus/{stage}')}")
        if not request.is_per_customer:
            return [_write(connection, load_sql("focus/own_charges"), request.file_format, out, len(documents))]
        connection.execute(f"create temp table own_charges as {load_sql('focus/own_charges')}")
        return [_write_customer(connection, customer, request, out) for customer in customers]


def _check_found(found: Sequence[str], request: FocusRequest) -> None:
    kind = "document" if request.with_drafts else "issued document"
    missing = sorted(set(request.customers or ()).difference(found))
    if missing:
        raise NothingToExport(f"customer {', '.join(missing)}: no {kind} of {request.period}")
    if not found:
        raise NothingToExport(f"there is no {kind} of {request.period}; `billing invoices approve` issues drafts")


def _write_customer(
    connection: duckdb.DuckDBPyConnection, customer: str, request: FocusRequest, folder: Path
) -> FocusFile:
    path = folder / f"focus-{request.period}-{file_name_of(customer)}.{request.file_format}"
    query, chosen = "select * from own_charges where billing_account_id = $customer", {"customer": customer}
    counted = connection.execute(f"select count(distinct document_id) from ({query})", chosen).fetchone()
    return _write(connection, query, request.file_format, path, counted[0] if counted else 0, chosen)


def _write(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    file_format: FocusFormat,
    path: Path,
    documents: int,
    parameters: dict[str, str] | None = None,
) -> FocusFile:
    as_text = file_format == "csv"
    columns = ", ".join(
        f'{_csv_text(column) if as_text else column.name} as "{focus_name(column.name)}"'
        for column in FOCUS_EXPORT.columns
    )
    compression = "gzip" if path.suffix == ".gz" else "none"
    options = f"format csv, header, compression {compression}" if as_text else "format parquet, compression zstd"
    with replacing(path) as temporary:
        # The outermost order is the only one that a file keeps.
        copied = connection.execute(
            f"copy (select {columns} from ({query}) order by {_ORDER}) to {quoted(temporary)} ({options})",
            parameters,
        ).fetchone()
    return FocusFile(path, copied[0] if copied else 0, documents)


def _csv_text(column: Column) -> str:
    """Return the expression of a cell: plain decimal, instant as the standard writes it, text that is no formula."""
    name = column.name
    if column.type.startswith("DECIMAL"):
        return f"shown_number({name})"
    if column.type == "TIMESTAMP WITH TIME ZONE":
        return f"strftime({name}, '%Y-%m-%dT%H:%M:%SZ')"
    if column.type != "VARCHAR":
        return name
    return f"case when left({name}, 1) in {_FORMULA_STARTS} then '''' || {name} else {name} end"
