"""Filters of one column each: what they find, and how they refuse what is none."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import duckdb
import pytest

from billing_pipeline.charges.column_filters import parse_column_filters
from billing_pipeline.charges.filter_text import FilterInvalid
from billing_pipeline.charges.filters import ParsedFilter, all_of, parse_filter
from tests.charge_rows import table_of_charges


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        table_of_charges(
            opened,
            {"customer": "Acme", "unit": None, "quantity": Decimal(1), "end_date": None},
            {"customer": "ACME Süd", "unit": "", "quantity": Decimal("1.5"), "invoice_date": date(2026, 10, 31)},
            {"customer": "50% off_x", "unit": "a|b", "quantity": Decimal(-3), "invoice_date": date(2026, 11, 1)},
            {"customer": "Beta", "unit": "a\\b", "quantity": Decimal(10), "invoice_date": date(2026, 9, 30)},
        )
        yield opened


def found(connection: duckdb.DuckDBPyConnection, *filters: str) -> list[int]:
    parsed = parse_column_filters(filters)
    assert parsed is not None
    rows = connection.execute(f"select line_item_id from charges where {parsed.sql} order by all", parsed.parameters)
    return [int(name[-4:]) for (name,) in rows.fetchall()]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("Customer~acme", [0, 1]),
        ("customer ~ SÜD", [1]),
        ("Customer~acme|BETA", [0, 1, 3]),
        ("Customer!~acme", [2, 3]),
        # The signs of `like` are letters here.
        ("Customer~50%", [2]),
        ("Customer~f_x", [2]),
        ("Customer~%", [2]),
        ("Customer=Acme", [0]),
        ("Customer=acme", []),
        ("Customer=Acme|Beta", [0, 3]),
        ("Customer!=Acme|Beta", [1, 2]),
        ("Unit=", [0, 1]),
        ("Unit!=", [2, 3]),
        ("Unit=|a\\|b", [0, 1, 2]),
        ("Unit=a\\\\b", [3]),
        ("Unit=a\\b", [3]),
        # Empty cells are part of the rest.
        ("Unit!=a\\|b", [0, 1, 3]),
        ("End date=", [0]),
        ("End date!=", [1, 2, 3]),
        ("Quantity=1..1.5", [0, 1]),
        ("Quantity=1..", [0, 1, 3]),
        ("Quantity=..1", [0, 2]),
        ("Quantity=-3|10", [2, 3]),
        ("Quantity=-5..-1|1.5", [1, 2]),
        ("Quantity!=..1", [1, 3]),
        ("Invoice date=2026-10-01..2026-10-31", [0, 1]),
        ("Invoice date=2026-10", [0, 1]),
        ("invoice_date=2026-10..2026-11", [0, 1, 2]),
        ("Invoice date=..2026-09", [3]),
        ("Invoice date=2026-11-01..", [2]),
        ("Invoice date=2026-10-05", [0]),
    ],
)
def test_a_filter_of_a_column_finds_its_rows(connection: duckdb.DuckDBPyConnection, text: str, rows: list[int]) -> None:
    assert found(connection, text) == rows


def test_a_charge_passes_all_filters_of_columns(connection: duckdb.DuckDBPyConnection) -> None:
    assert found(connection, "Customer~acme", "Quantity=1.5") == [1]


def test_values_are_bound_and_numbers_keep_the_columns_type() -> None:
    assert parse_column_filters(["Total Sell Price=..-1"]) == ParsedFilter(
        '(("total_sell_price" is not null and "total_sell_price" <= cast(? as decimal(38, 24))))', [Decimal(-1)]
    )


def test_filters_of_columns_and_an_expression_must_all_be_met() -> None:
    both = all_of([parse_column_filters(["Type=Debit"]), parse_filter("quantity > 1 or quantity < 0")])
    assert both == ParsedFilter(
        '((("type" is not null and "type" = ?)) and (("quantity" > cast(? as decimal(38, 18))) or '
        '("quantity" < cast(? as decimal(38, 18)))))',
        ["Debit", Decimal(1), Decimal(0)],
    )


def test_no_filter_is_none() -> None:
    assert parse_column_filters([]) is None


def test_a_filter_of_thousands_of_values_runs(connection: duckdb.DuckDBPyConnection) -> None:
    assert found(connection, "Quantity=" + "|".join(map(str, range(3000)))) == [0, 3]


@pytest.mark.parametrize(
    ("text", "character", "reason"),
    [
        ("", 1, "a column, one of = != ~ !~ and a value are expected"),
        ("Customer", 1, "write Customer~acme"),
        ("Margin=1", 1, "there is no column 'Margin'; there are Invoice #"),
        ("=1", 1, "there is no column ''"),
        ("Quantity>5", 9, "an open range is Quantity=10.."),
        ("Quantity<=5", 9, "<= is not known here"),
        ("Quantity~5", 9, "Quantity is not text; use = with a range"),
        ("Customer~", 10, "Customer= finds empty cells"),
        ("Customer~a|", 12, "a part of Customer is expected"),
        ("Quantity=1|x", 12, "is a number"),
        ("Quantity=1..1e5", 13, "plain decimal"),
        ("Quantity=1,000", 10, "plain decimal"),
        ("Quantity=..", 10, "a beginning or an end"),
        ("Quantity=5..1", 10, "write 1..5"),
        ("Quantity= 123456789012345", 10, "at most 14 digits"),
        ("Invoice date=2026-02-30", 14, "is no day"),
        ("Invoice date=2026-13", 14, "is no day"),
        ("Invoice date=2026-10-05..x", 26, "is no day"),
        ("Invoice date=2026-11..2026-10", 14, "ends before it begins"),
        ("Customer=" + "a" * 20_000, 1, "longer than"),
    ],
)
def test_whatever_is_no_filter_of_a_column_is_refused_at_its_place(text: str, character: int, reason: str) -> None:
    with pytest.raises(FilterInvalid) as raised:
        parse_column_filters([text])
    assert f"character {character}:" in str(raised.value)
    assert reason in str(raised.value)
