"""`sql/pricing/term_stretches.sql`: days between which no mapping and no term begins or ends."""

from datetime import date, timedelta

from tests.sql.inline import Row, make, pick, select, session
from tests.sql.pricing_steps import step_types

FIRST, MIDDLE, LAST = date(2026, 10, 1), date(2026, 10, 16), date(2026, 10, 31)
OCTOBER = [FIRST + timedelta(days=offset) for offset in range(31)]


def stretches(days: list[date], *ranges: tuple[date, date | None]) -> dict[date, date]:
    connection = session()
    make(connection, "dated_charges", step_types("dated_charges"), *({"term_day": day} for day in days))
    rows: list[Row] = [{"valid_from": start, "valid_to": end} for start, end in ranges]
    make(connection, "term_ranges", step_types("term_ranges"), *rows)
    found = select(connection, "pricing/term_stretches")
    assert len(found) == len(set(days))
    return dict(pick(found, "term_day", "stretch_day"))


def test_every_day_belongs_to_the_last_day_on_which_something_began_or_ended() -> None:
    found = stretches(OCTOBER, (FIRST, MIDDLE), (date(2026, 1, 1), None))
    assert {day for day, start in found.items() if start == FIRST} == set(OCTOBER[:15])
    assert {day for day, start in found.items() if start == MIDDLE} == set(OCTOBER[15:])


def test_a_day_before_anything_is_in_force_is_its_own_stretch() -> None:
    assert stretches([FIRST, MIDDLE, LAST], (LAST, None)) == {FIRST: FIRST, MIDDLE: MIDDLE, LAST: LAST}
    assert stretches([FIRST, MIDDLE]) == {FIRST: FIRST, MIDDLE: MIDDLE}


def test_a_range_without_end_ends_no_stretch() -> None:
    assert stretches([MIDDLE, LAST], (FIRST, None)) == {MIDDLE: FIRST, LAST: FIRST}


def test_a_day_of_many_charges_is_one_row() -> None:
    assert stretches([LAST, LAST, LAST], (FIRST, None)) == {LAST: FIRST}


def test_no_range_begins_or_ends_inside_a_stretch() -> None:
    ranges = [(OCTOBER[start], OCTOBER[start + length]) for start, length in ((0, 3), (2, 20), (5, 1), (9, 9), (20, 2))]
    found = stretches(OCTOBER, *ranges, (OCTOBER[7], None))
    for day, start in found.items():
        for valid_from, valid_to in ranges:
            assert (valid_from <= day < valid_to) == (valid_from <= start < valid_to)


def test_the_order_of_days_and_ranges_changes_nothing() -> None:
    ranges = [(FIRST, MIDDLE), (MIDDLE, None), (date(2026, 10, 9), LAST)]
    assert stretches(OCTOBER, *ranges) == stretches(OCTOBER[::-1], *ranges[::-1])
