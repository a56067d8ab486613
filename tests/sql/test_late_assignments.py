"""`sql/pricing/selected_terms.sql`: pricebooks and products assigned after arrival fill gaps and change no price."""

from datetime import datetime
from decimal import Decimal

import pytest

from tests.sql.inline import Row, instant, pick
from tests.sql.term_selection import (
    ACCOUNTS_BOOK,
    BY_PRODUCT,
    BY_TYPE,
    BY_VENDOR,
    CUSTOMERS_BOOK,
    LATE,
    LATER,
    OF_VENDOR,
    SEEN_AT,
    chosen,
    terms,
)

LATE_BOOK: Row = CUSTOMERS_BOOK | {"assigned_since": LATE}
LATE_PRODUCT: Row = {"product_since": LATE}


@pytest.mark.parametrize("book", [LATE_BOOK, ACCOUNTS_BOOK | {"assigned_since": LATE}], ids=["customer", "account"])
def test_a_pricebook_assigned_later_changes_no_price_though_its_prices_were_known_before(book: Row) -> None:
    price = {"pricebook_id": book["pricebook_id"]}
    assert chosen(rules=(BY_VENDOR,), prices=(price,), books=(book,)) == ["by_vendor"]


def test_a_pricebook_assigned_later_fills_a_gap_with_the_price_known_last_at_its_assignment() -> None:
    prices: tuple[Row, ...] = (
        {"percent": Decimal(1)},
        {"percent": Decimal(2), "recorded_at": instant("2026-06-01")},
        {"percent": Decimal(3), "recorded_at": LATER},
    )
    found = terms(prices=prices, books=(LATE_BOOK,))
    assert pick(found, "price_term_id", "percent", "fits_since", "priced_as_of") == [("customers", 2, LATE, SEEN_AT)]


def test_a_rule_that_filled_the_gap_before_the_pricebook_was_assigned_stays() -> None:
    rules = (BY_VENDOR | {"recorded_at": LATE},)
    assert chosen(rules=rules, prices=({},), books=(CUSTOMERS_BOOK | {"assigned_since": LATER},)) == ["by_vendor"]


def test_a_pricebook_assigned_before_a_rule_filled_the_gap_stays() -> None:
    assert chosen(rules=(BY_PRODUCT | {"recorded_at": LATER},), prices=({},), books=(LATE_BOOK,)) == ["customers"]


@pytest.mark.parametrize("since", [LATE, LATER])
def test_a_price_taken_away_before_its_pricebook_was_assigned_fills_no_gap(since: datetime) -> None:
    assert chosen(prices=({"withdrawn_at": since},), books=(LATE_BOOK | {"assigned_since": since},)) == []


def test_a_price_taken_away_after_its_pricebook_filled_the_gap_goes_on_counting() -> None:
    prices = (OF_VENDOR, {"withdrawn_at": LATER})
    assert pick(terms(prices=prices, books=(LATE_BOOK,)), "price_scope") == ["product"]


@pytest.mark.parametrize(
    "known",
    [BY_VENDOR, BY_PRODUCT | {"scope_id": "SKU1"}, BY_TYPE | {"scope_id": "Compute"}],
    ids=["vendor", "product", "type"],
)
def test_a_product_that_the_catalogue_got_later_keeps_the_price_of_the_vendors_own_names(known: Row) -> None:
    rules = (known | {"rule_id": "known"}, BY_PRODUCT, BY_TYPE)
    assert chosen(LATE_PRODUCT, rules=rules, specials=({"special_price_id": "special"},), prices=({},)) == ["known"]
    assert chosen(rules=rules, specials=({"special_price_id": "special"},)) == ["special"]


def test_a_product_that_the_catalogue_got_later_fills_a_gap_with_the_terms_of_its_own_names() -> None:
    found = terms(LATE_PRODUCT, rules=(BY_PRODUCT, BY_TYPE))
    assert pick(found, "price_term_id", "fits_since", "priced_as_of") == [("by_product", LATE, SEEN_AT)]


def test_a_pricebook_assigned_after_the_product_was_named_fits_since_the_later_of_both() -> None:
    found = terms({"product_since": LATER}, prices=({},), books=(LATE_BOOK,))
    assert pick(found, "fits_since", "priced_as_of") == [(LATER, LATER)]
