"""Each published answer of the Partner Center API is taken by the format it holds, or refused as what it is.

`get-invoiceline-items` strings together answers of five endpoints, legacy commerce among them. A delivery is never half
taken, so the file is refused; its last two pages, which hold new-commerce items, are taken when they stand alone.
"""

import json
from decimal import Decimal
from pathlib import Path

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
@pytest.mark.parametrize("name", ["get-a-collection-of-invoices", "get-invoice-summaries", "get-invoiceline-items"])
def test_what_holds_other_things_is_refused(name: str, vendor_format: str, shared_data: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"unknown format|legacy commerce|the source expects"):
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


def test_legacy_line_items_are_named_for_what_they_are(shared_data: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="legacy commerce") as caught:
        convert_file("ms_nce", shared_data / FOLDER / "get-invoiceline-items.samples.json", tmp_path / "out.parquet")

    assert (caught.value.row, caught.value.column) == (1, "attributes.objectType")
    assert caught.value.value == "LicenseBasedLineItem"


def test_its_new_commerce_pages_alone_are_taken_with_their_own_sum(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / FOLDER / "get-invoiceline-items.samples.json"
    pages = [page for page in json.loads(path.read_text()) if "OneTimeInvoiceLineItem" in json.dumps(page)]
    alone = tmp_path / "one-time.json"
    alone.write_text(json.dumps(pages))

    groups = convert_file("ms_nce", alone, tmp_path / "out.parquet").groups

    expected = [page for page in pages_of(path) if page["items"][0].get("billableQuantity")]
    assert sum(group.row_count for group in groups) == 3
    assert (
        sum((group.total_cost for group in groups), Decimal(0)) == own_sum(expected, "subtotal") == Decimal("1905.15")
    )
    assert sum((group.tax_total or Decimal(0) for group in groups), Decimal(0)) == own_sum(expected, "taxTotal")
