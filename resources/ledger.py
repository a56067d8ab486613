"""The ledger's connection: SQLite by default, PostgreSQL by URL; and its documents as frames.

What does not belong here: tables and operations (`billing_pipeline.ledger`).
"""

import sqlite3
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine, Select, Table, create_engine, event, insert, inspect, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from billing_pipeline.errors import BillingError
from billing_pipeline.ledger.tables import (
    SCHEMA_VERSION,
    invoice_errors,
    invoice_lines,
    invoices,
    metadata,
    schema_version,
)

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
    """Open the ledger and create its tables where they are absent.

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
        engine = create_engine(location, connect_args={"timeout": BUSY_TIMEOUT_SECONDS} if is_sqlite else {})
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
        reasons joined by `; `. Each is sorted by its key.
    """
    # charge ids stay in the ledger: an analyst reaches them through priced_line_items
    frames = {}
    with reading(engine).connect() as connection:
        for name, (query, schema) in _QUERIES.items():
            rows = [tuple(row) for row in connection.execute(query)]
            frames[name] = pl.DataFrame(rows, schema=schema, orient="row")
    errors = frames["invoice_errors"].sort("customer_id", "billing_period", "position")
    by_customer = errors.group_by("customer_id", "billing_period", maintain_order=True)
    return {
        "invoices": frames["invoices"].sort("invoice_id"),
        "invoice_lines": frames["invoice_lines"].sort("invoice_id", "line_number"),
        "invoice_errors": by_customer.agg(pl.col("reason").str.join("; ")),
    }


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
}
_ERRORS: dict[str, pl.DataType] = {"customer_id": TEXT, "billing_period": TEXT, "position": pl.Int32(), "reason": TEXT}

_QUERIES: dict[str, tuple[Select[Any], dict[str, pl.DataType]]] = {
    "invoices": (_columns(invoices, schema=_INVOICES), _INVOICES),
    "invoice_lines": (_columns(invoice_lines, invoices, schema=_LINES).join_from(invoice_lines, invoices), _LINES),
    "invoice_errors": (_columns(invoice_errors, schema=_ERRORS), _ERRORS),
}


def _create_tables(engine: Engine) -> None:
    if not inspect(reading(engine)).has_table(schema_version.name):
        with engine.begin() as connection:
            # checked again under the write lock: another process may just have done the same
            metadata.create_all(connection)
            if connection.scalar(select(schema_version.c.version)) is None:
                connection.execute(insert(schema_version), {"version": SCHEMA_VERSION})
    with reading(engine).connect() as connection:
        version = connection.scalar(select(schema_version.c.version))
    if version != SCHEMA_VERSION:
        where = engine.url.render_as_string(hide_password=True)
        raise LedgerUnusable(f"ledger {where} has schema version {version}; this program works with {SCHEMA_VERSION}")


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # None: the driver opens no transaction of its own; `_begin_sqlite` does, for every statement alike
    connection.isolation_level = None
    connection.execute("pragma foreign_keys = on")


def _begin_sqlite(connection: Connection) -> None:
    is_reader = connection.get_execution_options().get("ledger_access") == "read"
    connection.exec_driver_sql("begin" if is_reader else "begin immediate")
