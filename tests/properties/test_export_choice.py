"""Columns, order, filter and sort that were asked for are those of the file, in every format, for any wish.

The rows are compared with what Python chooses and sorts; the files are read by libraries that did not write them.
"""

import csv
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import openpyxl
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from billing_pipeline.charges.columns import COLUMNS, Column
from billing_pipeline.charges.request import ExportRequest
from resources.exports import export_charges
from tests.charge_rows import CHARGE, table_of_charges

WISHES = 40
Charge = dict[str, Any]
# As filter of a column and as expression, and what Python makes of it. Nothing is null where it compares.
FILTERS: list[tuple[str, str, Callable[[Charge], bool]]] = [
    ("Customer~acme", "customer ilike '%acme%'", lambda row: "acme" in row["customer"].lower()),
    ("Type=Credit", "\"Type\" = 'Credit'", lambda row: row["type"] == "Credit"),
    ("Quantity=2..3", "quantity between 2 and 3", lambda row: 2 <= row["quantity"] <= 3),
    ("Quantity!=2..3", "not (quantity >= 2 and quantity <= 3)", lambda row: not 2 <= row["quantity"] <= 3),
    ("Invoice date=2026-10", "invoice_date <= '2026-10-31'", lambda row: row["invoice_date"] <= date(2026, 10, 31)),
    ("Unit=", "unit is null", lambda row: row["unit"] is None),
    ("Currency=EUR|JPY", "currency in ('EUR', 'JPY')", lambda row: row["currency"] in {"EUR", "JPY"}),
    ("Total Sell Price=..0", "0 >= total_sell_price", lambda row: row["total_sell_price"] <= 0),
]


def _charges(random: Random) -> list[Charge]:
    return [
        {
            **CHARGE,
            "invoice_number": f"D-{random.randrange(4)}",
            "invoice_date": date(2026, random.choice([10, 11]), random.randrange(1, 28)),
            "type": random.choice(["Debit", "Credit"]),
            "customer": random.choice(["Acme", "ACME Süd", "Beta", "=Gamma"]),
            "unit": random.choice([None, "Month", "Year"]),
            "quantity": Decimal(random.randrange(1, 5)),
            "total_sell_price": Decimal(random.randrange(-300, 300)) / 100,
            "currency": random.choice(["EUR", "USD", "JPY"]),
            "line_item_id": f"line-{number:04}",
        }
        for number in range(60)
    ]


@pytest.fixture(scope="module")
def charges() -> list[Charge]:
    return _charges(Random(6))


@pytest.fixture(scope="module")
def connection(charges: list[Charge]) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        table_of_charges(opened, *charges)
        yield opened


@pytest.mark.parametrize("seed", range(WISHES))
def test_every_file_shows_what_was_asked_for(
    connection: duckdb.DuckDBPyConnection, charges: list[Charge], tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    chosen = random.sample(COLUMNS, random.randint(1, len(COLUMNS)))
    sort = [(column, random.random() < 0.5) for column in random.sample(COLUMNS, random.randint(0, 3))]
    by_column, by_expression = random.choice(FILTERS), random.choice(FILTERS)
    request = ExportRequest.parse(
        columns=[random.choice([column.header, column.name]) for column in chosen],
        filters=[by_column[0]],
        where=by_expression[1],
        sort=",".join(f"{column.header}{':desc' if is_descending else ''}" for column, is_descending in sort),
        formats="xlsx,csv,parquet",
    )
    export_charges(connection, "charges", request, tmp_path)

    expected_columns = _with_currency(chosen)
    passing = [row for row in charges if by_column[2](row) and by_expression[2](row)]
    expected = [[row[column.name] for column in expected_columns] for row in _sorted(passing, sort)]
    headers = [column.header for column in expected_columns]
    assert _read_parquet(tmp_path, expected_columns) == expected
    assert _read_csv(tmp_path) == [headers, *([_csv_text(value) for value in row] for row in expected)]
    for reader in (_read_openpyxl, _read_calamine):
        found_headers, *found = reader(tmp_path)
        assert found_headers == headers
        assert [[_plain(value) for value in row] for row in found] == [
            [_plain(value) for value in row] for row in expected
        ]


def _with_currency(chosen: list[Column]) -> list[Column]:
    """The rule, said once more: a price brings the currency along, at the end, unless it was chosen."""
    prices = {"unit_cost_price", "unit_sell_price", "total_cost_price", "total_sell_price"}
    names = [column.name for column in chosen]
    if "currency" in names or not prices & set(names):
        return chosen
    return [*chosen, next(column for column in COLUMNS if column.name == "currency")]


def _sorted(rows: list[Charge], sort: list[tuple[Column, bool]]) -> list[Charge]:
    """Sort by the last key first; Python keeps equal rows as they are, also in reverse. Empty cells come last."""
    rows = sorted(rows, key=lambda row: (row["customer"], row["description"], row["line_item_id"]))
    keys = [(column.name, is_descending) for column, is_descending in sort]
    if "invoice_number" not in dict(keys):
        keys.append(("invoice_number", True))
    for name, is_descending in reversed(keys):
        full = sorted((row for row in rows if row[name] is not None), key=lambda row: row[name], reverse=is_descending)
        rows = [*full, *(row for row in rows if row[name] is None)]
    return rows


def _read_parquet(folder: Path, columns: list[Column]) -> list[list[Any]]:
    table = pq.read_table(folder / "Customer Charges.parquet")
    assert table.column_names == [column.name for column in columns]
    return [list(row.values()) for row in table.to_pylist()]


def _read_csv(folder: Path) -> list[list[str]]:
    with (folder / "Customer Charges.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _read_openpyxl(folder: Path) -> list[list[Any]]:
    book = openpyxl.load_workbook(folder / "Customer Charges.xlsx", read_only=True)
    return [list(row) for row in book["Customer Charges"].iter_rows(values_only=True)]


def _read_calamine(folder: Path) -> list[list[Any]]:
    book = CalamineWorkbook.from_path(str(folder / "Customer Charges.xlsx"))
    return book.get_sheet_by_name("Customer Charges").to_python()


def _csv_text(value: Any) -> str:
    """What a field holds: `2` is no less a number than `2.00`, so that numbers are compared as such elsewhere."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith("=") else value
    return value.isoformat() if isinstance(value, date) else _Number(value)


class _Number(str):
    """A number in CSV, equal however many zeros it ends with."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and Decimal(self) == Decimal(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


def _plain(value: Any) -> Any:
    """A cell as a sheet knows it: numbers are binary, days are midnights, and an empty text is an empty cell."""
    if isinstance(value, Decimal | float | int):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()[:10]
    return value or None
