"""`sql/marts/expired_special_prices.sql`: what the end of a special price costs."""

from decimal import Decimal

import pytest

from tests.sql.inline import Row, exact, pick, select
from tests.sql.leak_findings import finding_session

# 100.00 of cost at 10 % since the special price of 25 % ended: 125.00 fell to 110.00.
USAGE: Row = {
    "line_item_id": "line-1",
    "customer_id": "c1",
    "product_id": "p1",
    "product_name": "Machines",
    "source": "aws",
    "billing_period": "2026-10",
    "bucket": "billed",
    "charge_type": "Debit",
    "currency": "EUR",
    "period_start": "2026-10-05",
    "quantity": Decimal(4),
    "total_cost": Decimal(100),
    "total_list": Decimal(150),
    "total_sell": Decimal(110),
    "price_term": "pricing_rule",
}
SPECIAL: Row = {"special_price_id": "s1", "method": "markup", "percent": 25, "valid_to": "2026-10-01"}
ITEM: Row = {"line_number": "1", "period_start": "2026-09-01", "invoice_date": "2026-10-05"}


def expired(item: Row, *specials: Row) -> list[Row]:
    return select(finding_session(USAGE | item, special_prices=specials or (SPECIAL,)), "marts/expired_special_prices")


def test_a_charge_that_fell_back_to_a_lower_price_loses_the_difference() -> None:
    assert pick(expired({}), "kind", "customer_id", "source", "billing_period", "amount", "currency", "detail") == [
        (
            "expired_special_price", "c1", "aws", "2026-10", 15, "EUR",
            "Machines: special price s1 ended on 2026-10-01",
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("special", "lost"),
    [
        ({"method": "percent_of_srp", "percent": 90}, 25),
        ({"method": "fixed", "percent": None, "unit_price": Decimal(30)}, 10),
        ({"percent": exact("10.0001")}, exact("0.0001")),
    ],
    ids=["percent of srp", "fixed", "a little more"],
)
def test_every_method_of_a_special_price_is_compared_exactly(special: Row, lost: Decimal) -> None:
    assert pick(expired({}, SPECIAL | special), "amount") == [lost]


def test_global_adjustments_would_have_held_for_the_special_price_too() -> None:
    assert pick(expired({"adjustment_percent": -10, "total_sell": Decimal(99)}), "amount") == [exact("13.5")]


@pytest.mark.parametrize(
    "special",
    [
        {"percent": 10},
        {"percent": 5},
        {"valid_to": None},
        {"valid_to": "2026-10-06"},
        {"valid_from": "2026-10-06", "valid_to": "2026-10-07"},
        {"valid_to": "2025-10-05", "valid_from": "2025-01-01"},
        {"customer_id": "c2"},
        {"product_id": "p2"},
        {"method": "fixed", "percent": None, "unit_price": Decimal(30), "currency": "USD"},
    ],
    ids=[
        "same price", "a discount", "open", "in force", "not yet", "ended a year ago", "another customer",
        "another product", "another currency",
    ],
)  # fmt: skip
def test_what_loses_nothing_is_no_finding(special: Row) -> None:
    assert expired({}, SPECIAL | special) == []


@pytest.mark.parametrize(
    "item",
    [
        {"charge_type": "Credit"},
        {"bucket": "excluded_by_rule"},
        {"bucket": "unpriced", "total_sell": None},
        {"order_channel": "reseller_storefront"},
    ],
    ids=str,
)
def test_only_billed_debits_are_looked_at_and_an_order_keeps_its_price(item: Row) -> None:
    assert expired(item) == []


def test_a_special_price_in_force_beside_one_that_ended_is_the_newer_agreement() -> None:
    assert expired({}, SPECIAL, SPECIAL | {"special_price_id": "s2", "percent": 5, "valid_to": None}) == []


def test_of_several_that_ended_the_last_counts() -> None:
    earlier = SPECIAL | {"special_price_id": "s0", "percent": 90, "valid_to": "2026-09-01"}
    assert pick(expired({}, earlier, SPECIAL), "amount") == [15]
    assert pick(expired({}, SPECIAL, earlier), "amount") == [15]


def test_the_day_of_an_item_is_that_of_its_invoice() -> None:
    assert pick(expired(ITEM), "amount") == [15]
    assert expired(ITEM | {"invoice_date": "2026-09-30"}) == []


def test_a_special_price_that_is_still_applied_loses_what_it_takes_off_the_list_price() -> None:
    assert pick(expired({"price_term": "special_price", "total_sell": Decimal(125)}), "amount", "detail") == [
        (25, "Machines: special price s1 ended on 2026-10-01, still applied")
    ]
    assert expired({"price_term": "special_price", "total_list": None}) == []
