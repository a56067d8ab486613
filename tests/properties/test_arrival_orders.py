"""The same deliveries end in the same amounts owed, in whatever order they arrive and whenever months are locked.

What is owed is worked out apart, from the newest version of each delivery: cost and markup, the rate of the month.
"""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_pipeline.exchange import RateTable
from billing_pipeline.invoicing import DraftOptions
from billing_pipeline.money import EXACT, minor_unit
from billing_pipeline.periods import BillingPeriod
from resources.session import duckdb_session
from tests.properties import drawn_deliveries
from tests.properties.billing_world import ACCOUNTS, CUSTOMERS, SINCE, World, first_terms
from tests.properties.conservation import Account, Money, billed, check_remainder, same
from tests.properties.drawn_deliveries import INVOICE_NUMBERS, MONTHS, SLOTS
from tests.properties.vendor_months import VENDORS, Delivery, current
from tests.sql.inline import Row, instant

EXAMPLES = int(os.environ.get("CONSERVATION_EXAMPLES", "5"))
FIRST_ARRIVAL = instant("2026-11-02 09:00")
FIRST_LOCK = instant("2026-12-01 09:00")
_MARKUPS = {row["scope_id"]: Decimal(row["percent"]) for row in first_terms()["pricing_rules"]}
_PERCENT = Decimal("0.01")
# Of what the customer pays for the services of a month.
SUPPORT: Row = SINCE | {
    "plan_id": "gold",
    "customer_id": "C-eur",
    "basis": "sell",
    "method": "percent",
    "percent": Decimal(10),
}
# A converted amount is kept to 24 decimals; there are a few dozen.
_ROUNDED = Decimal("1e-20")


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb_session(memory_limit="1GB", threads=1) as opened:
        yield opened


@st.composite
def months_of_deliveries(draw: st.DrawFn) -> list[Delivery]:
    """Draw versions of some slots, in the order in which they arrived; the last of each is final."""
    places = st.sampled_from([*SLOTS, *(("dist", number, "") for number in INVOICE_NUMBERS[:2])])
    slots = draw(st.lists(places, min_size=1, max_size=3, unique=True))
    found: list[Delivery] = []
    for _ in range(draw(st.integers(len(slots), 5))):
        found.append(draw(_next_version(draw(st.sampled_from(slots)), found)))
    last = set({one.slot: number for number, one in enumerate(found)}.values())
    found = [one.ended() if number in last else one for number, one in enumerate(found)]
    sent_once = [one for one in found if one.is_invoice and sum(one.slot == other.slot for other in found) == 1]
    if sent_once and draw(st.booleans()):
        found.append(draw(drawn_deliveries.credit_note(sent_once, _arrival(found))))
    return found


def _arrival(before: Sequence[Delivery]) -> datetime:
    return FIRST_ARRIVAL + timedelta(days=len(before))


def _next_version(slot: tuple[str, str, str], found: Sequence[Delivery]) -> st.SearchStrategy[Delivery]:
    at, final, status = _arrival(found), st.booleans(), st.sampled_from(["issued", "pending"])
    source, account, month = slot
    versions = [one for one in found if (one.source, one.account) == (source, account) and one.period.endswith(month)]
    if source != "dist":
        if not versions:
            return drawn_deliveries.usage(slot, at, final)
        return drawn_deliveries.restatement(versions[-1], at, final)
    if not versions:
        return drawn_deliveries.invoice(account, at, status)
    # What has been issued is not pending again.
    return drawn_deliveries.reissue(versions[-1], at, st.just("issued") if versions[-1].has_ended else status)


def owed_by_hand(deliveries: Sequence[Delivery]) -> dict[Account, Money]:
    """Work out what customers owe: cost plus markup of what is theirs, in the currency of the charges."""
    found: dict[Account, Money] = defaultdict(Money)
    for delivery in current(deliveries):
        markup = EXACT.add(Decimal(1), EXACT.multiply(_MARKUPS[VENDORS[delivery.source]], _PERCENT))
        for charge in delivery.charges:
            customer = ACCOUNTS[charge.account]
            if customer is not None and charge.nature == "usage":
                account = Account(customer, delivery.source, delivery.account, delivery.period, charge.currency)
                found[account] += Money(EXACT.multiply(charge.total_cost, markup), charge.total_cost)
    return found


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(data=st.data(), deliveries=months_of_deliveries())
def test_any_order_of_arrival_ends_in_the_same_amounts_owed(
    connection: duckdb.DuckDBPyConnection, sqlite_template: Path, data: st.DataObject, deliveries: list[Delivery]
) -> None:
    with TemporaryDirectory(prefix="orders_") as folder:
        terms = first_terms() | {"support_plans": [SUPPORT]}
        world = World(connection, Path(folder), sqlite_template.read_bytes(), FIRST_LOCK, terms)
        try:
            for delivery in data.draw(st.permutations(deliveries)):
                world.take(delivery)
                for month in data.draw(st.lists(st.sampled_from(MONTHS), max_size=2, unique=True)):
                    lock(world, month, data.draw(st.sampled_from([None, "we cannot wait"])))
            for month in (*MONTHS, "2026-11", "2026-12"):
                lock(world, month)
            check(world)
        finally:
            world.close()


def lock(world: World, month: str, override: str | None = None) -> None:
    """Draft a month and approve what comes of it."""
    world.now += timedelta(hours=1)
    world.draft(month, DraftOptions(override_unsettled=override))
    assert not world.approve([one.invoice_id for one in world.documents() if one.status == "draft"]).refused


def check(world: World) -> None:
    expected = owed_by_hand(world.deliveries)
    booked = billed(world)
    assert not same(expected, booked), same(expected, booked)
    check_remainder(world, booked, with_fees=False)
    rates = RateTable(world.reference.exchange_rates.to_dicts())
    for customer, currency in CUSTOMERS.items():
        documents = [one for one in world.documents() if one.customer.id == customer]
        total = reduce(EXACT.add, (line.amount_precise for one in documents for line in one.lines), Decimal(0))
        months: dict[str, Decimal] = defaultdict(Decimal)
        for account, money in expected.items():
            if account.customer == customer:
                converted = _converted(money.amount, account, currency, rates)
                months[account.period] = EXACT.add(months[account.period], converted)
        exact = reduce(EXACT.add, months.values(), Decimal(0))
        if customer == SUPPORT["customer_id"]:
            # A month with more credits than charges counts as none.
            fees = (
                EXACT.multiply(EXACT.multiply(max(month, Decimal(0)), SUPPORT["percent"]), _PERCENT)
                for month in months.values()
            )
            exact = reduce(EXACT.add, fees, exact)
        assert abs(EXACT.subtract(total, exact)) < _ROUNDED, (customer, total, exact)
        payable = sum((one.total for one in documents), Decimal(0))
        # Each document rounds once, by half a minor unit at most.
        assert abs(payable - total) <= minor_unit(currency) / 2 * len(documents)


def _converted(amount: Decimal, account: Account, currency: str, rates: RateTable) -> Decimal:
    if account.currency == currency:
        return amount
    last_day = BillingPeriod(account.period).end_day - timedelta(days=1)
    return rates.rate(account.currency, currency, last_day).convert(amount)
