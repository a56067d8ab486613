"""`billing_pipeline/exchange.py`: which rate holds on a day."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing_pipeline.exchange import RateMissing, RateTable

Row = dict[str, Any]
DAY = date(2026, 10, 31)


def row(base: str, quote: str, rate: str, day: date = DAY, source: str | None = "ECB") -> Row:
    return {"base_currency": base, "quote_currency": quote, "rate": Decimal(rate), "rate_date": day, "source": source}


def test_the_latest_rate_up_to_the_day_counts() -> None:
    table = RateTable(
        [
            row("USD", "EUR", "0.90", date(2026, 10, 30)),
            row("USD", "EUR", "0.80", date(2026, 9, 1)),
            row("USD", "EUR", "0.99", date(2026, 11, 1)),
        ]
    )
    rate = table.rate("USD", "EUR", DAY)
    assert (rate.rate, rate.rate_date, rate.source, rate.is_inverse) == (
        Decimal("0.90"),
        date(2026, 10, 30),
        "ECB",
        False,
    )
    assert rate.convert(Decimal("10.123456789")) == Decimal("9.1111111101")


def test_a_rate_quoted_the_other_way_round_divides_and_says_so() -> None:
    rate = RateTable([row("EUR", "USD", "1.25")]).rate("USD", "EUR", DAY)
    assert (rate.base_currency, rate.quote_currency, rate.is_inverse) == ("EUR", "USD", True)
    assert rate.convert(Decimal(10)) == Decimal(8)


def test_what_does_not_divide_evenly_is_rounded_at_the_24th_decimal() -> None:
    rate = RateTable([row("EUR", "USD", "3")]).rate("USD", "EUR", DAY)
    assert rate.convert(Decimal(2)) == Decimal("0.666666666666666666666667")
    assert rate.convert(Decimal(-2)) == Decimal("-0.666666666666666666666667")


def test_a_direct_rate_comes_before_a_younger_inverse_one() -> None:
    table = RateTable([row("USD", "EUR", "0.9", date(2026, 10, 1)), row("EUR", "USD", "1.25")])
    assert table.rate("USD", "EUR", DAY).is_inverse is False


def test_no_rate_is_an_error_that_names_both_currencies_and_the_day() -> None:
    table = RateTable([row("USD", "EUR", "0.9", date(2026, 11, 1))])
    with pytest.raises(RateMissing, match="from USD to EUR on or before 2026-10-31"):
        table.rate("USD", "EUR", DAY)


def test_two_sources_that_differ_on_one_day_are_an_error_that_names_them() -> None:
    table = RateTable([row("USD", "EUR", "0.9", source="ECB"), row("USD", "EUR", "0.91", source="Bank of Greece")])
    with pytest.raises(RateMissing, match="Bank of Greece and ECB"):
        table.rate("USD", "EUR", DAY)


def test_two_sources_that_agree_are_one_rate() -> None:
    table = RateTable([row("USD", "EUR", "0.9", source="b"), row("USD", "EUR", "0.90", source="a")])
    assert table.rate("USD", "EUR", DAY).source == "a"
