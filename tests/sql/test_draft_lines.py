"""`sql/invoicing/draft_lines.sql` against rows written here."""

from decimal import Decimal
from typing import Any

import duckdb
import pytest

from billing_pipeline.queries import load_sql

COLUMNS = {
    "charge_id": "varchar",
    "customer_id": "varchar",
    "currency": "varchar",
    "product_type": "varchar",
    "product_id": "varchar",
    "product_name": "varchar",
    "unit": "varchar",
    "description": "varchar",
    "charge_type": "varchar",
    "charge_category": "varchar",
    "is_pay_per_use": "boolean",
    "quantity": "decimal(38, 18)",
    "total_cost": "decimal(38, 24)",
    "total_sell": "decimal(38, 24)",
    "tax_category": "varchar",
    "bucket": "varchar",
}
ITEM: dict[str, Any] = {
    "customer_id": "c1",
    "currency": "EUR",
    "product_type": "Compute",
    "product_id": "vm",
    "product_name": "Machines",
    "unit": "Hours",
    "description": "Hours of machines",
    "charge_type": "Debit",
    "charge_category": "Usage",
    "is_pay_per_use": None,
    "quantity": Decimal(1),
    "total_cost": Decimal("1.00"),
    "total_sell": Decimal("1.50"),
    "tax_category": None,
    "bucket": "billed",
}


def draft_lines(*items: dict[str, Any], include_not_final: bool = False) -> list[dict[str, Any]]:
    connection = duckdb.connect()
    connection.execute(f"create table billable_items ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})")
    for number, item in enumerate(items):
        row = {"charge_id": f"k{number}", **ITEM, **item}
        connection.execute(
            f"insert into billable_items values ({', '.join('?' * len(COLUMNS))})", [row[n] for n in COLUMNS]
        )
    result = connection.execute(load_sql("invoicing/draft_lines"), {"include_not_final": include_not_final})
    names = [column[0] for column in result.description]
    return sorted((dict(zip(names, row, strict=True)) for row in result.fetchall()), key=str)


def test_charges_of_one_product_become_one_exact_line_that_knows_them() -> None:
    (line,) = draft_lines(
        {"charge_id": "b", "total_sell": Decimal("0.000000000000000000000001"), "quantity": Decimal("0.5")},
        {"charge_id": "a", "total_sell": Decimal("12.5"), "quantity": Decimal("2")},
    )
    assert line["amount_precise"] == Decimal("12.500000000000000000000001")
    assert line["quantity"] == Decimal("2.5")
    assert line["charge_ids"] == ["a", "b"]
    assert (line["item_count"], line["line_kind"], line["description"]) == (2, "usage", "Hours of machines")
    assert line["tax_category"] == "standard"


@pytest.mark.parametrize(
    "other",
    [
        {"customer_id": "c2"},
        {"currency": "USD"},
        {"product_type": "Storage"},
        {"product_id": "vm2"},
        {"product_name": "Others"},
        {"unit": "Days"},
        {"unit": None},
        {"charge_type": "Credit"},
        {"tax_category": "reduced"},
    ],
    ids=str,
)
def test_charges_that_differ_in_a_key_are_two_lines(other: dict[str, Any]) -> None:
    assert len(draft_lines({}, other)) == 2


@pytest.mark.parametrize(
    ("item", "line_kind"),
    [
        ({}, "usage"),
        ({"charge_category": "Purchase"}, "subscription"),
        ({"charge_category": "Purchase", "is_pay_per_use": False}, "subscription"),
        ({"charge_category": "Purchase", "is_pay_per_use": True}, "usage"),
        ({"charge_category": "Purchase", "charge_type": "Credit"}, "credit"),
        ({"bucket": "marketplace_fee", "charge_category": "Purchase"}, "marketplace"),
        ({"bucket": "marketplace_fee", "charge_type": "Credit"}, "marketplace"),
    ],
    ids=str,
)
def test_the_kind_of_a_line_follows_from_the_charge(item: dict[str, Any], line_kind: str) -> None:
    assert [line["line_kind"] for line in draft_lines(item)] == [line_kind]


def test_a_marketplace_fee_passes_through_at_cost_even_if_a_price_was_found() -> None:
    fee = {"bucket": "marketplace_fee", "total_cost": Decimal("9.99")}
    amounts = [
        line["amount_precise"] for line in draft_lines(fee | {"total_sell": Decimal(20)}, fee | {"total_sell": None})
    ]
    assert amounts == [Decimal("19.98")]


def test_two_descriptions_in_one_line_give_way_to_the_product_name() -> None:
    (line,) = draft_lines({"description": "one"}, {"description": "two"})
    assert line["description"] == "Machines"


def test_a_charge_without_names_still_has_a_line() -> None:
    nameless = dict.fromkeys(("product_type", "product_id", "product_name", "description", "unit"))
    (line,) = draft_lines(nameless)
    assert (line["product_type"], line["product_id"], line["product_name"]) == ("Other", "unnamed", "Unnamed product")


@pytest.mark.parametrize(
    "bucket",
    [
        "tax",
        "credit",
        "rounding",
        "partner_discount",
        "free_tier",
        "unmapped_account",
        "unpriced",
        "excluded_by_rule",
        "not_yet_final",
    ],
)
def test_what_is_not_billed_is_on_no_line(bucket: str) -> None:
    assert draft_lines({"bucket": bucket}) == []


def test_charges_that_are_not_final_are_lines_only_under_an_override() -> None:
    items = ({"product_id": "settled"}, {"bucket": "not_yet_final", "product_id": "estimated"})
    assert [line["product_id"] for line in draft_lines(*items)] == ["settled"]
    overridden = draft_lines(*items, {"bucket": "tax"}, include_not_final=True)
    assert sorted(line["product_id"] for line in overridden) == ["estimated", "settled"]


def test_a_line_with_an_unpriced_item_has_no_amount_instead_of_a_smaller_one() -> None:
    (line,) = draft_lines({}, {"total_sell": None})
    assert line["amount_precise"] is None
    assert line["item_count"] == 2


def test_a_charge_split_over_two_items_is_named_once() -> None:
    (line,) = draft_lines({"charge_id": "a"}, {"charge_id": "a"})
    assert line["charge_ids"] == ["a"]


def test_no_charges_make_no_lines() -> None:
    assert draft_lines() == []


def test_no_column_of_a_line_is_floating_point() -> None:
    connection = duckdb.connect()
    connection.execute(f"create table billable_items ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})")
    result = connection.execute(load_sql("invoicing/draft_lines"), {"include_not_final": False})
    types = {column[0]: str(column[1]) for column in result.description}
    assert types["amount_precise"] == "DECIMAL(38,24)"
    assert types["quantity"] == "DECIMAL(38,18)"
    assert not {"DOUBLE", "FLOAT"} & set(types.values())
