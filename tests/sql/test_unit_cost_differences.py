"""`sql/marts/unit_cost_differences.sql`: items that cost something else than the distributor's price list says."""

from datetime import date
from decimal import Decimal

import pytest

from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS, UNIT_COST_DIFFERENCES
from tests.sql.inline import Row, exact, make, output_types, pick, select, session, table_types

ITEM: Row = {
    "line_item_id": "line-1",
    "source": "dist",
    "invoice_number": "INV-1",
    "invoice_date": date(2026, 10, 20),
    "line_number": "1",
    "customer_id": "c1",
    "product_id": "p1",
    "product_name": "Office",
    "charge_type": "Debit",
    "price_list_id": "list",
    "srp": Decimal(100),
    "unit_cost": Decimal(80),
    "expected_unit_cost": Decimal(75),
    "quantity": Decimal(10),
    "currency": "EUR",
    "billing_period": "2026-10",
}


def differences(*items: Row) -> list[Row]:
    connection = session()
    make(connection, "current_line_items", table_types(PRICED_LINE_ITEMS), *items, defaults=ITEM)
    return select(connection, "marts/unit_cost_differences")


@pytest.mark.parametrize(("unit_cost", "unit", "total"), [("80", "5", "50"), ("70", "-5", "-50")])
def test_what_the_distributor_charged_too_much_is_positive_and_too_little_negative(
    unit_cost: str, unit: str, total: str
) -> None:
    (row,) = differences({"unit_cost": exact(unit_cost)})
    assert (row["unit_difference"], row["total_difference"]) == (exact(unit), exact(total))
    assert (row["line_item_id"], row["price_list_id"], row["srp"], row["currency"]) == ("line-1", "list", 100, "EUR")


@pytest.mark.parametrize(
    "item",
    [
        {"unit_cost": Decimal(75)},
        {"expected_unit_cost": None},
        {"expected_unit_cost": None, "price_list_id": None},
        {"charge_type": "Credit", "unit_cost": Decimal(-80)},
        {"unit_cost": None, "expected_unit_cost": None},
    ],
    ids=["as expected", "without list price", "without price list", "credit", "usage"],
)
def test_what_costs_as_expected_or_expects_nothing_is_no_difference(item: Row) -> None:
    assert differences(item) == []


def test_a_difference_of_the_smallest_price_of_the_smallest_quantity_is_exact() -> None:
    (row,) = differences({"unit_cost": exact("75.000000001"), "quantity": exact("0.000000001")})
    assert row["total_difference"] == exact("0.000000000000000001")


def test_differences_stand_in_the_order_of_their_invoices_whatever_the_order_of_the_lines() -> None:
    items: list[Row] = [
        {"line_item_id": f"line-{number}", "invoice_number": invoice, "line_number": str(number)}
        for number, invoice in enumerate(("INV-2", "INV-1", "INV-2", "INV-1"))
    ]
    wanted = ["line-1", "line-3", "line-0", "line-2"]
    assert pick(differences(*items), "line_item_id") == pick(differences(*items[::-1]), "line_item_id") == wanted


def test_differences_have_the_columns_and_types_of_their_contract() -> None:
    connection = session()
    make(connection, "current_line_items", table_types(PRICED_LINE_ITEMS))
    assert output_types(connection, "marts/unit_cost_differences") == table_types(UNIT_COST_DIFFERENCES)
