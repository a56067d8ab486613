"""The ledger's connection: SQLite by default, PostgreSQL by URL; and its documents as frames.

What does not belong here: tables and operations (`billing_pipeline.ledger`).
"""

import json
import sqlite3
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine, Select, Table, create_engine, event, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from billing_pipeline.errors import BillingError
from billing_pipeline.ledger.acceptances import list_acceptances
from billing_pipeline.ledger.documents import list_snapshots, snapshot_of
from billing_pipeline.ledger.locks import DRAFTS, take_turn
from billing_pipeline.ledger.migrations import CannotMigrate, migrate, schema_version
from billing_pipeline.ledger.tables import (
    SCHEMA_VERSION,
    invoice_errors,
    invoice_lines,
    invoices,
)
from billing_pipeline.schemas.billed_charges import BILLED_CHARGES
from billing_pipeline.schemas.reconciliation import ACCEPTED_DIFFERENCES
from resources.billed_charges import read_snapshot, remove_unreferenced
from resources.lake import Lake

# How long a command waits for another one that writes before it gives up.
BUSY_TIMEOUT_SECONDS = 60

# ISO 4217 has no currency with more than four decimals, so a payable amount always fits.
MONEY = pl.Decimal(28, 4)
AMOUNT_PRECISE = pl.Decimal(38, 24)
QUANTITY = pl.Decimal(38, 18)
TEXT = pl.String()
INSTANT = pl.Datetime("us", "UTC")


class LedgerUnusable(BillingError):
    """The ledger cannot be opened, or it belongs to another version of this program."""


