"""Charges of a detailed billing report become canonical rows: `sql/staging/aws_dbr.sql`."""

import csv
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.errors import BadInput
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from tests.vendor_files import convert_file
from tests.vendors.aws_dbr.rows import NAME, TAX, control, convert_dbr, rows_of, text_of


def test_a_charge_keeps_ids_as_text_and_amounts_exact(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, {"UnBlendedCost": "1.9E-7", "user:Name": "shop", "aws:createdBy": "Zoë"})

    assert (row["billing_account_id"], row["sub_account_id"]) == ("000111111111", "012345678901")
    assert (row["billed_cost"], row["list_cost"]) == (Decimal("0.00000019"), None)
    assert (row["pricing_quantity"], row["pricing_unit"]) == (Decimal(1), None)
    assert row["sku_id"] == "Amazon Elastic Compute Cloud/EUC1-BoxUsage:t3.medium/RunInstances"
    assert (row["sku_price_id"], row["region_id"], row["resource_id"]) == ("0042", "eu-central-1", "i-0a")
    assert (row["service_name"], row["billing_currency"]) == ("Amazon Elastic Compute Cloud", "USD")
    assert (row["billing_period"], row["charge_category"], row["x_charge_nature"]) == ("2026-10", "Usage", "usage")
    assert row["billing_period_start"] == datetime(2026, 10, 1, tzinfo=UTC)
    assert row["billing_period_end"] == datetime(2026, 11, 1, tzinfo=UTC)
    assert row["charge_period_end"] == datetime(2026, 10, 1, 1, tzinfo=UTC)
    assert row["tags"] == '{"aws:createdBy": "Zoë", "user:Name": "shop"}'
    assert (row["x_row_key"], row["x_line_item_type"]) == ("1", "LineItem")


def test_the_rows_fulfil_the_contract_without_floating_point(tmp_path: Path) -> None:
    rows = pl.read_parquet(convert_dbr(tmp_path, text_of({}, TAX, control("Rounding", "0"))).path)

    VENDOR_CHARGES.pandera_schema().validate(rows)
    assert not [name for name, type_ in rows.schema.items() if type_.is_float()]


