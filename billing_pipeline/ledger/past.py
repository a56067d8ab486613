"""The ledger as it stood at a past instant, as far as the drafts of a month depend on it, for another ledger.

Taken: documents of other months, with the status they had then; those of the month itself that were void, whose ids
were taken; differences that had been accepted. Content never changes after approval, so it is the content of then. A
draft is known if it has not been drafted anew or deleted since. What does not belong here: where the ledgers are
(`resources.past_ledger`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, select, update

from billing_pipeline.ledger.life import CLOSED, DRAFT, OPEN, VOID
from billing_pipeline.ledger.standing import MONTH_DRAFTED
from billing_pipeline.ledger.tables import (
    accepted_differences,
    credit_uses,
    events,
    invoice_lines,
    invoices,
    issued_contents,
)
from billing_pipeline.periods import BillingPeriod

Row = Mapping[str, Any]

# What a document gets with its approval.
_APPROVAL = ("invoice_number", "issued_on", "opened_at", "content_sha256")
_ENDING: Mapping[str, tuple[str, ...]] = {CLOSED: ("closed_at", "paid_on"), VOID: ("void_reason",)}
_PARTS = (invoice_lines, credit_uses)


@dataclass(frozen=True)
class PastLedger:
    """Rows of the ledger's tables, as of an instant.

    Attributes:
        documents: rows of `invoices` with the status of then.
        parts: rows of the tables that belong to documents, by table name.
        acceptances: rows of `accepted_differences`.
        months: rows of `events` that say which months were drafted for all customers.
        lost: ids of drafts of other months that stood then and are not known any more.
    """

    documents: Sequence[Row] = ()
    parts: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    acceptances: Sequence[Row] = ()
    months: Sequence[Row] = ()
    lost: tuple[str, ...] = ()


def ledger_as_of(connection: Connection, as_of: datetime, period: BillingPeriod) -> PastLedger:
    """Read what a ledger held at an instant of documents that the drafts of a period reckon with.

    Args:
        period: the period to be drafted; its own documents are left out, except void ones.
    """
    statuses = _statuses(connection, as_of)
    rows = {row["invoice_id"]: dict(row) for row in connection.execute(select(invoices)).mappings()}
    documents = [
        {**row, "status": statuses[name]}
        for name, row in rows.items()
        if name in statuses
        and row["created_at"] <= as_of
        and (row["billing_period"] != period.text or statuses[name] == VOID)
    ]
    known = {row["invoice_id"] for row in documents}
    lost = [
        name
        for name, status in statuses.items()
        if status == DRAFT and name not in known and _period_of(name, rows) != period.text
    ]
    return PastLedger(
        documents=documents,
        parts={table.name: _rows_of(connection, table, known) for table in (*_PARTS, issued_contents)},
        acceptances=[
            dict(row)
            for row in connection.execute(
                select(accepted_differences).where(accepted_differences.c.at <= as_of)
            ).mappings()
        ],
        months=[
            {name: value for name, value in row.items() if name != "sequence"}
            for row in connection.execute(
                select(events).where(events.c.action == MONTH_DRAFTED, events.c.at <= as_of).order_by(events.c.sequence)
            ).mappings()
            if row["invoice_id"] != period.text
        ],
        lost=tuple(sorted(lost)),
    )


def write_past(connection: Connection, past: PastLedger) -> None:
    """Write the documents and acceptances of then into a ledger without documents.

    They go through the same states as they did: the ledger refuses anything else.
    """
    blank = dict.fromkeys((*_APPROVAL[:-1], *(name for names in _ENDING.values() for name in names)))
    _insert(connection, invoices, [{**row, **blank, "status": DRAFT} for row in past.documents])
    for table in _PARTS:
        _insert(connection, table, past.parts.get(table.name, ()))
    issued = [row for row in past.documents if row["status"] != DRAFT]
    _move(connection, OPEN, issued, _APPROVAL)
    numbers = {row["invoice_id"] for row in issued}
    contents = past.parts.get(issued_contents.name, ())
    _insert(connection, issued_contents, [row for row in contents if row["invoice_id"] in numbers])
    for status in sorted({row["status"] for row in issued} - {OPEN}):
        _move(connection, status, [row for row in issued if row["status"] == status], _ENDING.get(status, ()))
    _insert(connection, accepted_differences, past.acceptances)
    _insert(connection, events, past.months)


def _statuses(connection: Connection, as_of: datetime) -> dict[str, str]:
    """Return the status that every document had, by id; one that had been deleted has none."""
    columns = (events.c.invoice_id, events.c.to_status)
    rows = connection.execute(select(*columns).where(events.c.at <= as_of).order_by(events.c.sequence))
    found = {row.invoice_id: row.to_status for row in rows}
    return {name: status for name, status in found.items() if status is not None}


def _period_of(invoice_id: str, rows: Mapping[str, Row]) -> str:
    """Return a document's period; that of one which is gone stands at the beginning of its id."""
    return str(rows[invoice_id]["billing_period"]) if invoice_id in rows else invoice_id[: len("2026-10")]


def _rows_of(connection: Connection, table: Table, invoice_ids: set[str]) -> list[Row]:
    rows = connection.execute(select(table)).mappings()
    return [dict(row) for row in rows if row["invoice_id"] in invoice_ids]


def _insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    if rows:
        connection.execute(insert(table), [dict(row) for row in rows])


def _move(connection: Connection, status: str, rows: Sequence[Row], columns: Sequence[str]) -> None:
    if not rows:
        return
    names = ("status", *columns)
    statement = update(invoices).where(invoices.c.invoice_id == bindparam("name"))
    values = [
        {"name": row["invoice_id"], **{f"new_{name}": row[name] for name in columns}, "new_status": status}
        for row in rows
    ]
    connection.execute(statement.values({name: bindparam(f"new_{name}") for name in names}), values)
