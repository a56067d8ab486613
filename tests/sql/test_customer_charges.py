"""`sql/charges/customer_charges.sql`: what the reseller must charge its end customers."""

from datetime import date
from decimal import Decimal

import pytest

from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from tests.sql.inline import Row, exact, make, make_reference, output_types, pick, select, session, table_types

TYPES = table_types(PRICED_LINE_ITEMS) | {"exclusion_reason": "varchar", "exclusion_detail": "varchar"}
ITEM: Row = {
    "line_item_id": "line-1",
    "charge_id": "k1",
    "source": "dist",
    "invoice_number": "INV-1",
    "invoice_date": date(2026, 10, 5),
    "charge_type": "Debit",
    "customer_id": "c1",
    "sub_account_id": "c1",
    "sub_account_name": "Name in the file",
    "description": "Seats",
    "product_name": "Office",
    "product_type": "License",
    "period_start": date(2026, 10, 1),
    "period_end": date(2026, 11, 1),
    "unit_cost": Decimal(10),
    "unit_sell": exact("12.345678901234567"),
    "quantity": Decimal(2),
    "unit": "Month",
    "total_cost": Decimal(20),
    "total_sell": exact("24.691357802469134"),
    "currency": "EUR",
    "price_term": "pricing_rule",
    "price_term_id": "r1",
    "billing_period": "2026-10",
    "row_count": 1,
}


def charges(*items: Row, customers: tuple[Row, ...] = ({"customer_id": "c1", "name": "Acme"},)) -> list[Row]:
    connection = session()
    make(connection, "decided_charges", TYPES, *items, defaults=ITEM)
    make_reference(connection, "customers", *customers)
    return select(connection, "charges/customer_charges")


def test_an_item_that_was_let_in_is_one_charge_under_the_names_of_the_list() -> None:
    (row,) = charges({})
    assert (row["invoice_number"], row["invoice_date"], row["type"], row["customer"]) == (
        "INV-1",
        date(2026, 10, 5),
        "Debit",
        "Acme",
    )
    assert (row["start_date"], row["end_date"]) == (date(2026, 10, 1), date(2026, 11, 1))
    assert (row["unit_cost_price"], row["unit_sell_price"]) == (10, exact("12.345678901234567"))
    assert (row["total_cost_price"], row["total_sell_price"]) == (20, exact("24.691357802469134"))
    assert (row["quantity"], row["unit"], row["currency"]) == (2, "Month", "EUR")
    assert (row["product_type"], row["product_name"], row["price_term_id"]) == ("License", "Office", "r1")


def test_an_item_that_was_left_out_is_no_charge() -> None:
    assert charges({"exclusion_reason": "invoice_pending"}) == []


@pytest.mark.parametrize(
    ("item", "description"),
    [
        ({}, "Seats"),
        ({"installment_number": 3, "installment_count": 12}, "Office 3/12"),
        ({"installment_number": 3}, "Office 3"),
    ],
    ids=str,
)
def test_an_installment_is_described_by_its_product_and_number(item: Row, description: str) -> None:
    assert pick(charges(item), "description") == [description]


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ({}, "Acme"),
        ({"customer_id": "c2"}, "Name in the file"),
        ({"customer_id": "c2", "sub_account_name": None}, "c2"),
    ],
    ids=str,
)
def test_the_customer_is_called_as_we_call_it_else_as_the_distributor_does(item: Row, name: str) -> None:
    assert pick(charges(item), "customer") == [name]


def test_a_credit_has_negative_prices_and_a_positive_quantity() -> None:
    credit: Row = {"charge_type": "Credit", "unit_cost": -10, "unit_sell": -12, "total_cost": -20, "total_sell": -24}
    assert pick(charges(credit), "type", "unit_sell_price", "total_sell_price", "quantity") == [("Credit", -12, -24, 2)]


def test_a_price_with_tiers_shows_its_total_by_quantity_to_ten_places() -> None:
    tiered: Row = {"unit_sell": None, "total_sell": Decimal(100), "quantity": Decimal(3)}
    assert pick(charges(tiered), "unit_sell_price", "total_sell_price") == [(exact("33.3333333333"), 100)]


def test_usage_shows_cost_and_price_by_quantity_to_ten_places() -> None:
    usage: Row = {"unit_cost": None, "unit_sell": None, "quantity": Decimal(7), "row_count": 100}
    [row] = charges(usage)
    assert (row["unit_cost_price"], row["unit_sell_price"]) == (exact("2.8571428571"), exact("3.5273368289"))
    assert (row["total_cost_price"], row["row_count"]) == (20, 100)


@pytest.mark.parametrize("quantity", [None, Decimal(0)])
def test_usage_without_quantity_has_no_unit_prices(quantity: Decimal | None) -> None:
    [row] = charges({"unit_cost": None, "unit_sell": None, "quantity": quantity})
    assert (row["unit_cost_price"], row["unit_sell_price"], row["total_sell_price"]) == (None, None, ITEM["total_sell"])


def test_no_item_is_dropped_or_repeated() -> None:
    items = [{"line_item_id": f"line-{number}", "customer_id": f"c{number % 2}"} for number in range(4)]
    assert sorted(pick(charges(*items), "line_item_id")) == ["line-0", "line-1", "line-2", "line-3"]


def test_charges_have_the_columns_and_types_of_their_contract() -> None:
    connection = session()
    make(connection, "decided_charges", TYPES)
    make_reference(connection, "customers")
    assert output_types(connection, "charges/customer_charges") == table_types(CUSTOMER_CHARGES)
