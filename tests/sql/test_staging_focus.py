"""Rows of a FOCUS file become canonical rows: `sql/staging/focus.sql`."""

import csv
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from tests.vendor_files import convert_file, rows_of


def test_a_row_keeps_focus_names_ids_as_text_and_null_as_absent(tmp_path: Path) -> None:
    (row,) = rows_of("focus", tmp_path, {})

    assert row["billing_account_id"] == "0042"
    assert row["sub_account_id"] == "00123"
    assert row["sku_id"] == "0007"
    assert row["charge_class"] is None
    assert row["contracted_cost"] is None
    assert row["billed_cost"] == Decimal("1.5")
    assert row["list_cost"] == Decimal(2)
    assert row["tags"] == '{"b": "1", "a": "2"}'
    assert row["billing_period"] == "2026-10"
    assert row["x_row_key"] is None


@pytest.mark.parametrize(
    ("change", "nature"),
    [
        ({}, "usage"),
        ({"ChargeCategory": "Tax"}, "tax"),
        ({"ChargeCategory": "Credit", "BilledCost": "-2.6137"}, "credit"),
        ({"ChargeCategory": "Adjustment"}, "usage"),
        ({"ChargeCategory": "Adjustment", "ChargeDescription": "Rounding adjustment"}, "rounding"),
        ({"ChargeDescription": "Rounding adjustment"}, "usage"),
        (
            {"ChargeDescription": "AWS Marketplace hourly software usage", "PublisherName": "Red Hat Inc."},
            "marketplace_fee",
        ),
        ({"ChargeDescription": "AWS Marketplace hourly software usage"}, "usage"),
        ({"PublisherName": "Red Hat Inc."}, "usage"),
        ({"BilledCost": "0", "ListCost": "0", "ChargeDescription": "$0.00 under the free tier"}, "free_tier"),
        ({"BilledCost": "0", "ListCost": "0.4", "ChargeDescription": "First 10 requests are free"}, "free_tier"),
        ({"BilledCost": "0", "ListCost": "0", "ChargeDescription": "$0.00 per GB - data transfer in"}, "usage"),
        ({"BilledCost": "0.1", "ChargeDescription": "First 10 requests are free"}, "usage"),
    ],
)
def test_category_and_description_decide_the_nature(change: dict[str, str], nature: str, tmp_path: Path) -> None:
    (row,) = rows_of("focus", tmp_path, change)

    assert row["x_charge_nature"] == nature


def test_from_1_3_service_provider_and_host_stand_in_for_provider_and_publisher(tmp_path: Path) -> None:
    (row,) = rows_of(
        "focus",
        tmp_path,
        {"ProviderName": "", "PublisherName": "", "ServiceProviderName": "Azure", "HostProviderName": "Microsoft"},
    )

    assert (row["provider_name"], row["publisher_name"]) == ("Azure", "Microsoft")


def test_the_real_sample_adds_up_exactly_and_splits_by_account_and_period(shared_data: Path, tmp_path: Path) -> None:
    sample = shared_data / "focus" / "focus_1_0_sample.csv"
    with sample.open(encoding="utf-8-sig", newline="") as stream:
        expected: dict[tuple[str, str], Decimal] = {}
        for row in csv.DictReader(stream):
            key = (row["BillingAccountId"], row["BillingPeriodStart"][:7])
            expected[key] = expected.get(key, Decimal(0)) + Decimal(row["BilledCost"])

    converted = convert_file("focus", sample, tmp_path / "out.parquet")

    assert {
        (group.billing_account_id, group.billing_period): group.total_cost for group in converted.groups
    } == expected
    assert sum(group.row_count for group in converted.groups) == converted.row_count == 1000
    assert converted.has_invoice_id_column is False
    natures = pl.read_parquet(converted.path)["x_charge_nature"].value_counts().to_dicts()
    assert {row["x_charge_nature"]: row["count"] for row in natures} == {
        "usage": 976,
        "free_tier": 22,
        "credit": 1,
        "marketplace_fee": 1,
    }
