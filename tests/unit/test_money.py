"""Rounding to minor units and sharing a rounded total out among lines."""

from decimal import Decimal

import pytest

from billing_pipeline.money import UnknownCurrency, allocate_rounded, minor_unit, minor_units, round_money


@pytest.mark.parametrize(
    ("currency", "digits"), [("JPY", 0), ("EUR", 2), ("BHD", 3), ("CLP", 0), ("UGX", 0), ("IQD", 3)]
)
def test_minor_units_are_those_of_iso_4217(currency: str, digits: int) -> None:
    assert minor_units(currency) == digits
    assert minor_unit(currency) == Decimal(1).scaleb(-digits)


@pytest.mark.parametrize("code", ["EURO", "eur", "", "XAU", "XTS"])
def test_what_has_no_minor_unit_is_no_currency_to_bill_in(code: str) -> None:
    with pytest.raises(UnknownCurrency, match=repr(code)):
        minor_units(code)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("0.005", "EUR", "0.01"),
        ("-0.005", "EUR", "-0.01"),
        ("0.004999999999999999999999", "EUR", "0.00"),
        ("2.5", "JPY", "3"),
        ("-2.5", "JPY", "-3"),
        ("1.0005", "BHD", "1.001"),
        ("99999999999999999999.995", "EUR", "100000000000000000000.00"),
    ],
)
def test_halves_are_rounded_away_from_zero(amount: str, currency: str, expected: str) -> None:
    rounded = round_money(Decimal(amount), currency)
    assert str(rounded) == expected


def test_a_float_is_never_money() -> None:
    with pytest.raises(TypeError, match="money is Decimal, not float"):
        round_money(0.1, "EUR")  # type: ignore[arg-type]


def test_the_missing_cent_goes_to_the_largest_remainder_and_among_equals_to_the_earlier_line() -> None:
    thirds = [Decimal("3.333333"), Decimal("3.333333"), Decimal("3.333334")]
    assert allocate_rounded(thirds, "EUR") == [Decimal("3.33"), Decimal("3.33"), Decimal("3.34")]
    assert allocate_rounded([Decimal("0.005")] * 3, "EUR") == [Decimal("0.01"), Decimal("0.01"), Decimal("0.00")]


def test_no_line_shares_out_to_no_line() -> None:
    assert allocate_rounded([], "EUR") == []
