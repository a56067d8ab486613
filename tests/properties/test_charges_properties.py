"""Whatever is typed as a filter, only the whitelisted grammar ever reaches the database; numbers are shown exactly."""

import re
from datetime import date
from decimal import Decimal

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.charges.columns import COLUMNS
from billing_pipeline.charges.filter_text import FilterInvalid
from billing_pipeline.charges.filters import parse_filter
from billing_pipeline.documents.formatting import format_amount, format_quantity, plain_decimal
from billing_pipeline.money import round_money

_COLUMN = "|".join(f'"{column.name}"' for column in COLUMNS)
_VALUE = r"\?|cast\(\? as decimal\(38, (?:18|24)\)\)"
_TOKEN = re.compile(
    rf"{_COLUMN}|{_VALUE}|<>|<=|>=|[=<>(),]|\b(?:and|or|not|in|like|ilike|escape|between|is|null)\b|\s+"
)
_FRAGMENTS = st.sampled_from([
    *(f'"{column.header}"' for column in COLUMNS), *(column.name for column in COLUMNS),
    "=", "<>", "<", ">=", "and", "or", "not", "in", "like", "ilike", "escape", "between", "is", "null", "(", ")", ",",
    "'a'", "'it''s'", "'2026-10-05'", "5", "-1.5", "1e9", ";", "--", "/*", "*/", "select", "from", "union", "::int",
    "cast(quantity as int)", "upper(unit)", "read_csv('x')", "exists (select 1)", "x", "?", "$1", "true", "||", "+",
    "case when", "then", "end", "'; drop table charges; --", "\"", "'", "\x00", "%", "any", "all", "charges.unit",
])  # fmt: skip
_ATOM = st.one_of(
    st.tuples(st.sampled_from(["customer", '"Type"', "unit"]), st.sampled_from(["=", "<>", "like", "ilike"]), st.text())
    .map(lambda parts: f"{parts[0]} {parts[1]} '{parts[2].replace(chr(39), chr(39) * 2)}'"),
    st.decimals(-(10**13), 10**13, places=6).map(lambda number: f"quantity > {number:f}"),
    st.dates(date(1, 1, 1)).map(lambda day: f"end_date <= '{day.isoformat()}'"),
    st.just("start_date is not null"),
)  # fmt: skip
_CONDITION = st.recursive(
    _ATOM,
    lambda inner: st.one_of(
        inner.map(lambda one: f"not ({one})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: f"({' '.join(parts)})"),
    ),
    max_leaves=6,
)
_AMOUNTS = st.decimals(-(10**20), 10**20, allow_nan=False, allow_infinity=False, places=24)


def _only_whitelisted(sql: str) -> bool:
    return not _TOKEN.sub("", sql)


@given(st.one_of(st.lists(_FRAGMENTS, max_size=14).map(" ".join), st.text(max_size=60)))
def test_whatever_is_typed_is_refused_or_made_of_the_whitelist_alone(expression: str) -> None:
    try:
        parsed = parse_filter(expression)
    except FilterInvalid:
        return
    assert _only_whitelisted(parsed.sql)
    assert parsed.sql.count("?") == len(parsed.parameters)
    assert all(isinstance(value, str | Decimal | date) for value in parsed.parameters)


@given(_CONDITION)
def test_every_filter_of_the_grammar_is_read_and_runs(expression: str) -> None:
    parsed = parse_filter(expression)
    assert _only_whitelisted(parsed.sql)
    columns = ", ".join(f"null::{column.sql_type} as {column.name}" for column in COLUMNS)
    with duckdb.connect() as connection:
        query = f"select count(*) from (select {columns}) as charges where {parsed.sql}"
        assert len(connection.execute(query, parsed.parameters).fetchall()) == 1


@given(_AMOUNTS, st.sampled_from(["JPY", "EUR", "BHD", "CLF"]))
def test_a_shown_amount_reads_back_as_the_rounded_amount(amount: Decimal, currency: str) -> None:
    shown = format_amount(amount, currency)
    assert Decimal(shown.replace(",", "")) == round_money(amount, currency)
    assert re.fullmatch(r"-?\d{1,3}(,\d{3})*(\.\d+)?", shown)
    assert not re.fullmatch(r"-[0.]+", shown)


@given(_AMOUNTS, st.integers(0, 4))
def test_decimals_for_people_and_programs_lose_nothing(value: Decimal, at_least: int) -> None:
    assert Decimal(plain_decimal(value, at_least)) == value
    assert Decimal(format_quantity(value).replace(",", "")) == value
