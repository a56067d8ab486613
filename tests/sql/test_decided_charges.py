"""`sql/charges/decided_charges.sql`: items one by one, usage of feeds by invoice, customer and product."""

from datetime import date
from decimal import Decimal

import pytest

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from tests.sql.inline import Row, exact, fetch, make, pick, select, session, table_types
from tests.sql.test_charge_decisions import DATES, RULES

USAGE: Row = {
    "line_item_id": "line-use-1",
    "charge_id": "use-1",
    "delivery_id": "aws/payer/2026-10/abc",
    "source": "aws",
    "billing_account_id": "payer",
    "billing_period": "2026-10",
    "invoice_number": "V-1",
    "charge_type": "Debit",
    "charge_nature": "usage",
    "bucket": "billed",
    "is_final": True,
    "customer_id": "c1",
    "sub_account_id": "111",
    "product_id": "vm",
    "product_name": "Machines",
    "product_type": "Compute",
    "description": "an hour",
    "unit": "Hours",
    "currency": "USD",
    "period_start": date(2026, 10, 1),
    "period_end": date(2026, 10, 2),
    "quantity": Decimal(3),
    "total_cost": exact("1.000000000000000000000001"),
    "total_sell": exact("1.5"),
    "price_term": "pricing_rule",
    "price_term_id": "r1",
    "row_count": 10,
}


def decided(*charges: Row) -> list[Row]:
    connection = session()
    rows = [
        {"charge_id": f"use-{number}", "line_item_id": f"line-{number}"} | row for number, row in enumerate(charges)
    ]
    make(connection, "line_items", table_types(PRICED_LINE_ITEMS), *rows, defaults=USAGE)
    make(connection, "charge_rules", RULES, DATES)
    make(connection, "vendor_totals", table_types(VENDOR_TOTALS))
    connection.execute(f"create temp view charge_decisions as {load_sql('charges/charge_decisions')}")
    return select(connection, "charges/decided_charges")


def test_the_days_of_a_product_are_one_charge_from_the_first_day_to_the_day_after_the_last() -> None:
    [row] = decided({}, {"period_start": date(2026, 10, 7), "period_end": date(2026, 10, 8)}, {"sub_account_id": "222"})
    assert (row["period_start"], row["period_end"]) == (date(2026, 10, 1), date(2026, 10, 8))
    assert (row["quantity"], row["row_count"]) == (9, 30)
    assert (row["total_cost"], row["total_sell"]) == (exact("3.000000000000000000000003"), exact("4.5"))
    assert (row["invoice_number"], row["customer_id"], row["product_type"]) == ("V-1", "c1", "Compute")
    assert (row["price_term"], row["price_term_id"], row["charge_id"]) == ("pricing_rule", "r1", None)


@pytest.mark.parametrize(
    "other",
    [
        {"delivery_id": "aws/payer/2026-10/def"},
        {"invoice_number": "V-2"},
        {"invoice_number": None},
        {"customer_id": "c2"},
        {"product_id": "disk"},
        {"product_id": None},
        {"unit": "GB"},
        {"unit": None},
        {"charge_type": "Credit"},
        {"currency": "EUR"},
    ],
    ids=str,
)
def test_what_differs_in_its_grain_is_another_charge(other: Row) -> None:
    rows = decided({}, other)
    assert len(rows) == 2
    assert len(set(pick(rows, "line_item_id"))) == 2


def test_a_quantity_that_is_not_known_for_every_day_is_not_known() -> None:
    assert pick(decided({}, {"quantity": None}), "quantity", "total_cost") == [
        (None, exact("2.000000000000000000000002"))
    ]


def test_terms_that_differ_from_day_to_day_are_not_named() -> None:
    assert pick(decided({}, {"price_term_id": "r2"}), "price_term", "price_term_id") == [("pricing_rule", None)]


def test_usage_whose_texts_differ_is_described_by_its_product() -> None:
    assert pick(decided({}, {}), "description") == ["an hour"]
    assert pick(decided({}, {"description": "the first hours"}), "description") == ["Machines"]


def test_the_key_does_not_depend_on_the_order_or_number_of_rows() -> None:
    rows: list[Row] = [{}, {"quantity": Decimal(7)}, {"customer_id": "c2"}, {"product_id": "disk"}]
    keys = [sorted(pick(decided(*order), "line_item_id")) for order in (rows, rows[::-1], [*rows, {}])]
    assert keys[0] == keys[1] == keys[2]
    assert all(key.startswith("line-sum-") for key in keys[0])


def test_what_is_left_out_is_told_apart_by_rule_and_account() -> None:
    rows = decided(
        {"charge_nature": "tax"},
        {"charge_nature": "credit"},
        {"customer_id": None, "sub_account_id": "111", "reason": "account 111"},
        {"customer_id": None, "sub_account_id": "222", "reason": "account 222"},
        {"customer_id": None, "sub_account_id": "222", "reason": "account 222"},
    )
    assert sorted(pick(rows, "exclusion_reason", "sub_account_id", "exclusion_detail", "row_count")) == [
        ("credit", "111", "", 10),
        ("tax", "111", "", 10),
        ("unmapped_customer", "111", "account 111", 10),
        ("unmapped_customer", "222", "account 222", 20),
    ]
    assert len(set(pick(rows, "line_item_id"))) == 4


def test_unpriced_usage_has_no_price_also_when_summed() -> None:
    rows = decided({"total_sell": None}, {"total_sell": None}, {})
    assert sorted(pick(rows, "exclusion_reason", "total_sell"), key=str) == [
        ("no_markup_and_no_srp", None),
        (None, exact("1.5")),
    ]


def test_items_of_a_distributor_stay_one_by_one_under_their_own_keys() -> None:
    items = [{"line_number": str(number), "invoice_status": "issued", "unit_cost": Decimal(2)} for number in range(3)]
    rows = decided(*items, {})
    assert len(rows) == 4
    assert sorted(row["line_item_id"] for row in rows if row["line_number"]) == ["line-0", "line-1", "line-2"]


def test_every_vendor_row_is_counted_once() -> None:
    rows = decided({}, {"customer_id": None}, {"charge_nature": "tax"}, {"line_number": "1", "row_count": 1}, {})
    assert sum(pick(rows, "row_count")) == 41


def test_the_published_macro_leads_from_a_priced_line_to_its_charge() -> None:
    connection = session()
    key = fetch(
        connection,
        "select 'line-' || charge_group_id($delivery, null, 'V-1', 'c1', null, 'vm', 'Hours', 'Debit', 'USD') as key",
        {"delivery": USAGE["delivery_id"]},
    )
    assert pick(decided({}, {}), "line_item_id") == pick(key, "key")
