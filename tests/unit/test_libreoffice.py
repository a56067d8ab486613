"""Workbooks opened by LibreOffice, where it is installed: what a person sees is what was exported."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from billing_pipeline.charges.columns import COLUMNS
from billing_pipeline.charges.request import ExportRequest
from resources.exports import ListOrigin, export_charges
from tests.charge_rows import table_of_charges
from tests.libreoffice import differing_cells, find_soffice, sheets_as_csv

pytestmark = pytest.mark.skipif(find_soffice() is None, reason="LibreOffice is not installed")

CHARGES: tuple[dict[str, object], ...] = (
    {},
    {"customer": "Ünïcode 😀 Ελληνικά", "description": '=HYPERLINK("http://x")', "product_name": "a, b; c"},
    {"total_sell_price": Decimal("-0.000000000000000000000001"), "quantity": Decimal("0.000000000000000001")},
    {"total_sell_price": Decimal("12345678901234.123456789012345678901234"), "currency": "JPY", "type": "Credit"},
    {"unit_cost_price": None, "invoice_number": None, "start_date": None, "end_date": date(2099, 12, 31)},
    {"invoice_date": date(1999, 2, 28), "customer": "2026-10-05", "unit": "1.50", "description": "'quoted\" text"},
    {"customer": "TRUE", "unit": "1E5", "description": "@cmd", "product_type": "00123", "currency": "BHD"},
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list in three sheets, as workbook and as Parquet, and what LibreOffice made of the workbook."""
    made = tmp_path_factory.mktemp("libreoffice")
    with duckdb.connect(config={"threads": 1}) as connection:
        table_of_charges(connection, *CHARGES)
        request = ExportRequest.parse([column.header for column in COLUMNS], formats="xlsx,parquet")
        origin = ListOrigin("Meltemi", date(2026, 10, 1), date(2026, 10, 2))
        export_charges(connection, "charges", request, made / "list.xlsx", origin=origin, rows_per_sheet=3)
    names = list(sheets_as_csv(made / "list.xlsx", made))
    assert names == ["Customer Charges", "Customer Charges 2", "Customer Charges 3", "Totals"]
    return made


def sheets(folder: Path) -> list[Path]:
    return [folder / f"list-Customer Charges{number}.csv" for number in ("", " 2", " 3")]


def test_every_amount_day_and_text_is_read_back(folder: Path) -> None:
    assert differing_cells(sheets(folder), folder / "list.parquet") == {}
    totals = (folder / "list-Totals.csv").read_text("utf-8").splitlines()
    assert '"BHD"\t1\t301\t0\t301\t200\t0\t200\t101' in totals


def test_a_differing_cell_is_found(folder: Path, tmp_path: Path) -> None:
    """A check that cannot fail is none: an amount in the fifteenth digit, another day, a blank, a row too few."""
    other = tmp_path / "other.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select * replace (case when total_sell_price = 301 then 301.0000000000015 else total_sell_price end"
            " as total_sell_price, case when end_date = date '2099-12-31' then date '2099-12-30' else end_date end"
            " as end_date, case when unit = '1.50' then null else unit end as unit)"
            f" from read_parquet('{folder / 'list.parquet'}') where currency <> 'BHD') to '{other}' (format parquet)"
        )
    found = differing_cells(sheets(folder), other)
    assert found["rows"] == 1
    assert {"Total Sell Price", "End date", "Unit"} <= set(found)


def test_a_day_that_was_read_as_text_is_found(folder: Path, tmp_path: Path) -> None:
    first, *others = sheets(folder)
    changed = tmp_path / "changed.csv"
    changed.write_text(first.read_text("utf-8").replace("\t2026-10-05\t", '\t"2026-10-05"\t'), "utf-8")
    assert set(differing_cells([changed, *others], folder / "list.parquet")) == {"Invoice date"}
