"""The list page by page."""

from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest

from billing_pipeline.charges.request import ExportRequest
from resources.charge_pages import ChargePages, PageUnknown
from tests.charge_rows import table_of_charges


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as opened:
        yield opened


def test_pages_follow_one_another_and_hold_every_charge_once(connection: duckdb.DuckDBPyConnection) -> None:
    table_of_charges(connection, *({"customer": f"K{number % 3}", "quantity": Decimal(number)} for number in range(7)))
    request = ExportRequest.parse(columns="Customer,Quantity", sort="Customer,Quantity:desc", where="quantity <> 3")
    pages = ChargePages(connection, "charges", request, page_size=4)
    assert (pages.row_count, pages.page_count, pages.first_row(2)) == (6, 2, 5)
    assert [pages.read(page) for page in (1, 2)] == [
        [("K0", 6), ("K0", 0), ("K1", 4), ("K1", 1)],
        [("K2", 5), ("K2", 2)],
    ]


def test_an_empty_list_is_one_page_without_rows(connection: duckdb.DuckDBPyConnection) -> None:
    table_of_charges(connection)
    pages = ChargePages(connection, "charges", ExportRequest.parse(), page_size=4)
    assert (pages.row_count, pages.page_count, pages.read(1)) == (0, 1, [])


@pytest.mark.parametrize("page", [0, 3])
def test_a_page_that_is_not_there_is_refused(connection: duckdb.DuckDBPyConnection, page: int) -> None:
    table_of_charges(connection, *({} for _ in range(4)))
    pages = ChargePages(connection, "charges", ExportRequest.parse(), page_size=2)
    with pytest.raises(PageUnknown, match=f"no page {page}: 4 charges are 2 pages"):
        pages.read(page)


def test_hidden_invoice_numbers_still_give_the_order(connection: duckdb.DuckDBPyConnection) -> None:
    table_of_charges(connection, *({"invoice_number": number, "customer": number} for number in ("b", "c", "a")))
    request = ExportRequest.parse(columns="Invoice #,Customer")
    pages = ChargePages(connection, "charges", request, page_size=9, show_invoice_numbers=False)
    assert pages.read(1) == [("", "c"), ("", "b"), ("", "a")]


def test_a_page_near_the_beginning_needs_memory_for_its_rows_alone(connection: duckdb.DuckDBPyConnection) -> None:
    """A million charges with a kilobyte of other columns pass by a session that may hold 128 MB and spill nothing."""
    table_of_charges(connection, {})
    connection.execute("set memory_limit = '128MB'")
    connection.execute("set max_temp_directory_size = '0B'")
    many = (
        "select * replace ('D-' || number as line_item_id, repeat(md5(number::varchar), 30) as description,"
        " number::decimal(38, 18) as quantity) from charges, range(1000000) as numbers(number)"
    )
    request = ExportRequest.parse(columns="Quantity", sort="Quantity:desc")
    pages = ChargePages(connection, many, request, page_size=2)
    assert [int(quantity) for (quantity,) in pages.read(1) + pages.read(40)] == [999_999, 999_998, 999_921, 999_920]
