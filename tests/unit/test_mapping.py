"""Mappings: what one may say, and the file that comes of it."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from billing_pipeline.charges.mapping import Mapping, source_names
from billing_pipeline.charges.request import ExportInvalid, ExportRequest
from billing_pipeline.errors import ConfigurationInvalid
from billing_pipeline.money import round_money
from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES
from resources.mapped_charges import export_mapped, sorted_for
from resources.mapping_files import load_mapping, mapping_files
from resources.workspace import Workspace, parse_toml
from tests.charge_rows import table_of_charges

READY = ["ar_import", "connectwise", "halopsa"]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def mapping(columns: str) -> Mapping:
    return parse_toml(Path("mappings/x.toml"), f"[columns]\n{columns}".encode(), Mapping)


def export(connection: duckdb.DuckDBPyConnection, made: Mapping, out: Path, **options: str) -> list[list[str]]:
    export_mapped(connection, "charges", made, ExportRequest.parse(**options), out)  # type: ignore[arg-type]
    return list(csv.reader(io.StringIO(out.read_bytes().decode(), newline="")))


def test_each_target_column_is_a_source_column_or_a_constant(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    table_of_charges(connection, {"price_term": "special_price"}, {"customer": None, "end_date": None, "unit": None})
    made = mapping(
        """
        "Kunde, Name" = { column = "Customer" }
        "id" = { column = "customer_id" }
        "term" = { column = "price_term" }
        "line" = { column = "line_item_id" }
        "until" = { column = "end_date", date_format = "%d.%m.%y" }
        "unit" = { column = "unit" }
        "price" = { column = "Unit Sell Price" }
        "account" = { constant = "40,00" }
        "factor" = { constant = -1 }
        "again" = { column = "customer" }
        """
    )
    assert export(connection, made, tmp_path / "x.csv") == [
        ["Kunde, Name", "id", "term", "line", "until", "unit", "price", "account", "factor", "again"],
        ["Acme", "C-1", "special_price", "line-0000", "01.11.26", "Month", "150.50", "40,00", "-1", "Acme"],
        ["", "C-1", "", "line-0001", "", "", "150.50", "40,00", "-1", ""],
    ]
    assert (tmp_path / "x.csv").read_bytes().startswith(b'"Kunde, Name",id,')
    assert (tmp_path / "x.csv").read_bytes().count(b"\r\n") == 3


def test_amounts_are_exact_or_rounded_as_the_mapping_says(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    amounts = [("EUR", "0.005"), ("EUR", "-1.005"), ("JPY", "-0.5"), ("BHD", "1.00049"), ("EUR", "2")]
    table_of_charges(
        connection,
        *({"currency": code, "total_sell_price": Decimal(amount)} for code, amount in amounts),
    )
    made = mapping(
        """
        exact = { column = "total_sell_price" }
        rounded = { column = "total_sell_price", decimals = "currency" }
        whole = { column = "total_sell_price", decimals = 0 }
        many = { column = "total_sell_price", decimals = 6 }
        """
    )
    _, *rows = export(connection, made, tmp_path / "x.csv")
    assert rows == [
        ["0.005", "0.01", "0", "0.005000"],
        ["-1.005", "-1.01", "-1", "-1.005000"],
        ["-0.5", "-1", "-1", "-0.500000"],
        ["1.00049", "1.000", "1", "1.000490"],
        ["2.00", "2.00", "2", "2.000000"],
    ]
    assert [row[1] for row in rows] == [str(round_money(Decimal(amount), code)) for code, amount in amounts]


@pytest.mark.parametrize("text", ["=1+1", "+A1", "-A1", "@SUM(A1)", "\tx", "\rx"])
def test_text_that_looks_like_a_formula_stays_text(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, text: str
) -> None:
    table_of_charges(connection, {"customer": text})
    made = Mapping.model_validate({"columns": {"a": {"column": "customer"}, "b": {"constant": text}}})
    assert export(connection, made, tmp_path / "x.csv")[1] == [f"'{text}", f"'{text}"]


def test_whole_numbers_keep_their_zeros(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    table_of_charges(connection, {"row_count": 1200})
    made = mapping('n = { column = "row_count" }\nq = { column = "quantity" }')
    assert export(connection, made, tmp_path / "x.csv")[1] == ["1200", "2"]


def test_filter_and_order_of_the_request_apply_and_else_the_mappings_order(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    table_of_charges(connection, *({"customer": name} for name in ("b", "a", "c")))
    made = parse_toml(Path("x.toml"), b'sort = "Customer"\n[columns]\nk = { column = "customer" }', Mapping)
    request = ExportRequest.parse(where="customer <> 'c'")
    ordered = sorted_for(made, request, is_sort_wished=False)
    export_mapped(connection, "charges", made, ordered, tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == "k\na\nb\n"
    wished = ExportRequest.parse(sort="Customer:desc")
    assert sorted_for(made, wished, is_sort_wished=True) == wished


def test_a_hidden_invoice_number_is_in_no_file_of_another_tool(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    table_of_charges(connection, {"invoice_number": "SECRET"})
    made = mapping('n = { column = "Invoice #" }\nk = { column = "customer" }')
    out = tmp_path / "x.csv"
    export_mapped(connection, "charges", made, ExportRequest.parse(), out, show_invoice_numbers=False)
    assert out.read_text() == "n,k\n,Acme\n"


def test_the_same_charges_give_the_same_bytes_and_none_a_header(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    table_of_charges(connection, *({"customer": f"K{number % 5}"} for number in range(5000)))
    made = mapping('k = { column = "customer" }\nid = { column = "line_item_id" }')
    assert len(export(connection, made, tmp_path / "1.csv")) == 5001
    export(connection, made, tmp_path / "2.csv")
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    assert export(connection, made, tmp_path / "3.csv", where="customer = 'x'") == [["k", "id"]]


def test_a_mapping_writes_csv_only(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    table_of_charges(connection, {})
    with pytest.raises(ExportInvalid, match=r"x\.xlsx: a mapping writes CSV"):
        export(connection, mapping('k = { column = "customer" }'), tmp_path / "x.xlsx")


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ('a = { column = "margin" }', "key columns.a.column, value 'margin': there is no column 'margin'; there are"),
        ('a = { colum = "customer" }', "key columns.a.colum: is unknown"),
        ("a = { }", "key columns.a: needs either column or constant"),
        ('a = { column = "customer", constant = "x" }', "needs either column or constant"),
        ('a = { constant = "x", decimals = 2 }', "decimals is for numbers, and a constant is none"),
        ('a = { column = "customer", decimals = 2 }', "decimals is for numbers, and customer is none"),
        ('a = { column = "quantity", date_format = "%d" }', "date_format is for days, and quantity is none"),
        ('a = { column = "end_date", date_format = "%d\'); drop" }', "write it with %Y, %y, %m, %d"),
        ('a = { column = "quantity", decimals = 19 }', "less than or equal to 18"),
        ('a = "customer"', "key columns.a"),
        ("", "key columns"),
    ],
)
def test_a_mapping_that_cannot_be_followed_is_refused_with_file_and_key(columns: str, told: str) -> None:
    with pytest.raises(ConfigurationInvalid) as raised:
        mapping(columns)
    assert str(raised.value).startswith("mappings/x.toml, key columns")
    assert told in str(raised.value)


def test_every_column_of_the_customer_charges_can_be_mapped() -> None:
    assert source_names() == [column.name for column in CUSTOMER_CHARGES.columns]


@pytest.mark.parametrize("name", READY)
def test_a_ready_mapping_writes_every_charge(connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str) -> None:
    table_of_charges(connection, {}, {"type": "Credit", "total_sell_price": Decimal("-1.005"), "end_date": None})
    made = load_mapping(Workspace.at(tmp_path / "home"), name)
    header, *rows = export(connection, made, tmp_path / "x.csv")
    assert header == list(made.columns)
    assert len(rows) == 2
    assert {"301.00", "-1.01"} <= {cell for row in rows for cell in row}
    assert made.description
    assert made.sort


def test_a_mapping_of_the_workspace_takes_the_place_of_a_ready_one(tmp_path: Path) -> None:
    workspace = Workspace.at(tmp_path)
    workspace.mappings.mkdir()
    for name in ("own", "halopsa", "no name"):
        (workspace.mappings / f"{name}.toml").write_text('[columns]\nmine = { constant = "1" }')
    assert list(mapping_files(workspace)) == ["ar_import", "connectwise", "halopsa", "own"]
    assert list(load_mapping(workspace, "halopsa").columns) == ["mine"]


@pytest.mark.parametrize("name", ["", "nix", "../billing", "no name"])
def test_an_unknown_mapping_is_refused_with_those_there_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(ExportInvalid, match="there are ar_import, connectwise, halopsa"):
        load_mapping(Workspace.at(tmp_path), name)


def test_days_before_our_era_of_computing_are_written_as_they_are(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    table_of_charges(connection, {"end_date": date(987, 1, 2)})
    made = mapping('a = { column = "end_date" }\nb = { column = "end_date", date_format = "%Y/%m/%d" }')
    assert export(connection, made, tmp_path / "x.csv")[1] == ["0987-01-02", "0987/01/02"]
