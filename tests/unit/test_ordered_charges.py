"""Charges put aside in order: read as often as wanted, with no more memory than the sort needs, and nothing left."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from resources import ordered_charges
from resources.ordered_charges import put_in_order

QUERY = "select number as place, md5(number::varchar) as customer, 'D-1' as invoice_number from numbers"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    settings: dict[str, str | bool | int | float | list[str]] = {"threads": 1, "temp_directory": str(scratch)}
    with duckdb.connect(config=settings) as opened:
        opened.execute("create view numbers as select number from range(3000) as numbers(number)")
        yield opened


def test_rows_are_read_twice_in_the_same_order(connection: duckdb.DuckDBPyConnection) -> None:
    with put_in_order(connection, f"{QUERY} where number < ? order by customer desc", [2500], True) as ordered:
        readings = []
        for _ in range(2):
            with ordered.batches("customer") as batches:
                readings.append([text for batch in batches for text in batch.column(0).to_pylist()])
    assert len(readings[0]) == 2500
    assert readings[0] == readings[1] == sorted(readings[0], reverse=True)


def test_hidden_invoice_numbers_are_empty_in_everything_that_is_read(connection: duckdb.DuckDBPyConnection) -> None:
    with put_in_order(connection, f"{QUERY} order by place", [], False) as ordered, ordered.reading() as rows:
        assert rows.execute("select distinct invoice_number from charges").fetchall() == [("",)]


def test_a_sort_that_needs_more_memory_gets_it_and_loses_no_row(connection: duckdb.DuckDBPyConnection) -> None:
    """Once a million charges took all of a fixed limit, and three million failed."""
    connection.execute("create or replace view numbers as select number from range(200000) as numbers(number)")
    connection.execute("set memory_limit = '5MB'")
    wide = f"select *, repeat(customer, 8) as wide from ({QUERY}) order by wide"
    with put_in_order(connection, wide, [], True) as ordered, ordered.reading() as rows:
        assert rows.execute("select count(*), count(distinct place) from charges").fetchall() == [(200_000, 200_000)]
    assert connection.execute("select current_setting('memory_limit')").fetchall() == [("183.1 MiB",)]


def test_a_sort_that_even_the_most_memory_does_not_hold_fails(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordered_charges, "_MORE_MEMORY", ("6MB",))
    connection.execute("create or replace view numbers as select number from range(200000) as numbers(number)")
    connection.execute("set memory_limit = '5MB'")
    wide = f"select *, repeat(customer, 8) as wide from ({QUERY}) order by wide"
    with (
        pytest.raises((duckdb.OutOfMemoryException, OSError), match="Out of Memory"),
        put_in_order(connection, wide, [], True),
    ):
        pass


def test_nothing_is_left_on_disk_whatever_happens(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(KeyError), put_in_order(connection, f"{QUERY} order by place", [], True):
        raise KeyError
    assert list((tmp_path / "scratch").iterdir()) == []
