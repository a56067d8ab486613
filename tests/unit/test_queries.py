"""Settings of a session that hold for some statements only."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import duckdb
import pytest

from billing_pipeline.queries import blind_to_statistics, load_sql, one_thread

NAMES = ("threads", "preserve_insertion_order", "disabled_optimizers")


def settings(connection: duckdb.DuckDBPyConnection) -> object:
    return connection.execute(f"select {', '.join(f'current_setting({name!r})' for name in NAMES)}").fetchone()


@pytest.mark.parametrize("kind", [one_thread, blind_to_statistics])
def test_settings_are_as_before_also_when_a_statement_fails(
    kind: Callable[[duckdb.DuckDBPyConnection], AbstractContextManager[None]],
) -> None:
    with duckdb.connect(config={"threads": 2, "preserve_insertion_order": False}) as connection:
        before = settings(connection)
        with kind(connection):
            assert settings(connection) != before
        with pytest.raises(duckdb.Error), kind(connection):
            connection.execute("select nonsense")
        assert settings(connection) == before


def test_one_thread_follows_the_left_side_of_a_join_however_small_it_is() -> None:
    with duckdb.connect(config={"threads": 2, "preserve_insertion_order": False}) as connection:
        connection.execute("create table few as select 9 - range as id from range(10)")
        connection.execute("create table many as select range as id, range % 10 as few_id from range(100000)")
        joined = "select few.id from few inner join many on few.id = many.few_id and many.id < 10"
        with one_thread(connection):
            assert [row[0] for row in connection.execute(joined).fetchall()] == list(range(9, -1, -1))


def test_an_unknown_select_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        load_sql("pricing/nothing")
