"""`is_usable` and `knowledge_order` of `sql/macros.sql`: which row of a reference file counts for a charge."""

from datetime import datetime, timedelta
from itertools import product

import pytest

from tests.sql.inline import Row, fetch, instant, make, pick, session

TYPES = {
    "name": "varchar",
    "recorded_at": "timestamp with time zone",
    "withdrawn_at": "timestamp with time zone",
    "priority": "integer",
    "source_row": "bigint",
}
KNOWN_AT, SEEN_AT = instant("2026-11-05"), instant("2026-11-07")
MOMENT = timedelta(microseconds=1)
EARLY, LATE = instant("2026-01-01"), instant("2026-11-06")


def ordered(*rows: Row) -> list[str]:
    """Return the names of rows that may count, the one that does first."""
    connection = session()
    make(connection, "given_rows", TYPES, *rows, defaults={"recorded_at": EARLY, "priority": 1, "source_row": 1})
    bounds = {"known_at": KNOWN_AT, "seen_at": SEEN_AT}
    query = (
        "select name from given_rows where is_usable(recorded_at, withdrawn_at, $known_at, $seen_at)"
        " order by knowledge_order(recorded_at, withdrawn_at, $known_at, priority, source_row)"
    )
    return pick(fetch(connection, query, bounds), "name")


def is_used(recorded_at: datetime, withdrawn_at: datetime | None) -> bool:
    return ordered({"name": "row", "recorded_at": recorded_at, "withdrawn_at": withdrawn_at}) == ["row"]


@pytest.mark.parametrize(
    ("withdrawn_at", "usable"),
    [(None, True), (KNOWN_AT + MOMENT, True), (KNOWN_AT, False), (KNOWN_AT - MOMENT, False), (SEEN_AT, True)],
)
def test_a_known_row_counts_unless_it_was_withdrawn_when_the_charge_arrived(
    withdrawn_at: datetime | None, usable: bool
) -> None:
    assert is_used(EARLY, withdrawn_at) is usable
    assert is_used(KNOWN_AT, withdrawn_at) is usable


@pytest.mark.parametrize(
    ("withdrawn_at", "usable"),
    [(None, True), (SEEN_AT + MOMENT, True), (SEEN_AT, False), (SEEN_AT - MOMENT, False)],
)
def test_a_row_that_fills_a_gap_counts_unless_it_was_withdrawn_before_anybody_saw_the_charge(
    withdrawn_at: datetime | None, usable: bool
) -> None:
    assert is_used(KNOWN_AT + MOMENT, withdrawn_at) is usable


def test_a_row_withdrawn_after_it_was_used_goes_on_counting() -> None:
    assert is_used(SEEN_AT + MOMENT, SEEN_AT + timedelta(days=9))


KNOWN_IN_ORDER: list[Row] = [
    {"name": "strong", "priority": 1, "source_row": 9},
    {"name": "new", "priority": 2, "recorded_at": KNOWN_AT, "source_row": 8},
    {"name": "old", "priority": 2, "source_row": 3},
    {"name": "old, further down", "priority": 2, "source_row": 4},
    {"name": "old, withdrawn last", "priority": 2, "withdrawn_at": SEEN_AT + MOMENT, "source_row": 2},
    {"name": "old, withdrawn first", "priority": 2, "withdrawn_at": SEEN_AT, "source_row": 1},
    {"name": "weak", "priority": 3, "recorded_at": KNOWN_AT, "source_row": 1},
]
LATE_IN_ORDER: list[Row] = [
    {"name": "first, weak", "recorded_at": LATE, "priority": 9, "source_row": 9},
    {"name": "second, strong", "recorded_at": LATE + MOMENT, "priority": 1, "source_row": 8},
    {
        "name": "second, strong, withdrawn",
        "recorded_at": LATE + MOMENT,
        "priority": 1,
        "withdrawn_at": SEEN_AT + MOMENT,
        "source_row": 1,
    },
    {"name": "second", "recorded_at": LATE + MOMENT, "priority": 2, "source_row": 4},
    {"name": "second, further down", "recorded_at": LATE + MOMENT, "priority": 2, "source_row": 5},
    {"name": "last, strongest", "recorded_at": SEEN_AT + MOMENT, "priority": 0, "source_row": 0},
]


def test_of_known_rows_the_strongest_counts_then_the_last_recorded_then_the_one_that_stayed() -> None:
    assert ordered(*reversed(KNOWN_IN_ORDER)) == pick(KNOWN_IN_ORDER, "name")


def test_of_rows_that_fill_a_gap_the_first_recorded_counts_then_the_strongest_then_the_one_that_stayed() -> None:
    assert ordered(*reversed(LATE_IN_ORDER)) == pick(LATE_IN_ORDER, "name")


def test_no_row_that_fills_a_gap_comes_before_a_known_one() -> None:
    rows = [{**row, "priority": row["priority"] - 100} for row in LATE_IN_ORDER]
    assert ordered(*rows, *KNOWN_IN_ORDER) == pick([*KNOWN_IN_ORDER, *LATE_IN_ORDER], "name")


def test_the_order_is_the_same_in_whatever_order_the_rows_come() -> None:
    for turn in range(len(LATE_IN_ORDER)):
        assert ordered(*LATE_IN_ORDER[turn:], *LATE_IN_ORDER[:turn]) == pick(LATE_IN_ORDER, "name")


def test_an_existing_price_never_changes_however_many_rows_are_recorded_or_withdrawn_later() -> None:
    later = [SEEN_AT + timedelta(days=days) for days in (1, 2)]
    new = [
        {"name": "new", "recorded_at": recorded_at, "withdrawn_at": withdrawn_at, "priority": priority}
        for recorded_at, withdrawn_at, priority in product(later, [None, later[1]], [0, 1, 2])
    ]
    known: Row = {"name": "known"}
    filler: Row = {"name": "filler", "recorded_at": LATE}
    weaker: Row = {"name": "weaker", "recorded_at": LATE, "priority": 2}
    for used in ([known], [filler], [known, filler], [weaker, filler]):
        gone = [{**row, "withdrawn_at": later[0]} for row in used]
        assert ordered(*new, *gone)[0] == ordered(*used)[0]
        # One of them may go while the others stay.
        assert ordered(*new, *used[:-1], gone[-1])[0] == ordered(*used)[0]


def test_a_correction_that_names_the_instant_of_the_row_it_replaces_takes_its_place() -> None:
    for recorded_at in (EARLY, LATE):
        wrong: Row = {"name": "wrong", "recorded_at": recorded_at, "withdrawn_at": SEEN_AT + MOMENT, "source_row": 1}
        right: Row = {"name": "right", "recorded_at": recorded_at, "source_row": 2}
        assert ordered(wrong, right) == ["right", "wrong"]


def test_a_row_that_fits_only_after_it_was_withdrawn_never_counts() -> None:
    assert is_used(SEEN_AT + 2 * MOMENT, SEEN_AT + MOMENT) is False
