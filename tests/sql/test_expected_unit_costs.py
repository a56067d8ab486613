"""`sql/pricing/expected_unit_costs.sql`: what an item should cost after the distributor's price list."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from tests.sql.inline import Row, exact, instant, make, make_known, output_types, pick, select, session
from tests.sql.pricing_steps import step_types

ARRIVED, SEEN = instant("2026-10-21"), instant("2026-10-23")
LATE, LATER = instant("2026-10-22"), instant("2026-10-24")
ITEM: Row = {
    "charge_id": "k1",
    "line_number": "1",
    "product_id": "p1",
    "quantity": Decimal(10),
    "file_list_price": Decimal(100),
    "invoice_day": date(2026, 10, 20),
    "term_day": date(2026, 10, 1),
    "received_at": ARRIVED,
    "seen_at": SEEN,
}
LIST: Row = {
    "price_list_id": "list",
    "product_id": "p1",
    "method": "percent_of_sell_price",
    "percent": Decimal(25),
    "valid_from": date(2026, 1, 1),
    "recorded_at": instant("2026-01-01"),
}
ON_COST: Row = {"method": "percent_of_cost", "distributor_cost": Decimal(10), "percent": Decimal(10)}


def costs(*items: Row, lists: tuple[Row, ...] = ({},)) -> list[Row]:
    connection = session()
    numbered = [{"charge_id": f"k{number}", **row} for number, row in enumerate(items or ({},), start=1)]
    make(connection, "attributed_charges", step_types("attributed_charges"), *numbered, defaults=ITEM)
    make_known(connection, "distributor_price_lists", *lists, defaults=LIST)
    return sorted(select(connection, "pricing/expected_unit_costs"), key=lambda row: str(row["charge_id"]))


def found(*lists: Row, item: Row | None = None) -> list[tuple[Any, ...]]:
    return pick(costs(item or {}, lists=lists), "price_list_id", "expected_unit_cost")


@pytest.mark.parametrize(
    ("row", "cost"), [({}, "75"), (ON_COST, "11"), ({"percent": Decimal(100)}, "0"), ({"percent": Decimal(-5)}, "105")]
)
def test_a_price_list_makes_the_unit_cost_of_the_list_price_or_of_the_distributors_cost(row: Row, cost: str) -> None:
    assert found(row) == [("list", exact(cost))]


def test_a_list_on_the_list_price_expects_nothing_of_an_item_without_one() -> None:
    assert found({}, item={"file_list_price": None}) == [("list", None)]
    assert found(ON_COST, item={"file_list_price": None}) == [("list", 11)]


@pytest.mark.parametrize(
    "other",
    [
        {"product_id": "p2"},
        {"valid_to": date(2026, 10, 20)},
        {"valid_from": date(2026, 10, 21)},
        {"is_active": False},
        {"from_quantity": Decimal(11)},
    ],
    ids=str,
)
def test_a_list_of_another_product_or_day_or_quantity_or_that_is_off_expects_nothing(other: Row) -> None:
    assert found(other) == []


def test_the_day_of_the_invoice_counts_whatever_the_day_of_the_order() -> None:
    lists: tuple[Row, ...] = (
        {"price_list_id": "order", "valid_to": date(2026, 10, 20)},
        {"price_list_id": "invoice", "valid_from": date(2026, 10, 20)},
    )
    assert [row[0] for row in found(*lists)] == ["invoice"]


@pytest.mark.parametrize(("quantity", "cost"), [("9.999999999", "100"), ("10", "80"), ("99", "80"), ("100", "70")])
def test_of_volume_breaks_the_largest_counts_that_the_quantity_reaches(quantity: str, cost: str) -> None:
    breaks: tuple[Row, ...] = (
        {"percent": Decimal(0)},
        {"percent": Decimal(30), "from_quantity": Decimal(100)},
        {"percent": Decimal(20), "from_quantity": Decimal(10)},
    )
    for lists in (breaks, breaks[::-1]):
        assert found(*lists, item={"quantity": exact(quantity)}) == [("list", exact(cost))]


def test_of_rows_of_one_break_the_one_recorded_last_counts_and_one_recorded_after_arrival_does_not() -> None:
    lists: tuple[Row, ...] = (
        {"price_list_id": "old"},
        {"price_list_id": "new", "recorded_at": instant("2026-06-01")},
        {"price_list_id": "late", "recorded_at": LATE, "from_quantity": Decimal(5)},
    )
    assert [row[0] for row in found(*lists)] == ["new"]


def test_a_list_recorded_after_arrival_fills_a_gap_and_the_first_one_stays() -> None:
    lists: tuple[Row, ...] = (
        {"price_list_id": "mistake", "recorded_at": LATE, "withdrawn_at": SEEN},
        {"price_list_id": "second", "recorded_at": LATER, "from_quantity": Decimal(5)},
        {"price_list_id": "first", "recorded_at": SEEN},
    )
    assert [row[0] for row in found(*lists)] == ["first"]


def test_a_list_that_is_gone_today_goes_on_counting_for_what_arrived_while_it_was_there() -> None:
    lists: tuple[Row, ...] = (
        {"price_list_id": "there", "withdrawn_at": LATE},
        {"price_list_id": "gone", "withdrawn_at": ARRIVED, "from_quantity": Decimal(5)},
    )
    assert [row[0] for row in found(*lists)] == ["there"]


def test_usage_has_no_price_list() -> None:
    assert found({}, item={"line_number": None}) == []


def test_every_item_has_at_most_one_row() -> None:
    items = [{"quantity": Decimal(quantity)} for quantity in (1, 10, 100)]
    lists: tuple[Row, ...] = tuple({"from_quantity": Decimal(start)} for start in (0, 5, 10, 50))
    assert pick(costs(*items, lists=lists), "charge_id") == ["k1", "k2", "k3"]


def test_a_percent_of_a_price_of_any_decimals_is_exact_to_18_half_away_from_zero() -> None:
    random = Random(0)
    lists: list[Row] = [
        {
            "product_id": f"p{number}",
            "method": random.choice(["percent_of_sell_price", "percent_of_cost"]),
            "percent": Decimal(random.randrange(-99999, 1_000_000)).scaleb(-4),
            "distributor_cost": Decimal(random.randrange(10**22)).scaleb(-18),
        }
        for number in range(300)
    ]
    items: list[Row] = [
        {
            "charge_id": f"k{number:03}",
            "product_id": f"p{number}",
            "file_list_price": Decimal(random.randrange(10**13)).scaleb(-9),
        }
        for number in range(300)
    ]
    for item, row, result in zip(items, lists, costs(*items, lists=tuple(lists)), strict=True):
        share = Fraction(row["percent"]) / 100
        if row["method"] == "percent_of_cost":
            wanted = Fraction(row["distributor_cost"]) * (1 + share)
        else:
            wanted = Fraction(item["file_list_price"]) * (1 - share)
        units = int(abs(wanted) * 10**18 + Fraction(1, 2)) * (-1 if wanted < 0 else 1)
        assert Fraction(result["expected_unit_cost"]) == Fraction(units, 10**18)


def test_the_expected_unit_cost_is_a_decimal_of_18_places() -> None:
    connection = session()
    make(connection, "attributed_charges", step_types("attributed_charges"))
    make_known(connection, "distributor_price_lists")
    types = output_types(connection, "pricing/expected_unit_costs")
    assert types["expected_unit_cost"] == "DECIMAL(38,18)"
