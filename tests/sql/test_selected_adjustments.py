"""`sql/pricing/selected_adjustments.sql`: uplifts and discounts on everything of a customer, of a vendor, or at all."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.sql.inline import Row, exact, instant, make, make_known, output_types, pick, select, session
from tests.sql.pricing_steps import step_types

KNOWN_AT = instant("2026-11-05")
LATE, LATER = instant("2026-11-06"), instant("2026-11-09")
SITUATION: Row = {
    "situation_id": 1,
    "customer_id": "c1",
    "vendor": "Vendor",
    "term_day": date(2026, 10, 15),
    "known_at": KNOWN_AT,
    "seen_at": KNOWN_AT,
}
ADJUSTMENT: Row = {
    "adjustment_id": "a1",
    "scope": "customer",
    "scope_id": "c1",
    "percent": Decimal(-5),
    "valid_from": date(2026, 1, 1),
    "recorded_at": instant("2026-01-01"),
}
OF_VENDOR: Row = {"adjustment_id": "a2", "scope": "vendor", "scope_id": "Vendor", "percent": Decimal(3)}
OF_ALL: Row = {"adjustment_id": "a0", "scope": "all", "scope_id": None, "percent": exact("0.0001")}


def adjust(*adjustments: Row, situations: tuple[Row, ...] = ({},), priced_as_of: datetime = KNOWN_AT) -> list[Row]:
    connection = session()
    make(connection, "attributed_situations", step_types("attributed_situations"), *situations, defaults=SITUATION)
    terms = [{"situation_id": row.get("situation_id", 1), "priced_as_of": priced_as_of} for row in situations]
    make(connection, "selected_terms", step_types("selected_terms"), *terms)
    make_known(connection, "global_adjustments", *adjustments, defaults=ADJUSTMENT)
    return sorted(select(connection, "pricing/selected_adjustments"), key=lambda row: int(row["situation_id"]))


def sums(*adjustments: Row, **options: Any) -> list[Any]:
    return pick(adjust(*adjustments, **options), "adjustment_percent", "adjustment_ids")


def test_adjustments_of_customer_vendor_and_all_are_added_up() -> None:
    assert sums({}, OF_VENDOR, OF_ALL) == [(exact("-1.9999"), "a0;a1;a2")]
    assert sums(OF_ALL, OF_VENDOR, {}) == [(exact("-1.9999"), "a0;a1;a2")]


@pytest.mark.parametrize("one", [{}, OF_VENDOR, OF_ALL], ids=["customer", "vendor", "all"])
def test_one_alone_counts_alone(one: Row) -> None:
    row = ADJUSTMENT | one
    assert sums(one) == [(row["percent"], row["adjustment_id"])]


@pytest.mark.parametrize(
    "other",
    [
        {"scope_id": "c2"},
        {"scope_id": "Vendor"},
        OF_VENDOR | {"scope_id": "c1"},
        {"valid_to": date(2026, 10, 15)},
        {"valid_from": date(2026, 10, 16)},
    ],
    ids=str,
)
def test_an_adjustment_of_something_else_or_of_other_days_does_not_count(other: Row) -> None:
    assert adjust(other) == []


def test_the_range_of_an_adjustment_is_half_open() -> None:
    adjustment: Row = {"valid_from": date(2026, 10, 15), "valid_to": date(2026, 10, 16)}
    days: tuple[Row, ...] = tuple({"situation_id": day, "term_day": date(2026, 10, day)} for day in (14, 15, 16))
    assert pick(adjust(adjustment, situations=days), "situation_id") == [15]


def test_of_one_scope_the_adjustment_recorded_last_takes_the_place_of_the_others() -> None:
    new: Row = {"adjustment_id": "new", "percent": Decimal(7), "recorded_at": instant("2026-06-01")}
    assert sums({}, new) == sums(new, {}) == [(7, "new")]


def test_an_adjustment_recorded_after_the_price_came_about_changes_nothing() -> None:
    late: Row = {"recorded_at": LATE}
    assert adjust(late, OF_VENDOR | late, OF_ALL | late) == []
    assert sums({}, {"adjustment_id": "late", **late}) == [(-5, "a1")]


def test_what_was_priced_later_has_the_adjustments_that_were_known_by_then() -> None:
    rows: tuple[Row, ...] = (
        {"withdrawn_at": LATE},
        {"adjustment_id": "new", "percent": Decimal(7), "recorded_at": LATE},
        OF_ALL | {"recorded_at": LATER},
    )
    assert sums(*rows) == [(-5, "a1")]
    assert sums(*rows, priced_as_of=LATE) == [(7, "new")]
    assert sums(*rows, priced_as_of=LATER) == [(exact("7.0001"), "a0;new")]


def test_an_adjustment_that_was_taken_away_before_the_price_came_about_does_not_count() -> None:
    assert adjust({"withdrawn_at": KNOWN_AT}) == []


def test_what_has_no_price_has_no_adjustment() -> None:
    connection = session()
    make(connection, "attributed_situations", step_types("attributed_situations"), {}, defaults=SITUATION)
    make(connection, "selected_terms", step_types("selected_terms"))
    make_known(connection, "global_adjustments", {}, defaults=ADJUSTMENT)
    assert select(connection, "pricing/selected_adjustments") == []


def test_every_situation_has_at_most_one_row() -> None:
    situations: tuple[Row, ...] = ({}, {"situation_id": 2, "customer_id": "c2"}, {"situation_id": 3, "vendor": "Other"})
    found = adjust({}, {"recorded_at": instant("2026-02-01")}, OF_VENDOR, OF_ALL, OF_ALL, situations=situations)
    assert pick(found, "situation_id", "adjustment_ids") == [(1, "a0;a1;a2"), (2, "a0;a2"), (3, "a0;a1")]


def test_the_sum_is_a_decimal_percent() -> None:
    connection = session()
    for name in ("attributed_situations", "selected_terms"):
        make(connection, name, step_types(name))
    make_known(connection, "global_adjustments")
    assert output_types(connection, "pricing/selected_adjustments")["adjustment_percent"] == "DECIMAL(12,4)"
