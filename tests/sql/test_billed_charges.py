"""`sql/invoicing/drafted_items.sql` and `billed_charges.sql`: the charges that a draft's lines are made of."""

from decimal import Decimal
from typing import Any

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.billed_charges import BILLED_CHARGES
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from tests.sql.adjustments import make_adjustments
from tests.sql.inline import make, output_types, pick, select, session, table_types

ITEM: dict[str, Any] = {
    "customer_id": "c1",
    "source": "aws",
    "delivery_id": "d1",
    "currency": "EUR",
    "product_type": "Compute",
    "product_id": "vm",
    "product_name": "Machines",
    "unit": "Hours",
    "charge_type": "Debit",
    "charge_category": "Usage",
    "charge_nature": "usage",
    "quantity": Decimal(1),
    "total_cost": Decimal("1.00"),
    "total_sell": Decimal("1.50"),
    "tax_category": "standard",
    "bucket": "billed",
    "invoice_number": "V-1",
}
LINE: dict[str, Any] = {
    "invoice_id": "2026-10-c1-EUR",
    "line_number": 1,
    "customer_id": "c1",
    "currency": "EUR",
    "product_type": "Compute",
    "product_id": "vm",
    "product_name": "Machines",
    "unit": "Hours",
    "line_kind": "usage",
    "tax_category": "standard",
    "service_period": None,
    "reference": None,
    "description": "Machines",
}
LINE_TYPES = {name: "integer" if name == "line_number" else "varchar" for name in LINE}


def billed(items: list[dict[str, Any]], lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    connection = session()
    make(connection, "billable_items", table_types(PRICED_LINE_ITEMS), *items, defaults=ITEM)
    make(connection, "draft_options", {"include_not_final": "boolean"}, {"include_not_final": False})
    make(connection, "drafted_lines", LINE_TYPES, *lines, defaults=LINE)
    connection.execute(f"create temp view drafted_items as {load_sql('invoicing/drafted_items')}")
    make_adjustments(connection)
    return sorted(select(connection, "invoicing/billed_charges"), key=str)


def test_each_charge_is_kept_with_its_line_and_what_was_billed_for_it() -> None:
    found = billed(
        [{"charge_id": "a"}, {"charge_id": "b", "product_id": "disk"}], [{}, {"product_id": "disk", "line_number": 2}]
    )
    assert pick(found, "charge_id", "line_number", "amount_precise", "vendor_invoice_number") == [
        ("a", 1, Decimal("1.50"), "V-1"),
        ("b", 2, Decimal("1.50"), "V-1"),
    ]


def test_a_unit_that_is_missing_finds_the_line_without_unit() -> None:
    found = billed([{"charge_id": "a", "unit": None}], [{}, {"unit": None, "line_number": 2}])
    assert pick(found, "line_number") == [2]


def test_a_marketplace_fee_is_billed_at_its_cost() -> None:
    (found,) = billed([{"charge_id": "a", "bucket": "marketplace_fee"}], [{"line_kind": "marketplace"}])
    assert found["amount_precise"] == found["total_cost"] == Decimal("1.00")


def test_charges_of_lines_on_no_draft_are_left_out() -> None:
    assert billed([{"charge_id": "a", "customer_id": "c2"}, {"charge_id": "b", "bucket": "unpriced"}], [{}]) == []


def test_the_columns_are_those_of_the_contract() -> None:
    connection = session()
    make(connection, "billable_items", table_types(PRICED_LINE_ITEMS))
    make(connection, "draft_options", {"include_not_final": "boolean"})
    make(connection, "drafted_lines", LINE_TYPES)
    connection.execute(f"create temp view drafted_items as {load_sql('invoicing/drafted_items')}")
    make_adjustments(connection)
    assert output_types(connection, "invoicing/billed_charges") == table_types(BILLED_CHARGES)
