"""`sql/pricing/tier_rows.sql`: every row of a price with tiers, and which counts where several hold a quantity."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.sql.inline import Row, instant, make, make_known, pick, select, session
from tests.sql.pricing_steps import step_types

KNOWN_AT, SEEN_AT = instant("2026-11-05"), instant("2026-11-07")
LATE, LATER = instant("2026-11-06"), instant("2026-11-09")
SITUATION: Row = {
    "situation_id": 1,
    "customer_id": "c1",
    "term_day": date(2026, 10, 15),
    "known_at": KNOWN_AT,
    "seen_at": SEEN_AT,
}
TERM: Row = {
    "situation_id": 1,
    "price_term": "pricebook",
    "price_term_id": "b1",
    "price_scope": "product",
    "price_scope_id": "p1",
    "method": "graduated",
    "has_tiers": True,
}
TIER: Row = {
    "pricebook_id": "b1",
    "scope": "product",
    "scope_id": "p1",
    "method": "graduated",
    "unit_price": Decimal(1),
    "valid_from": date(2026, 1, 1),
    "recorded_at": instant("2026-01-01"),
}
FIRST: Row = {"to_quantity": Decimal(10), "unit_price": Decimal(5)}
SECOND: Row = {"from_quantity": Decimal(10), "unit_price": Decimal(4)}


def tiers(*prices: Row, term: Row | None = None, situation: Row | None = None) -> list[Row]:
    connection = session()
    make(connection, "selected_terms", step_types("selected_terms"), term or {}, defaults=TERM)
    make(
        connection,
        "attributed_situations",
        step_types("attributed_situations"),
        situation or {},
        {"situation_id": 2},
        defaults=SITUATION,
    )
    make_known(connection, "pricebook_prices", *prices, defaults=TIER)
    rows = sorted(select(connection, "pricing/tier_rows"), key=lambda row: int(row["tier_rank"]))
    assert pick(rows, "tier_rank") == list(range(1, len(rows) + 1))
    return rows


def test_a_price_with_tiers_has_all_its_rows_with_their_bounds() -> None:
    rows = tiers(FIRST, SECOND)
    assert pick(rows, "situation_id", "from_quantity", "to_quantity", "unit_price") == [
        (1, 0, 10, 5),
        (1, 10, None, 4),
    ]


def test_a_row_carries_its_percent_and_package_size() -> None:
    price: Row = {"method": "package", "percent": Decimal("2.5"), "package_size": Decimal(100)}
    assert pick(tiers(price, term={"method": "package"}), "percent", "package_size") == [(Decimal("2.5"), 100)]


@pytest.mark.parametrize(
    "other",
    [
        {"pricebook_id": "b2"},
        {"scope": "vendor"},
        {"scope_id": "p2"},
        {"method": "volume"},
        {"valid_to": date(2026, 10, 15)},
        {"valid_from": date(2026, 10, 16)},
    ],
    ids=str,
)
def test_rows_of_another_price_or_method_or_of_other_days_are_none_of_its_tiers(other: Row) -> None:
    assert len(tiers(FIRST, SECOND, SECOND | other)) == 2


def test_a_price_without_tiers_is_not_looked_at() -> None:
    assert tiers(FIRST, term={"has_tiers": False}) == []


def prices_in_order(*prices: Row, **options: Any) -> list[Decimal]:
    return pick(tiers(*prices, **options), "unit_price")


def test_a_tier_recorded_later_comes_before_the_one_it_replaces_and_the_others_stay() -> None:
    new: Row = SECOND | {"unit_price": Decimal(3), "recorded_at": instant("2026-06-01")}
    assert prices_in_order(FIRST, SECOND, new) == [3, 5, 4]


def test_a_tier_recorded_after_arrival_only_comes_after_those_that_were_known() -> None:
    late: Row = SECOND | {"unit_price": Decimal(3), "recorded_at": LATE}
    assert prices_in_order(late, SECOND, FIRST) == [4, 5, 3]
    assert prices_in_order(late | {"recorded_at": LATER}, late | {"unit_price": Decimal(2)}) == [2, 3]


def test_a_tier_edited_in_place_keeps_the_price_of_what_arrived_before_the_edit() -> None:
    old, new = SECOND | {"withdrawn_at": LATE}, SECOND | {"unit_price": Decimal(3), "recorded_at": LATE}
    assert prices_in_order(FIRST, old, new) == [5, 4, 3]
    assert prices_in_order(FIRST, old, new, situation={"known_at": LATE}) == [3, 5]


def test_a_tier_withdrawn_before_arrival_or_before_anybody_saw_the_charge_is_none() -> None:
    assert prices_in_order(FIRST, SECOND | {"withdrawn_at": KNOWN_AT}) == [5]
    assert prices_in_order(FIRST, SECOND | {"recorded_at": LATE, "withdrawn_at": SEEN_AT}) == [5]


def test_tiers_of_a_pricebook_that_was_assigned_later_are_those_known_at_the_assignment() -> None:
    new: Row = FIRST | {"unit_price": Decimal(3), "recorded_at": instant("2026-06-01")}
    afterwards: Row = FIRST | {"unit_price": Decimal(2), "recorded_at": LATER}
    gone: Row = FIRST | {"unit_price": Decimal(1), "withdrawn_at": LATE}
    assert prices_in_order(FIRST, gone, new, afterwards, term={"fits_since": LATE}) == [3, 5, 2]


def test_the_order_of_rows_changes_nothing() -> None:
    rows = [SECOND | {"source_row": number, "unit_price": Decimal(number)} for number in range(1, 6)]
    assert tiers(*rows) == tiers(*rows[::-1])
