"""What has become of locked months: the differences between what is charged now and what documents have billed.

Reads the ledger's standing documents, their snapshots and the months' current deliveries; leaves `adjustment_items` in
the session. What does not belong here: how the differences come about (`sql/invoicing/adjustment_items.sql`), the
drafts they go on (`billing_pipeline.drafting`).
"""

import logging
from collections.abc import Sequence
from decimal import Decimal

import duckdb

from billing_pipeline.adjustments import (
    Adjustments,
    Base,
    CustomerMonth,
    Generated,
    LockedMonth,
    Standing,
    SupportBilled,
)
from billing_pipeline.invoicing import InvoiceError
from billing_pipeline.ledger.standing import StandingDocument
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.queries import load_sql, one_thread
from resources.lake import Lake
from resources.locked_months import lock_without_document, name_documents, name_slots

_LOG = logging.getLogger("billing.adjustments")


def find_adjustments(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    documents: Sequence[StandingDocument],
    period: BillingPeriod,
    scope: tuple[str, ...] | None,
    include_not_final: bool,
    generated: Generated,
) -> Adjustments:
    """Find what locked months add to the drafts of a period, and name its charges `adjustment_items`.

    What a vendor still estimates, or what nothing explains yet, waits for a later draft, and is said.

    Args:
        connection: session in which `read_month` has named the relations of the locked months, with `draft_options`.
        lake: where the snapshots are.
        documents: those that count as billed (`standing_documents`).
        scope: customers that are drafted; None for all.
        include_not_final: whether an operator overrides that deliveries are estimates.
        generated: months whose invoices have been made for all customers.
    """
    name_documents(connection, lake, documents, period)
    name_slots(connection, include_not_final)
    lock_without_document(connection, period, generated)
    connection.execute(
        "create or replace temp view month_owners as select period_items.* from period_items"
        " semi join usable_slots using (source, billing_account_id, billing_period);"
        # Fees that the month's document left out on purpose stay out.
        "create or replace temp view billable_items as select month_owners.* from month_owners left join locked_months"
        " using (customer_id, billing_period) where month_owners.customer_id is not null"
        " and (month_owners.bucket <> 'marketplace_fee' or coalesce(locked_months.has_fees, false))"
    )
    connection.execute(f"create or replace temp view month_items as {load_sql('invoicing/drafted_items')}")
    for name in ("touched_slots", "billed_identities", "current_identities"):
        connection.execute(f"create or replace temp table {name} as {load_sql(f'invoicing/{name}')}")
    items = f"select * from ({load_sql('invoicing/adjustment_items')}) order by all"
    # One thread keeps the order of the rows, and so the bytes of the snapshot they go into.
    with one_thread(connection):
        connection.execute(f"create or replace temp table adjustment_items as {items}", {"period": period.text})
    if scope is not None:
        connection.execute(
            "delete from adjustment_items where not list_contains($scope, customer_id)", {"scope": list(scope)}
        )
    _say_what_waits(connection, scope)
    lines = connection.sql(load_sql("invoicing/adjustment_lines")).pl().to_dicts()
    return Adjustments(
        lines=lines,
        months=_months(connection, documents),
        blocked=_blocked(connection, period, scope),
        support_billed=_support_billed(documents, period),
        standing=_standing(documents, period),
        generated=generated,
    )


def _standing(documents: Sequence[StandingDocument], period: BillingPeriod) -> dict[str, Standing]:
    """Return by customer the earlier months with an issued document, and the custom charges that are billed."""
    found: dict[str, Standing] = {}
    for one in documents:
        before = found.get(one.customer_id, Standing())
        references = before.references
        # The month of a draft can still be drafted anew, and takes them up itself.
        if one.billing_period < period.text and one.status != "draft":
            references = {**references, one.billing_period: one.reference}
        found[one.customer_id] = Standing(references, before.custom_charges | one.custom_charges)
    return found


