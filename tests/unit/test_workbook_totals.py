"""The last sheet and the properties of a workbook of charges, read back with a library that did not write it."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from billing_pipeline.charges.columns import COLUMNS, choose_columns
from billing_pipeline.charges.request import ExportRequest
from resources.charge_totals import CurrencyTotals, ListTotals, add_up
from resources.exports import ListOrigin, export_charges
from tests.charge_rows import table_of_charges

ORIGIN = ListOrigin.of_days("Meltemi <Cloud> & Co", [date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 20)])


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as opened:
        yield opened


def book(connection: duckdb.DuckDBPyConnection, out: Path, **wishes: Any) -> Any:
    origin = wishes.pop("origin", ORIGIN)
    rows_per_sheet = wishes.pop("rows_per_sheet", 1000)
    request = ExportRequest.parse(**wishes)
    export_charges(connection, "charges", request, out / "list.xlsx", origin=origin, rows_per_sheet=rows_per_sheet)
    return openpyxl.load_workbook(out / "list.xlsx")


def amounts(sell: str, cost: str, **others: object) -> dict[str, object]:
    return {"total_sell_price": Decimal(sell), "total_cost_price": Decimal(cost), **others}


MIXED = (
    amounts("10.005", "8", currency="EUR"),
    amounts("-2.5", "-2", currency="EUR", type="Credit"),
    amounts("100", "70.123456789012345678901234", currency="EUR"),
    amounts("1500", "1200", currency="JPY"),
    amounts("0.1234", "0.1", currency="BHD"),
)


def test_totals_per_currency_stand_behind_the_list(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    table_of_charges(connection, *MIXED)
    made = book(connection, tmp_path)
    assert made.sheetnames == ["Customer Charges", "Totals"]
    header, *rows = made["Totals"].iter_rows(max_row=4, values_only=True)
    assert header == (
        "Currency",
        "Charges",
        "Debits, Total Sell Price",
        "Credits, Total Sell Price",
        "Total Sell Price",
        "Debits, Total Cost Price",
        "Credits, Total Cost Price",
        "Total Cost Price",
        "Margin",
    )
    assert rows == [
        ("BHD", 1, 0.1234, 0, 0.1234, 0.1, 0, 0.1, 0.0234),
        ("EUR", 3, 110.005, -2.5, 107.505, 78.12345678901235, -2, 76.12345678901235, 31.381543210987654),
        ("JPY", 1, 1500, 0, 1500, 1200, 0, 1200, 300),
    ]


def test_totals_show_their_currencys_decimals_under_a_frozen_header(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    table_of_charges(connection, *MIXED)
    totals = book(connection, tmp_path)["Totals"]
    assert [totals[f"E{row}"].number_format for row in (2, 3, 4)] == ["#,##0.000", "#,##0.00", "#,##0"]
    assert totals.freeze_panes == "A2"
    assert all(cell.font.b for cell in totals[1])


def test_sums_are_exact_and_have_room_for_more_than_one_total_can_hold(connection: duckdb.DuckDBPyConnection) -> None:
    largest = "99999999999999.999999999999999999999999"
    table_of_charges(connection, *(amounts(largest, f"-{largest}") for _ in range(3)))
    totals = add_up(connection, choose_columns(["total_sell_price", "total_cost_price"]))
    assert totals == ListTotals(
        ("Total Sell Price", "Total Cost Price", "Margin"),
        (
            CurrencyTotals(
                "EUR",
                3,
                (
                    Decimal("299999999999999.999999999999999999999997"),
                    Decimal("-299999999999999.999999999999999999999997"),
                    Decimal("599999999999999.999999999999999999999994"),
                ),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("columns", "headers"),
    [
        ("Customer,Total Sell Price", ["Total Sell Price"]),
        ("Type,Total Sell Price", ["Debits, Total Sell Price", "Credits, Total Sell Price", "Total Sell Price"]),
        ("Total Cost Price", ["Total Cost Price"]),
        ("Total Cost Price,Total Sell Price", ["Total Sell Price", "Total Cost Price", "Margin"]),
        ("Unit Sell Price", []),
        ("Customer,Currency", []),
    ],
)
def test_only_totals_of_columns_that_are_shown_are_added_up(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, columns: str, headers: list[str]
) -> None:
    """A list that leaves the cost out must not tell it, or the margin, on its last sheet."""
    table_of_charges(connection, *MIXED)
    made = book(connection, tmp_path, columns=columns)
    assert [cell.value for cell in made["Totals"][1] if cell.value] == ["Currency", "Charges", *headers]


def test_a_list_without_currency_has_no_totals(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    table_of_charges(connection, *MIXED)
    assert book(connection, tmp_path, columns="Customer,Quantity").sheetnames == ["Customer Charges"]


def test_totals_are_those_of_the_rows_in_the_list(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    table_of_charges(connection, *MIXED)
    made = book(connection, tmp_path, columns="Total Sell Price", where="currency <> 'BHD'", filters=["Type=Debit"])
    assert [row[:3] for row in made["Totals"].iter_rows(min_row=2, max_row=3, values_only=True)] == [
        ("EUR", 2, 110.005),
        ("JPY", 1, 1500),
    ]


def test_an_empty_list_has_a_sheet_of_totals_without_totals(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    table_of_charges(connection)
    totals = book(connection, tmp_path)["Totals"]
    assert (totals["A1"].value, totals["A2"].value) == ("Currency", None)


def test_totals_come_last_behind_all_sheets_of_a_long_list(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    table_of_charges(connection, *MIXED)
    made = book(connection, tmp_path, rows_per_sheet=2)
    assert made.sheetnames == ["Customer Charges", "Customer Charges 2", "Customer Charges 3", "Totals"]
    assert made["Totals"]["B3"].value == 3


def test_a_workbook_says_who_made_it_and_what_it_shows(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    table_of_charges(connection, *MIXED)
    hostile = "customer <> '<b>&amp; ]]>'"
    made = book(connection, tmp_path, where=hostile, filters=["Quantity=1.."], sort="Customer,Invoice date:desc")
    properties = made.properties
    assert (properties.title, properties.creator) == ("Customer Charges", "Meltemi <Cloud> & Co")
    assert properties.created == datetime(2026, 10, 20)  # noqa: DTZ001
    assert properties.description == (
        f"Days of arrival: 2026-10-01 to 2026-10-20; Filter: Quantity=1..; {hostile};"
        " Order: Customer ascending, Invoice date descending"
    )
    notes = {row[0]: row[1] for row in made["Totals"].iter_rows(min_row=6, max_col=2, values_only=True)}
    assert notes == {
        "Made by": "Meltemi <Cloud> & Co",
        "Days of arrival": "2026-10-01 to 2026-10-20",
        "Filter": f"Quantity=1..; {hostile}",
        "Order": "Customer ascending, Invoice date descending",
    }


def test_a_workbook_of_unknown_origin_still_repeats(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    table_of_charges(connection, *MIXED)
    made = book(connection, tmp_path, origin=ListOrigin())
    first = (tmp_path / "list.xlsx").read_bytes()
    book(connection, tmp_path, origin=ListOrigin())
    assert (tmp_path / "list.xlsx").read_bytes() == first
    assert made.properties.created == datetime(2000, 1, 1)  # noqa: DTZ001


def test_a_filter_with_characters_that_xml_cannot_hold_leaves_the_workbook_readable(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    table_of_charges(connection, *MIXED)
    made = book(connection, tmp_path, where="customer <> '\x01\x1f\ufffe'")
    assert made["Totals"]["B8"].value == "customer <> '   '"


def test_numbers_and_their_headers_stand_on_the_right_and_days_on_the_left(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    table_of_charges(connection, *MIXED)
    made = book(connection, tmp_path, columns=[column.header for column in COLUMNS])["Customer Charges"]
    for column, header, cell in zip(COLUMNS, made[1], made[2], strict=True):
        on_the_right = column.kind in {"number", "price"}
        assert (header.alignment.horizontal == "right", cell.alignment.horizontal == "right") == (
            on_the_right,
            on_the_right,
        ), column.header
        assert (cell.alignment.horizontal == "left") == (column.kind == "date")
