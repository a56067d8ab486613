"""Small stories of what was known when: a price that was set stays, a gap is filled by what is there."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

import duckdb
import pytest

from tests.properties.pricing_session import FACT, Month, price
from tests.sql.inline import Row, instant, pick, session

BEFORE, NOV_6, NOV_7, NOV_8 = (instant(day) for day in ("2026-01-01", "2026-11-06", "2026-11-07", "2026-11-08"))
ALWAYS: Row = {"valid_from": date(2026, 1, 1), "recorded_at": BEFORE}
CUSTOMER: Row = {"customer_id": "c1", "name": "C", "invoice_currency": "EUR", "recorded_at": BEFORE}
ACCOUNT: Row = {"source": "aws", "account_id": "a1", "customer_id": "c1", **ALWAYS}
RULE: Row = {"rule_id": "rule", "scope": "vendor", "scope_id": "AWS", "method": "markup", "percent": Decimal(10)}
SPECIAL: Row = {"special_price_id": "special", "customer_id": "c1", "product_id": "s1", "method": "markup"} | {
    "percent": Decimal(5)
}
BOOK: Row = {"pricebook_id": "b", "name": "B", "currency": "EUR", "recorded_at": BEFORE}
PRICE: Row = {"pricebook_id": "b", "scope": "product", "scope_id": "s1", "method": "markup", "percent": Decimal(20)}
USAGE: Row = {
    "delivery_id": "d1",
    "sub_account_id": "a1",
    "sku_id": "s1",
    "service_name": "Machines",
    "service_category": "Compute",
    "charge_period_start": instant("2026-10-02"),
    "charge_category": "Usage",
    "x_charge_nature": "usage",
    "pricing_unit": "Hours",
    "billing_currency": "EUR",
    "pricing_quantity": Decimal(100),
    "billed_cost": Decimal(100),
    "list_cost": Decimal(200),
}
ITEM: Row = USAGE | {
    "sub_account_id": "c1",
    "invoice_id": "INV",
    "x_line_number": "1",
    "x_invoice_type": "debit",
    "x_invoice_status": "issued",
    "x_order_channel": "distributor_storefront",
    "x_issued_at": instant("2026-10-02 12:00"),
    "x_invoice_date": date(2026, 10, 2),
    "x_unit_cost": Decimal(1),
    "x_list_price": Decimal(2),
}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with session() as opened:
        yield opened


def totals(
    connection: duckdb.DuckDBPyConnection,
    usage: Sequence[Row] = (USAGE,),
    items: Sequence[Row] = (),
    **files: Sequence[Row],
) -> list[Decimal | None]:
    """Price charges of a delivery that arrived and was seen on 5 November, by day; c1 is always known."""
    reference = {"customers": [CUSTOMER], "accounts": [ACCOUNT], "pricebooks": [BOOK], **files}
    lines = price(connection, Month(usage=tuple(usage), items=tuple(items), facts=(FACT,), reference=reference))
    return pick(sorted(lines, key=lambda line: str(line["period_start"])), "total_sell")


def test_a_pricebook_assigned_later_fills_a_gap(connection: duckdb.DuckDBPyConnection) -> None:
    customers = [CUSTOMER | {"withdrawn_at": NOV_6}, CUSTOMER | {"pricebook_id": "b", "recorded_at": NOV_6}]
    assert totals(connection, customers=customers, pricebook_prices=[PRICE | ALWAYS]) == [Decimal(120)]


def test_a_pricebook_assigned_later_changes_no_price(connection: duckdb.DuckDBPyConnection) -> None:
    customers = [CUSTOMER | {"withdrawn_at": NOV_6}, CUSTOMER | {"pricebook_id": "b", "recorded_at": NOV_6}]
    prices = {"pricebook_prices": [PRICE | ALWAYS], "pricing_rules": [RULE | ALWAYS]}
    assert totals(connection, customers=customers, **prices) == [Decimal(110)]


def test_a_product_of_the_catalogue_recorded_later_changes_no_price(connection: duckdb.DuckDBPyConnection) -> None:
    product: Row = {"product_id": "p1", "name": "P", "product_type": "T", "source": "aws", "sku": "s1"}
    rules = [RULE | ALWAYS | {"scope": "product", "scope_id": "s1"}]
    rules.append(RULE | ALWAYS | {"scope": "product", "scope_id": "p1", "percent": Decimal(90)})
    found = totals(connection, products=[product | {"recorded_at": NOV_6}], pricing_rules=rules)
    assert found == [Decimal(110)]


def test_the_stronger_of_two_terms_that_filled_a_gap_together_still_counts_when_it_was_taken_away(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Both were there from the 6th on, so the special price set 105; that it ended on the 7th is a later change."""
    late: Row = {"recorded_at": NOV_6}
    rules, special = [RULE | ALWAYS | late], SPECIAL | ALWAYS | late
    before = totals(connection, pricing_rules=rules, special_prices=[special])
    after = totals(connection, pricing_rules=rules, special_prices=[special | {"withdrawn_at": NOV_7}])
    assert (before, after) == ([Decimal(105)], [Decimal(105)])


def test_a_mapping_recorded_later_takes_no_item_away_from_the_customer_that_it_names(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """The item names our customer c1 and was charged to it; a mapping of that id fills no gap."""
    other: Row = {"customer_id": "c2", "name": "D", "invoice_currency": "EUR", "recorded_at": BEFORE}
    mapping: Row = {"source": "aws", "account_id": "c1", "customer_id": "c2", **ALWAYS, "recorded_at": NOV_6}
    reference = {"customers": [CUSTOMER, other], "accounts": [mapping], "pricing_rules": [RULE | ALWAYS]}
    lines = price(connection, Month(items=(ITEM,), facts=(FACT,), reference=reference))
    assert pick(lines, "customer_id", "total_sell") == [("c1", Decimal(110))]


def test_a_price_that_was_gone_before_its_pricebook_was_assigned_prices_nothing(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """The price stood in the file until the 6th, the customer got the pricebook on the 8th: they never met."""
    customers = [CUSTOMER | {"withdrawn_at": NOV_8}, CUSTOMER | {"pricebook_id": "b", "recorded_at": NOV_8}]
    gone = PRICE | ALWAYS | {"withdrawn_at": NOV_6}
    assert totals(connection, customers=customers, pricebook_prices=[gone]) == [None]


def test_no_charge_of_a_quantity_beyond_the_last_tier_is_priced(connection: duckdb.DuckDBPyConnection) -> None:
    """Half a month billed and half reported would depend on how the vendor cut the month into charges."""
    tier: Row = {"method": "graduated", "percent": None, "unit_price": Decimal(1), "to_quantity": Decimal(150)}
    customers = [CUSTOMER | {"pricebook_id": "b"}]
    days = [USAGE, USAGE | {"charge_period_start": instant("2026-10-03")}]
    found = totals(connection, usage=days, customers=customers, pricebook_prices=[PRICE | tier | ALWAYS])
    assert found == [None, None]
