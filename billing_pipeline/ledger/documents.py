"""Documents as they are in the ledger: the list, and each one whole.

What does not belong here: changing them (`ledger.operations`), how they look (`documents`).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, select, true

from billing_pipeline.credits import CreditUse
from billing_pipeline.errors import BillingError
from billing_pipeline.invoicing import Invoice, InvoiceError, InvoiceLine, Party
from billing_pipeline.ledger.parts import rates_of, taxes_of
from billing_pipeline.ledger.tables import credit_uses, invoice_errors, invoice_lines, invoices


class InvoiceNotFound(BillingError):
    """No document has this id."""


@dataclass(frozen=True)
class InvoiceSummary:
    """A document without its lines. Amounts in `currency`; instants in UTC."""

    invoice_id: str
    invoice_number: str | None
    status: str
    customer_id: str
    customer_name: str
    billing_period: str
    currency: str
    subtotal: Decimal
    tax_total: Decimal
    credits_applied: Decimal
    total: Decimal
    due_date: date | None
    created_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    content_sha256: str
    document_type: str
    issued_on: date | None
    paid_on: date | None
    void_reason: str | None


def list_invoices(
    connection: Connection, period: str | None = None, customer: str | None = None, status: str | None = None
) -> tuple[InvoiceSummary, ...]:
    """List documents, sorted by billing period, customer and currency; None means any.

    Args:
        period: billing period `YYYY-MM`.
        customer: customer id.
        status: `draft`, `open`, ...
    """
    names = [name for name in InvoiceSummary.__dataclass_fields__ if name != "customer_name"]
    columns = [invoices.c[name] for name in names]
    rows = connection.execute(select(*columns, invoices.c.customer).where(_chosen(period, customer, status, None)))
    found = [
        InvoiceSummary(**{name: row[name] for name in names}, customer_name=row["customer"]["name"])
        for row in rows.mappings()
    ]
    return tuple(sorted(found, key=lambda head: (head.billing_period, head.customer_id, head.currency)))


def list_errors(connection: Connection, period: str) -> tuple[InvoiceError, ...]:
    """List why customers of a billing period have no document, by customer, in the order found.

    Args:
        period: billing period `YYYY-MM`.
    """
    order = (invoice_errors.c.customer_id, invoice_errors.c.position)
    rows = connection.execute(select(invoice_errors).where(invoice_errors.c.billing_period == period).order_by(*order))
    return tuple(InvoiceError(row.customer_id, row.billing_period, row.reason, row.kind) for row in rows)


def snapshot_of(connection: Connection, invoice_id: str) -> tuple[str, str] | None:
    """Return billing period and name of the snapshot of the charges behind a document; None if it has no charges.

    Raises:
        InvoiceNotFound: there is no document of this id.
    """
    columns = (invoices.c.billing_period, invoices.c.charges_sha256)
    found = connection.execute(select(*columns).where(invoices.c.invoice_id == invoice_id)).one_or_none()
    if found is None:
        raise InvoiceNotFound(f"there is no invoice {invoice_id!r}; `billing invoices list` shows all")
    return None if found.charges_sha256 is None else (found.billing_period, found.charges_sha256)


def list_snapshots(connection: Connection) -> frozenset[tuple[str, str]]:
    """Return billing period and name of every snapshot that a document refers to."""
    columns = (invoices.c.billing_period, invoices.c.charges_sha256)
    rows = connection.execute(select(*columns).distinct().where(invoices.c.charges_sha256.is_not(None)))
    return frozenset((row.billing_period, row.charges_sha256) for row in rows)


def snapshots_of_period(connection: Connection, period: str) -> dict[str, tuple[str, str]]:
    """Return billing period and name of the snapshot of charges of each document of a month that has one, by its id.

    Args:
        period: billing period `YYYY-MM`.
    """
    columns = (invoices.c.invoice_id, invoices.c.billing_period, invoices.c.charges_sha256)
    has_charges = and_(invoices.c.billing_period == period, invoices.c.charges_sha256.is_not(None))
    return {row[0]: (row[1], row[2]) for row in connection.execute(select(*columns).where(has_charges))}


def load_invoice(connection: Connection, invoice_id: str) -> Invoice:
    """Read one document with all its lines.

    Raises:
        InvoiceNotFound: there is none of this id.
    """
    found = load_invoices(connection, invoice_ids=(invoice_id,))
    if not found:
        raise InvoiceNotFound(f"there is no invoice {invoice_id!r}; `billing invoices list` shows all")
    return found[0]


def load_invoices(
    connection: Connection,
    period: str | None = None,
    customer: str | None = None,
    status: str | None = None,
    invoice_ids: Sequence[str] | None = None,
) -> tuple[Invoice, ...]:
    """Read documents with all their lines, in three queries however many they are.

    Args:
        period: billing period `YYYY-MM`; None, here and below, means any.
        customer: customer id.
        status: `draft`, `open`, ...
        invoice_ids: ids of the documents.

    Returns:
        The documents, sorted by id.
    """
    chosen = _chosen(period, customer, status, invoice_ids)
    lines: dict[str, list[InvoiceLine]] = defaultdict(list)
    for row in connection.execute(_of_invoices(invoice_lines, chosen)).mappings():
        fields = dict(row)
        lines[fields.pop("invoice_id")].append(InvoiceLine(**fields))
    uses: dict[str, list[CreditUse]] = defaultdict(list)
    for row in connection.execute(_of_invoices(credit_uses, chosen).order_by(credit_uses.c.position)).mappings():
        fields = dict(row)
        del fields["position"]
        uses[fields.pop("invoice_id")].append(CreditUse(**fields))
    heads = connection.execute(select(invoices).where(chosen)).all()
    heads = sorted(heads, key=lambda head: head.invoice_id)
    return tuple(_invoice(head, lines[head.invoice_id], uses[head.invoice_id]) for head in heads)


def _invoice(head: Row[Any], lines: Iterable[InvoiceLine], uses: Iterable[CreditUse]) -> Invoice:
    return Invoice(
        invoice_id=head.invoice_id,
        invoice_number=head.invoice_number,
        status=head.status,
        customer=Party(**head.customer),
        organisation=Party(**head.organisation),
        billing_period=head.billing_period,
        currency=head.currency,
        lines=tuple(sorted(lines, key=lambda line: line.line_number)),
        subtotal=head.subtotal,
        tax_total=head.tax_total,
        credits_applied=head.credits_applied,
        total=head.total,
        due_date=head.due_date,
        options=tuple(head.options),
        notes=tuple(head.notes),
        taxes=taxes_of(head.taxes),
        credits=tuple(uses),
        exchange_rates=rates_of(head.exchange_rates),
        document_type=head.document_type,
        corrects=head.corrects,
        issued_on=head.issued_on,
    )


def _chosen(
    period: str | None, customer: str | None, status: str | None, invoice_ids: Sequence[str] | None
) -> ColumnElement[bool]:
    wanted = {"billing_period": period, "customer_id": customer, "status": status}
    conditions = [invoices.c[name] == value for name, value in wanted.items() if value is not None]
    if invoice_ids is not None:
        conditions.append(invoices.c.invoice_id.in_(invoice_ids))
    return and_(true(), *conditions)


def _of_invoices(table: Table, chosen: ColumnElement[bool]) -> Select[Any]:
    return select(table).join(invoices, table.c.invoice_id == invoices.c.invoice_id).where(chosen)
