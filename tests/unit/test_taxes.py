"""`billing_pipeline/taxes.py`: which rates hold, and what they come to."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from billing_pipeline.taxes import Place, TaxUnknown, category_of, tax_lines

Row = dict[str, Any]
DAY = date(2026, 10, 31)
ATHENS = Place("GR", "Attica", "10557")


def rate(tax_id: str, percent: str, category: str = "standard", **cells: Any) -> Row:
    row: Row = {
        "tax_id": tax_id,
        "name": tax_id.upper(),
        "country": "GR",
        "percent": Decimal(percent),
        "tax_category": category,
        "valid_from": date(2020, 1, 1),
        "valid_to": None,
        "region": None,
        "postal_code": None,
        "recorded_at": datetime(2020, 1, 1, tzinfo=UTC),
    }
    return row | cells


def taxes(*rates: Row, amounts: tuple[tuple[str, str], ...] = (("standard", "100.00"),), place: Place = ATHENS) -> Any:
    lines = [(category, Decimal(amount)) for category, amount in amounts]
    return [(tax.tax_id, tax.base, tax.amount) for tax in tax_lines(lines, place, rates, DAY, "EUR")]


def test_a_tax_is_rounded_once_on_the_sum_of_its_group() -> None:
    amounts = (("standard", "0.02"), ("standard", "0.02"), ("standard", "0.02"))
    assert taxes(rate("vat", "24"), amounts=amounts) == [("vat", Decimal("0.06"), Decimal("0.01"))]


def test_half_a_cent_of_tax_rounds_away_from_zero_also_on_a_credit() -> None:
    assert taxes(rate("vat", "5"), amounts=(("standard", "0.10"),))[0][2] == Decimal("0.01")
    assert taxes(rate("vat", "5"), amounts=(("standard", "-0.10"),))[0][2] == Decimal("-0.01")


def test_every_category_is_a_group_of_its_own() -> None:
    found = taxes(
        rate("vat", "24"),
        rate("low", "6", "reduced"),
        amounts=(("reduced", "50.00"), ("standard", "10.00"), ("reduced", "1.00")),
    )
    assert found == [("low", Decimal("51.00"), Decimal("3.06")), ("vat", Decimal("10.00"), Decimal("2.40"))]


def test_several_named_rates_of_a_place_add_up() -> None:
    found = taxes(rate("gst", "5"), rate("qst", "9.975", region="Attica"))
    assert found == [("gst", Decimal(100), Decimal("5.00")), ("qst", Decimal(100), Decimal("9.98"))]


def test_of_one_rate_the_row_closest_to_the_place_counts() -> None:
    rows = (
        rate("vat", "24"),
        rate("vat", "17", region="Attica"),
        rate("vat", "13", postal_code="10557"),
        rate("vat", "1", region="Crete"),
    )
    assert taxes(*rows)[0][2] == Decimal("13.00")
    assert taxes(*rows, place=Place("GR", "Attica"))[0][2] == Decimal("17.00")
    assert taxes(*rows, place=Place("GR"))[0][2] == Decimal("24.00")


@pytest.mark.parametrize(
    "other",
    [{"country": "CY"}, {"valid_from": date(2026, 11, 1)}, {"valid_to": DAY}, {"tax_category": "reduced"}],
    ids=str,
)
def test_a_category_without_a_rate_is_an_error_that_names_category_country_and_day(other: Row) -> None:
    with pytest.raises(TaxUnknown, match="category standard in GR on 2026-10-31"):
        taxes(rate("vat", "24", **other))


def test_a_customer_without_country_cannot_be_taxed() -> None:
    with pytest.raises(TaxUnknown, match="a customer without country"):
        taxes(rate("vat", "24"), place=Place(None))


@pytest.mark.parametrize("category", ["zero", "exempt", "reverse_charge"])
def test_a_category_that_is_never_charged_has_a_reason_and_no_tax(category: str) -> None:
    (tax,) = tax_lines([(category, Decimal(100))], ATHENS, [rate("vat", "24")], DAY, "EUR")
    assert (tax.percent, tax.amount, tax.base) == (0, 0, 100)
    assert tax.reason


def test_the_reason_may_be_the_resellers_own_words() -> None:
    row = rate("rc", "0", "reverse_charge", name="Reverse charge, Article 196 VAT Directive")
    (tax,) = tax_lines([("reverse_charge", Decimal(100))], ATHENS, [row], DAY, "EUR")
    assert (tax.tax_id, tax.reason) == ("rc", "Reverse charge, Article 196 VAT Directive")


def test_a_percent_on_a_category_that_is_never_charged_is_an_error() -> None:
    with pytest.raises(TaxUnknown, match="its percent must be 0"):
        taxes(rate("vat", "24", "exempt"), amounts=(("exempt", "1.00"),))


def test_of_two_versions_of_a_rate_the_one_recorded_last_counts() -> None:
    newer = rate("vat", "23", recorded_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert taxes(newer, rate("vat", "24"))[0][2] == taxes(rate("vat", "24"), newer)[0][2] == Decimal("23.00")


@pytest.mark.parametrize(
    ("line", "customer", "wanted"),
    [
        (None, None, "standard"),
        ("reduced", None, "reduced"),
        ("reduced", "standard", "reduced"),
        ("reduced", "reverse_charge", "reverse_charge"),
        (None, "exempt", "exempt"),
    ],
)
def test_the_customers_category_goes_before_the_products(line: str | None, customer: str | None, wanted: str) -> None:
    assert category_of(line, customer) == wanted
