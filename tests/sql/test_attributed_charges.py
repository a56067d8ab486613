"""`sql/pricing/attributed_charges.sql`: charges with the customer and the product of their situation."""

from datetime import date
from decimal import Decimal

import pytest

from tests.sql.inline import Row, instant, make, make_reference, pick, select, session
from tests.sql.pricing_steps import step_types

FACTS: Row = {
    "delivery_id": "d1",
    "source": "aws",
    "vendor": "AWS",
    "sub_account_id": "111",
    "vendor_product_id": "SKU1",
    "vendor_product_type": "Compute",
    "known_at": instant("2026-11-05"),
    "seen_at": instant("2026-11-05"),
}
CHARGE: Row = FACTS | {
    "charge_id": "k1",
    "term_day": date(2026, 10, 15),
    "vendor_product_name": "Machines",
    "cost": Decimal(10),
    "currency": "EUR",
}
STRETCH = {"term_day": date(2026, 10, 15), "stretch_day": date(2026, 10, 1)}
SITUATION: Row = FACTS | {
    "situation_id": 1,
    "is_item": False,
    "term_day": date(2026, 10, 1),
    "customer_id": "c1",
    "product_id": "p1",
    "product_type": "Servers",
}
VENDORS: Row = {"product_id": "SKU1", "product_type": "Compute"}
PRODUCT: Row = {"product_id": "p1", "name": "Our Machines", "product_type": "Servers"}


def attribute(
    *charges: Row, situations: tuple[Row, ...] = ({},), products: tuple[Row, ...] = (), stretches: tuple[Row, ...] = ()
) -> list[Row]:
    connection = session()
    make(connection, "dated_charges", step_types("dated_charges"), *(charges or ({},)), defaults=CHARGE)
    make(connection, "term_stretches", step_types("term_stretches"), STRETCH, *stretches)
    make(connection, "attributed_situations", step_types("attributed_situations"), *situations, defaults=SITUATION)
    make_reference(connection, "products", *products, defaults=PRODUCT)
    rows = sorted(select(connection, "pricing/attributed_charges"), key=lambda row: str(row["charge_id"]))
    assert len(rows) == len(charges or ({},))
    return rows


def test_a_charge_has_the_customer_the_product_and_the_first_day_of_its_situation() -> None:
    (row,) = attribute()
    assert (row["situation_id"], row["customer_id"], row["product_id"], row["product_type"]) == (
        1,
        "c1",
        "p1",
        "Servers",
    )
    assert (row["term_day"], row["cost"], row["currency"]) == (date(2026, 10, 1), 10, "EUR")


@pytest.mark.parametrize(
    "other",
    [
        {"delivery_id": "d2"},
        {"sub_account_id": "112"},
        {"sub_account_id": None},
        {"vendor_product_id": "SKU2"},
        {"vendor_product_id": None},
        {"vendor_product_type": None},
        {"known_at": instant("2026-11-04")},
        {"term_day": date(2026, 10, 16)},
        {"line_number": "1"},
    ],
    ids=str,
)
def test_a_charge_finds_its_own_situation_among_others_also_where_a_fact_is_absent(other: Row) -> None:
    changes = {name: value for name, value in other.items() if name not in ("line_number",)}
    situations: tuple[Row, ...] = (
        {},
        {"situation_id": 2, "customer_id": "c2", "is_item": "line_number" in other, **changes},
    )
    later: Row = {"term_day": date(2026, 10, 16), "stretch_day": date(2026, 10, 16)}
    rows = attribute({}, {"charge_id": "k2", **other}, situations=situations, stretches=(later,))
    assert pick(rows, "charge_id", "situation_id", "customer_id") == [("k1", 1, "c1"), ("k2", 2, "c2")]


def test_a_charge_of_nobody_stays() -> None:
    assert pick(attribute(situations=({"customer_id": None},)), "charge_id", "customer_id") == [("k1", None)]


def test_many_charges_of_one_situation_each_stay_once() -> None:
    charges = [{"charge_id": f"k{number}"} for number in range(4)]
    assert pick(attribute(*charges), "charge_id") == ["k0", "k1", "k2", "k3"]


def test_a_product_of_the_catalogue_has_our_name_and_facts() -> None:
    (row,) = attribute(products=({"tax_category": "reduced", "pay_per_use": False},))
    assert (row["product_name"], row["tax_category"], row["pay_per_use"]) == ("Our Machines", "reduced", False)


def test_a_product_in_no_catalogue_row_keeps_the_vendors_names() -> None:
    (row,) = attribute(situations=(VENDORS,), products=({},))
    assert (row["product_id"], row["product_name"], row["product_type"]) == ("SKU1", "Machines", "Compute")
    assert row["tax_category"] == "standard"


def test_a_product_without_any_name_is_called_by_its_id() -> None:
    assert pick(attribute({"vendor_product_name": None}), "product_name") == ["p1"]


def test_a_charge_without_any_product_stays() -> None:
    nothing: Row = {"vendor_product_id": None, "vendor_product_type": None}
    situation = nothing | {"product_id": None, "product_type": None}
    (row,) = attribute(nothing | {"vendor_product_name": None}, situations=(situation,), products=({},))
    assert (row["product_id"], row["product_name"], row["product_type"]) == (None, None, None)
    assert row["tax_category"] == "standard"


def test_names_follow_the_catalogue_of_today_and_what_decides_a_price_does_not() -> None:
    (row,) = attribute(products=({"name": "New name", "product_type": "New type"},))
    assert (row["product_name"], row["product_type"]) == ("New name", "Servers")


@pytest.mark.parametrize(
    ("charge", "pay_per_use"),
    [
        ({}, True),
        ({"line_number": "1"}, False),
        ({"line_number": "1", "is_pay_per_use": True}, True),
        ({"is_pay_per_use": False}, False),
    ],
    ids=str,
)
def test_usage_is_pay_per_use_and_an_item_only_if_its_file_says_so(charge: Row, pay_per_use: bool) -> None:
    situation: Row = {"is_item": "line_number" in charge}
    assert pick(attribute(charge, situations=(situation,)), "pay_per_use") == [pay_per_use]
