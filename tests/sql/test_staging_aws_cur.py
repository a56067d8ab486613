"""Rows of an AWS Cost and Usage Report become canonical rows: `sql/staging/aws_cur.sql`."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.vendor_files import convert_bytes, convert_file, csv_text, rows_of, total


def test_a_usage_row_keeps_ids_as_text_and_amounts_exact(tmp_path: Path) -> None:
    (row,) = rows_of("aws_cur", tmp_path, {})

    assert row["billing_account_id"] == "000111111111"
    assert row["sub_account_id"] == "012345678901"
    assert row["sku_id"] == "0012"
    assert row["billed_cost"] == Decimal("0.0000012")
    assert row["list_cost"] == Decimal("0.0000024")
    assert row["billing_period"] == "2026-10"
    assert row["charge_period_end"] == datetime(2026, 10, 1, 1, tzinfo=UTC)
    assert row["invoice_id"] is None
    assert row["x_row_key"] == "abc|2026-10-01T00:00:00Z/2026-10-02T00:00:00Z"
    assert str(row["delivery_id"]) == f"src/000111111111/2026-10/{str(row['x_file_sha256'])[:12]}"
    assert (row["source"], row["row_number"], row["x_file_name"]) == ("src", 1, "in.csv")


@pytest.mark.parametrize(
    ("change", "nature", "category"),
    [
        ({}, "usage", "Usage"),
        ({"lineItem/LineItemType": "Tax", "lineItem/UsageType": ""}, "tax", "Tax"),
        ({"lineItem/LineItemType": "Tax", "bill/BillingEntity": "AWS Marketplace"}, "tax", "Tax"),
        ({"bill/BillingEntity": "AWS Marketplace"}, "marketplace_fee", "Usage"),
        ({"lineItem/LineItemType": "Credit", "lineItem/UnblendedCost": "-5"}, "credit", "Credit"),
        ({"lineItem/LineItemType": "Refund", "lineItem/UnblendedCost": "-5"}, "credit", "Credit"),
        ({"lineItem/LineItemType": "SppDiscount"}, "partner_discount", "Adjustment"),
        ({"lineItem/LineItemType": "EdpDiscount"}, "partner_discount", "Adjustment"),
        ({"lineItem/LineItemType": "PrivateRateDiscount"}, "partner_discount", "Adjustment"),
        ({"lineItem/LineItemType": "DistributorDiscount"}, "partner_discount", "Adjustment"),
        ({"lineItem/LineItemType": "BundledDiscount"}, "usage", "Adjustment"),
        ({"lineItem/LineItemType": "Rounding"}, "rounding", "Adjustment"),
        ({"lineItem/LineItemType": "Fee", "lineItem/LineItemDescription": "Rounding of total"}, "rounding", "Purchase"),
        ({"lineItem/LineItemDescription": "per rounding hour"}, "usage", "Usage"),
        ({"lineItem/LineItemType": "SavingsPlanNegation", "lineItem/UnblendedCost": "-5"}, "usage", "Usage"),
        ({"lineItem/LineItemType": "RIFee"}, "usage", "Purchase"),
    ],
)
def test_line_item_types_decide_the_nature(change: dict[str, str], nature: str, category: str, tmp_path: Path) -> None:
    (row,) = rows_of("aws_cur", tmp_path, change)

    assert (row["x_charge_nature"], row["charge_category"]) == (nature, category)


@pytest.mark.parametrize(
    ("description", "cost", "nature"),
    [
        ("First 1,000,000 Amazon SQS Requests per month are free", "0.0", "free_tier"),
        ("$0 for AWS Glue Data Catalog requests under the free tier", "0", "free_tier"),
        ("First 5GB-mo per month of logs storage is free.", "0E-9", "free_tier"),
        ("0.0 per free event recorded in EU (Paris) region", "0.0", "free_tier"),
        ("$0.00 per request - first 1,000,000 requests", "0.0", "free_tier"),
        ("$0.000 per GB - data transfer in per month", "0.0", "usage"),
        ("$0.023 per GB - first 50 TB / month of storage used", "0.0", "usage"),
        ("Freeze frame, per hour", "0.0", "usage"),
        ("First 1,000,000 Amazon SQS Requests per month are free", "0.0000000001", "usage"),
    ],
)
def test_free_tier_costs_exactly_nothing_and_says_so(description: str, cost: str, nature: str, tmp_path: Path) -> None:
    (row,) = rows_of("aws_cur", tmp_path, {"lineItem/LineItemDescription": description, "lineItem/UnblendedCost": cost})

    assert row["x_charge_nature"] == nature


def test_tags_become_json_with_sorted_keys_and_absent_ones_left_out(tmp_path: Path) -> None:
    owner, team = "resourceTags/user:owner", "resourceTags/user:Team"
    rows = rows_of(
        "aws_cur",
        tmp_path,
        {owner: 'Zoë "Z"', team: "a"},
        {owner: "", team: "b", "identity/LineItemId": "2"},
        {owner: "", team: "", "identity/LineItemId": "3"},
    )

    assert [row["tags"] for row in rows] == [
        '{"user:Team": "a", "user:owner": "Zoë \\"Z\\""}',
        '{"user:Team": "b"}',
        None,
    ]


def test_the_parquet_spelling_of_the_header_gives_the_same_rows(tmp_path: Path) -> None:
    text = csv_text("aws_cur", {})
    csv_rows = convert_bytes("aws_cur", tmp_path, text.encode())
    header, _, rest = text.partition("\n")
    snake = header
    for name in header.split(","):
        snake = snake.replace(name, "".join(f"_{c.lower()}" if c.isupper() else c for c in name).replace("/_", "_"))
    snake_rows = convert_bytes("aws_cur", tmp_path, f"{snake.replace('/', '_')}\n{rest}".encode())

    assert snake_rows.drop("delivery_id", "x_file_sha256").equals(csv_rows.drop("delivery_id", "x_file_sha256"))


def test_the_real_report_adds_up_exactly_with_its_tax(shared_data: Path, tmp_path: Path) -> None:
    converted = convert_file("aws_cur", shared_data / "aws" / "cur_legacy_2023_11.csv", tmp_path / "out.parquet")

    (group,) = converted.groups
    assert converted.row_count == 1281
    assert group.total_cost == Decimal("1.6823086974")
    assert (group.billing_period, group.currency) == ("2023-11", "USD")
    assert (converted.has_invoice_id_column, group.rows_without_invoice_id) == (True, 1281)
    with duckdb.connect() as connection:
        assert total(connection, converted.path, "x_charge_nature = 'tax'") == Decimal("0.08")
        assert total(connection, converted.path, "x_charge_nature = 'free_tier'") == 0
    natures = pl.read_parquet(converted.path)["x_charge_nature"].value_counts().to_dicts()
    assert {row["x_charge_nature"]: row["count"] for row in natures} == {"usage": 876, "free_tier": 393, "tax": 12}
