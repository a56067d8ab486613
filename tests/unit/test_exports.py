"""The customer-charges list as workbook, CSV and Parquet, read back with libraries that did not write it."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from billing_pipeline.charges.columns import COLUMNS
from billing_pipeline.charges.request import ExportInvalid, ExportRequest
from billing_pipeline.money import UnknownCurrency
from resources.charge_cells import ChargesInvalid, column_letters
from resources.exports import export_charges

LINK = "https://shop.example/invoices/{invoice_number}?a=1&b=2"
TYPES = {"line_item_id": "varchar", "line_number": "varchar", **{column.name: column.sql_type for column in COLUMNS}}
CHARGE: dict[str, object] = {
    "line_item_id": "1",
    "line_number": None,
    "invoice_number": "D-1",
    "invoice_date": date(2026, 10, 5),
    "type": "Debit",
    "customer": "Acme",
    "description": "Microsoft 365",
    "start_date": date(2026, 10, 1),
    "end_date": date(2026, 11, 1),
    "unit_cost_price": Decimal("100"),
    "unit_sell_price": Decimal("150.1234567891"),
    "quantity": Decimal("2.5"),
    "unit": "Month",
    "total_cost_price": Decimal("250"),
    "total_sell_price": Decimal("375.30864197275"),
    "product_type": "License",
    "product_name": "Microsoft 365",
    "currency": "EUR",
}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2, "preserve_insertion_order": False}) as opened:
        columns = ", ".join(f"{name} {sql_type}" for name, sql_type in TYPES.items())
        opened.execute(f"create table charges ({columns})")
        yield opened


def insert(connection: duckdb.DuckDBPyConnection, *charges: dict[str, object]) -> None:
    rows = [
        [{**CHARGE, "line_item_id": f"{number:06}", **charge}[name] for name in TYPES]
        for number, charge in enumerate(charges)
    ]
    connection.executemany(f"insert into charges values ({', '.join('?' * len(TYPES))})", rows)


def export(connection: duckdb.DuckDBPyConnection, out: Path, **options: Any) -> Any:
    request = ExportRequest.parse(
        **{key: options.pop(key) for key in ("columns", "where", "sort", "formats") if key in options}
    )
    return export_charges(connection, "select * from charges", request, out, **options)


def sheet(path: Path, **options: Any) -> Any:
    return openpyxl.load_workbook(path, **options)["Customer Charges"]


def column(path: Path, header: str) -> list[Any]:
    first, *rest = sheet(path).iter_rows(values_only=True)
    return [row[first.index(header)] for row in rest]


def test_a_workbook_has_real_numbers_and_dates_under_frozen_filterable_headers(connection: Any, tmp_path: Path) -> None:
    insert(connection, {})
    summary = export(connection, tmp_path)
    path = tmp_path / "Customer Charges.xlsx"
    assert (summary.rows, summary.sheets, summary.files) == (1, ("Customer Charges",), (path,))
    made = sheet(path)
    assert [cell.value for cell in made[1]] == [column.header for column in COLUMNS if column.is_default] + ["Currency"]
    assert all(cell.font.b for cell in made[1])
    assert (made.freeze_panes, made.auto_filter.ref, made.print_title_rows) == ("A2", "A1:N2", "$1:$1")
    cells = {header.value: cell for header, cell in zip(made[1], made[2], strict=True)}
    assert cells["Invoice date"].value == datetime(2026, 10, 5)  # noqa: DTZ001
    assert cells["Invoice date"].number_format == "yyyy-mm-dd"
    assert (cells["Unit Sell Price"].value, cells["Unit Sell Price"].data_type) == (150.1234567891, "n")
    assert cells["Unit Sell Price"].number_format == "#,##0.00########"
    assert cells["Total Sell Price"].value == 375.30864197275
    assert cells["Total Sell Price"].number_format == "#,##0.00"
    assert cells["Invoice #"].hyperlink is None


@pytest.mark.parametrize(
    ("currency", "unit_format", "total_format"),
    [("JPY", "#,##0", "#,##0"), ("BHD", "#,##0.000#######", "#,##0.000"), ("CLF", "#,##0.0000######", "#,##0.0000")],
)
def test_prices_show_their_currencys_decimals(
    connection: Any, tmp_path: Path, currency: str, unit_format: str, total_format: str
) -> None:
    insert(connection, {"currency": currency, "unit_cost_price": Decimal(100)}, {"currency": "EUR"})
    export(
        connection,
        tmp_path,
        sort="currency:desc" if currency > "EUR" else "currency",
        columns=["unit_cost_price", "total_cost_price"],
    )
    assert [cell.number_format for cell in sheet(tmp_path / "Customer Charges.xlsx")[2]][:2] == [
        unit_format,
        total_format,
    ]


def test_columns_come_in_the_chosen_order_filtered_and_sorted(connection: Any, tmp_path: Path) -> None:
    insert(
        connection, *({"customer": name, "quantity": Decimal(count)} for name, count in (("b", 1), ("a", 2), ("c", 3)))
    )
    out = tmp_path / "chosen.csv"
    export(connection, out, columns="quantity,Customer", where="quantity < 3 and customer <> 'x'", sort="Customer:desc")
    assert out.read_bytes() == b"Quantity,Customer\r\n1,b\r\n2,a\r\n"


def test_without_a_wish_rows_are_ordered_by_invoice_number_descending(connection: Any, tmp_path: Path) -> None:
    numbers = ["D-2", None, "D-10", "D-3"]
    insert(connection, *({"invoice_number": number} for number in numbers))
    export(connection, tmp_path, columns="invoice_number,customer")
    assert column(tmp_path / "Customer Charges.xlsx", "Invoice #") == ["D-3", "D-2", "D-10", None]


def test_rows_of_an_invoice_follow_its_lines_as_a_person_counts_them(connection: Any, tmp_path: Path) -> None:
    """Once they followed a hash, so that no list could be held against the paper."""
    lines = ["10", "9", "10a", "A-1", None, "1", "2", "123456789012345678901"]
    insert(connection, *({"line_number": line, "customer": str(line)} for line in lines))
    export(connection, tmp_path, columns="customer")
    read = column(tmp_path / "Customer Charges.xlsx", "Customer")
    assert read == ["1", "2", "9", "10", "10a", "123456789012345678901", "A-1", "None"]


def test_rows_stay_in_order_however_many_threads_read_them(connection: Any, tmp_path: Path) -> None:
    """Once a sorted subquery was written out by two threads, and 199 rows of a million stood in the wrong place."""
    values = ", ".join(
        f"'{value}'" if isinstance(value, str | date) else str(value) for value in list(CHARGE.values())[3:]
    )
    connection.execute(
        f"insert into charges select i, null, 'D-' || (i * 7919 % 300007), {values} from range(300000) as r(i)"
    )
    export(connection, tmp_path, formats="csv,parquet")
    lines = (tmp_path / "Customer Charges.csv").read_text().splitlines()[1:]
    written = [line.partition(",")[0] for line in lines]
    assert len(written) == 300_000
    assert written == sorted(written, reverse=True)
    assert pq.read_table(tmp_path / "Customer Charges.parquet").column(0).to_pylist() == written


@pytest.mark.parametrize("format_name", ["xlsx", "csv", "parquet"])
def test_a_second_export_gives_the_same_bytes(connection: Any, tmp_path: Path, format_name: str) -> None:
    insert(connection, *({"invoice_number": f"D-{number % 7}"} for number in range(300)))
    first, second = tmp_path / f"1.{format_name}", tmp_path / f"2.{format_name}"
    for out in (first, second):
        export(connection, out, invoice_link=LINK)
    assert first.read_bytes() == second.read_bytes()


def test_invoice_numbers_are_links_quoted_into_the_template(connection: Any, tmp_path: Path) -> None:
    numbers = ["b&/ <1>", "b&/ <1>", None, "a"]
    insert(connection, *({"invoice_number": number} for number in numbers))
    summary = export(connection, tmp_path, columns="customer,invoice_number", invoice_link=LINK)
    cells = [row[1] for row in sheet(tmp_path / "Customer Charges.xlsx").iter_rows(min_row=2)]
    address = "https://shop.example/invoices/b%26%2F%20%3C1%3E?a=1&b=2"
    assert [cell.hyperlink.target if cell.hyperlink else None for cell in cells] == [
        address,
        address,
        "https://shop.example/invoices/a?a=1&b=2",
        None,
    ]
    assert [cell.value for cell in cells] == ["b&/ <1>", "b&/ <1>", "a", None]
    assert summary.rows_without_link == 0


def test_links_beyond_what_excel_takes_are_left_out_and_counted(
    connection: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.workbook_links.MOST_LINKS", 1)
    insert(connection, *({"invoice_number": number} for number in "abc"))
    summary = export(connection, tmp_path, columns="invoice_number", invoice_link=LINK)
    cells = [row[0] for row in sheet(tmp_path / "Customer Charges.xlsx").iter_rows(min_row=2)]
    assert [cell.hyperlink is not None for cell in cells] == [True, False, False]
    assert [cell.font.u for cell in cells] == ["single", None, None]
    assert summary.rows_without_link == 2


@pytest.mark.parametrize("format_name", ["xlsx", "csv", "parquet"])
def test_a_hidden_invoice_number_is_in_no_file(connection: Any, tmp_path: Path, format_name: str) -> None:
    insert(connection, {"invoice_number": "SECRET-1"})
    out = tmp_path / f"out.{format_name}"
    export(connection, out, show_invoice_numbers=False, invoice_link=LINK)
    content = {
        "xlsx": lambda: str(list(sheet(out).iter_rows(values_only=True))),
        "csv": out.read_text,
        "parquet": lambda: str(pq.read_table(out).to_pylist()),
    }[format_name]()
    assert "Acme" in content
    assert "SECRET" not in content


def test_a_long_list_goes_on_in_further_sheets(connection: Any, tmp_path: Path) -> None:
    insert(connection, *({"invoice_number": f"D-{number}"} for number in range(7)))
    summary = export(
        connection, tmp_path, columns="invoice_number", rows_per_sheet=3, invoice_link=LINK, sort="invoice_number"
    )
    book = openpyxl.load_workbook(tmp_path / "Customer Charges.xlsx")
    assert book.sheetnames == list(summary.sheets) == ["Customer Charges", "Customer Charges 2", "Customer Charges 3"]
    assert [[row[0] for row in made.iter_rows(values_only=True)] for made in book] == [
        ["Invoice #", "D-0", "D-1", "D-2"],
        ["Invoice #", "D-3", "D-4", "D-5"],
        ["Invoice #", "D-6"],
    ]
    assert [made["A2"].hyperlink.target[-12:] for made in book] == ["/D-0?a=1&b=2", "/D-3?a=1&b=2", "/D-6?a=1&b=2"]


@pytest.mark.parametrize("format_name", ["xlsx", "csv", "parquet"])
def test_an_empty_list_is_a_file_with_headers(connection: Any, tmp_path: Path, format_name: str) -> None:
    out = tmp_path / f"out.{format_name}"
    assert export(connection, out, columns="customer,quantity").rows == 0
    headers = {
        "xlsx": lambda: [cell.value for cell in sheet(out)[1]],
        "csv": lambda: out.read_text().strip().split(","),
        "parquet": lambda: [name.capitalize() for name in pq.read_schema(out).names],
    }[format_name]()
    assert headers == ["Customer", "Quantity"]


def test_csv_and_parquet_are_exact(connection: Any, tmp_path: Path) -> None:
    exact = Decimal("12345678901234.123456789012345678901234")
    insert(connection, {"total_sell_price": exact, "quantity": Decimal("0.0000001")}, {"total_sell_price": Decimal(-5)})
    export(
        connection,
        tmp_path,
        columns="total_sell_price,quantity",
        formats=["csv", "parquet"],
        sort="total_sell_price:desc",
    )
    assert (tmp_path / "Customer Charges.csv").read_text().splitlines()[1:] == [
        f"{exact},0.0000001,EUR",
        "-5.00,2.5,EUR",
    ]
    table = pq.read_table(tmp_path / "Customer Charges.parquet")
    assert table.column_names == ["total_sell_price", "quantity", "currency"]
    assert table.column(0).to_pylist()[0] == exact


def test_a_workbook_holds_the_nearest_number_to_a_long_decimal(connection: Any, tmp_path: Path) -> None:
    exact = Decimal("12345678901234.123456789012345678901234")
    insert(connection, {"total_sell_price": exact})
    export(connection, tmp_path, columns="total_sell_price")
    assert column(tmp_path / "Customer Charges.xlsx", "Total Sell Price") == [float(exact)]


def test_empty_values_are_empty_cells(connection: Any, tmp_path: Path) -> None:
    insert(connection, {name: None for name in TYPES if name not in {"line_item_id", "currency"}})
    export(connection, tmp_path, formats="xlsx,csv")
    assert (tmp_path / "Customer Charges.csv").read_text().splitlines()[1] == "," * 13 + "EUR"
    assert [cell.value for cell in sheet(tmp_path / "Customer Charges.xlsx")[2]] == [None] * 13 + ["EUR"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_like_a_formula_stays_text(connection: Any, tmp_path: Path, start: str) -> None:
    insert(connection, {"customer": f"{start}1+1"})
    export(connection, tmp_path, columns="customer", formats="xlsx,csv")
    cell = sheet(tmp_path / "Customer Charges.xlsx")["A2"]
    assert cell.data_type in {"s", "inlineStr"}
    assert cell.quotePrefix
    written = (tmp_path / "Customer Charges.csv").read_bytes().decode()
    assert list(csv.reader(io.StringIO(written, newline="")))[1] == [f"'{start}1+1"]


def as_calamine_reads(text: str) -> str:
    """Excel and calamine read `_x0001_` as the character meant; calamine leaves these two as they are written."""
    return text.replace("\ufffe", "_xFFFE_").replace("\uffff", "_xFFFF_")


def test_naughty_text_survives_a_workbook(connection: Any, tmp_path: Path, shared_data: Path) -> None:
    naughty = json.loads((shared_data / "text" / "naughty_strings.json").read_text("utf-8"))
    texts = [text for text in naughty if text] + ["<a>&amp;</a>", "]]>", " leading and trailing ", "two\nlines", "𝄞"]
    insert(connection, *({"customer": text, "line_number": str(number)} for number, text in enumerate(texts)))
    out = tmp_path / "naughty.xlsx"
    export(connection, out, columns="customer")
    read = [str(row[0]) for row in CalamineWorkbook.from_path(out).get_sheet_by_index(0).to_python()[1:]]
    assert read == [as_calamine_reads(text) for text in texts]
    assert sheet(out).max_row == len(texts) + 1


def test_control_characters_do_not_corrupt_a_workbook(connection: Any, tmp_path: Path) -> None:
    every = "".join(map(chr, range(0x20))) + "\x7f\ufffe\uffff_x0041_"
    insert(connection, {"customer": every})
    export(connection, tmp_path, columns="customer")
    path = tmp_path / "Customer Charges.xlsx"
    assert CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()[1] == [as_calamine_reads(every)]
    assert column(path, "Customer")[0].startswith("_x0000__x0001_")


def test_text_longer_than_a_cell_is_shortened_in_the_workbook_only_and_counted(connection: Any, tmp_path: Path) -> None:
    fits, too_long, too_long_beyond_16_bits = "é" * 32_767, "é" * 32_768, "😀" * 16_384
    insert(connection, *({"customer": text} for text in (fits, too_long, too_long_beyond_16_bits)))
    summary = export(connection, tmp_path, columns="customer", formats="xlsx,csv")
    assert summary.shortened_cells == 2
    read = column(tmp_path / "Customer Charges.xlsx", "Customer")
    assert [len(text.encode("utf-16-le")) // 2 for text in read] == [32_767, 16_384, 32_767]
    assert (tmp_path / "Customer Charges.csv").read_text().splitlines()[2] == too_long


def test_days_before_excels_calendar_are_text(connection: Any, tmp_path: Path) -> None:
    insert(connection, {"start_date": date(1900, 2, 28)})
    export(connection, tmp_path, columns="start_date")
    assert column(tmp_path / "Customer Charges.xlsx", "Start date") == ["1900-02-28"]


def test_a_failed_export_leaves_the_previous_file_alone(connection: Any, tmp_path: Path) -> None:
    out = tmp_path / "out.xlsx"
    out.write_bytes(b"previous")
    insert(connection, {"currency": "XXX"})
    with pytest.raises(UnknownCurrency):
        export(connection, out)
    connection.execute("update charges set currency = null")
    with pytest.raises(ChargesInvalid, match="no currency"):
        export(connection, out)
    assert [path.name for path in tmp_path.iterdir()] == ["out.xlsx"]
    assert out.read_bytes() == b"previous"


def test_a_list_with_floats_is_refused(connection: Any, tmp_path: Path) -> None:
    request = ExportRequest.parse()
    with pytest.raises(ChargesInvalid, match=r"quantity .* is double"):
        export_charges(connection, "select * replace (1.5::double as quantity) from charges", request, tmp_path)


@pytest.mark.parametrize(("out", "formats"), [("list.pdf", None), ("list.xlsx", "pdf")])
def test_an_unknown_format_is_refused(connection: Any, tmp_path: Path, out: str, formats: str | None) -> None:
    with pytest.raises(ExportInvalid):
        export(connection, tmp_path / out, formats=formats)


def test_several_formats_lie_beside_each_other(connection: Any, tmp_path: Path) -> None:
    summary = export(connection, tmp_path / "list.xlsx", formats="xlsx,csv")
    assert summary.files == (tmp_path / "list.xlsx", tmp_path / "list.csv")


@pytest.mark.parametrize(("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_columns_of_a_sheet_have_letters(index: int, letters: str) -> None:
    assert column_letters(index) == letters
