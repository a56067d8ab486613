"""The text of one cell is read exactly, or refused with a sentence."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.vendors.cells import CellInvalid, read_amount, read_cell, read_instant
from billing_pipeline.vendors.format import Column


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.2E-6", "0.0000012"),
        ("-0.5", "-0.5"),
        ("0.0", "0"),
        ("1.5000000000000000000000", "1.5"),
        ("1E3", "1000"),
        ("0E-30", "0"),
        ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
    ],
)
def test_amounts_are_read_exactly(text: str, value: str) -> None:
    assert read_amount(text, 18) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "decimals", "reason"),
    [
        ("1,5", 18, "no number"),
        ("12a", 18, "no number"),
        ("NaN", 18, "no number"),
        ("Infinity", 18, "no number"),
        ("1_000", 18, "no number"),
        ("٣", 18, "no number"),
        ("1.2345678901234567899E-6", 18, "more than 18 decimals"),
        ("1E-19", 18, "more than 18 decimals"),
        ("0.1234567891", 9, "more than 9 decimals"),
        ("100000000000000000000", 18, "more than 20 digits"),
        ("1E500", 18, "more than 20 digits"),
    ],
)
def test_what_is_no_exact_amount_is_refused(text: str, decimals: int, reason: str) -> None:
    with pytest.raises(CellInvalid, match=reason):
        read_amount(text, decimals)


@given(st.decimals(min_value=-(10**19), max_value=10**19, places=18))
def test_every_amount_of_18_decimals_survives_as_text(amount: Decimal) -> None:
    assert read_amount(str(amount), 18) == amount
    assert read_amount(format(amount, "f"), 18) == amount


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2024-09-01 02:00:00", 2),
        ("2024-09-01T02:00:00Z", 2),
        ("2024-09-01T02:00:00.000Z", 2),
        ("2024-09-01T02:00:00.000000000Z", 2),
        ("2024-09-01T04:00+02:00", 2),
        ("2024-09-01", 0),
    ],
)
def test_instants_are_utc_unless_they_say_otherwise(text: str, hour: int) -> None:
    assert read_instant(text, needs_zone=False) == datetime(2024, 9, 1, hour, tzinfo=UTC)


@pytest.mark.parametrize("text", ["01/09/2024", "2024-9-1", "20240901", "2024-13-01T00:00:00Z", "2024-09-01T25:00:00Z"])
def test_what_is_no_iso_instant_is_refused(text: str) -> None:
    with pytest.raises(CellInvalid):
        read_instant(text, needs_zone=False)


def test_an_instant_of_our_own_format_needs_its_zone() -> None:
    with pytest.raises(CellInvalid, match="zone is missing"):
        read_cell("2026-10-05T10:00:00", Column("instant", needs_zone=True))


@pytest.mark.parametrize("text", ["", "NULL", "None"])
def test_absent_is_null_or_an_error_as_the_column_says(text: str) -> None:
    assert read_cell(text, Column("amount")) is None
    with pytest.raises(CellInvalid, match="must not be empty"):
        read_cell(text, Column("amount", nullable=False))


@pytest.mark.parametrize("text", ["null", "none", " ", "NULL "])
def test_other_words_for_nothing_are_text_that_somebody_chose(text: str) -> None:
    assert read_cell(text, Column()) == text


@pytest.mark.parametrize("text", ["US", "usd", "EURO", "XAU", "ZZZ"])
def test_a_currency_must_be_a_payable_iso_code(text: str) -> None:
    with pytest.raises(CellInvalid, match="ISO 4217"):
        read_cell(text, Column(is_currency=True))


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        (Column("date"), "2026-10-05", date(2026, 10, 5)),
        (Column("integer"), "012", 12),
        (Column("boolean"), "TRUE", True),
        (Column("boolean"), "0", False),
        (Column(values=("debit", "credit")), "credit", "credit"),
        (Column(), "0012", "0012"),
    ],
)
def test_cells_are_read_after_their_kind(column: Column, text: str, value: object) -> None:
    assert read_cell(text, column) == value


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (Column("date"), "2026-02-30"),
        (Column("date"), "2026-10-05T00:00:00Z"),
        (Column("integer"), "1.0"),
        (Column("boolean"), "maybe"),
        (Column(values=("debit", "credit")), "Credit"),
    ],
)
def test_cells_that_do_not_fit_their_kind_are_refused(column: Column, text: str) -> None:
    with pytest.raises(CellInvalid):
        read_cell(text, column)
