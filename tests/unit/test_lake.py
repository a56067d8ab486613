"""The lake replaces a partition in one step, whole, checked, and with the same bytes for the same rows."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from pandera.errors import SchemaError

from billing_pipeline.schemas.table import Column, Table
from resources import lake as lake_module
from resources.lake import ContractBroken, Lake, replacing

TABLE = Table(
    "things",
    "one thing",
    (
        Column("thing_id", "VARCHAR", "Key.", nullable=False, unique=True),
        Column("kind", "VARCHAR", "Kind.", values=("good", "bad")),
        Column("amount", "DECIMAL(38,18)", "Amount in EUR."),
    ),
)
GOOD = "select 'a' as thing_id, 'good' as kind, cast(1.5 as decimal(38, 18)) as amount"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def write(lake: Lake, query: str, partition: str = "2026-10-05") -> Path:
    with duckdb.connect() as connection:
        return lake.write(connection, TABLE, partition, query)


def files(lake: Lake) -> list[str]:
    return sorted(str(path.relative_to(lake.root)) for path in lake.root.rglob("*") if path.is_file())


def test_a_partition_is_one_file(lake: Lake) -> None:
    path = write(lake, GOOD)
    assert files(lake) == ["things/2026-10-05.parquet"]
    assert pl.read_parquet(path).to_dicts() == [{"thing_id": "a", "kind": "good", "amount": Decimal("1.5")}]
    assert lake.partitions("things") == ["2026-10-05"]
    assert lake.files("things", ["2026-10-05", "2026-10-06"]) == [str(path)]


def test_columns_stand_in_the_order_of_the_contract(lake: Lake) -> None:
    path = write(lake, "select cast(1 as decimal(38, 18)) as amount, 'good' as kind, 'a' as thing_id, 7 as other")
    assert pl.read_parquet(path).columns == list(TABLE.column_names)


def test_a_shorter_or_empty_second_version_replaces_the_first_whole(lake: Lake) -> None:
    write(lake, f"{GOOD} union all select 'b', 'bad', 2")
    assert pl.read_parquet(write(lake, GOOD)).height == 1
    assert pl.read_parquet(write(lake, f"{GOOD} limit 0")).height == 0


def test_bytes_repeat(lake: Lake) -> None:
    many = (
        "select cast(range as varchar) as thing_id, 'good' as kind, cast(range as decimal(38, 18)) as amount"
        " from range(5000) order by thing_id"
    )
    first = write(lake, many).read_bytes()
    assert write(lake, many).read_bytes() == first
    frame = pl.read_parquet(lake.path("things", "2026-10-05"))
    assert (
        lake.write_frame(TABLE, "2026-10-05", frame).read_bytes()
        == lake.write_frame(TABLE, "2026-10-06", frame).read_bytes()
    )


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("select 'a' as thing_id, 'good' as kind, 1.5::double as amount", "amount: DOUBLE instead of DECIMAL"),
        ("select 'a' as thing_id, 'good' as kind, 1.5::decimal(38, 6) as amount", r"amount: DECIMAL\(38,6\) instead"),
        (
            "select null::varchar as thing_id, 'good' as kind, null::decimal(38, 18) as amount",
            "thing_id is empty in 1 rows",
        ),
        (f"{GOOD} union all {GOOD}", "thing_id is not unique in 1 rows"),
        (
            "select 'a' as thing_id, 'odd' as kind, 1::decimal(38, 18) as amount",
            "kind has a value not allowed in 1 rows",
        ),
    ],
)
def test_a_broken_contract_is_named_and_leaves_the_old_file(lake: Lake, query: str, complaint: str) -> None:
    before = write(lake, GOOD).read_bytes()
    with pytest.raises(ContractBroken, match=f"things: .*{complaint}"):
        write(lake, query)
    assert files(lake) == ["things/2026-10-05.parquet"]
    assert lake.path("things", "2026-10-05").read_bytes() == before


def test_every_broken_rule_is_named_at_once(lake: Lake) -> None:
    with pytest.raises(ContractBroken, match="empty in 1 rows; kind has a value not allowed in 1 rows"):
        write(lake, "select null::varchar as thing_id, 'odd' as kind, null::decimal(38, 18) as amount")


SORTED = replace(TABLE, sorted_by=("kind", "thing_id"))
NUMBERS = "select cast(range as varchar) as thing_id, 'good' as kind, 1::decimal(38, 18) as amount from range(5000)"


@pytest.mark.parametrize("query", [f"{NUMBERS} order by thing_id", NUMBERS], ids=["in order", "not in order"])
def test_rows_that_are_said_to_come_in_order_are_sorted_if_they_do_not(lake: Lake, query: str) -> None:
    with duckdb.connect() as connection:
        path = lake.write(connection, SORTED, "2026-10-05", query, comes_in_order=True)
    found = pl.read_parquet(path)["thing_id"].to_list()
    assert found == sorted(str(number) for number in range(5000))


def test_nulls_come_last_in_the_order_of_a_table(lake: Lake) -> None:
    table = replace(
        TABLE, columns=tuple(replace(column, nullable=True) for column in TABLE.columns), sorted_by=("kind",)
    )
    rows = "select cast(place as varchar) as thing_id, case when place = 1 then 'good' end as kind, null as amount"
    with duckdb.connect() as connection:
        for places in ("(1), (2)", "(2), (1)"):
            query = f"{rows} from (values {places}) as places(place)".replace("null as", "null::decimal(38, 18) as")
            path = lake.write(connection, table, "2026-10-05", query, comes_in_order=True)
            assert pl.read_parquet(path)["kind"].to_list() == ["good", None]


def test_the_same_rows_have_the_same_bytes_whatever_else_is_known_of_where_they_come_from(lake: Lake) -> None:
    rows = "select 'a' as thing_id, 'good' as kind, cast(1 as decimal(38, 18)) as amount"
    written = []
    with duckdb.connect() as connection:
        connection.execute(f"create table one as {rows}")
        connection.execute(f"create table two as {rows} union all select 'b', null, null")
        for table in (TABLE, SORTED):
            for name in ("one", "two"):
                query = f"select * from {name} where thing_id = 'a'"
                written.append(lake.write(connection, table, "2026-10-05", query).read_bytes())
    assert len(set(written)) == 1


def test_what_fails_the_callers_check_does_not_take_its_place(lake: Lake) -> None:
    before = write(lake, GOOD).read_bytes()

    def check(relation: str) -> None:
        assert connection.execute(f"select count(*) from {relation}").fetchall() == [(5000,)]
        raise ContractBroken("too many")

    with duckdb.connect() as connection, pytest.raises(ContractBroken, match="too many"):
        lake.write(connection, TABLE, "2026-10-05", NUMBERS, check=check)
    assert lake.path("things", "2026-10-05").read_bytes() == before


def test_a_missing_column_leaves_nothing(lake: Lake) -> None:
    with pytest.raises(duckdb.BinderException):
        write(lake, "select 'a' as thing_id")
    assert files(lake) == []


def test_small_tables_are_checked_by_pandera_as_well(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Table, "violations_sql", lambda self, relation: f"select count(*) as total_rows from {relation}"
    )
    with pytest.raises(SchemaError):
        write(lake, "select 'a' as thing_id, 'odd' as kind, 1::decimal(38, 18) as amount")


@pytest.mark.parametrize("step", ["write", "sync", "replace"])
def test_a_failing_write_leaves_the_old_file_and_no_litter(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = write(lake, GOOD).read_bytes()

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    if step == "sync":
        monkeypatch.setattr(lake_module.os, "fsync", fail)
    if step == "replace":
        monkeypatch.setattr(lake_module.os, "replace", fail)
    broken = f"{GOOD} union all select 'b', 'good', cast(error('the disk is full') as decimal(38, 18))"
    with pytest.raises((OSError, duckdb.Error), match="the disk is full"):
        write(lake, broken if step == "write" else f"{GOOD} union all select 'b', 'good', 2")
    monkeypatch.undo()
    assert files(lake) == ["things/2026-10-05.parquet"]
    assert lake.path("things", "2026-10-05").read_bytes() == before


def test_a_file_in_the_making_is_invisible_to_readers(lake: Lake) -> None:
    target = lake.path("things", "2026-10-05")
    with replacing(target) as temporary:
        temporary.write_bytes(b"PAR1")
        assert temporary.suffix != ".parquet"
        assert lake.partitions("things") == []
    assert lake.partitions("things") == ["2026-10-05"]


def test_a_lake_in_a_folder_with_a_quote_in_its_name_works(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "Reseller's lake")
    assert pl.read_parquet(write(lake, GOOD)).height == 1
