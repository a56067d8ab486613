"""What a staging select's columns are made of, told from its text."""

import pytest

from billing_pipeline.queries import load_sql
from billing_pipeline.vendors.aws_cur import AWS_CUR
from billing_pipeline.vendors.column_origins import Origin, Origins, column_origins


def origins(sql: str) -> Origins | None:
    return column_origins(sql, "raw_rows", ["a", "b", "c"])


def unchanged(name: str) -> Origin:
    return Origin(frozenset({name}), is_unchanged=True)


def made_of(*names: str) -> Origin:
    return Origin(frozenset(names))


def test_a_column_under_another_name_is_unchanged_and_a_cast_one_is_not() -> None:
    assert origins("select a, b as d, cast(c as varchar) as e from raw_rows") == {
        "a": unchanged("a"),
        "d": unchanged("b"),
        "e": made_of("c"),
    }


def test_an_expression_is_made_of_all_its_columns_and_a_parameter_of_none() -> None:
    found = origins(
        "select case when a = 1 then b end as d, $source || '/' as e, cast(null as date) as f from raw_rows"
    )

    assert found == {"d": made_of("a", "b"), "e": made_of(), "f": made_of()}


def test_columns_are_followed_through_common_table_expressions_and_stars() -> None:
    found = origins(
        """
        with first_rows as (select *, a || b as d from raw_rows),
        second_rows as (select *, lower(d) as e, c as f from first_rows)
        select e, f, a from second_rows
        """
    )

    assert found == {"e": made_of("a", "b"), "f": unchanged("c"), "a": unchanged("a")}


def test_a_name_is_a_column_of_the_source_before_it_is_one_made_beside_it() -> None:
    found = origins("select a || 'x' as d, upper(d) as e, b as c, c as f from raw_rows")

    assert found is not None
    assert (found["e"], found["f"]) == (made_of("a"), unchanged("c"))


@pytest.mark.parametrize(
    "sql",
    [
        "select a from raw_rows where b = 1",
        "select a from raw_rows order by b",
        "select a from raw_rows limit 1",
        "select distinct a from raw_rows",
        "select a, sum(b) as d from raw_rows group by a",
        "select sum(b) as d from raw_rows",
        "select row_number() over (order by a) as d from raw_rows",
        "select a from raw_rows qualify row_number() over (order by a) = 1",
        "select a from raw_rows union all select b from raw_rows",
        "select raw_rows.a from raw_rows, raw_rows as others",
        "select a, d from raw_rows join others using (a)",
        "select a, (select max(b) from raw_rows) as d from raw_rows",
        "select unnest(a) as d from raw_rows",
        "select random() as d from raw_rows",
        "select a from others",
        "select a.member as d from raw_rows",
        "select * exclude (a) from raw_rows",
        "select *, b as a from raw_rows",
        "select nowhere from raw_rows",
        "select a || 'x' from raw_rows",
        "with kept as (select * from raw_rows where a = 1) select a from kept",
    ],
)
def test_a_select_that_is_not_row_by_row_or_not_understood_promises_nothing(sql: str) -> None:
    assert origins(sql) is None


def test_of_an_aws_row_only_the_row_key_and_the_nature_are_made_of_what_hardly_repeats() -> None:
    """The conversion's speed rests on this: a change of the SQL that loses it shall be seen."""
    columns = ["row_number", "tags", *AWS_CUR.columns]
    repeating = {name for name, column in AWS_CUR.columns.items() if column.is_enumerated}

    found = column_origins(load_sql(AWS_CUR.staging_sql), "raw_rows", columns)

    assert found is not None
    assert {name for name, origin in found.items() if not origin.is_unchanged and origin.columns - repeating} == {
        "x_row_key",
        "x_charge_nature",
    }
