"""`sql/marts/shown_line_items.sql`: unit prices and percentages for display, beside exact totals."""

from decimal import Decimal

import pytest

from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS, SHOWN_LINE_ITEMS
from tests.sql.inline import Row, exact, make, output_types, pick, select, session, table_types

USAGE: Row = {
    "line_item_id": "line-1",
    "quantity": Decimal(3),
    "total_cost": Decimal(10),
    "total_sell": Decimal(15),
    "total_list": Decimal(12),
    "margin": Decimal(5),
}


def shown(changes: Row) -> Row:
    connection = session()
    make(connection, "current_line_items", table_types(PRICED_LINE_ITEMS), changes, defaults=USAGE)
    (row,) = select(connection, "marts/shown_line_items")
    return row


def test_unit_prices_of_usage_are_totals_divided_by_quantity_to_ten_places() -> None:
    row = shown({})
    assert (row["unit_cost"], row["unit_sell"], row["srp"]) == (exact("3.3333333333"), 5, 4)
    assert row["total_cost"] == 10


def test_unit_prices_of_items_stay_as_they_were_charged() -> None:
    row = shown({"unit_cost": exact("3.4"), "unit_sell": exact("5.1"), "srp": Decimal(7)})
    assert (row["unit_cost"], row["unit_sell"], row["srp"]) == (exact("3.4"), exact("5.1"), 7)


def test_a_charge_shows_its_margin_in_percent_of_the_price_and_the_markup_it_came_to() -> None:
    row = shown({"total_cost": Decimal(80), "total_sell": Decimal(100), "margin": Decimal(20)})
    assert (row["margin_percent"], row["derived_markup_percent"]) == (20, 25)


def test_a_credit_shows_the_markup_of_its_debit() -> None:
    row = shown({"total_cost": Decimal(-80), "total_sell": Decimal(-100), "margin": Decimal(-20)})
    assert (row["margin_percent"], row["derived_markup_percent"]) == (20, 25)


@pytest.mark.parametrize(
    "changes",
    [
        {"total_cost": Decimal(0), "total_sell": Decimal(0), "margin": Decimal(0)},
        {"total_sell": None, "margin": None},
        {"quantity": None},
        {"quantity": Decimal(0)},
    ],
)
def test_a_quotient_without_sense_is_empty_and_stops_nothing(changes: Row) -> None:
    row = shown(changes)
    assert row["derived_markup_percent"] is None or row["unit_cost"] is None


def test_percentages_are_rounded_half_away_from_zero_and_large_margins_overflow_nothing() -> None:
    row = shown({"total_cost": Decimal(3), "total_sell": Decimal(5), "margin": Decimal(2)})
    assert row["derived_markup_percent"] == exact("66.66666667")
    total = {"total_cost": exact("999999.99"), "total_sell": exact("3311845.966881540000000001")}
    row = shown(total | {"margin": exact("2311845.976881540000000001")})
    assert row["derived_markup_percent"] == exact("231.18460000")


def test_what_made_a_price_is_shown_as_it_was_frozen() -> None:
    frozen: Row = {
        "price_term": "pricebook",
        "price_term_id": "b1",
        "price_scope": "vendor",
        "price_scope_id": "AWS",
        "price_method": "volume",
        "price_percent": exact("12.5"),
        "price_unit_price": exact("0.000000001"),
        "tier_quantity": Decimal(1000),
        "adjustment_ids": "a1;a2",
        "adjustment_percent": Decimal(-5),
        "total_before_adjustment": exact("15.789473684210526315789474"),
        "price_list_id": "list",
        "expected_unit_cost": exact("3.3"),
    }
    row = shown(frozen)
    assert {name: row[name] for name in frozen} == frozen


def test_a_charge_shows_the_discount_of_its_cost_and_of_its_price_from_the_list_cost() -> None:
    row = shown({"total_list": Decimal(20), "total_cost": Decimal(15), "total_sell": Decimal(18)})
    assert (row["cost_discount_percent"], row["sell_discount_percent"]) == (25, 10)
    assert (shown({"total_list": None})["cost_discount_percent"], shown({"total_list": 0})["srp"]) == (None, 0)


def test_no_line_is_dropped_or_repeated_whatever_the_order_of_lines() -> None:
    connection = session()
    for names in (["a", "b", "c"], ["c", "b", "a"]):
        items = [USAGE | {"line_item_id": name} for name in names]
        make(connection, "current_line_items", table_types(PRICED_LINE_ITEMS), *items)
        assert sorted(pick(select(connection, "marts/shown_line_items"), "line_item_id")) == ["a", "b", "c"]


def test_shown_line_items_have_the_columns_and_types_of_their_contract() -> None:
    connection = session()
    make(connection, "current_line_items", table_types(PRICED_LINE_ITEMS))
    assert output_types(connection, "marts/shown_line_items") == table_types(SHOWN_LINE_ITEMS)
