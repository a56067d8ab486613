"""`sql/pricing/priced_line_items.sql`: price, bucket and reason of every charge."""

from decimal import Decimal

import duckdb
import pytest

from billing_pipeline.schemas.priced_line_items import BUCKETS, PRICED_LINE_ITEMS
from tests.sql.inline import Row, exact, instant, make, output_types, pick, select, session, table_types

# Names of priced charges that differ from those of line items.
RENAMED = {"is_pay_per_use": "pay_per_use", "price_method": "method", "price_percent": "percent"}
MADE_HERE = {"line_item_id", "margin", "bucket", "reason"}
TYPES = {
    RENAMED.get(name, name): kind for name, kind in table_types(PRICED_LINE_ITEMS).items() if name not in MADE_HERE
} | {"unpriced_reason": "varchar"}
CHARGE: Row = {
    "charge_id": "k1",
    "source": "aws",
    "delivery_id": "d1",
    "sub_account_id": "111",
    "customer_id": "c1",
    "charge_nature": "usage",
    "charge_type": "Debit",
    "total_cost": Decimal(80),
    "total_sell": Decimal(100),
    "currency": "EUR",
    "is_final": True,
    "price_term": "pricing_rule",
    "price_term_id": "r1",
    "row_count": 7,
    "received_at": instant("2026-11-05"),
}


def made(*charges: Row, feeds: tuple[Row, ...] = ()) -> duckdb.DuckDBPyConnection:
    connection = session()
    make(connection, "priced_charges", TYPES, *charges, defaults=CHARGE)
    make(connection, "feeds_invoiced_through", {"source": "varchar", "distributor": "varchar"}, *feeds)
    return connection


def line_item(changes: Row, feeds: tuple[Row, ...] = ()) -> Row:
    connection = made(changes, feeds=feeds)
    (row,) = select(connection, "pricing/priced_line_items")
    return row


def test_a_line_item_carries_its_exact_margin() -> None:
    row = line_item({"total_cost": exact("3"), "total_sell": exact("3.000000000000000000000001")})
    assert row["margin"] == exact("0.000000000000000000000001")
    assert (row["line_item_id"], row["row_count"], row["price_term_id"]) == ("line-k1", 7, "r1")


def test_a_credit_has_a_negative_margin() -> None:
    assert (
        line_item({"charge_type": "Credit", "total_cost": Decimal(-80), "total_sell": Decimal(-100)})["margin"] == -20
    )


def test_an_unpriced_charge_has_no_margin() -> None:
    assert line_item({"total_sell": None, "unpriced_reason": "no rule"})["margin"] is None


@pytest.mark.parametrize(
    ("changes", "bucket", "reason"),
    [
        ({}, "billed", None),
        ({"charge_nature": "tax"}, "tax", None),
        ({"charge_nature": "marketplace_fee"}, "marketplace_fee", None),
        ({"charge_nature": "credit"}, "credit", None),
        ({"charge_nature": "rounding"}, "rounding", None),
        ({"charge_nature": "partner_discount"}, "partner_discount", None),
        ({"charge_nature": "free_tier"}, "free_tier", None),
        ({"customer_id": None}, "unmapped_account", "account 111 of source aws belongs to no customer"),
        ({"customer_id": None, "sub_account_id": None}, "unmapped_account", "account (none) of source aws"),
        ({"total_sell": None, "unpriced_reason": "no rule"}, "unpriced", "no rule"),
        ({"invoice_status": "pending"}, "excluded_by_rule", "the distributor's invoice is pending"),
        ({"invoice_status": "proforma"}, "excluded_by_rule", "the distributor's invoice is proforma"),
        ({"invoice_status": "issued"}, "billed", None),
        ({"is_final": False}, "not_yet_final", "not final"),
    ],
    ids=str,
)
def test_each_charge_is_in_the_bucket_of_what_keeps_it_from_being_billed(
    changes: Row, bucket: str, reason: str | None
) -> None:
    row = line_item(changes)
    assert row["bucket"] == bucket
    assert (row["reason"] is None) == (reason is None)
    assert reason is None or reason in row["reason"]


