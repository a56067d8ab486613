"""`billing_pipeline/fees.py`: support plans and custom charges."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from billing_pipeline.fees import PlanInvalid, custom_charges, plans_in_force, support_fee
from billing_pipeline.periods import BillingPeriod

Row = dict[str, Any]
OCTOBER = BillingPeriod("2026-10")
KNOWN = datetime(2026, 1, 1, tzinfo=UTC)


def plan(method: str = "percent", **cells: Any) -> Row:
    row: Row = {
        "plan_id": "gold",
        "basis": "sell",
        "method": method,
        "percent": None,
        "amount": None,
        "from_amount": None,
        "to_amount": None,
        "minimum": None,
        "maximum": None,
        "currency": None,
        "valid_from": date(2026, 1, 1),
        "valid_to": None,
        "recorded_at": KNOWN,
    }
    return row | {
        name: Decimal(cell) if isinstance(cell, str) and name != "basis" else cell for name, cell in cells.items()
    }


def fee(base: str, *rows: Row) -> Decimal:
    return support_fee("gold", rows, Decimal(base), "EUR").amount


def charge(**cells: Any) -> Row:
    row: Row = {
        "charge_id": "c",
        "description": "Onboarding",
        "amount": Decimal(100),
        "currency": "EUR",
        "product_type": "Services",
        "recurrence": "once",
        "valid_from": date(2026, 10, 15),
        "valid_to": None,
        "tax_category": None,
        "recorded_at": KNOWN,
    }
    return row | cells


def test_a_percentage_of_the_month_is_exact() -> None:
    assert fee("123.456789", plan(percent="3.3333")) == Decimal("4.115185147737")


def test_a_fixed_fee_does_not_depend_on_the_month() -> None:
    assert fee("0", plan("fixed", amount="99.00")) == fee("5000", plan("fixed", amount="99.00")) == 99


@pytest.mark.parametrize(
    ("base", "wanted"), [("0", "0"), ("1000", "100"), ("1000.01", "100.0007"), ("20000", "1280"), ("-5", "0")]
)
def test_tiers_each_take_their_part_of_the_month(base: str, wanted: str) -> None:
    tiers = (
        plan("tiered", percent="10", to_amount="1000"),
        plan("tiered", percent="7", from_amount="1000", to_amount="10000"),
        plan("tiered", percent="5.5", from_amount="10000"),
    )
    assert fee(base, *tiers) == Decimal(wanted)


@pytest.mark.parametrize(("base", "wanted"), [("100", "50"), ("2000", "60"), ("100000", "500")])
def test_a_fee_lies_between_minimum_and_maximum(base: str, wanted: str) -> None:
    assert fee(base, plan(percent="3", minimum="50", maximum="500")) == Decimal(wanted)


def test_rows_of_a_plan_that_disagree_are_an_error() -> None:
    with pytest.raises(PlanInvalid, match="support plan gold"):
        fee("1", plan(percent="3"), plan("fixed", amount="1"))
    with pytest.raises(PlanInvalid, match="support plan gold"):
        fee("1", plan(percent="3"), plan(percent="4"))


def test_the_plan_of_the_months_last_day_counts_and_of_its_versions_the_one_recorded_last() -> None:
    rows = [
        plan(percent="1", valid_to=date(2026, 10, 31)),
        plan(percent="2", valid_from=date(2026, 10, 31)),
        plan(percent="3", valid_from=date(2026, 10, 31), recorded_at=datetime(2026, 10, 1, tzinfo=UTC)),
        plan(percent="4", valid_from=date(2026, 11, 1)),
    ]
    plans = plans_in_force(rows, OCTOBER)
    assert [row["percent"] for row in plans["gold"]] == [3]


def test_a_charge_once_belongs_to_the_month_of_its_first_day() -> None:
    assert [one.amount for one in custom_charges([charge()], OCTOBER)] == [100]
    assert custom_charges([charge()], BillingPeriod("2026-11")) == []
    assert custom_charges([charge()], BillingPeriod("2026-09")) == []


@pytest.mark.parametrize(
    ("month", "is_due"), [("2026-09", False), ("2026-10", True), ("2026-11", True), ("2026-12", False)]
)
def test_a_monthly_charge_belongs_to_every_month_its_days_touch(month: str, is_due: bool) -> None:
    row = charge(recurrence="monthly", valid_to=date(2026, 12, 1))
    assert bool(custom_charges([row], BillingPeriod(month))) is is_due


def test_of_two_versions_of_a_charge_the_one_recorded_last_counts() -> None:
    newer = charge(amount=Decimal(-20), recorded_at=datetime(2026, 10, 16, tzinfo=UTC))
    assert [one.amount for one in custom_charges([newer, charge()], OCTOBER)] == [-20]
