"""What can be done with documents: replace the drafts of a period.

Every operation works in the transaction of the connection it is given; the caller opens and commits it, and
says when and who. What does not belong here: making drafts (`invoicing`), reading documents
(`ledger.documents`), the database's address (`resources.ledger`).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, insert, select

from billing_pipeline.invoicing import Drafted, Invoice, InvoiceError, InvoiceLine
from billing_pipeline.ledger.content import content_sha256
from billing_pipeline.ledger.tables import events, invoice_errors, invoice_line_charges, invoice_lines, invoices
from billing_pipeline.periods import BillingPeriod

DRAFT = "draft"

# Bounds the memory of a write; a document has some 20 lines.
DOCUMENTS_AT_ONCE = 200
LINE_COLUMNS = tuple(column.name for column in invoice_lines.columns)

# invoice id, action, status before, status after
Happened = tuple[str, str, str | None, str | None]


@dataclass(frozen=True)
class ReplaceResult:
    """What became of the documents of a period; invoice ids, sorted.

    Attributes:
        created: drafts that are new.
        replaced: drafts whose content changed.
        unchanged: drafts whose content is what it was; nothing was written.
        kept: documents of the customers in scope that are no draft; none was touched.
        removed: drafts that are no longer produced.
        errors: why customers in scope have no draft, as recorded.
    """

    created: tuple[str, ...]
    replaced: tuple[str, ...]
    unchanged: tuple[str, ...]
    kept: tuple[str, ...]
    removed: tuple[str, ...]
    errors: tuple[InvoiceError, ...]


def replace_drafts(
    connection: Connection, period: BillingPeriod, drafted: Drafted, at: datetime, who: str
) -> ReplaceResult:
    """Put the drafts of a period in the place of those that are there.

    A customer with a document of the period that is no draft, whatever its currency, gets no new draft but the
    error `already invoiced`. Repeating a call with equal drafts writes nothing.

    Args:
        connection: a transaction that may write; nothing of this is visible before the caller commits.
        drafted: drafts and errors of `period`; customers outside its scope are left alone.
        at: the instant recorded as the drafts' creation and as the events' time.
        who: the user or job recorded in the events.

    Returns:
        Which drafts were created, replaced, unchanged or removed, and which documents stood in the way.

    Raises:
        ValueError: a draft or error belongs to another period or to a customer out of scope.
    """
    _check_scope(period, drafted)
    present = _documents_in_scope(connection, period, drafted.scope)
    numbers = {row.customer_id: row.invoice_number for row in present if row.status != DRAFT}
    old = {row.invoice_id: row for row in present if row.status == DRAFT}
    new = {invoice.invoice_id: invoice for invoice in drafted.invoices if invoice.customer.id not in numbers}
    hashes = {invoice_id: content_sha256(invoice) for invoice_id, invoice in new.items()}
    created = new.keys() - old.keys()
    replaced = {name for name in new.keys() & old.keys() if old[name].content_sha256 != hashes[name]}
    removed = old.keys() - new.keys()
    errors = _all_errors(drafted, numbers)
    _delete(connection, sorted(removed | replaced))
    _insert(connection, [new[name] for name in sorted(created | replaced)], hashes, at)
    _replace_errors(connection, period, drafted.scope, errors)
    happened: list[Happened] = [(name, "drafted", None, DRAFT) for name in created]
    happened += [(name, "redrafted", DRAFT, DRAFT) for name in replaced]
    happened += [(name, "removed", DRAFT, None) for name in removed]
    _record(connection, sorted(happened, key=lambda event: event[0]), at, who)
    return ReplaceResult(
        created=tuple(sorted(created)),
        replaced=tuple(sorted(replaced)),
        unchanged=tuple(sorted(new.keys() - created - replaced)),
        kept=tuple(sorted(row.invoice_id for row in present if row.status != DRAFT)),
        removed=tuple(sorted(removed)),
        errors=errors,
    )


def _check_scope(period: BillingPeriod, drafted: Drafted) -> None:
    facts = [(invoice.billing_period, invoice.customer.id) for invoice in drafted.invoices]
    facts += [(error.billing_period, error.customer_id) for error in drafted.errors]
    for billing_period, customer_id in facts:
        if billing_period != period.text:
            raise ValueError(f"customer {customer_id}: made for {billing_period}, not for {period}")
        if drafted.scope is not None and customer_id not in drafted.scope:
            raise ValueError(f"customer {customer_id} is out of the run's scope")


def _documents_in_scope(
    connection: Connection, period: BillingPeriod, scope: tuple[str, ...] | None
) -> list[Row[tuple[str, str, str, str | None, str]]]:
    columns = (invoices.c[name] for name in ("invoice_id", "customer_id", "status", "invoice_number", "content_sha256"))
    rows = connection.execute(select(*columns).where(invoices.c.billing_period == period.text))
    return [row for row in rows if scope is None or row.customer_id in scope]


def _all_errors(drafted: Drafted, numbers: dict[str, str]) -> tuple[InvoiceError, ...]:
    twice = [invoice for invoice in drafted.invoices if invoice.customer.id in numbers]
    already = [
        InvoiceError(
            customer_id=invoice.customer.id,
            billing_period=invoice.billing_period,
            reason=f"already invoiced: {numbers[invoice.customer.id]}",
            kind="already_invoiced",
        )
        for invoice in twice
    ]
    return tuple(sorted((*drafted.errors, *already), key=lambda error: error.customer_id))


def _delete(connection: Connection, invoice_ids: Sequence[str]) -> None:
    if invoice_ids:
        statement = delete(invoices).where(invoices.c.invoice_id == bindparam("doomed"))
        connection.execute(statement, [{"doomed": invoice_id} for invoice_id in invoice_ids])


def _insert(connection: Connection, drafts: Sequence[Invoice], hashes: dict[str, str], at: datetime) -> None:
    for start in range(0, len(drafts), DOCUMENTS_AT_ONCE):
        some = drafts[start : start + DOCUMENTS_AT_ONCE]
        connection.execute(insert(invoices), [_head(draft, hashes[draft.invoice_id], at) for draft in some])
        lines = [(draft.invoice_id, line) for draft in some for line in draft.lines]
        if lines:
            rows = [{**vars(line), "invoice_id": invoice_id} for invoice_id, line in lines]
            connection.execute(insert(invoice_lines), [{name: row[name] for name in LINE_COLUMNS} for row in rows])
            _insert_charges(connection, lines)


def _insert_charges(connection: Connection, lines: Sequence[tuple[str, InvoiceLine]]) -> None:
    """Hand the rows to the driver as they are.

    A month has 660,000 of them, all text and whole numbers: SQLAlchemy's work on each row's parameters cost four
    times the CPU of the insert itself.
    """
    names = ("invoice_id", "line_number", "charge_id")
    rows = [(name, line.line_number, charge_id) for name, line in lines for charge_id in line.charge_ids]
    if rows:
        statement = insert(invoice_line_charges).compile(dialect=connection.dialect, column_keys=list(names))
        parameters: Any = rows if statement.positional else [dict(zip(names, row, strict=True)) for row in rows]
        connection.exec_driver_sql(str(statement), parameters)


def _head(draft: Invoice, sha256: str, at: datetime) -> dict[str, Any]:
    parts = {"lines": None, "customer": asdict(draft.customer), "organisation": asdict(draft.organisation)}
    head = {**vars(draft), **parts, "customer_id": draft.customer.id, "created_at": at, "content_sha256": sha256}
    del head["lines"]
    return head


def _replace_errors(
    connection: Connection, period: BillingPeriod, scope: tuple[str, ...] | None, errors: Sequence[InvoiceError]
) -> None:
    """Write only what differs, so that a repeated run leaves the bytes of the database alone."""
    keys = (invoice_errors.c.customer_id, invoice_errors.c.position)
    rows = connection.execute(
        select(*keys, invoice_errors.c.kind, invoice_errors.c.reason).where(
            invoice_errors.c.billing_period == period.text
        )
    )
    old = {tuple(row) for row in rows if scope is None or row.customer_id in scope}
    new = {
        (customer_id, position, error.kind, error.reason)
        for customer_id, own in groupby(errors, key=lambda error: error.customer_id)
        for position, error in enumerate(own, 1)
    }
    gone = [{"customer": row[0], "place": row[1]} for row in sorted(old - new)]
    if gone:
        here = invoice_errors.c.billing_period == period.text
        match = and_(here, keys[0] == bindparam("customer"), keys[1] == bindparam("place"))
        connection.execute(delete(invoice_errors).where(match), gone)
    names = ("customer_id", "position", "kind", "reason")
    added = [{"billing_period": period.text, **dict(zip(names, row, strict=True))} for row in sorted(new - old)]
    if added:
        connection.execute(insert(invoice_errors), added)


def _record(connection: Connection, happened: Sequence[Happened], at: datetime, who: str) -> None:
    rows = [
        {"invoice_id": name, "at": at, "who": who, "action": action, "from_status": source, "to_status": target}
        for name, action, source, target in happened
    ]
    if rows:
        connection.execute(insert(events), rows)
