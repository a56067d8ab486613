"""Documents that stand while a month is drafted: what has been billed, and which months are locked by it.

What does not belong here: what they billed, charge by charge (`resources.billed_charges`), what has become of it
(`resources.adjustments`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, or_, select

from billing_pipeline.adjustments import SupportBilled
from billing_pipeline.exchange import AppliedRate
from billing_pipeline.fees import SUPPORT_GROUP
from billing_pipeline.ledger.parts import rates_of
from billing_pipeline.ledger.tables import invoice_lines, invoices
from billing_pipeline.periods import BillingPeriod

_DRAFT, _VOID = "draft", "void"


@dataclass(frozen=True)
class StandingDocument:
    """An invoice that counts as billed.

    Attributes:
        invoice_number: None on a draft.
        charges_sha256: snapshot of the charges behind it; None without charges.
        options: those of its run.
        support_plans: ids of the plans it has a fee of.
        support_adjustments: support fees of other months on it.
    """

    invoice_id: str
    invoice_number: str | None
    customer_id: str
    billing_period: str
    status: str
    currency: str
    charges_sha256: str | None
    options: tuple[str, ...]
    rates: tuple[AppliedRate, ...]
    support_plans: frozenset[str]
    support_adjustments: tuple[SupportBilled, ...]

    @property
    def reference(self) -> str:
        """The number, or the id while there is none."""
        return self.invoice_number or self.invoice_id


def standing_documents(connection: Connection, period: BillingPeriod) -> tuple[StandingDocument, ...]:
    """Return the invoices that count as billed when a period is drafted, sorted by id.

    Issued ones of any period, void ones excepted, and drafts of earlier periods: a draft locks its month too. Drafts of
    the period itself and of later ones are made anew after this. Credit notes bill no charge.
    """
    is_standing = or_(
        invoices.c.status.not_in((_DRAFT, _VOID)),
        and_(invoices.c.status == _DRAFT, invoices.c.billing_period < period.text),
    )
    names = ("invoice_id", "invoice_number", "customer_id", "billing_period", "status", "currency", "charges_sha256")
    columns = [invoices.c[name] for name in (*names, "options", "exchange_rates")]
    heads = connection.execute(
        select(*columns).where(is_standing, invoices.c.document_type == "invoice").order_by(invoices.c.invoice_id)
    ).mappings()
    plans: dict[str, set[str]] = {}
    adjusted: dict[str, list[SupportBilled]] = {}
    by_id = {head["invoice_id"]: head for head in heads}
    for line in connection.execute(_support_lines()):
        if line.invoice_id not in by_id:
            continue
        if line.line_kind == "support":
            plans.setdefault(line.invoice_id, set()).add(line.product_id)
        else:
            head = by_id[line.invoice_id]
            reference = head["invoice_number"] or head["invoice_id"]
            billed = SupportBilled(
                line.product_id,
                line.service_period,
                line.amount_precise,
                head["currency"],
                reference,
            )
            adjusted.setdefault(line.invoice_id, []).append(billed)
    return tuple(
        StandingDocument(
            **{name: head[name] for name in names},
            options=tuple(head["options"]),
            rates=rates_of(head["exchange_rates"]),
            support_plans=frozenset(plans.get(invoice_id, ())),
            support_adjustments=tuple(adjusted.get(invoice_id, ())),
        )
        for invoice_id, head in by_id.items()
    )


def _support_lines() -> Select[Any]:
    """Select fees of support plans: those of a document's own month, and those that adjust another month."""
    names = ("invoice_id", "product_id", "line_kind", "service_period", "amount_precise", "line_number")
    is_adjustment = and_(
        invoice_lines.c.line_kind == "adjustment",
        invoice_lines.c.charge_count == 0,
        invoice_lines.c.product_type == SUPPORT_GROUP,
    )
    lines = select(*(invoice_lines.c[name] for name in names))
    return lines.where(or_(invoice_lines.c.line_kind == "support", is_adjustment)).order_by(
        invoice_lines.c.invoice_id, invoice_lines.c.line_number
    )


def remove_outdated_drafts(
    connection: Connection, period: BillingPeriod, customers: Sequence[str]
) -> Mapping[str, BillingPeriod]:
    """Remove drafts of later periods that adjust what has just been drafted anew; they must be drafted again.

    A later draft was made when this period's document was another: approved beside the new one, it could bill a charge
    twice.

    Args:
        customers: those whose drafts of `period` are new, changed or gone.

    Returns:
        Ids of the drafts removed, with their periods.
    """
    wanted = (
        select(invoices.c.invoice_id, invoices.c.billing_period, invoices.c.customer_id)
        .join_from(invoices, invoice_lines)
        .where(
            invoices.c.status == _DRAFT,
            invoices.c.document_type == "invoice",
            invoices.c.billing_period > period.text,
            invoice_lines.c.service_period <= period.text,
        )
        .distinct()
    )
    changed = set(customers)
    found = {row.invoice_id: row for row in connection.execute(wanted) if row.customer_id in changed}
    for invoice_id in found:
        connection.execute(delete(invoices).where(invoices.c.invoice_id == invoice_id))
    return {name: BillingPeriod(row.billing_period) for name, row in sorted(found.items())}
