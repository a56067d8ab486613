"""Whatever is typed as a filter is refused at its place, or reads the charges and nothing else.

10,000 expressions and 2,000 filters of columns; `make test-filters FILTER_CASES=100000` tries more.
"""

import os
import re
from collections.abc import Iterator
from random import Random

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from billing_pipeline.charges.column_filters import parse_column_filters
from billing_pipeline.charges.columns import COLUMNS
from billing_pipeline.charges.filter_text import FilterInvalid
from billing_pipeline.charges.filters import ParsedFilter, parse_filter
from tests.properties.filter_expressions import DAYS, HOSTILE, TEXTS, any_column_filter, any_expression, valid

CASES = int(os.environ.get("FILTER_CASES", "10000"))
PARTS = 4
CHARGES = 8
PLACE = re.compile(r"character (\d+)")
# Every kind of node that a condition of ours is made of; values are placeholders, and literals but digits of a type.
ALLOWED = {
    exp.Paren, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In,
    exp.Between, exp.Like, exp.ILike, exp.Escape, exp.Is, exp.Null, exp.Column, exp.Identifier, exp.Placeholder,
    exp.Cast, exp.DataType, exp.DataTypeParam, exp.Literal,
}  # fmt: skip
NAMES = {column.name for column in COLUMNS}
# Accepted on purpose, though the list was made of what should not be.
HARMLESS = {
    "not not not customer = 'a'", "quantity > - 1", "quantity > +1", "+quantity > 1", "quantity = 1_000",
    "CUSTOMER = 'a'", '"customer" = "unit"', "customer isnull", "customer notnull", "customer = '\x00'",
    "customer\u00a0= 'a'",
}  # fmt: skip


@pytest.fixture(scope="module")
def locked() -> Iterator[duckdb.DuckDBPyConnection]:
    """Some charges, and beside them what no filter may see; nothing outside can be reached."""
    with duckdb.connect(config={"threads": 1, "enable_external_access": "false"}) as connection:
        columns = ", ".join(f"{column.name} {column.sql_type}" for column in COLUMNS)
        connection.execute(f"create table charges ({columns}, line_item_id varchar)")
        for number in range(CHARGES):
            values = [_value(column.kind, number) for column in COLUMNS]
            connection.execute(f"insert into charges values ({', '.join('?' * len(values))}, 'x')", values)
        headed = ", ".join(
            f'{column.name} as "{column.header}"' for column in COLUMNS if column.header.lower() != column.name
        )
        connection.execute(f"create view headed as select *, {headed} from charges")
        connection.execute("create table secrets as select 'x' as password")
        connection.execute("set lock_configuration = true")
        yield connection


def _value(kind: str, number: int) -> object:
    if number == CHARGES - 1:
        return None
    return {"text": TEXTS[number], "date": DAYS[number % 3]}.get(kind, number - 2)


@pytest.mark.parametrize("part", range(PARTS))
def test_an_expression_is_refused_at_its_place_or_reads_the_charges_alone(
    locked: duckdb.DuckDBPyConnection, part: int
) -> None:
    random = Random(part)
    accepted = 0
    for _ in range(CASES // PARTS):
        text = any_expression(random)
        parsed = _parsed(text)
        if parsed is not None:
            accepted += 1
            _check_reads_only_charges(locked, text, parsed)
    # Neither everything nor nothing may be refused.
    assert CASES // PARTS // 6 < accepted < CASES // PARTS * 2 // 3


def test_whatever_the_grammar_makes_is_read_and_runs(locked: duckdb.DuckDBPyConnection) -> None:
    random = Random(77)
    for _ in range(300):
        text = valid(random)
        _check_reads_only_charges(locked, text, parse_filter(text))


def test_a_filter_means_what_the_database_itself_takes_the_expression_for(locked: duckdb.DuckDBPyConnection) -> None:
    """Written out anew, `not`, `and` and `or` must still bind as they did in the text."""
    random = Random(78)
    compared = 0
    for _ in range(1000):
        text = valid(random)
        try:
            expected = locked.execute(f"select count(*) from headed where {text}").fetchall()
        except duckdb.Error:
            # The database reads numbers into narrower types than the column's, and some overflow.
            continue
        compared += 1
        assert [(_count(locked, parse_filter(text)),)] == expected, text
    assert compared > 900


@pytest.mark.parametrize("text", sorted(set(HOSTILE) - HARMLESS))
def test_what_an_attacker_would_type_is_refused_at_its_place(text: str) -> None:
    assert _parsed(text) is None


@pytest.mark.parametrize("text", sorted(HARMLESS))
def test_what_merely_looks_odd_reads_the_charges_alone(locked: duckdb.DuckDBPyConnection, text: str) -> None:
    _check_reads_only_charges(locked, text, parse_filter(text))


def test_a_filter_of_a_column_is_refused_at_its_place_or_reads_the_charges_alone(
    locked: duckdb.DuckDBPyConnection,
) -> None:
    random = Random(5)
    accepted = 0
    for _ in range(CASES // 5):
        text = any_column_filter(random)
        try:
            parsed = parse_column_filters([text])
        except FilterInvalid as error:
            _check_place(text, error)
            continue
        assert parsed is not None
        accepted += 1
        _check_reads_only_charges(locked, text, parsed)
        # The rest of it is what it leaves: no charge is in both or in neither.
        negated = ParsedFilter(f"(not {parsed.sql})", parsed.parameters)
        assert _count(locked, parsed) + _count(locked, negated) == CHARGES
    assert accepted > CASES // 5 // 4


def _parsed(text: str) -> ParsedFilter | None:
    try:
        return parse_filter(text)
    except FilterInvalid as error:
        _check_place(text, error)
        return None


def _check_place(text: str, error: FilterInvalid) -> None:
    found = PLACE.search(str(error))
    assert found is not None, (text, str(error))
    assert 1 <= int(found[1]) <= max(1, len(text) + 1), (text, str(error))


def _check_reads_only_charges(connection: duckdb.DuckDBPyConnection, text: str, parsed: ParsedFilter) -> None:
    tree = sqlglot.parse_one(parsed.sql, read="duckdb")
    kinds = {type(node) for node in tree.walk()}
    assert kinds <= ALLOWED, (text, parsed.sql, kinds - ALLOWED)
    assert {node.name for node in tree.find_all(exp.Column)} <= NAMES, (text, parsed.sql)
    assert all(node.table == "" for node in tree.find_all(exp.Column)), (text, parsed.sql)
    # Text and numbers are bound: a literal is a precision or scale.
    assert all(isinstance(node.parent, exp.DataTypeParam) for node in tree.find_all(exp.Literal)), (text, parsed.sql)
    assert len(list(tree.find_all(exp.Placeholder))) == len(parsed.parameters), (text, parsed.sql)
    assert 0 <= _count(connection, parsed) <= CHARGES


def _count(connection: duckdb.DuckDBPyConnection, parsed: ParsedFilter) -> int:
    [(count,)] = connection.execute(f"select count(*) from charges where {parsed.sql}", parsed.parameters).fetchall()
    return int(count)
