"""Columns, order and filter of the customer-charges list."""

from datetime import date
from decimal import Decimal

import pytest

from billing_pipeline.charges.columns import COLUMNS, ColumnUnknown, choose_columns
from billing_pipeline.charges.filter_text import FilterInvalid
from billing_pipeline.charges.filters import ParsedFilter, parse_filter
from billing_pipeline.charges.ordering import SortInvalid, order_by, parse_sort


def headers(names: list[str] | None) -> list[str]:
    return [column.header for column in choose_columns(names)]


def test_default_columns_are_those_shown_and_the_currency() -> None:
    assert headers(None) == headers([]) == [column.header for column in COLUMNS if column.is_default] + ["Currency"]


def test_columns_are_chosen_by_header_or_name_in_any_case_and_keep_their_order() -> None:
    assert headers(["customer", "INVOICE #", "Product Type"]) == ["Customer", "Invoice #", "Product Type"]


@pytest.mark.parametrize("price", ["unit_cost_price", "unit_sell_price", "total_cost_price", "total_sell_price"])
def test_the_currency_comes_with_any_price(price: str) -> None:
    assert headers([price, "customer"])[-1] == "Currency"


def test_the_currency_stays_where_it_was_put() -> None:
    assert headers(["currency", "unit_cost_price"]) == ["Currency", "Unit Cost Price"]


def test_an_unknown_column_is_named_with_the_known_ones() -> None:
    with pytest.raises(ColumnUnknown, match=r"'Margin' is no column.*Invoice #, Invoice date.*Currency"):
        choose_columns(["Margin"])


def test_a_column_chosen_twice_is_refused() -> None:
    with pytest.raises(ColumnUnknown, match="twice: Customer"):
        choose_columns(["Customer", "customer"])


BY_LINE = (
    """try_cast(regexp_extract("line_number", '^[0-9]{1,18}') as bigint) asc nulls last, """
    '"line_number" asc nulls last, "customer" asc nulls last, "description" asc nulls last,'
    ' "line_item_id" asc nulls last'
)


def test_the_default_order_is_by_invoice_number_descending() -> None:
    assert order_by(parse_sort(None)) == f'"invoice_number" desc nulls last, {BY_LINE}'


def test_columns_sort_both_ways_and_ties_are_settled() -> None:
    assert order_by(parse_sort("Customer:desc, invoice date")) == (
        f'"customer" desc nulls last, "invoice_date" asc nulls last, "invoice_number" desc nulls last, {BY_LINE}'
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [("Customer:down", SortInvalid), ("Margin", ColumnUnknown), ("Unit,unit:desc", SortInvalid), (",", ColumnUnknown)],
)
def test_an_order_that_cannot_be_read_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_sort(text)


@pytest.mark.parametrize(
    ("expression", "sql", "parameters"),
    [
        ("customer = 'it''s'", '("customer" = ?)', ["it's"]),
        ("\"Invoice #\" like 'A%'", '("invoice_number" like ?)', ["A%"]),
        ("unit not like 'a!%' escape '!'", '(not ("unit" like ? escape ?))', ["a!%", "!"]),
        ("description ilike '%x%'", '("description" ilike ?)', ["%x%"]),
        ("quantity >= -1.50", '("quantity" >= cast(? as decimal(38, 18)))', [Decimal("-1.50")]),
        ("0 <> total_sell_price", '(cast(? as decimal(38, 24)) <> "total_sell_price")', [Decimal(0)]),
        ("end_date is not null", '(not ("end_date" is null))', []),
        ("type in ('Debit', 'Credit')", '("type" in (?, ?))', ["Debit", "Credit"]),
        (
            "invoice_date between '2026-10-01' and '2026-10-31'",
            '("invoice_date" between ? and ?)',
            [date(2026, 10, 1), date(2026, 10, 31)],
        ),
        ("total_sell_price < total_cost_price", '("total_sell_price" < "total_cost_price")', []),
        (
            "not (unit = 'a' or unit = 'b') and unit <> 'c'",
            '((not (("unit" = ?) or ("unit" = ?))) and ("unit" <> ?))',
            ["a", "b", "c"],
        ),
    ],
)
def test_a_filter_becomes_sql_with_bound_values(expression: str, sql: str, parameters: list[object]) -> None:
    assert parse_filter(expression) == ParsedFilter(sql, parameters)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expression", "character", "reason"),
    [
        ("", 1, "it is empty"),
        ("-- all", 1, "it is empty"),
        ("unit = 'a' and upper(unit) = 'X'", 16, "not allowed"),
        ("unit in (select 'a')", 17, "not allowed"),
        ("unit = 'a'; drop table t", 11, "semicolon"),
        ("unit = 'a' -- b", 8, "comments"),
        ("unit = 'a'::varchar", 8, "not allowed"),
        ("end_date = date '2026-01-01'", 17, "not allowed"),
        ("unit = 'a' and margin > 0", 16, "there is no column 'margin'; there are Invoice #"),
        ("charges.unit = 'a'", 1, "not allowed"),
        ("quantity = '5'", 12, "is a number"),
        ("quantity = 1e5", 12, "plain decimal"),
        ("quantity = 123456789012345", 12, "at most 14 digits"),
        ("unit = 5", 8, "is text"),
        ("end_date > '2026-02-30'", 12, "is no day"),
        ("end_date like '2026%'", 1, "like is for text"),
        ("unit = null", 1, "write unit is null"),
        ("unit = quantity", 1, "cannot be compared"),
        ("1 = 1", 1, "needs a column"),
        ("unit", 1, "a condition is expected"),
        ("unit is true", 1, "only null"),
        ("unit in ()", 1, "at least one value"),
        ("quantity between symmetric 1 and 2", 1, "not allowed"),
        ("unit like any ('a')", 16, "a value is expected"),
        ("unit = 'a' and unit = ?", 16, "not allowed"),
        ("unit in (?)", 1, "a value is expected"),
        ("unit = 'a", 8, "this quote is not closed"),
        ("unit = 'it''s' or \"Type\" = 'it''s", 28, "this quote is not closed"),
        ('"Unit = 5', 1, "this quote is not closed"),
        ("unit = 'a' or unit = $$a", 1, "cannot be read"),
        ("unit in ('a'", 10, "Expecting )"),
        ("(" * 21 + "unit = 'a'" + ")" * 21, 21, "nested deeper"),
        ("not " * 4000 + "unit = 'a'", 81, "nested deeper"),
        ("not (" * 11 + "unit = 'a'" + ")" * 11, 51, "nested deeper"),
        (f"unit = '{'a' * 200}' and\nunit in ('a'", 224, "Expecting )"),
        ("unit = 'a' or " * 2000 + "unit = 'a'", 1, "longer than"),
    ],
)
def test_whatever_is_no_filter_is_refused_at_its_place(expression: str, character: int, reason: str) -> None:
    with pytest.raises(FilterInvalid) as raised:
        parse_filter(expression)
    assert f"filter, character {character}" in str(raised.value)
    assert reason in str(raised.value)


def test_a_filter_of_a_thousand_terms_is_read() -> None:
    assert len(parse_filter(" or ".join(["unit = 'a'"] * 1000)).parameters) == 1000