def test_a_tax_row_without_dates_is_about_the_whole_month(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, {**TAX, "LinkedAccountId": ""})

    assert (row["x_charge_nature"], row["charge_category"], row["sub_account_id"]) == ("tax", "Tax", None)
    assert (row["charge_period_start"], row["charge_period_end"]) == (
        datetime(2026, 10, 1, tzinfo=UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
    )
    assert (row["sku_id"], row["x_row_key"]) == (None, None)


@pytest.mark.parametrize(
    ("change", "nature", "category"),
    [
        ({}, "usage", "Usage"),
        ({**TAX, "ItemDescription": "VAT of 24%"}, "tax", "Tax"),
        ({"ItemDescription": "$0.1 per Taxi request"}, "usage", "Usage"),
        ({"ItemDescription": "tax calculation API, per call"}, "usage", "Usage"),
        ({"ItemDescription": "AWS Marketplace software usage|eu-central-1"}, "marketplace_fee", "Usage"),
        ({"UsageType": "EUC1-MP:grafana_usage-Units"}, "marketplace_fee", "Usage"),
        ({"ItemDescription": "AWS Activate credit", "UnBlendedCost": "-5"}, "credit", "Credit"),
        ({"ItemDescription": "Refund of S3 overcharge", "UnBlendedCost": "-5"}, "credit", "Credit"),
        ({"ItemDescription": "per CPU credit", "UnBlendedCost": "5"}, "usage", "Usage"),
        ({"ItemDescription": "Solution Provider Discount", "UnBlendedCost": "-1"}, "partner_discount", "Adjustment"),
        ({"ItemDescription": "Solution Provider Discount", "UnBlendedCost": "0"}, "partner_discount", "Adjustment"),
        ({"ItemDescription": "Reserved capacity discount", "UnBlendedCost": "-1"}, "usage", "Usage"),
        ({"UsageType": "", "ItemDescription": "Rounding of cents"}, "rounding", "Adjustment"),
        ({"ItemDescription": "Requests per month are free", "UnBlendedCost": "0.00000000"}, "free_tier", "Usage"),
        ({"ItemDescription": "Requests per month are free", "UnBlendedCost": "0.00000001"}, "usage", "Usage"),
        ({"ItemDescription": "$0.000 per GB - data transfer in", "UnBlendedCost": "0"}, "usage", "Usage"),
        ({"UsageType": "", "ItemDescription": "Sign up charge for subscription: 1"}, "usage", "Purchase"),
    ],
)  # fmt: skip
def test_descriptions_decide_the_nature(change: dict[str, str], nature: str, category: str, tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, change)

    assert (row["x_charge_nature"], row["charge_category"]) == (nature, category)


@pytest.mark.parametrize(
    ("invoices", "found", "without"),
    [
        (["Estimated", "Estimated"], (), 2),
        (["estimated", "123"], ("123",), 1),
        (["", "123"], ("123",), 1),
        (["0123", "456"], ("0123", "456"), 0),
    ],
)
def test_the_month_is_final_when_no_invoice_is_estimated(
    invoices: list[str], found: tuple[str, ...], without: int, tmp_path: Path
) -> None:
    converted = convert_dbr(tmp_path, text_of(*({"InvoiceID": invoice} for invoice in invoices)))

    assert converted.has_invoice_id_column
    assert [(group.invoice_ids, group.rows_without_invoice_id) for group in converted.groups] == [(found, without)]


def test_a_charge_of_the_payer_itself_is_on_the_payers_account(tmp_path: Path) -> None:
    rows = rows_of(
        tmp_path,
        {"RecordType": "PayerLineItem", "LinkedAccountId": ""},
        {"RecordType": "LineItem", "LinkedAccountId": ""},
    )

    # Without a linked account an ordinary charge is nobody's: it is shown as unmapped, not given to somebody.
    assert [row["sub_account_id"] for row in rows] == ["000111111111", None]


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"UsageStartDate": "2026-11-01 00:00:00"}, "UsageStartDate", "the charge starts outside 2026-10"),
        ({"UsageStartDate": "2026-09-30 23:00:00"}, "UsageStartDate", "the charge starts outside 2026-10"),
        ({"UsageStartDate": "2026-11-01 00:00:00", "UnBlendedCost": "-1"}, "UsageStartDate", "outside 2026-10"),
        ({"UsageStartDate": "2026-09-30 23:00:00", "UnBlendedCost": "0"}, "UsageStartDate", "outside 2026-10"),
        ({"UsageStartDate": "01/10/2026"}, "UsageStartDate", "no date and time"),
        ({"UnBlendedCost": "12a"}, "UnBlendedCost", "no number"),
        ({"UnBlendedCost": ""}, "UnBlendedCost", "must not be empty"),
        ({"UsageQuantity": "many"}, "UsageQuantity", "no number"),
        ({"RecordType": "Refund"}, "RecordType", "one of LineItem, LinkedLineItem"),
        ({"RecordType": ""}, "RecordType", "must not be empty"),
        ({"PayerAccountId": ""}, "PayerAccountId", "must name its payer account"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column(
    change: dict[str, str], column: str, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput) as caught:
        convert_dbr(tmp_path, text_of({}, change, {}))

    assert (caught.value.file, caught.value.row, caught.value.column) == (NAME, 2, column)
    assert reason in caught.value.reason
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_credit_may_concern_an_earlier_month(tmp_path: Path) -> None:
    (row,) = rows_of(
        tmp_path,
        {"UsageStartDate": "2026-08-01 00:00:00", "UnBlendedCost": "-1", "ItemDescription": "Refund for August"},
    )

    assert (row["billing_period"], row["charge_class"], row["x_charge_nature"]) == ("2026-10", "Correction", "credit")


def test_without_a_month_in_its_name_the_rows_tell_it(tmp_path: Path) -> None:
    earlier = {"UsageStartDate": "2026-08-01 00:00:00", "UnBlendedCost": "-1"}

    rows = rows_of(tmp_path, TAX, earlier, {}, name="report.csv")

    assert {row["billing_period"] for row in rows} == {"2026-10"}


def test_without_a_month_in_name_and_rows_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="neither the file's name nor the dates of its rows"):
        convert_dbr(tmp_path, text_of(TAX), "report.csv")


def test_without_a_month_in_its_name_all_rows_must_be_of_one_month(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="outside 2026-10") as caught:
        convert_dbr(tmp_path, text_of({}, {"UsageStartDate": "2026-11-01 00:00:00"}), "report.csv")

    assert caught.value.row == 2


def test_a_record_id_that_repeats_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="already stands in row 1") as caught:
        convert_dbr(tmp_path, text_of({"RecordId": "7"}, {"RecordId": "7"}))

    assert caught.value.column == "RecordId"


def test_the_published_sample_adds_up_to_its_own_sum(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "aws" / "dbr_resources_tags_sample.csv"
    with path.open(encoding="utf-8-sig", newline="") as stream:
        own = list(csv.DictReader(stream, strict=True))

    converted = convert_file("aws_dbr", path, tmp_path / "out.parquet", currency="USD")
    rows = pl.read_parquet(converted.path)

    (group,) = converted.groups
    assert group.total_cost == sum((Decimal(row["UnBlendedCost"]) for row in own), Decimal(0)) == Decimal("0.08805964")
    assert converted.row_count == len(own) == 8
    assert (group.billing_account_id, group.billing_period) == ("123456789012", "2014-09")
    assert (group.net_total, group.invoice_ids, group.rows_without_invoice_id) == (None, ("11111111",), 0)
    assert rows["sub_account_id"].unique().to_list() == ["095669871260"]
    assert rows["x_charge_nature"].to_list() == ["free_tier", *["usage"] * 7]
    assert rows["row_number"].to_list() == list(range(1, 9))
