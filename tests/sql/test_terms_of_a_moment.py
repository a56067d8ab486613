"""`sql/pricing/selected_terms.sql`: which of several rows of a term counts for what arrived at a moment."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from tests.sql.inline import Row, instant, pick
from tests.sql.term_selection import (
    BY_PRODUCT,
    BY_TYPE,
    BY_VENDOR,
    KNOWN_AT,
    LATE,
    LATER,
    SEEN_AT,
    chosen,
    terms,
)


def test_of_overlapping_rows_known_at_arrival_the_one_recorded_last_counts() -> None:
    rules: tuple[Row, ...] = (
        {"rule_id": "newest", "recorded_at": instant("2026-06-01")},
        {"rule_id": "oldest", "recorded_at": instant("2026-01-01")},
        {"rule_id": "middle", "recorded_at": instant("2026-03-01")},
    )
    assert chosen(rules=rules) == ["newest"]


def test_a_superseding_row_counts_only_from_its_own_first_day() -> None:
    rules: tuple[Row, ...] = (
        {"rule_id": "old"},
        {"rule_id": "new", "valid_from": date(2026, 10, 15), "recorded_at": instant("2026-10-01")},
    )
    assert chosen({}, {"term_day": date(2026, 10, 14)}, rules=rules) == ["new", "old"]


def test_a_term_recorded_after_arrival_changes_no_price_that_was_known() -> None:
    late: Row = {"recorded_at": KNOWN_AT.replace(minute=1), "percent": Decimal(99)}
    known = terms(rules=(BY_VENDOR,))
    rules = (BY_VENDOR, BY_VENDOR | late, BY_TYPE | late, BY_PRODUCT | late)
    assert terms(rules=rules, specials=({"special_price_id": "late", **late},), prices=(late,)) == known


def test_a_term_recorded_at_the_instant_of_arrival_was_known() -> None:
    rules = (BY_VENDOR, BY_PRODUCT | {"recorded_at": KNOWN_AT})
    assert chosen(rules=rules) == ["by_product"]


def test_a_term_recorded_after_arrival_fills_a_gap() -> None:
    assert chosen(rules=({"rule_id": "late", "recorded_at": instant("2026-12-01")},)) == ["late"]


def test_the_first_gap_filler_stays_also_when_a_stronger_term_follows() -> None:
    rules = (
        BY_VENDOR | {"recorded_at": LATE},
        BY_PRODUCT | {"recorded_at": instant("2026-11-07")},
        BY_VENDOR | {"rule_id": "again", "recorded_at": instant("2026-11-08")},
    )
    specials: tuple[Row, ...] = ({"special_price_id": "special", "recorded_at": LATER},)
    assert chosen(rules=rules, specials=specials) == ["by_vendor"]


def test_of_gap_fillers_recorded_at_one_instant_the_stronger_counts() -> None:
    late: Row = {"recorded_at": LATE}
    assert chosen(rules=(BY_VENDOR | late, BY_PRODUCT | late)) == ["by_product"]


def test_a_change_during_reconciliation_appears_with_the_next_months_delivery() -> None:
    rules = (BY_PRODUCT, BY_PRODUCT | {"rule_id": "changed", "recorded_at": LATE})
    october: Row = {}
    november: Row = {"term_day": date(2026, 11, 15), "known_at": instant("2026-12-05")}
    assert chosen(october, rules=rules) == ["by_product"]
    assert chosen(november, rules=rules) == ["changed"]


def test_a_rule_edited_in_place_keeps_the_price_of_what_arrived_before_the_edit() -> None:
    rules: tuple[Row, ...] = ({"rule_id": "old", "withdrawn_at": LATE}, {"rule_id": "new", "recorded_at": LATE})
    after: Row = {"known_at": LATE, "seen_at": LATE}
    assert pick(terms({}, after, rules=rules), "price_term_id") == ["old", "new"]


def test_a_term_taken_away_before_arrival_prices_nothing() -> None:
    assert chosen(rules=({"rule_id": "gone", "withdrawn_at": KNOWN_AT},)) == []


def test_a_mistake_corrected_before_anybody_saw_the_charge_fills_no_gap() -> None:
    mistake: Row = {"rule_id": "mistake", "recorded_at": LATE, "withdrawn_at": SEEN_AT}
    assert chosen(rules=(mistake,)) == []
    assert chosen(rules=(mistake, {"rule_id": "right", "recorded_at": LATER})) == ["right"]


def test_a_gap_filler_taken_away_after_it_was_used_goes_on_counting() -> None:
    used: Row = {"rule_id": "used", "recorded_at": LATE, "withdrawn_at": LATER}
    assert chosen(rules=(used, {"rule_id": "new", "recorded_at": LATER})) == ["used"]


@pytest.mark.parametrize(
    ("recorded_at", "priced_as_of"),
    [(instant("2026-01-01"), KNOWN_AT), (KNOWN_AT, KNOWN_AT), (LATE, SEEN_AT), (LATER, LATER)],
)
def test_a_price_came_about_at_arrival_or_when_its_term_filled_the_gap_of_a_charge_that_was_seen(
    recorded_at: datetime, priced_as_of: datetime
) -> None:
    found = terms(rules=({"recorded_at": recorded_at},))
    assert pick(found, "priced_as_of", "priced_at", "fits_since") == [(priced_as_of, priced_as_of, None)]


@pytest.mark.parametrize(("since", "priced_at"), [(LATE, SEEN_AT), (LATER, LATER)])
def test_a_charge_whose_customer_came_later_has_the_terms_that_were_known_and_its_price_since_then(
    since: datetime, priced_at: datetime
) -> None:
    rules = (BY_VENDOR, BY_PRODUCT | {"recorded_at": LATE})
    found = terms({"customer_since": since}, rules=rules)
    assert pick(found, "price_term_id", "priced_as_of", "priced_at") == [("by_vendor", KNOWN_AT, priced_at)]