def open_ledger(url: str, folder: Path | None = None) -> Engine:
    """Open the ledger; make its tables where they are absent, bring them forward where they are older.

    `engine.begin()` is a transaction that may write: on SQLite it takes the write lock at once (BEGIN IMMEDIATE),
    so that two writers wait for each other instead of failing halfway. `reading(engine)` never takes it.

    Args:
        url: a SQLAlchemy URL, as `[ledger] url` in billing.toml.
        folder: where a relative SQLite path begins: the workspace.

    Raises:
        LedgerUnusable: no database there, no driver for it, no ledger in it, or one of another version.
    """
    shown = url
    try:
        location = make_url(url)
        shown = location.render_as_string(hide_password=True)
        is_sqlite = location.get_backend_name() == "sqlite"
        if is_sqlite and folder is not None and location.database not in (None, "", ":memory:"):
            location = location.set(database=str(folder / str(location.database)))
        # A server's connections end with their transaction: an engine is opened for each command or run, never closed.
        settings = {"connect_args": {"timeout": BUSY_TIMEOUT_SECONDS}} if is_sqlite else {"poolclass": NullPool}
        engine = create_engine(location, **settings)
        if is_sqlite:
            event.listen(engine, "connect", _configure_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        _create_tables(engine)
    except (ArgumentError, NoSuchModuleError, ImportError, DBAPIError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise LedgerUnusable(f"ledger {shown}: {reason}") from error
    return engine


def reading(engine: Engine) -> Engine:
    """Return the same engine for work that only reads: on SQLite its transactions take no write lock."""
    return engine.execution_options(ledger_access="read")


def invoices_frames(engine: Engine) -> dict[str, pl.DataFrame]:
    """Read the ledger's tables for the warehouse, by the names they have there.

    Returns:
        `invoices`, one row per document, amounts in `currency`; `invoice_lines`, one row per line, quantity in
        `unit`, amounts in `currency`; `invoice_errors`, one row per customer and period without draft, its
        reasons joined by `; `; `accepted_differences`, one row per acceptance. Each is sorted by its key.
    """
    frames = {}
    with reading(engine).connect() as connection:
        for name, (query, schema) in _QUERIES.items():
            rows = [tuple(row) for row in connection.execute(query)]
            frames[name] = pl.DataFrame(rows, schema=schema, orient="row")
        accepted = accepted_frame(connection)
    errors = frames["invoice_errors"].sort("customer_id", "billing_period", "position")
    by_customer = errors.group_by("customer_id", "billing_period", maintain_order=True)
    return {
        "invoices": frames["invoices"].sort("invoice_id"),
        "invoice_lines": frames["invoice_lines"].sort("invoice_id", "line_number"),
        "invoice_errors": by_customer.agg(pl.col("reason").str.join("; ")),
        ACCEPTED_DIFFERENCES.name: accepted,
    }


def accepted_frame(connection: Connection, period: str | None = None) -> pl.DataFrame:
    """Read the differences that somebody accepted, columns as the table `accepted_differences`.

    Args:
        period: billing period `YYYY-MM`; None for all.
    """
    found = [
        {**vars(one), "sequence": sequence, "deliveries": json.dumps(one.deliveries, ensure_ascii=False)}
        for sequence, one in list_acceptances(connection, period)
    ]
    return pl.DataFrame(found, schema=ACCEPTED_DIFFERENCES.empty_frame().schema)


def charges_behind(engine: Engine, lake: Lake, invoice_id: str, line_number: int | None = None) -> pl.DataFrame:
    """Read the charges behind a document, or behind one of its lines, as they were billed.

    Args:
        lake: where the snapshots of billed charges are.
        invoice_id: the document.
        line_number: its line; None for all lines.

    Returns:
        The columns of `BILLED_CHARGES`, sorted by line and charge; no row for a line without charges.

    Raises:
        InvoiceNotFound: there is no such document.
        SnapshotMissing: the document's snapshot is not in the lake, or is not what was written.
    """
    with reading(engine).connect() as connection:
        snapshot = snapshot_of(connection, invoice_id)
    if snapshot is None:
        return BILLED_CHARGES.empty_frame()
    found = read_snapshot(lake, snapshot, invoice_id)
    return found if line_number is None else found.filter(pl.col("line_number") == line_number)


def remove_old_snapshots(engine: Engine, lake: Lake) -> list[Path]:
    """Remove the snapshots of charges that no document refers to any more.

    Returns:
        The files removed.
    """
    # The write lock: whoever has written a snapshot and not yet committed holds it too.
    with engine.begin() as connection:
        take_turn(connection, DRAFTS)
        return remove_unreferenced(lake, list_snapshots(connection))


def _columns(*tables: Table, schema: dict[str, pl.DataType]) -> Select[Any]:
    return select(*(next(table.c[name] for table in tables if name in table.c) for name in schema))


_INVOICES: dict[str, pl.DataType] = {
    "invoice_id": TEXT,
    "invoice_number": TEXT,
    "status": TEXT,
    "customer_id": TEXT,
    "billing_period": TEXT,
    "currency": TEXT,
    "subtotal": MONEY,
    "tax_total": MONEY,
    "credits_applied": MONEY,
    "total": MONEY,
    "due_date": pl.Date(),
    "created_at": INSTANT,
    "opened_at": INSTANT,
    "closed_at": INSTANT,
    "content_sha256": TEXT,
    "charges_sha256": TEXT,
    "document_type": TEXT,
    "corrects": TEXT,
    "issued_on": pl.Date(),
    "paid_on": pl.Date(),
    "void_reason": TEXT,
}
_LINES: dict[str, pl.DataType] = {
    "invoice_id": TEXT,
    "line_number": pl.Int32(),
    "product_type": TEXT,
    "description": TEXT,
    "quantity": QUANTITY,
    "amount_precise": AMOUNT_PRECISE,
    "amount": MONEY,
    "tax_category": TEXT,
    "line_kind": TEXT,
    "unit": TEXT,
    "currency": TEXT,
    "charged_currency": TEXT,
    "charged_amount": AMOUNT_PRECISE,
    "service_period": TEXT,
    "reference": TEXT,
}
_ERRORS: dict[str, pl.DataType] = {"customer_id": TEXT, "billing_period": TEXT, "position": pl.Int32(), "reason": TEXT}

_QUERIES: dict[str, tuple[Select[Any], dict[str, pl.DataType]]] = {
    "invoices": (_columns(invoices, schema=_INVOICES), _INVOICES),
    "invoice_lines": (_columns(invoice_lines, invoices, schema=_LINES).join_from(invoice_lines, invoices), _LINES),
    "invoice_errors": (_columns(invoice_errors, schema=_ERRORS), _ERRORS),
}


def _create_tables(engine: Engine) -> None:
    with reading(engine).connect() as connection:
        version = schema_version(connection)
    if version == SCHEMA_VERSION:
        return
    where = engine.url.render_as_string(hide_password=True)
    try:
        with engine.begin() as connection:
            migrate(connection)
    except CannotMigrate as error:
        raise LedgerUnusable(f"ledger {where} has schema version {version}; {error}") from error


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # None: the driver opens no transaction of its own; `_begin_sqlite` does, for every statement alike
    connection.isolation_level = None
    connection.execute("pragma foreign_keys = on")


def _begin_sqlite(connection: Connection) -> None:
    is_reader = connection.get_execution_options().get("ledger_access") == "read"
    connection.exec_driver_sql("begin" if is_reader else "begin immediate")
