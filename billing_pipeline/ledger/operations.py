"""Replacing the drafts of a period.

It works in the transaction of the connection it is given; the caller opens and commits it, and says when and who. What
does not belong here: making drafts (`drafting`), what happens to a draft afterwards (`ledger.life`), reading documents
(`ledger.documents`), the database's address (`resources.ledger`).
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import count, groupby
from typing import Any, Protocol

from sqlalchemy import Connection, Row, and_, bindparam, delete, insert, select, update

from billing_pipeline.invoicing import Drafted, Invoice, InvoiceError
from billing_pipeline.ledger.content import content_sha256
from billing_pipeline.ledger.events import Happened, record_events
from billing_pipeline.ledger.locks import DRAFTS, take_turn
from billing_pipeline.ledger.parts import to_json
from billing_pipeline.ledger.standing import MONTH_DRAFTED, months_drafted_for_all, remove_outdated_drafts
from billing_pipeline.ledger.tables import credit_uses, invoice_errors, invoice_lines, invoices
from billing_pipeline.periods import BillingPeriod

DRAFT = "draft"
VOID = "void"

# Bounds the memory of a write; a document has some 20 lines.
DOCUMENTS_AT_ONCE = 200
LINE_COLUMNS = tuple(column.name for column in invoice_lines.columns)
CREDIT_COLUMNS = tuple(column.name for column in credit_uses.columns)
HEAD_COLUMNS = frozenset(column.name for column in invoices.columns)


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
        options_before: options of the drafts that were replaced by drafts with others.
        outdated: drafts of later periods that adjusted what is drafted anew here; they are gone, with their periods.
    """

    created: tuple[str, ...]
    replaced: tuple[str, ...]
    unchanged: tuple[str, ...]
    kept: tuple[str, ...]
    removed: tuple[str, ...]
    errors: tuple[InvoiceError, ...]
    options_before: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outdated: Mapping[str, BillingPeriod] = field(default_factory=dict)


class ChargeKeeper(Protocol):
    """Where the charges behind documents are kept, in snapshots that never change."""

    def keep(self, documents: Sequence[Invoice]) -> str | None:
        """Keep the charges behind documents that are about to be written; return the snapshot's name."""

    def has(self, name: str) -> bool:
        """Tell whether a snapshot is there."""


class NoCharges:
    """Keeps nothing, for documents without charges."""

    def keep(self, _documents: Sequence[Invoice]) -> None:
        """Do nothing."""

    def has(self, _name: str) -> bool:
        """Miss nothing."""
        return True


NO_CHARGES = NoCharges()


def replace_drafts(
    connection: Connection,
    period: BillingPeriod,
    drafted: Drafted,
    at: datetime,
    who: str,
    charges: ChargeKeeper = NO_CHARGES,
) -> ReplaceResult:
    """Put the drafts of a period in the place of those that are there.

    A customer with a document of the period that is no draft, whatever its currency, gets no new draft but the
    error `already invoiced`; a void document stands in nobody's way, but its id is taken: the draft after it is called
    `<id>-2`. Credit notes are left alone. Repeating a call with equal drafts writes nothing. Drafts of later periods
    that adjust this one are removed where this one's draft is another now: they must be drafted again.

    Args:
        connection: a transaction that may write; nothing of this is visible before the caller commits.
        drafted: drafts and errors of `period`; customers outside its scope are left alone.
        at: the instant recorded as the drafts' creation and as the events' time.
        who: the user or job recorded in the events.
        charges: keeps the charges of the drafts that are new or changed before they are written, so that what they
            refer to is on disk when the caller commits; also of those whose snapshot was lost.

    Returns:
        Which drafts were created, replaced, unchanged or removed, and which documents stood in the way.

    Raises:
        ValueError: a draft or error belongs to another period or to a customer out of scope.
    """
    _check_scope(period, drafted)
    take_turn(connection, DRAFTS)
    present = _documents_in_scope(connection, period, drafted.scope)
    numbers = {row.customer_id: row.invoice_number for row in present if row.status not in {DRAFT, VOID}}
    taken = {row.invoice_id for row in present if row.status == VOID}
    old = {row.invoice_id: row for row in present if row.status == DRAFT}
    free = (_with_free_id(invoice, taken) for invoice in drafted.invoices if invoice.customer.id not in numbers)
    new = {invoice.invoice_id: invoice for invoice in free}
    hashes = {invoice_id: content_sha256(invoice) for invoice_id, invoice in new.items()}
    created = new.keys() - old.keys()
    replaced = {name for name in new.keys() & old.keys() if old[name].content_sha256 != hashes[name]}
    removed = old.keys() - new.keys()
    errors = _all_errors(drafted, numbers)
    _delete(connection, sorted(removed | replaced))
    unchanged = new.keys() - created - replaced
    lost = {name for name in unchanged if old[name].charges_sha256 and not charges.has(old[name].charges_sha256)}
    without = [new[name] for name in sorted(created | replaced | lost)]
    kept = charges.keep(without) if without else None
    insert_drafts(connection, [new[name] for name in sorted(created | replaced)], hashes, at, kept)
    _refer(connection, sorted(lost), kept)
    _replace_errors(connection, period, drafted.scope, errors)
    actions: dict[str, tuple[str, str | None, str | None]] = dict.fromkeys(created, ("drafted", None, DRAFT))
    actions |= dict.fromkeys(replaced, ("redrafted", DRAFT, DRAFT))
    customers = {invoice.customer.id for name, invoice in new.items() if name in created | replaced}
    customers |= {old[name].customer_id for name in removed}
    outdated = remove_outdated_drafts(connection, period, sorted(customers))
    actions |= dict.fromkeys([*removed, *outdated], ("removed", DRAFT, None))
    happened = [Happened(name, *actions[name]) for name in sorted(actions)]
    if drafted.scope is None and new and period.text not in months_drafted_for_all(connection):
        happened.append(Happened(period.text, MONTH_DRAFTED, None, None))
    record_events(connection, happened, at, who)
    return ReplaceResult(
        created=tuple(sorted(created)),
        replaced=tuple(sorted(replaced)),
        unchanged=tuple(sorted(unchanged)),
        kept=tuple(sorted(row.invoice_id for row in present if row.status != DRAFT)),
        removed=tuple(sorted(removed)),
        errors=errors,
        options_before={
            name: tuple(old[name].options) for name in sorted(replaced) if tuple(old[name].options) != new[name].options
        },
        outdated=outdated,
    )


