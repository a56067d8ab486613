"""Adjustments on a draft: the rate of their own month, and the support fees that change with them."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from billing_pipeline.adjustments import LockedMonth, SupportBilled
from billing_pipeline.draft_rows import DraftRows
from billing_pipeline.exchange import AppliedRate, RateMissing, RateTable
from billing_pipeline.periods import BillingPeriod

Row = dict[str, Any]
AUGUST, SEPTEMBER = BillingPeriod("2026-08"), BillingPeriod("2026-09")
CUSTOMER: Row = {"customer_id": "c1", "name": "Acme", "invoice_currency": "EUR"}
AS_BILLED = AppliedRate("USD", "EUR", Decimal("0.9"), date(2026, 8, 31), "ECB", is_inverse=False)
TABLE = RateTable(
    [
        {"base_currency": "USD", "quote_currency": "EUR", "rate": Decimal("0.8"), "rate_date": date(2026, 8, 1)},
        {"base_currency": "USD", "quote_currency": "EUR", "rate": Decimal("0.5"), "rate_date": date(2026, 9, 1)},
    ]
)
MONTH = LockedMonth(
    AUGUST,
    "INV-1",
    "EUR",
    (AS_BILLED,),
    frozenset({"gold"}),
    billed={"USD": (Decimal(100), Decimal(80))},
    changed={"USD": (Decimal(-50), Decimal(-40))},
)
PLAN: Row = {
    "plan_id": "gold",
    "customer_id": "c1",
    "basis": "sell",
    "method": "percent",
    "percent": Decimal(10),
    "valid_from": date(2026, 1, 1),
    "valid_to": None,
    "recorded_at": datetime(2026, 1, 1, tzinfo=UTC),
    **dict.fromkeys(("amount", "from_amount", "to_amount", "minimum", "maximum", "currency")),
}
ADJUSTMENT: Row = {
    "currency": "USD",
    "line_kind": "adjustment",
    "amount_precise": Decimal(-50),
    "cost_precise": Decimal(-40),
    "service_period": "2026-08",
    "reference": "INV-1 line 1",
}
USAGE: Row = {"currency": "USD", "line_kind": "usage", "amount_precise": Decimal(10), "cost_precise": Decimal(8)}


def rows(month: LockedMonth = MONTH, plans: tuple[Row, ...] = (), **fields: Any) -> DraftRows:
    return DraftRows(CUSTOMER, SEPTEMBER, TABLE, plans, {("c1", "2026-08"): month}, **fields)


def amounts(found: list[Row], kind: str) -> list[Decimal]:
    return [row["amount_precise"] for row in found if row["line_kind"] == kind]


def test_an_adjustment_has_the_rate_of_its_months_document_and_a_charge_that_of_the_month() -> None:
    draft = rows()
    found = draft.of([ADJUSTMENT, USAGE], ())
    assert (amounts(found, "adjustment"), amounts(found, "usage")) == ([Decimal(-45)], [Decimal(5)])
    assert [rate.rate for rate in draft.rates_used] == [Decimal("0.5"), Decimal("0.9")]


def test_a_rate_that_was_quoted_the_other_way_round_is_used_as_it_was() -> None:
    inverse = AppliedRate("EUR", "USD", Decimal("1.25"), date(2026, 8, 31), None, is_inverse=True)
    assert amounts(rows(replace(MONTH, rates=(inverse,))).of([ADJUSTMENT], ()), "adjustment") == [Decimal(-40)]


@pytest.mark.parametrize("month", [replace(MONTH, rates=()), replace(MONTH, currency="USD")])
def test_without_a_rate_of_the_document_the_months_last_day_decides(month: LockedMonth) -> None:
    assert amounts(rows(month).of([ADJUSTMENT], ()), "adjustment") == [Decimal(-40)]


def test_a_rate_that_neither_has_is_an_error() -> None:
    with pytest.raises(RateMissing, match="no exchange rate from JPY to EUR"):
        rows().of([ADJUSTMENT | {"currency": "JPY"}], ())


def test_the_support_fee_changes_by_what_the_plan_takes_of_the_change() -> None:
    found = rows(plans=(PLAN,)).of([ADJUSTMENT], ())
    # 10 % of (100 - 50) x 0.9 instead of 10 % of 100 x 0.9; the drafted month itself has no usage.
    assert amounts(found, "adjustment") == [Decimal(-45), Decimal("-4.5")]
    assert (found[-1]["service_period"], found[-1]["reference"]) == ("2026-08", "INV-1")


def test_a_plan_that_the_document_had_no_fee_of_changes_nothing() -> None:
    found = rows(replace(MONTH, support_plans=frozenset()), plans=(PLAN,)).of([ADJUSTMENT], ())
    assert amounts(found, "adjustment") == [Decimal(-45)]


def test_a_minimum_fee_that_still_holds_changes_nothing() -> None:
    found = rows(plans=(PLAN | {"minimum": Decimal(20)},)).of([ADJUSTMENT], ())
    assert amounts(found, "adjustment") == [Decimal(-45)]


def test_support_that_another_document_billed_of_the_drafted_month_is_taken_off() -> None:
    billed = SupportBilled("gold", "2026-09", Decimal(7), "EUR", "INV-2")
    found = rows(plans=(PLAN,), support_billed=(billed,)).of([USAGE], ())
    assert amounts(found, "adjustment") == [Decimal("-4.5"), Decimal(-7)]
