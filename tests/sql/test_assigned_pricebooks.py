"""`sql/pricing/assigned_pricebooks.sql`: which pricebooks an account and its customer have."""

from datetime import date

import pytest

from tests.sql.inline import Row, instant, make, make_known, select, session
from tests.sql.pricing_steps import step_types

SITUATION: Row = {
    "situation_id": 1,
    "delivery_id": "d1",
    "source": "aws",
    "sub_account_id": "111",
    "is_item": False,
    "term_day": date(2026, 10, 15),
    "known_at": instant("2026-11-05"),
    "seen_at": instant("2026-11-07"),
    "customer_id": "c1",
}
KNOWN: Row = {"recorded_at": instant("2026-01-01")}
ACCOUNT: Row = KNOWN | {"source": "aws", "account_id": "111", "customer_id": "c1", "valid_from": date(2026, 1, 1)}
CUSTOMER: Row = KNOWN | {"customer_id": "c1", "name": "Acme", "invoice_currency": "EUR"}
BOOKS: tuple[Row, ...] = tuple({"pricebook_id": name, "name": name, "currency": "EUR"} for name in ("b1", "b2", "b3"))
LATE, SEEN, LATER = instant("2026-11-06"), instant("2026-11-07"), instant("2026-11-08")
IN_SUMMER = instant("2026-07-01")


def assigned(
    *situations: Row,
    accounts: tuple[Row, ...] = (),
    customers: tuple[Row, ...] = (),
    books: tuple[Row, ...] = BOOKS,
) -> list[tuple[object, ...]]:
    connection = session()
    types = step_types("attributed_situations")
    make(connection, "attributed_situations", types, *(situations or ({},)), defaults=SITUATION)
    make_known(connection, "accounts", *accounts, defaults=ACCOUNT)
    make_known(connection, "customers", *customers, defaults=CUSTOMER)
    make_known(connection, "pricebooks", *books, defaults=KNOWN)
    rows = select(connection, "pricing/assigned_pricebooks")
    return sorted((tuple(row.values()) for row in rows), key=str)


def test_account_and_customer_each_have_their_pricebook_with_its_currency() -> None:
    found = assigned(accounts=({"pricebook_id": "b1"},), customers=({"pricebook_id": "b2"},))
    assert found == [(1, "account", "b1", "EUR", None), (1, "customer", "b2", "EUR", None)]


def test_who_has_no_pricebook_has_none() -> None:
    assert assigned(accounts=({},), customers=({},)) == []


@pytest.mark.parametrize(
    "other",
    [{"account_id": "112"}, {"source": "azure"}, {"valid_to": date(2026, 10, 15)}, {"valid_from": date(2026, 10, 16)}],
    ids=str,
)
def test_the_pricebook_of_a_mapping_that_does_not_hold_is_not_assigned(other: Row) -> None:
    assert assigned(accounts=({"pricebook_id": "b1", **other},)) == []


def test_a_situation_of_nobody_has_no_pricebooks() -> None:
    assert assigned({"customer_id": None}, accounts=({"pricebook_id": "b1"},)) == []


def test_a_later_known_row_without_pricebook_takes_the_pricebook_away() -> None:
    rows: tuple[Row, ...] = ({"pricebook_id": "b1"}, {"recorded_at": IN_SUMMER})
    assert assigned(accounts=rows, customers=rows) == []


def test_a_later_known_row_with_another_pricebook_takes_its_place() -> None:
    rows: tuple[Row, ...] = ({"pricebook_id": "b1"}, {"pricebook_id": "b2", "recorded_at": IN_SUMMER})
    assert [row[1:3] for row in assigned(accounts=rows, customers=rows)] == [("account", "b2"), ("customer", "b2")]