def _check_scope(period: BillingPeriod, drafted: Drafted) -> None:
    facts = [(invoice.billing_period, invoice.customer.id) for invoice in drafted.invoices]
    facts += [(error.billing_period, error.customer_id) for error in drafted.errors]
    for billing_period, customer_id in facts:
        if billing_period != period.text:
            raise ValueError(f"customer {customer_id}: made for {billing_period}, not for {period}")
        if drafted.scope is not None and customer_id not in drafted.scope:
            raise ValueError(f"customer {customer_id} is out of the run's scope")


def _documents_in_scope(connection: Connection, period: BillingPeriod, scope: tuple[str, ...] | None) -> list[Row[Any]]:
    names = ("invoice_id", "customer_id", "status", "invoice_number", "content_sha256", "charges_sha256", "options")
    columns = (invoices.c[name] for name in names)
    chosen = and_(invoices.c.billing_period == period.text, invoices.c.document_type == "invoice")
    # Locked, so that none is approved meanwhile; on SQLite the whole file is.
    rows = connection.execute(select(*columns).where(chosen).order_by(invoices.c.invoice_id).with_for_update())
    return [row for row in rows if scope is None or row.customer_id in scope]


def _with_free_id(invoice: Invoice, taken: Set[str]) -> Invoice:
    """Return a draft under its own id, or under the first free one after those of documents that are void."""
    if invoice.invoice_id not in taken:
        return invoice
    names = (f"{invoice.invoice_id}-{number}" for number in count(2))
    return replace(invoice, invoice_id=next(name for name in names if name not in taken))


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


def insert_drafts(
    connection: Connection, drafts: Sequence[Invoice], hashes: dict[str, str], at: datetime, charges_sha256: str | None
) -> None:
    """Write drafts whose ids are free.

    Args:
        hashes: the content hash of each, by id.
        at: their creation.
        charges_sha256: the snapshot of the charges behind them.
    """
    for start in range(0, len(drafts), DOCUMENTS_AT_ONCE):
        some = drafts[start : start + DOCUMENTS_AT_ONCE]
        connection.execute(
            insert(invoices), [_head(draft, hashes[draft.invoice_id], at, charges_sha256) for draft in some]
        )
        lines = [(draft.invoice_id, line) for draft in some for line in draft.lines]
        if lines:
            rows = [{**vars(line), "invoice_id": invoice_id} for invoice_id, line in lines]
            connection.execute(insert(invoice_lines), [{name: row[name] for name in LINE_COLUMNS} for row in rows])
        uses = [
            {**vars(use), "invoice_id": draft.invoice_id, "position": position}
            for draft in some
            for position, use in enumerate(draft.credits, 1)
        ]
        if uses:
            connection.execute(insert(credit_uses), [{name: row[name] for name in CREDIT_COLUMNS} for row in uses])


def _refer(connection: Connection, invoice_ids: Sequence[str], charges_sha256: str | None) -> None:
    if invoice_ids:
        statement = update(invoices).where(invoices.c.invoice_id == bindparam("name"))
        rows = [{"name": invoice_id} for invoice_id in invoice_ids]
        connection.execute(statement.values(charges_sha256=charges_sha256), rows)


def _head(draft: Invoice, sha256: str, at: datetime, charges_sha256: str | None) -> dict[str, Any]:
    parts = {
        "customer": asdict(draft.customer),
        "organisation": asdict(draft.organisation),
        "taxes": to_json(draft.taxes),
        "exchange_rates": to_json(draft.exchange_rates),
    }
    head = {**vars(draft), **parts, "customer_id": draft.customer.id, "created_at": at, "content_sha256": sha256}
    # A document without charges needs no snapshot, whatever the others of its run have.
    head["charges_sha256"] = charges_sha256 if any(line.charge_count for line in draft.lines) else None
    return {name: value for name, value in head.items() if name in HEAD_COLUMNS}


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
