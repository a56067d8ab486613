"""`sql/invoicing/draft_lines.sql` against rows written here."""

import hashlib
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from tests.sql.inline import make, output_types, select, session, table_types

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


def drafts_session(*items: dict[str, Any], include_not_final: bool = False) -> duckdb.DuckDBPyConnection:
    connection = session()
    rows = [{"charge_id": f"k{number}", **item} for number, item in enumerate(items)]
    make(connection, "billable_items", table_types(PRICED_LINE_ITEMS), *rows, defaults=ITEM)
    make(connection, "draft_options", {"include_not_final": "boolean"}, {"include_not_final": include_not_final})
    connection.execute(f"create temp view drafted_items as {load_sql('invoicing/drafted_items')}")
    return connection


def draft_lines(*items: dict[str, Any], include_not_final: bool = False) -> list[dict[str, Any]]:
    return sorted(select(drafts_session(*items, include_not_final=include_not_final), "invoicing/draft_lines"), key=str)


def test_charges_of_one_product_become_one_exact_line_that_knows_them() -> None:
    (line,) = draft_lines(
        {"charge_id": "b", "total_sell": Decimal("0.000000000000000000000001"), "quantity": Decimal("0.5")},
        {"charge_id": "a", "total_sell": Decimal("12.5"), "quantity": Decimal("2")},
    )
    assert line["amount_precise"] == Decimal("12.500000000000000000000001")
    assert line["quantity"] == Decimal("2.5")
    assert line["charges_sha256"] == hashlib.sha256(b"a\nb").hexdigest()
    assert (line["charge_count"], line["line_kind"], line["description"]) == (2, "usage", "Hours of machines")
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
    assert line["charge_count"] == 2


def test_other_charges_of_the_same_amount_make_another_line() -> None:
    ((one,), (other,), (again,)) = (draft_lines({"charge_id": charge_id}) for charge_id in ("a", "b", "a"))
    assert one["charges_sha256"] == again["charges_sha256"] != other["charges_sha256"]


def test_no_charges_make_no_lines() -> None:
    assert draft_lines() == []


def test_no_column_of_a_line_is_floating_point() -> None:
    types = output_types(drafts_session(), "invoicing/draft_lines")
    assert types["amount_precise"] == "DECIMAL(38,24)"
    assert types["quantity"] == "DECIMAL(38,18)"
    assert not {"DOUBLE", "FLOAT"} & set(types.values())
