"""`sql/pricing/tiered_charges.sql`: the quantity that chooses a tier, and where in it a charge stands."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.sql.inline import Row, exact, instant, make, pick, select, session
from tests.sql.pricing_steps import step_types

CHARGE: Row = {
    "situation_id": 1,
    "delivery_id": "d1",
    "customer_id": "c1",
    "product_id": "p1",
    "charge_nature": "usage",
    "unit": "Hours",
    "currency": "EUR",
    "period_start": date(2026, 10, 1),
    "quantity": Decimal(10),
}
TERM: Row = {
    "situation_id": 1,
    "price_term": "pricebook",
    "price_term_id": "b1",
    "price_scope": "product",
    "price_scope_id": "p1",
    "method": "graduated",
    "has_tiers": True,
    "priced_at": instant("2026-11-05"),
}


def tiered(*charges: Row, terms: tuple[Row, ...] = ({},)) -> list[Row]:
    connection = session()
    numbered = [{"charge_id": f"k{number}", **row} for number, row in enumerate(charges, start=1)]
    make(connection, "attributed_charges", step_types("attributed_charges"), *numbered, defaults=CHARGE)
    make(connection, "selected_terms", step_types("selected_terms"), *terms, defaults=TERM)
    return sorted(select(connection, "pricing/tiered_charges"), key=lambda row: str(row["charge_id"]))


def quantities(*charges: Row, terms: tuple[Row, ...] = ({},)) -> list[Any]:
    return pick(tiered(*charges, terms=terms), "tier_quantity", "quantity_before", "quantity_after")


def test_usage_stands_day_after_day_in_the_customers_whole_quantity() -> None:
    days: list[Row] = [{"period_start": date(2026, 10, day), "quantity": Decimal(day)} for day in (3, 1, 2)]
    assert quantities(*days) == [(6, 3, 6), (6, 0, 1), (6, 1, 3)]


def test_charges_of_one_day_stand_in_the_order_of_their_keys() -> None:
    assert quantities({"charge_id": "b"}, {"charge_id": "a"}) == [(20, 0, 10), (20, 10, 20)]


def test_a_charge_carries_its_situation_and_method() -> None:
    assert pick(tiered({}), "charge_id", "situation_id", "method") == [("k1", 1, "graduated")]


@pytest.mark.parametrize(
    "other",
    [
        {"delivery_id": "d2"},
        {"customer_id": "c2"},
        {"product_id": "p2"},
        {"unit": "GB"},
        {"unit": None},
        {"currency": "USD"},
        {"line_number": "1"},
    ],
    ids=str,
)
def test_quantities_of_something_else_are_not_added(other: Row) -> None:
    assert quantities({}, other) == [(10, 0, 10), (10, 0, 10)]


def test_accounts_of_one_customer_share_the_tiers() -> None:
    assert quantities({"sub_account_id": "111"}, {"sub_account_id": "222"}) == [(20, 0, 10), (20, 10, 20)]


def test_every_item_of_a_distributor_is_a_purchase_of_its_own() -> None:
    assert quantities({"line_number": "1"}, {"line_number": "2"}) == [(10, 0, 10), (10, 0, 10)]


@pytest.mark.parametrize(
    "other",
    [{"price_term_id": "b2"}, {"price_scope": "vendor"}, {"price_scope_id": "p2"}, {"method": "volume"}],
    ids=str,
)
def test_charges_with_another_price_have_tiers_of_their_own(other: Row) -> None:
    terms: tuple[Row, ...] = ({}, {"situation_id": 2, **other})
    assert quantities({}, {"situation_id": 2}, terms=terms) == [(10, 0, 10), (10, 0, 10)]


def test_a_price_that_changes_within_the_month_goes_on_counting() -> None:
    later: Row = {"situation_id": 2, "period_start": date(2026, 10, 16)}
    assert quantities(later, {}, terms=({}, {"situation_id": 2})) == [(20, 10, 20), (20, 0, 10)]


def test_a_correction_takes_its_quantity_back() -> None:
    days: list[Row] = [
        {"period_start": date(2026, 10, 1), "quantity": Decimal(10)},
        {"period_start": date(2026, 10, 2), "quantity": Decimal(-4)},
        {"period_start": date(2026, 10, 3), "quantity": Decimal(-8)},
    ]
    assert quantities(*days) == [(-2, 0, 10), (-2, 10, 6), (-2, 6, -2)]


def test_one_charge_without_quantity_leaves_all_of_them_without_a_tier() -> None:
    found = quantities({}, {"quantity": None}, {"customer_id": "c2"})
    assert [row[0] for row in found] == [None, None, 10]


def test_quantities_keep_all_their_decimals() -> None:
    smallest = exact("0.000000000000000001")
    assert quantities({"quantity": smallest}, {"quantity": Decimal(10**9)}) == [
        (10**9 + smallest, 0, smallest),
        (10**9 + smallest, smallest, 10**9 + smallest),
    ]


@pytest.mark.parametrize("nature", ["tax", "marketplace_fee", "credit", "free_tier"])
def test_what_is_not_usage_has_no_tier_and_counts_in_none(nature: str) -> None:
    assert quantities({}, {"charge_nature": nature}) == [(10, 0, 10)]


def test_a_charge_of_nobody_or_with_a_price_without_tiers_has_no_tier() -> None:
    terms: tuple[Row, ...] = ({}, {"situation_id": 2, "has_tiers": False})
    assert tiered({"customer_id": None}, {"situation_id": 2}, {"situation_id": 3}, terms=terms) == []


def test_what_was_priced_later_comes_after_what_was_priced_before_and_changes_nothing_of_it() -> None:
    before = quantities({"period_start": date(2026, 10, 2)}, {"period_start": date(2026, 10, 3)})
    late: Row = {"situation_id": 2, "period_start": date(2026, 10, 1), "quantity": Decimal(7)}
    terms: tuple[Row, ...] = ({}, {"situation_id": 2, "priced_at": instant("2026-11-09")})
    after = quantities({"period_start": date(2026, 10, 2)}, {"period_start": date(2026, 10, 3)}, late, terms=terms)
    assert after == [*before, (27, 20, 27)]


def test_a_charge_without_quantity_that_was_priced_later_takes_nobodys_tier_away() -> None:
    late: Row = {"situation_id": 2, "quantity": None}
    terms: tuple[Row, ...] = ({}, {"situation_id": 2, "priced_at": instant("2026-11-09")})
    assert [row[0] for row in quantities({}, late, terms=terms)] == [10, None]


def test_the_order_of_charges_changes_nothing() -> None:
    charges: list[Row] = [
        {"charge_id": f"k{number}", "period_start": date(2026, 10, 1 + number % 2), "quantity": Decimal(number)}
        for number in range(1, 8)
    ]
    found = tiered(*charges)
    assert tiered(*charges[::-1]) == found
    assert len(found) == len(charges)