def test_a_pricebook_assigned_after_arrival_stands_beside_the_known_one_and_says_since_when() -> None:
    rows: tuple[Row, ...] = (
        {"pricebook_id": "b1", "withdrawn_at": LATE},
        {"pricebook_id": "b2", "recorded_at": LATE, "withdrawn_at": LATER},
        {"pricebook_id": "b3", "recorded_at": LATER},
    )
    wanted = [("b1", None), ("b2", LATE), ("b3", LATER)]
    found = assigned(accounts=rows, customers=rows)
    assert [(row[2], row[4]) for row in found] == [*wanted, *wanted]


def test_a_pricebook_that_was_known_is_not_assigned_later_however_often_its_row_is_written_anew() -> None:
    rows: tuple[Row, ...] = ({"pricebook_id": "b1", "withdrawn_at": LATE}, {"pricebook_id": "b1", "recorded_at": LATE})
    assert assigned(customers=rows) == [(1, "customer", "b1", "EUR", None)]


def test_a_pricebook_assigned_twice_after_arrival_counts_from_the_first_time() -> None:
    rows: tuple[Row, ...] = (
        {},
        {"pricebook_id": "b1", "recorded_at": LATER},
        {"pricebook_id": "b1", "recorded_at": LATE},
    )
    assert assigned(customers=rows) == [(1, "customer", "b1", "EUR", LATE)]


def test_a_pricebook_assigned_and_taken_away_before_the_charge_was_seen_is_not_assigned() -> None:
    mistake: Row = {"pricebook_id": "b1", "recorded_at": LATE, "withdrawn_at": SEEN}
    assert assigned(accounts=({}, mistake), customers=({}, mistake)) == []


def test_a_charge_without_customer_until_later_has_the_pricebooks_its_customer_had_by_then() -> None:
    account: Row = {"pricebook_id": "b1", "recorded_at": LATE}
    customers: tuple[Row, ...] = (
        {"withdrawn_at": instant("2026-11-05 12:00")},
        {"pricebook_id": "b2", "recorded_at": instant("2026-11-05 12:00"), "withdrawn_at": LATER},
        {"pricebook_id": "b3", "recorded_at": LATER},
    )
    assert assigned({"customer_since": LATE}, accounts=(account,), customers=customers) == [
        (1, "account", "b1", "EUR", None),
        (1, "customer", "b2", "EUR", None),
        (1, "customer", "b3", "EUR", LATER),
    ]


def test_the_pricebook_of_an_account_that_moves_to_another_customer_later_is_none_of_the_charges() -> None:
    moved: Row = {"customer_id": "c2", "pricebook_id": "b2", "recorded_at": LATE}
    assert assigned(accounts=({}, moved)) == []


def test_a_pricebook_keeps_the_currency_that_was_known() -> None:
    books: tuple[Row, ...] = (BOOKS[0] | {"withdrawn_at": LATE}, BOOKS[0] | {"currency": "USD", "recorded_at": LATE})
    assert assigned(customers=({"pricebook_id": "b1"},), books=books) == [(1, "customer", "b1", "EUR", None)]


def test_a_pricebook_without_a_row_of_its_own_has_no_currency() -> None:
    assert assigned(customers=({"pricebook_id": "b1"},), books=()) == [(1, "customer", "b1", None, None)]


def test_each_situation_has_what_was_known_at_its_own_arrival() -> None:
    rows: tuple[Row, ...] = ({"pricebook_id": "b1"}, {"pricebook_id": "b2", "recorded_at": LATE})
    later: Row = {"situation_id": 2, "known_at": LATER, "seen_at": LATER}
    assert [row[:3] for row in assigned({}, later, customers=rows) if row[4] is None] == [
        (1, "customer", "b1"),
        (2, "customer", "b2"),
    ]


def test_the_order_of_rows_changes_nothing() -> None:
    rows: tuple[Row, ...] = tuple(
        {"pricebook_id": book, "recorded_at": at, "source_row": number}
        for number, (book, at) in enumerate((("b1", IN_SUMMER), ("b2", LATE), (None, KNOWN["recorded_at"])), start=1)
    )
    wanted = assigned(accounts=rows, customers=rows)
    assert assigned(accounts=rows[::-1], customers=rows[::-1], books=BOOKS[::-1]) == wanted
