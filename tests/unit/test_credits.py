"""`billing_pipeline/credits.py`: which credits may be used, in what order, and how much of each."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from billing_pipeline.credits import usable_balances, use_credits
from billing_pipeline.periods import BillingPeriod

Row = dict[str, Any]
OCTOBER = BillingPeriod("2026-10")


def credit(credit_id: str, amount: str, **cells: Any) -> Row:
    row: Row = {
        "credit_id": credit_id,
        "kind": "general",
        "amount": Decimal(amount),
        "currency": "EUR",
        "granted_on": date(2026, 1, 1),
        "expires_on": None,
        "vendor": None,
        "recorded_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return row | cells


def used_up(*rows: Row, owed: str, used: dict[str, Decimal] | None = None, currency: str = "EUR") -> Any:
    balances = usable_balances(rows, used or {}, OCTOBER, currency)
    uses, rest = use_credits(balances, "general", Decimal(owed), currency)
    return [(use.credit_id, use.amount, use.left) for use in uses], rest


def test_the_credit_that_expires_first_is_used_first_and_one_without_end_last() -> None:
    rows = (
        credit("never", "10"),
        credit("late", "10", expires_on=date(2027, 1, 1)),
        credit("soon", "10", expires_on=date(2026, 11, 1)),
    )
    uses, rest = used_up(*rows, owed="25")
    assert uses == [("soon", 10, 0), ("late", 10, 0), ("never", 5, 5)]
    assert rest == 0


def test_an_invoice_never_falls_below_zero_and_what_is_left_stays() -> None:
    assert used_up(credit("c", "100"), owed="30.50") == ([("c", Decimal("30.50"), Decimal("69.50"))], 0)


@pytest.mark.parametrize("owed", ["0", "-5"])
def test_nothing_is_taken_where_nothing_is_owed(owed: str) -> None:
    assert used_up(credit("c", "100"), owed=owed) == ([], Decimal(owed))


def test_what_other_documents_use_is_no_longer_there() -> None:
    rows = (credit("a", "10", expires_on=date(2026, 12, 1)), credit("b", "10"))
    uses, rest = used_up(*rows, owed="15", used={"a": Decimal(8), "b": Decimal(10)})
    assert (uses, rest) == ([("a", 2, 0)], 13)


@pytest.mark.parametrize(
    ("cells", "is_usable"),
    [
        ({"granted_on": date(2026, 10, 31)}, True),
        ({"granted_on": date(2026, 11, 1)}, False),
        ({"expires_on": date(2026, 10, 2)}, True),
        ({"expires_on": date(2026, 10, 1)}, False),
        ({"currency": "USD"}, False),
        ({"kind": "marketplace"}, False),
    ],
    ids=str,
)
def test_a_credit_is_used_in_the_periods_that_it_touches(cells: Row, is_usable: bool) -> None:
    uses, _ = used_up(credit("c", "10", **cells), owed="1")
    assert bool(uses) is is_usable


def test_a_correction_of_a_credit_replaces_it() -> None:
    rows = (credit("c", "5", recorded_at=datetime(2026, 2, 1, tzinfo=UTC)), credit("c", "10"))
    assert used_up(*rows, owed="20")[0] == [("c", 5, 0)]


def test_less_than_a_minor_unit_is_not_used() -> None:
    assert used_up(credit("c", "1.005"), owed="20")[0] == [("c", Decimal("1.00"), Decimal("0.005"))]
    assert used_up(credit("c", "0.9", currency="JPY"), owed="20", currency="JPY")[0] == []
