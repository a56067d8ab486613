"""Each published answer of the Partner Center API is taken by the format it holds, or refused as what it is.

`get-invoiceline-items` strings together answers of several providers, legacy commerce among them.
"""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.errors import BadInput
from tests.vendor_files import convert_file

FOLDER = "microsoft"


def own_sum(pages: list[dict[str, list[dict[str, Decimal]]]], column: str) -> Decimal:
    return sum((Decimal(item[column]) for page in pages for item in page["items"]), Decimal(0))


def pages_of(path: Path) -> list[dict[str, list[dict[str, Decimal]]]]:
    pages: list[dict[str, list[dict[str, Decimal]]]] = json.loads(path.read_text(), parse_float=Decimal)
    return pages


@pytest.mark.parametrize(
    ("name", "vendor_format", "column", "month", "unbilled"),
    [
        ("get-invoice-billed-consumption-lineitems", "ms_daily", "billingPreTaxTotal", "2018-11", 0),
        ("get-invoice-unbilled-consumption-lineitems", "ms_daily", "billingPreTaxTotal", "2019-01", 3),
        ("get-invoice-unbilled-recon-lineitems", "ms_nce", "subtotal", "2019-02", 2),
    ],
)
def test_line_items_are_taken_with_the_sum_of_the_file(
    name: str, vendor_format: str, column: str, month: str, unbilled: int, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / FOLDER / f"{name}.samples.json"

    (group,) = convert_file(vendor_format, path, tmp_path / "out.parquet").groups

    assert group.total_cost == own_sum(pages_of(path), column)
    assert (group.row_count, group.billing_period, group.rows_without_invoice_id) == (3, month, unbilled)


@pytest.mark.parametrize("vendor_format", ["ms_nce", "ms_daily"])
@pytest.mark.parametrize("name", ["get-a-collection-of-invoices", "get-invoice-summaries"])
def test_what_holds_other_things_is_refused(name: str, vendor_format: str, shared_data: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"unknown format|the source expects"):
        convert_file(vendor_format, shared_data / FOLDER / f"{name}.samples.json", tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    ("name", "vendor_format"),
    [
        ("get-invoice-billed-consumption-lineitems", "ms_nce"),
        ("get-invoice-unbilled-consumption-lineitems", "ms_nce"),
        ("get-invoice-unbilled-recon-lineitems", "ms_daily"),
    ],
)
def test_the_other_format_does_not_take_it(name: str, vendor_format: str, shared_data: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"this is .*, the source expects"):
        convert_file(vendor_format, shared_data / FOLDER / f"{name}.samples.json", tmp_path / "out.parquet")


def test_the_answers_of_all_providers_in_one_document_are_taken_with_its_own_sums(
    shared_data: Path, tmp_path: Path
) -> None:
    """Licences and Azure of legacy commerce, its daily usage without amounts, and new commerce."""
    path = shared_data / FOLDER / "get-invoiceline-items.samples.json"
    pages = pages_of(path)

    groups = convert_file("ms_nce", path, tmp_path / "out.parquet").groups
    rows = pl.read_parquet(tmp_path / "out.parquet")

    subtotals = own_sum(pages[:1] + pages[3:], "subtotal") + own_sum(pages[1:2], "pretaxCharges")
    taxes = own_sum(pages[:1], "tax") + own_sum(pages[1:2], "taxAmount") + own_sum(pages[3:], "taxTotal")
    assert sum(group.total_cost for group in groups) == subtotals == Decimal("1968.48")
    assert sum(group.tax_total or Decimal(0) for group in groups) == taxes == Decimal("177.82")
    assert rows.height == sum(len(page["items"]) for page in pages) == 9
    assert rows["invoice_id"].unique().to_list() == ["1234000000"]
    assert dict(rows.group_by("x_charge_nature").len().rows()) == {"usage": 7, "free_tier": 2}


def test_legacy_charges_become_what_their_members_say(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / FOLDER / "get-invoiceline-items.samples.json"
    convert_file("ms_nce", path, tmp_path / "out.parquet")
    licence, _, azure, _, detail, *_ = pl.read_parquet(tmp_path / "out.parquet").to_dicts()

    names = ("sub_account_id", "sub_account_name", "sku_id", "service_name", "charge_description", "pricing_quantity")
    assert tuple(licence[name] for name in names) == (
        "74221236-D09C-4870-AC1D-33E155E9AEBE", "TSTAGIN1CUST190",
        "2F707C7C-2433-49A5-A437-9CA7CF40D3EB:AAA5B3F0-0EE2-431B-A42F-3F18F3C6D540",
        "EXCHANGE ONLINE (PLAN 2)", "EXCHANGE ONLINE (PLAN 2)", Decimal(3),
    )  # fmt: skip
    assert tuple(azure[name] for name in names) == (
        "65726577-c208-40fd-9735-8c85ac000000", "601 tests", "505db374-df8a-44df-9d8c-13c14b61dee1:7UD-00001",
        "Azure App Service", "Standard Plan, S1", Decimal(745),
    )  # fmt: skip
    assert (azure["billed_cost"], azure["list_cost"], azure["service_category"]) == (
        Decimal("63.33"), None, "Microsoft Azure",
    )  # fmt: skip
    assert (licence["charge_period_start"].date(), azure["charge_period_end"].date()) == (
        date(2017, 5, 12), date(2019, 9, 2),
    )  # fmt: skip
    assert (detail["billed_cost"], detail["billing_currency"], detail["pricing_quantity"]) == (
        0, "USD", Decimal("2.9616"),
    )  # fmt: skip
    assert "the usage-based line items charge it" in detail["x_note"]


def test_usage_without_amounts_alone_is_refused(shared_data: Path, tmp_path: Path) -> None:
    """Found in review: taken, it would have been a month that costs nothing, and replaced the one it details."""
    path = shared_data / FOLDER / "get-invoiceline-items.samples.json"
    alone = tmp_path / "usage.json"
    alone.write_text(json.dumps(json.loads(path.read_text())[2]))

    with pytest.raises(BadInput, match="usage without amounts") as caught:
        convert_file("ms_nce", alone, tmp_path / "out.parquet")

    assert (caught.value.row, caught.value.value) == (1, "DailyUsageLineItem")


def test_legacy_line_items_are_not_daily_rated_usage(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / FOLDER / "get-invoiceline-items.samples.json"
    with pytest.raises(BadInput, match=r"source of format ms_nce|the source expects"):
        convert_file("ms_daily", path, tmp_path / "out.parquet")
