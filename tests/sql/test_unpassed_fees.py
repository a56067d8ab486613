"""`sql/marts/unpassed_fees.sql`: marketplace fees that stand on no document, recognised in every delivery."""

from decimal import Decimal

import pytest

from tests.sql.inline import Row, exact, pick, select
from tests.sql.leak_findings import finding_session

FACTS: Row = {
    "source": "aws",
    "billing_account_id": "payer",
    "billing_period": "2026-10",
    "sub_account_id": "12",
    "product_id": "scanner",
    "charge_category": "Usage",
    "charge_nature": "marketplace_fee",
    "period_start": "2026-10-03",
    "unit": "Hours",
    "currency": "USD",
}
FEE: Row = FACTS | {
    "charge_id": "use-of-the-second-delivery",
    "delivery_id": "second",
    "bucket": "marketplace_fee",
    "customer_id": "c1",
    "product_name": "Scanner",
    "total_cost": Decimal(20),
}
BILLED: Row = FACTS | {
    "charge_id": "use-of-the-first-delivery",
    "delivery_id": "first",
    "amount_precise": Decimal(20),
}


def unpassed(*items: Row, fees: tuple[Row, ...] = ()) -> list[Row]:
    return select(finding_session(*items, fees=fees), "marts/unpassed_fees")


def test_a_fee_on_no_document_is_lost_whole() -> None:
    assert pick(unpassed(FEE), "kind", "customer_id", "source", "billing_period", "amount", "currency", "detail") == [
        ("marketplace_fee_not_passed_on", "c1", "aws", "2026-10", 20, "USD", "Scanner")
    ]


def test_a_fee_that_was_billed_is_passed_on_although_a_newer_delivery_gave_it_another_id() -> None:
    assert unpassed(FEE, fees=(BILLED,)) == []


def test_of_a_fee_that_rose_since_it_was_billed_the_rest_is_lost_exactly() -> None:
    risen = FEE | {"total_cost": exact("20.000000000000000000000001")}
    assert pick(unpassed(risen, fees=(BILLED,)), "amount") == [exact("0.000000000000000000000001")]


def test_a_fee_that_fell_or_was_adjusted_since_is_no_loss() -> None:
    assert unpassed(FEE | {"total_cost": Decimal(5)}, fees=(BILLED,)) == []
    adjusted = BILLED | {"amount_precise": Decimal(3), "invoice_id": "of the next month"}
    assert unpassed(FEE | {"total_cost": Decimal(23)}, fees=(BILLED, adjusted)) == []


def test_a_fee_billed_to_the_customer_the_account_had_then_is_passed_on() -> None:
    assert unpassed(FEE | {"customer_id": "c2"}, fees=(BILLED | {"customer_id": "c1"},)) == []


@pytest.mark.parametrize(
    "other",
    [
        {"source": "azure"},
        {"billing_account_id": "another"},
        {"billing_period": "2026-09"},
        {"sub_account_id": None},
        {"product_id": "guard"},
        {"period_start": "2026-10-04"},
        {"unit": None},
        {"currency": "EUR"},
    ],
    ids=str,
)
def test_another_fee_on_a_document_passes_nothing_on(other: Row) -> None:
    assert pick(unpassed(FEE, fees=(BILLED | other,)), "amount") == [20]


def test_an_item_is_recognised_by_its_line() -> None:
    item = FEE | {"line_number": "7", "product_id": "named anew"}
    assert unpassed(item, fees=(BILLED | {"vendor_line_number": "7"},)) == []
    assert len(unpassed(item, fees=(BILLED | {"vendor_line_number": "8"},))) == 1


def test_other_charges_are_not_looked_at() -> None:
    assert unpassed(FEE | {"bucket": "billed"}) == []
