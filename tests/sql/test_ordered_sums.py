"""`usage_kinds.sql`, `ordered_sums.sql` and `sums_in_order.sql`: sums of usage put in the order of priced charges."""

from datetime import date
from decimal import Decimal
from typing import Any

from billing_pipeline.queries import load_sql, one_thread
from tests.sql.inline import Row, fetch, make, pick, session
from tests.sql.pricing_steps import step_types

DAY = date(2026, 10, 1)
SUM: Row = {
    "delivery_id": "d1",
    "sub_account_id": "111",
    "sku_id": "SKU1",
    "service_name": "Machines",
    "service_category": "Compute",
    "charge_day": DAY,
    "charge_category": "Usage",
    "charge_nature": "usage",
    "unit": "Hours",
    "currency": "EUR",
    "quantity": Decimal(1),
    "cost": Decimal("0.10"),
    "row_count": 1,
}
SITUATION: Row = {
    "delivery_id": "d1",
    "sub_account_id": "111",
    "vendor_product_id": "SKU1",
    "vendor_product_type": "Compute",
    "is_item": False,
    "term_day": DAY,
    "customer_id": "C1",
    "product_id": "vm",
}


def in_order(sums: list[Row], situations: list[Row]) -> list[dict[str, Any]]:
    connection = session()
    make(connection, "usage_sums", step_types("usage_sums"), *sums, defaults=SUM)
    make(connection, "attributed_situations", step_types("attributed_situations"), *situations, defaults=SITUATION)
    days = {row.get("charge_day", DAY) for row in sums}
    make(
        connection, "term_stretches", step_types("term_stretches"), *({"term_day": d, "stretch_day": DAY} for d in days)
    )
    for name in ("usage_kinds", "ordered_sums"):
        connection.execute(f"create temp table {name} as {load_sql(f'pricing/{name}')}")
    with one_thread(connection):
        return fetch(connection, load_sql("pricing/sums_in_order"))


def test_sums_stand_by_customer_product_day_and_key_with_unmapped_accounts_last() -> None:
    sums = [
        {"charge_id": "e", "sub_account_id": "999"},
        {"charge_id": "d", "sub_account_id": "222"},
        {"charge_id": "c", "charge_day": date(2026, 10, 2)},
        {"charge_id": "b"},
        {"charge_id": "a", "sku_id": "SKU2"},
        {"charge_id": "a2"},
    ]
    situations = [
        {"sub_account_id": "222", "customer_id": "C2", "product_id": "a"},
        {"sub_account_id": "999", "customer_id": None},
        {"vendor_product_id": "SKU2", "product_id": "xm"},
        {},
    ]
    assert pick(in_order(sums, situations), "charge_id") == ["a2", "b", "c", "a", "d", "e"]


def test_every_text_and_amount_comes_back_as_it_was() -> None:
    texts = {
        "charge_class": "Correction",
        "sub_account_name": "Acme",
        "description": "An hour",
        "invoice_number": "V-1",
    }
    sums = [
        {"charge_id": "a", **texts, "list_cost": Decimal("0.2")},
        {"charge_id": "b", "charge_day": date(2026, 10, 3), "description": "A day", "quantity": None},
    ]
    found = in_order(sums, [{}])
    assert [{name: row[name] for name in (*SUM, *texts, "charge_id", "list_cost")} for row in found] == [
        {**dict.fromkeys(texts), **SUM, "list_cost": None, **row} for row in sums
    ]


def test_what_is_missing_finds_its_kind_and_no_charge_is_lost_or_repeated() -> None:
    nameless = {"sub_account_id": None, "sku_id": None, "service_name": None, "service_category": None, "unit": None}
    sums = [{"charge_id": "a", **nameless}, {"charge_id": "b"}, {"charge_id": "c", "charge_nature": "tax"}]
    found = in_order(sums, [SITUATION, {**SITUATION, "is_item": True}])
    assert sorted(pick(found, "charge_id")) == ["a", "b", "c"]