def test_where_several_things_keep_a_charge_from_being_billed_the_first_of_a_fixed_order_names_it() -> None:
    obstacles: list[tuple[str, Row]] = [
        ("not_yet_final", {"is_final": False}),
        ("unpriced", {"total_sell": None, "unpriced_reason": "no rule"}),
        ("unmapped_account", {"customer_id": None}),
        ("excluded_by_rule", {"invoice_status": "proforma"}),
        ("tax", {"charge_nature": "tax"}),
    ]
    charge: Row = {}
    for bucket, obstacle in obstacles:
        charge |= obstacle
        assert line_item(charge)["bucket"] == bucket


@pytest.mark.parametrize(
    "changes",
    [{}, {"charge_nature": "tax"}, {"charge_nature": "marketplace_fee"}, {"customer_id": None}, {"is_final": False}],
    ids=str,
)
def test_nothing_of_a_feed_that_a_distributor_invoices_is_billed_a_second_time(changes: Row) -> None:
    row = line_item(changes, feeds=({"source": "aws", "distributor": "dist"},))
    assert (row["bucket"], row["reason"]) == ("excluded_by_rule", "invoiced through dist")


def test_what_a_distributor_invoices_of_another_feed_changes_nothing() -> None:
    assert line_item({}, feeds=({"source": "gcp", "distributor": "dist"},))["bucket"] == "billed"


def test_every_bucket_of_the_contract_can_be_reached_and_no_other() -> None:
    natures = [
        {"charge_nature": nature}
        for nature in BUCKETS
        if nature in ("tax", "marketplace_fee", "credit", "rounding", "partner_discount", "free_tier")
    ]
    others: list[Row] = [
        {},
        {"customer_id": None},
        {"total_sell": None},
        {"invoice_status": "pending"},
        {"is_final": False},
    ]
    assert {line_item(row)["bucket"] for row in [*natures, *others]} == set(BUCKETS)


def test_a_marketplace_fee_names_its_term_as_pass_through_with_margin_zero() -> None:
    row = line_item(
        {"charge_nature": "marketplace_fee", "price_term": None, "total_cost": Decimal(9), "total_sell": Decimal(9)}
    )
    assert (row["price_term"], row["margin"]) == ("pass_through", 0)


def test_a_line_item_keeps_everything_that_made_its_price() -> None:
    facts: Row = {
        "price_scope": "product",
        "price_scope_id": "p1",
        "price_unit_price": exact("0.000000001"),
        "tier_quantity": Decimal(1000),
        "adjustment_ids": "a1;a2",
        "adjustment_percent": Decimal(-5),
        "total_before_adjustment": exact("105.263157894736842105263158"),
        "price_list_id": "list",
        "expected_unit_cost": exact("7.5"),
        "credited_line_item_id": "line-k0",
    }
    row = line_item(facts | {"method": "volume", "percent": exact("12.5")})
    assert {name: row[name] for name in facts} == facts
    assert (row["price_method"], row["price_percent"]) == ("volume", exact("12.5"))


def test_a_price_without_adjustment_has_nothing_before_it() -> None:
    assert line_item({"total_before_adjustment": Decimal(100)})["total_before_adjustment"] is None


def test_no_charge_is_dropped_or_repeated() -> None:
    feeds: tuple[Row, ...] = ({"source": "aws", "distributor": "dist"}, {"source": "gcp", "distributor": "dist"})
    connection = made(*({"charge_id": f"k{number}"} for number in range(5)), feeds=feeds)
    rows = select(connection, "pricing/priced_line_items")
    assert sorted(pick(rows, "charge_id")) == ["k0", "k1", "k2", "k3", "k4"]


def test_line_items_have_the_columns_and_types_of_their_contract() -> None:
    connection = made()
    types = output_types(connection, "pricing/priced_line_items")
    assert types == table_types(PRICED_LINE_ITEMS)
