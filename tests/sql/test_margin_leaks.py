"""`sql/marts/margin_leaks.sql`: cost nobody pays for, prices below cost, and what was paid or returned too much.

The findings that have files of their own have tests of their own; here it is that they are gathered.
"""

from decimal import Decimal

import pytest

from billing_pipeline.schemas.reconciliation import LEAK_KINDS, MARGIN_LEAKS
from tests.sql.inline import Row, exact, output_types, pick, select, table_types
from tests.sql.leak_findings import finding_session

ITEM: Row = {
    "line_item_id": "line-1",
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


def leaks(*items: Row, **others: Row) -> list[Row]:
    return select(finding_session(*({**ITEM, **item} for item in items), **others), "marts/margin_leaks")


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
        (
            {"bucket": "marketplace_fee", "charge_nature": "marketplace_fee", "margin": 0},
            "marketplace_fee_not_passed_on",
            10,
            "Machines",
        ),
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


def test_the_findings_of_other_files_are_gathered() -> None:
    special: Row = {"special_price_id": "s", "method": "markup", "percent": 60, "valid_to": "2026-10-01"}
    item: Row = {"period_start": "2026-10-05"}
    assert pick(leaks(item, special_price=special), "kind", "amount") == [("expired_special_price", 1)]
    assert pick(leaks(item, error={"reason": "no currency"}), "kind", "amount") == [("not_invoiced", 10)]


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


DEAR: Row = {"unit_cost": Decimal(5), "expected_unit_cost": Decimal(4), "quantity": Decimal(2), "price_list_id": "l"}


def test_an_item_that_costs_more_than_the_distributors_price_list_says_is_a_leak_of_the_difference() -> None:
    assert pick(leaks(DEAR), "kind", "customer_id", "amount", "detail") == [
        ("unit_cost_above_price_list", "c1", 2, "Machines")
    ]
    assert pick(leaks(DEAR | {"product_name": None}), "detail") == ["p1"]


@pytest.mark.parametrize(
    "item",
    [
        {"unit_cost": Decimal(3)},
        {"expected_unit_cost": None},
        {"charge_type": "Credit", "unit_cost": Decimal(-5)},
        {"bucket": "excluded_by_rule", "invoice_status": "proforma"},
    ],
    ids=["cheaper", "no price list", "credit", "not invoiced yet"],
)
def test_an_item_that_costs_no_more_than_expected_or_is_not_invoiced_is_no_leak(item: Row) -> None:
    assert leaks(DEAR | item) == []


LINE: Row = {"invoice_number": "INV-1", "line_number": "1"}
CREDIT: Row = {
    "line_item_id": "line-2",
    "charge_id": "k2",
    "charge_type": "Credit",
    "credited_line_item_id": "line-1",
    "total_cost": Decimal(-10),
    "total_sell": Decimal(-15),
    "margin": Decimal(-5),
}


def test_a_line_that_is_credited_beyond_its_price_is_a_leak_of_what_is_returned_too_much() -> None:
    again = CREDIT | {"line_item_id": "line-3", "charge_id": "k3", "total_sell": exact("-0.5")}
    assert leaks(LINE, CREDIT) == []
    assert pick(leaks(LINE, CREDIT, again), "kind", "customer_id", "amount", "detail") == [
        ("credited_more_than_charged", "c1", exact("0.5"), "INV-1 line 1")
    ]


@pytest.mark.parametrize(
    "again", [{"bucket": "excluded_by_rule"}, {"bucket": "unpriced", "total_sell": None, "reason": "unknown"}], ids=str
)
def test_a_credit_that_is_not_issued_or_not_priced_returns_nothing(again: Row) -> None:
    found = leaks(LINE, CREDIT, CREDIT | {"line_item_id": "line-3", "charge_id": "k3", **again})
    assert "credited_more_than_charged" not in pick(found, "kind")


def test_credits_of_a_line_that_is_not_there_are_no_finding() -> None:
    assert leaks(CREDIT) == []


def test_the_order_of_lines_changes_nothing() -> None:
    items = [
        row | {"line_item_id": f"line-{number}", "charge_id": f"k{number}", "customer_id": f"c{number % 2}"}
        for number, row in enumerate((BELOW_COST, DEAR, BELOW_COST, DEAR, {"bucket": "marketplace_fee"}))
    ]
    assert leaks(*items) == leaks(*items[::-1])


def test_findings_have_the_columns_and_types_of_their_contract() -> None:
    assert output_types(finding_session(), "marts/margin_leaks") == table_types(MARGIN_LEAKS)


def test_only_kinds_of_the_contract_are_found() -> None:
    unmapped: Row = {"bucket": "unmapped_account", "customer_id": None, "reason": "account 1"}
    found = leaks(
        BELOW_COST, DEAR, unmapped, {"bucket": "unpriced", "reason": "no rule"}, {"bucket": "marketplace_fee"}
    )
    assert set(pick(found, "kind")) <= set(LEAK_KINDS)
    assert len(found) == 5
