"""`sql/macros.sql`: exact division and products, and the keys of charges."""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import pytest

from tests.sql.inline import session

ID_PARTS: dict[str, str | None] = {
    "delivery_id": "aws/1/2026-10/abc",
    "sub_account_id": "111",
    "sku_id": "sku",
    "service_name": "Machines",
    "service_category": "Compute",
    "charge_day": "2026-10-01",
    "charge_category": "Usage",
    "charge_class": "Correction",
    "charge_nature": "usage",
    "pricing_unit": "Hours",
    "billing_currency": "EUR",
}


def ratio(numerator: str | None, denominator: str | None, scale: int = 18) -> Any:
    query = f"select exact_ratio(cast($n as decimal(38, {scale})), cast($d as decimal(38, {scale})))"
    row = session().execute(query, {"n": numerator, "d": denominator}).fetchone()
    assert row is not None
    return row[0]


def usage_id(**changes: str | None) -> Any:
    parts = ID_PARTS | changes
    row = session().execute(f"select usage_charge_id({', '.join(f'${name}' for name in parts)})", parts).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"),
    [
        ("1", "3", "0.3333333333"),
        ("2", "3", "0.6666666667"),
        ("0", "7", "0"),
        ("1", "20000000000", "0.0000000001"),
        ("1", "20000000001", "0"),
        ("-1", "20000000000", "-0.0000000001"),
        ("1", "-20000000000", "-0.0000000001"),
        ("-1", "-20000000000", "0.0000000001"),
        ("-2", "3", "-0.6666666667"),
        ("0.000000000000000007", "0.000000000000000002", "3.5"),
        ("9999999999.999999999999999999", "1", "10000000000"),
        ("0.1", "0.3", "0.3333333333"),
        ("85", "0.000000001", "85000000000"),
    ],
)
def test_a_ratio_has_ten_places_and_rounds_half_away_from_zero(numerator: str, denominator: str, quotient: str) -> None:
    assert ratio(numerator, denominator) == Decimal(quotient)


@pytest.mark.parametrize(
    ("numerator", "denominator"),
    [("1", "0"), ("0", "0"), (None, "1"), ("1", None), ("10000000000", "1"), ("-10000000000", "1")],
)
def test_a_ratio_that_cannot_be_shown_is_null_and_no_error(numerator: str | None, denominator: str | None) -> None:
    assert ratio(numerator, denominator) is None


def test_a_denominator_too_small_for_18_decimals_does_not_stop_the_day_with_a_division_by_zero() -> None:
    assert ratio("1", "0.0000000000000000000004", scale=24) is None


def test_a_ratio_too_large_for_its_type_does_not_stop_the_day_with_an_overflow() -> None:
    assert ratio("100", "0.000000000000000001") is None
    assert ratio("0.099999999999999999", "0.000000000000000001") == Decimal("99999999999999999")


def test_a_ratio_is_a_decimal_of_18_places_also_for_totals_of_24() -> None:
    for scale in (9, 18, 24):
        query = f"select typeof(exact_ratio(cast(1 as decimal(38, {scale})), cast(3 as decimal(38, {scale}))))"
        assert session().execute(query).fetchone() == ("DECIMAL(38,18)",)


def test_the_key_of_a_usage_charge_repeats() -> None:
    assert usage_id() == usage_id()
    assert usage_id().startswith("use-")


@pytest.mark.parametrize("part", list(ID_PARTS))
def test_each_fact_of_the_grain_is_part_of_the_key_of_a_usage_charge(part: str) -> None:
    other = "2026-10-02" if part == "charge_day" else "other"
    assert usage_id(**{part: other}) != usage_id()


def test_an_absent_fact_is_neither_an_empty_one_nor_moves_its_neighbours() -> None:
    assert usage_id(sub_account_id=None) != usage_id(sub_account_id="")
    assert usage_id(sub_account_id=None, sku_id="111") != usage_id(sub_account_id="111", sku_id=None)


def test_the_key_of_an_item_is_made_of_its_delivery_and_line() -> None:
    keys = (
        session()
        .execute(
            "select item_charge_id('a', '1'), item_charge_id('a', '1'), item_charge_id('a', '2'),"
            " item_charge_id('b', '1')"
        )
        .fetchone()
    )
    assert keys is not None
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def product(one: str | None, other: str | None) -> Any:
    query = "select exact_product(cast($one as decimal(38, 18)), cast($other as decimal(38, 18)))"
    row = session().execute(query, {"one": one, "other": other}).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.4", "0.027265128"),
        ("1.999999999999999999", "1.999999999999999999"),
        ("-123456789.123456789012345678", "98765432.000000000000000001"),
        ("-0.000000000000000001", "0.5"),
        ("0.000000000000000001", "0.499999999999999999"),
        ("150000000", "3.141592653589793238"),
    ],
)
def test_a_product_is_rounded_once_half_away_from_zero(one: str, other: str) -> None:
    with localcontext(prec=100):
        expected = (Decimal(one) * Decimal(other)).quantize(Decimal("1e-18"), ROUND_HALF_UP)

    assert product(one, other) == product(other, one) == expected


def test_a_product_with_nothing_is_nothing() -> None:
    assert product(None, "1") is None
    assert product("1", None) is None
