"""Documents that stand while a month is drafted: what has been billed, and which months are locked by it.

What does not belong here: what they billed, charge by charge (`resources.billed_charges`), what has become of it
(`resources.adjustments`).
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, RowMapping, Select, and_, delete, or_, select

from billing_pipeline.adjustments import SupportBilled
from billing_pipeline.exchange import AppliedRate
from billing_pipeline.fees import SUPPORT_GROUP
from billing_pipeline.ledger.life import DRAFT, VOID
from billing_pipeline.ledger.parts import rates_of
from billing_pipeline.ledger.tables import events, invoice_errors, invoice_lines, invoices
from billing_pipeline.periods import BillingPeriod

# The event, under the month's own name, of the first run of drafts for all customers.
MONTH_DRAFTED: Final = "month drafted"


@dataclass(frozen=True)
class StandingDocument:
    """An invoice that counts as billed.

    Attributes:
        invoice_number: None on a draft.
        charges_sha256: snapshot of the charges behind it; None without charges.
        options: those of its run.
        support_plans: ids of the plans it has a fee of.
        support_adjustments: support fees of other months on it.
        rates: those that charges of its own month were converted with.
        custom_charges: ids of custom charges on it, each with the month it is for.
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
    custom_charges: frozenset[tuple[str, str]] = frozenset()

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
        invoices.c.status.not_in((DRAFT, VOID)),
        and_(invoices.c.status == DRAFT, invoices.c.billing_period < period.text),
    )
    names = ("invoice_id", "invoice_number", "customer_id", "billing_period", "status", "currency", "charges_sha256")
    columns = [invoices.c[name] for name in (*names, "options", "exchange_rates")]
    heads = connection.execute(
        select(*columns).where(is_standing, invoices.c.document_type == "invoice").order_by(invoices.c.invoice_id)
    ).mappings()
    by_id = {head["invoice_id"]: head for head in heads}
    lines: dict[str, list[Row[Any]]] = {}
    for line in connection.execute(_lines_beside_charges()):
        lines.setdefault(line.invoice_id, []).append(line)
    converted: dict[str, set[str]] = {}
    for invoice_id, currency in connection.execute(_own_currencies()):
        converted.setdefault(invoice_id, set()).add(currency)
    return tuple(
        StandingDocument(
            **{name: head[name] for name in names},
            options=tuple(head["options"]),
            rates=_own_rates(rates_of(head["exchange_rates"]), converted.get(invoice_id, set())),
            **_fees(head, lines.get(invoice_id, ())),
        )
        for invoice_id, head in by_id.items()
    )


def months_drafted_for_all(connection: Connection) -> frozenset[str]:
    """Return the billing periods, `YYYY-MM`, that a run of drafts for all customers has made documents of."""
    rows = connection.execute(select(events.c.invoice_id).where(events.c.action == MONTH_DRAFTED).distinct())
    return frozenset(rows.scalars())


def customers_refused(connection: Connection) -> frozenset[tuple[str, str]]:
    """Return customers, each with a billing period, whom the last run of that period gave no draft."""
    columns = (invoice_errors.c.customer_id, invoice_errors.c.billing_period)
    rows = connection.execute(select(*columns).where(invoice_errors.c.kind != "already_invoiced").distinct())
    return frozenset((row.customer_id, row.billing_period) for row in rows)


def _lines_beside_charges() -> Select[Any]:
    """Select the lines that are fees: of support plans, also those that adjust another month, and custom charges."""
    names = ("invoice_id", "product_id", "line_kind", "service_period", "amount_precise", "line_number")
    is_adjustment = and_(
        invoice_lines.c.line_kind == "adjustment",
        invoice_lines.c.charge_count == 0,
        invoice_lines.c.product_type == SUPPORT_GROUP,
    )
    lines = select(*(invoice_lines.c[name] for name in names))
    return lines.where(or_(invoice_lines.c.line_kind.in_(("support", "custom")), is_adjustment)).order_by(
        invoice_lines.c.invoice_id, invoice_lines.c.line_number
    )


def _own_currencies() -> Select[Any]:
    """Select the currencies, by document, that charges of its own month were in."""
    columns = (invoice_lines.c.invoice_id, invoice_lines.c.charged_currency)
    is_own = invoice_lines.c.service_period.is_(None)
    return select(*columns).where(invoice_lines.c.charged_currency.is_not(None), is_own).distinct()


def _own_rates(rates: Sequence[AppliedRate], currencies: Set[str]) -> tuple[AppliedRate, ...]:
    """Return, of a document's rates, the one of each currency of its own month.

    A document lists the rates of its own month before those of adjusted ones.
    """
    own: dict[str, AppliedRate] = {}
    for rate in rates:
        own.setdefault(rate.quote_currency if rate.is_inverse else rate.base_currency, rate)
    return tuple(rate for currency, rate in own.items() if currency in currencies)


def _fees(head: RowMapping, lines: Sequence[Row[Any]]) -> dict[str, Any]:
    reference = head["invoice_number"] or head["invoice_id"]
    return {
        "support_plans": frozenset(line.product_id for line in lines if line.line_kind == "support"),
        "support_adjustments": tuple(
            SupportBilled(line.product_id, line.service_period, line.amount_precise, head["currency"], reference)
            for line in lines
            if line.line_kind == "adjustment"
        ),
        "custom_charges": frozenset(
            (line.product_id, line.service_period or head["billing_period"])
            for line in lines
            if line.line_kind == "custom"
        ),
    }


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
            invoices.c.status == DRAFT,
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
