"""`sql/marts/margins.sql`: what is earned on each customer and product type."""

from decimal import Decimal

import pytest

from billing_pipeline.schemas.margins import MARGINS
from tests.sql.inline import Row, exact, output_types, pick, select, table_types
from tests.sql.leak_findings import finding_session

ITEM: Row = {
    "customer_id": "c1",
    "billing_period": "2026-10",
    "product_type": "Compute",
    "currency": "EUR",
    "bucket": "billed",
    "total_cost": Decimal(80),
    "total_sell": Decimal(100),
    "margin": Decimal(20),
}


def margins(*items: Row) -> list[Row]:
    return select(finding_session(*({**ITEM, **item} for item in items)), "marts/margins")


def test_charges_of_a_customer_and_type_add_up_exactly() -> None:
    little = exact("0.000000000000000000000001")
    found = margins({}, {"total_cost": Decimal(0), "total_sell": little, "margin": little})
    columns = ("charge_count", "total_cost", "total_sell", "margin", "margin_percent")
    assert pick(found, *columns) == [(2, 80, 100 + little, 20 + little, 20)]


@pytest.mark.parametrize(
    "other",
    [{"customer_id": "c2"}, {"product_type": None}, {"currency": "USD"}, {"billing_period": "2026-11"}],
    ids=str,
)
def test_what_differs_has_a_row_of_its_own(other: Row) -> None:
    assert pick(margins({}, other), "margin") == [20, 20]


@pytest.mark.parametrize(
    "other", [{"customer_id": None}, {"total_sell": None, "margin": None}, {"bucket": "excluded_by_rule"}], ids=str
)
def test_what_is_no_priced_charge_of_a_customer_does_not_count(other: Row) -> None:
    assert margins(other) == []


def test_fees_that_pass_through_and_estimates_count_and_a_free_charge_has_no_percentage() -> None:
    fee: Row = {"bucket": "marketplace_fee", "total_sell": Decimal(80), "margin": Decimal(0)}
    assert pick(margins(fee, {"bucket": "not_yet_final"}), "charge_count", "margin") == [(2, 20)]
    free: Row = {"total_sell": Decimal(0), "margin": Decimal(-80)}
    assert pick(margins(free), "margin_percent") == [None]


def test_margins_have_the_columns_and_types_of_their_contract() -> None:
    assert output_types(finding_session(), "marts/margins") == table_types(MARGINS)
