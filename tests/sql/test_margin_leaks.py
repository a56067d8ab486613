"""`sql/marts/margin_leaks.sql`: cost that nobody pays for, and prices below cost."""

from decimal import Decimal

import pytest

from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.reconciliation import MARGIN_LEAKS
from tests.sql.inline import Row, exact, make, output_types, pick, select, session, table_types

ITEM: Row = {
    "charge_id": "k1",
    "source": "aws",
    "billing_period": "2026-10",
    "currency": "EUR",
    "customer_id": "c1",
    "product_id": "p1",
    "product_name": "Machines",
    "charge_type": "Debit",
    "bucket": "billed",
    "total_cost": Decimal(10),
    "total_sell": Decimal(15),
    "margin": Decimal(5),
}
BELOW_COST: Row = {"total_sell": Decimal(8), "margin": Decimal(-2)}


def leaks(*items: Row, invoiced: tuple[str, ...] = ()) -> list[Row]:
    connection = session()
    make(connection, "current_line_items", table_types(PRICED_LINE_ITEMS), *items, defaults=ITEM)
    make(connection, "invoiced_charges", {"charge_id": "varchar"}, *({"charge_id": name} for name in invoiced))
    return select(connection, "marts/margin_leaks")


@pytest.mark.parametrize(
    ("item", "kind", "amount", "detail"),
    [
        (BELOW_COST, "sold_below_cost", 2, "Machines"),
        (BELOW_COST | {"bucket": "not_yet_final"}, "sold_below_cost", 2, "Machines"),
        (
            {"bucket": "unmapped_account", "customer_id": None, "reason": "account 1 of nobody"},
            "unmapped_account",
            10,
            "account 1 of nobody",
        ),
        ({"bucket": "unpriced", "reason": "no rule"}, "unpriced", 10, "no rule"),
        ({"bucket": "marketplace_fee", "margin": 0}, "marketplace_fee_not_passed_on", 10, "Machines"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_each_way_to_lose_money_is_named_with_its_amount(item: Row, kind: str, amount: int, detail: str) -> None:
    assert pick(leaks(item), "kind", "amount", "detail") == [(kind, amount, detail)]


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"margin": Decimal(0)},
        {"bucket": "tax", **BELOW_COST},
        {"bucket": "excluded_by_rule", **BELOW_COST},
        {"charge_type": "Credit", "total_cost": Decimal(-10), "total_sell": Decimal(-15), "margin": Decimal(-5)},
        {"total_cost": Decimal(-10), "total_sell": Decimal(-15), "margin": Decimal(-5)},
    ],
    ids=["margin", "margin of zero", "tax", "not for the customer", "credit", "correction"],
)
def test_what_earns_its_cost_or_returns_it_is_no_leak(item: Row) -> None:
    assert leaks(item) == []


def test_a_marketplace_fee_that_stands_on_a_document_is_passed_on() -> None:
    assert leaks({"bucket": "marketplace_fee"}, invoiced=("k1", "k1")) == []


def test_charges_sold_below_cost_stay_a_finding_when_they_are_invoiced() -> None:
    assert pick(leaks(BELOW_COST, invoiced=("k1", "k1")), "amount") == [2]


def test_findings_of_one_kind_customer_and_detail_are_added_up_exactly() -> None:
    found = leaks(BELOW_COST, BELOW_COST | {"charge_id": "k2", "margin": exact("-0.000000000000000000000001")})
    assert pick(found, "amount") == [exact("2.000000000000000000000001")]


@pytest.mark.parametrize(
    "other",
    [
        {"customer_id": "c2"},
        {"source": "azure"},
        {"billing_period": "2026-11"},
        {"currency": "USD"},
        {"product_name": "Discs"},
    ],
    ids=str,
)
def test_findings_that_differ_are_two(other: Row) -> None:
    assert len(leaks(BELOW_COST, BELOW_COST | other)) == 2


def test_costs_and_their_corrections_that_cancel_are_no_finding() -> None:
    unmapped: Row = {"bucket": "unmapped_account", "customer_id": None, "reason": "account 1"}
    assert leaks(unmapped, unmapped | {"total_cost": Decimal(-10)}) == []


def test_a_product_without_name_is_still_told() -> None:
    assert pick(leaks(BELOW_COST | {"product_name": None}), "detail") == ["p1"]
    assert pick(leaks(BELOW_COST | {"product_name": None, "product_id": None}), "detail") == ["(no product)"]


def test_findings_have_the_columns_and_types_of_their_contract() -> None:
    connection = session()
    make(connection, "current_line_items", table_types(PRICED_LINE_ITEMS))
    make(connection, "invoiced_charges", {"charge_id": "varchar"})
    assert output_types(connection, "marts/margin_leaks") == table_types(MARGIN_LEAKS)
