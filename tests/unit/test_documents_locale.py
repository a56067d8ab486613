"""Numbers and days as the customer's country writes them; decimals stay those of ISO 4217."""

from datetime import date
from decimal import Decimal

import pytest

from billing_pipeline.documents.customer_locale import ENGLISH, locale_of


@pytest.mark.parametrize(
    ("country", "amount", "day", "period"),
    [
        ("GR", "-1.234.567,50", "5 Οκτ 2026", "Οκτώβριος 2026"),
        ("DE", "-1.234.567,50", "05.10.2026", "Oktober 2026"),
        ("US", "-1,234,567.50", "Oct 5, 2026", "October 2026"),
        ("JP", "-1,234,567.50", "2026/10/05", "2026年10月"),
        ("IN", "-12,34,567.50", "5 अक्टू॰ 2026", "अक्टूबर 2026"),
        ("FR", "-1\u202f234\u202f567,50", "5 oct. 2026", "octobre 2026"),
        (None, "-1,234,567.50", "5 Oct 2026", "October 2026"),
    ],
)
def test_each_country_has_its_separators_and_order_of_days(
    country: str | None, amount: str, day: str, period: str
) -> None:
    writing = locale_of(country)
    assert writing.amount(Decimal("-1234567.5"), "EUR") == amount
    assert writing.day(date(2026, 10, 5)) == day
    assert writing.period("2026-10") == period


def test_an_arabic_day_has_no_marks_that_would_turn_it_round_between_english_words() -> None:
    assert locale_of("BH").day(date(2026, 11, 3)) == "03/11/2026"


@pytest.mark.parametrize(("currency", "shown"), [("JPY", "1.235"), ("BHD", "1.234,500"), ("HUF", "1.234,50")])
def test_decimals_are_those_of_iso_4217_whatever_the_country_says(currency: str, shown: str) -> None:
    assert locale_of("DE").amount(Decimal("1234.5"), currency) == shown


def test_digits_beyond_what_a_float_or_a_short_context_holds_are_kept() -> None:
    number = Decimal("12345678901234567890123456789012.123456789")
    assert locale_of("DE").quantity(number) == "12.345.678.901.234.567.890.123.456.789.012,123456789"


def test_an_unknown_country_writes_english() -> None:
    assert locale_of("XX") == locale_of(None) == ENGLISH