def _say_what_waits(connection: duckdb.DuckDBPyConnection, scope: tuple[str, ...] | None) -> None:
    waits = connection.execute("select count(*) from waiting_slots").fetchone()
    waiting = connection.execute(
        "select distinct waiting_slots.source, waiting_slots.billing_account_id, waiting_slots.billing_period, reason,"
        " from waiting_slots"
        " inner join billed_of_documents as billed using (source, billing_account_id, billing_period)"
        " inner join current_slots using (source, billing_account_id, billing_period)"
        " where current_slots.delivery_id <> billed.delivery_id order by all"
        # Not to read months of charges for nothing.
        if waits and waits[0]
        else "select null, null, null, null where false"
    ).fetchall()
    for source, account, month, reason in waiting:
        _LOG.warning("adjustments of %s %s for %s wait: %s", source, account, month, reason)
    unbilled = connection.execute(
        "select touched_slots.customer_id, touched_slots.billing_period, sum(current_count) from touched_slots"
        " anti join locked_months using (customer_id, billing_period)"
        " where current_count > 0 and touched_slots.billing_period in"
        " (select billing_period from locked_months where is_issued)"
        " and ($scope is null or list_contains($scope, touched_slots.customer_id)) group by all order by all",
        {"scope": None if scope is None else list(scope)},
    ).fetchall()
    for customer, month, count in unbilled:
        _LOG.warning(
            "customer %s: %s charge(s) of %s stand on no document, and others have theirs: draft that month for the"
            " customer (billing invoices draft --month %s --customer %s)",
            customer, count, month, month, customer,
        )  # fmt: skip


def _months(
    connection: duckdb.DuckDBPyConnection, documents: Sequence[StandingDocument]
) -> dict[CustomerMonth, LockedMonth]:
    """Return the locked months that have adjustments, with what support plans are taken of."""
    sums = {}
    # All that was billed of the month, also what waits: a plan with tiers or bounds takes its fee of the whole.
    for name, relation in (("billed", "billed_of_documents"), ("changed", "adjustment_items")):
        found = connection.execute(
            "select customer_id, billing_period, currency, sum(amount_precise), sum(total_cost)"
            f" from {relation} as charges where (customer_id, billing_period) in"
            " (select (customer_id, billing_period) from adjustment_items)"
            " and charge_nature <> 'marketplace_fee' group by all"
        ).fetchall()
        bases: dict[CustomerMonth, dict[str, Base]] = {}
        for customer, month, currency, price, cost in found:
            bases.setdefault((customer, month), {})[currency] = (Decimal(price), Decimal(cost))
        sums[name] = bases
    touched = connection.execute("select distinct customer_id, billing_period from adjustment_items").fetchall()
    wanted = {(customer, month) for customer, month in touched}
    by_key = {(one.customer_id, one.billing_period): one for one in documents}
    months = {}
    for key in sorted(wanted):
        document = by_key.get(key)
        if document is None:
            months[key] = LockedMonth(BillingPeriod(key[1]), reference=None, currency=None)
            continue
        months[key] = LockedMonth(
            period=BillingPeriod(document.billing_period),
            reference=document.reference,
            currency=document.currency,
            rates=document.rates,
            support_plans=document.support_plans,
            billed=sums["billed"].get(key, {}),
            changed=sums["changed"].get(key, {}),
        )
    return months


def _blocked(
    connection: duckdb.DuckDBPyConnection, period: BillingPeriod, scope: tuple[str, ...] | None
) -> dict[str, tuple[InvoiceError, ...]]:
    """Return the customers with charges of locked months that have no price."""
    found = connection.execute(
        "select customer_id, billing_period, source, coalesce(product_name, product_id, 'a product without name'),"
        " count(*) from month_owners semi join locked_months using (customer_id, billing_period)"
        " where bucket = 'unpriced' and ($scope is null or list_contains($scope, customer_id))"
        " group by all order by all",
        {"scope": None if scope is None else list(scope)},
    ).fetchall()
    blocked: dict[str, tuple[InvoiceError, ...]] = {}
    for customer, month, source, product, count in found:
        reason = (
            f"{count} charge(s) of {product} from {source} came after {month} was invoiced and have no price:"
            " add a pricing rule, then run the day they arrived again"
        )
        error = InvoiceError(customer, period.text, reason, "unpriced")
        blocked[customer] = (*blocked.get(customer, ()), error)
    return blocked


def _support_billed(
    documents: Sequence[StandingDocument], period: BillingPeriod
) -> dict[str, tuple[SupportBilled, ...]]:
    """Return support fees of the drafted period that documents of other periods have billed, by customer."""
    found: dict[str, tuple[SupportBilled, ...]] = {}
    for document in documents:
        own = tuple(one for one in document.support_adjustments if one.period == period.text)
        if own:
            found[document.customer_id] = (*found.get(document.customer_id, ()), *own)
    return found
