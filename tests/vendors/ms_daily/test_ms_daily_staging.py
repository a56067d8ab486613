"""What rows of daily rated usage become."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.errors import BadInput
from billing_pipeline.samples.microsoft_columns import DAILY_COLUMNS
from billing_pipeline.vendors.header import match_header
from billing_pipeline.vendors.ms_daily import MS_DAILY
from billing_pipeline.vendors.registry import require_format
from tests.sql.inline import session
from tests.vendor_files import convert_bytes, convert_file
from tests.vendors.ms_daily.daily_rows import DAILY, daily_csv, daily_rows
from tests.vendors.ms_nce.nce_rows import json_lines


def test_the_published_columns_are_recognised_and_are_those_of_the_samples(shared_data: Path) -> None:
    published = (shared_data / "columns" / "daily_rated_usage.txt").read_text().split()

    assert require_format("ms_daily", published, "f") is MS_DAILY
    assert published == list(DAILY_COLUMNS)
    assert set(MS_DAILY.columns) - set(match_header(MS_DAILY, published, "f").positions) == {"attributes_object_type"}


def test_a_row_keeps_ids_as_text_and_amounts_exact(tmp_path: Path) -> None:
    (row,) = daily_rows(tmp_path, {})

    assert (row["billing_account_id"], row["billing_account_name"]) == (DAILY["PartnerId"], "Fabrikam")
    assert (row["sub_account_id"], row["sub_account_name"]) == (DAILY["CustomerId"], "Contoso")
    assert row["x_billing_entity"] == DAILY["EntitlementId"]
    assert (row["sku_id"], row["sku_price_id"]) == ("DZH318Z0BNZ5:006G", "DZH318Z0BNZ5:006G:DZH318Z08B80/0c7e1d5f")
    assert (row["service_name"], row["service_category"]) == ("Virtual Machines Dsv5 Series", "Virtual Machines")
    assert (row["pricing_quantity"], row["pricing_unit"]) == (24, "1 Hour")
    assert (row["billed_cost"], row["list_cost"]) == (Decimal("3.4"), Decimal(4))
    assert (row["billing_period"], row["invoice_id"]) == ("2026-10", "G002297372")
    assert row["charge_period_start"] == datetime(2026, 10, 5, tzinfo=UTC)
    assert row["charge_period_end"] == datetime(2026, 10, 6, tzinfo=UTC)
    assert (row["x_note"], row["x_rounded_amounts"], row["x_charge_nature"]) == (None, None, "usage")


@pytest.mark.parametrize(
    ("credit", "list_cost"),
    [
        ("15", "1.176470588235294118"),
        ("0.15", "1.176470588235294118"),
        ("0", "1"),
        ("0.0", "1"),
        ("50", "2"),
    ],
)
def test_srp_is_the_total_before_the_partner_earned_credit(credit: str, list_cost: str, tmp_path: Path) -> None:
    debit, refund = daily_rows(
        tmp_path,
        {"BillingPreTaxTotal": "1", "PartnerEarnedCreditPercentage": credit},
        {"BillingPreTaxTotal": "-1", "PartnerEarnedCreditPercentage": credit},
    )

    assert (debit["list_cost"], refund["list_cost"]) == (Decimal(list_cost), -Decimal(list_cost))


@pytest.mark.parametrize("credit", ["-0.1", "100", "250", "0.1234567"])
def test_a_credit_that_is_no_rate_gives_no_srp_and_is_told(credit: str, tmp_path: Path) -> None:
    (row,) = daily_rows(tmp_path, {"PartnerEarnedCreditPercentage": credit})

    assert (row["billed_cost"], row["list_cost"]) == (Decimal("3.4"), None)
    assert "no rate from 0 to 1" in str(row["x_note"])


def test_an_unknown_credit_gives_no_srp(tmp_path: Path) -> None:
    (row,) = daily_rows(tmp_path, {"PartnerEarnedCreditPercentage": ""})

    assert (row["list_cost"], row["x_note"]) == (None, None)


@given(
    units=st.integers(-(10**30), 10**30), millionths=st.one_of(st.integers(0, 999_999), st.sampled_from([150_000, 0]))
)
def test_the_division_is_exact_and_half_away_from_zero(units: int, millionths: int) -> None:
    wide = Context(prec=80)
    amount, rate = Decimal(units).scaleb(-18, wide), Decimal(millionths).scaleb(-6)
    expected = wide.divide(amount, 1 - rate).quantize(Decimal(1).scaleb(-18), ROUND_HALF_UP, wide)

    with session() as connection:
        found = connection.execute(
            "select before_credit(cast($amount as decimal(38, 18)), cast($rate as decimal(20, 10)))",
            {"amount": format(amount, "f"), "rate": format(rate, "f")},
        ).fetchone()

    assert found == (expected,)


def test_an_empty_customer_leaves_the_azure_subscription(tmp_path: Path) -> None:
    rows = daily_rows(tmp_path, {"CustomerId": ""}, {"CustomerId": "", "EntitlementId": ""}, {"CustomerId": "org:a-b"})

    assert [row["sub_account_id"] for row in rows] == [DAILY["EntitlementId"], None, "a-b"]
    assert [row["sub_account_name"] for row in rows] == ["Production", "Production", "Contoso"]


@pytest.mark.parametrize(
    ("change", "nature"),
    [
        ({"ChargeType": "customerCredit", "BillingPreTaxTotal": "-1"}, "credit"),
        ({"CreditPercentage": "100", "CreditType": "Azure Credit Applied", "BillingPreTaxTotal": "0"}, "credit"),
        ({"BillingPreTaxTotal": "0", "MeterName": "Free Tier Executions"}, "free_tier"),
        ({"BillingPreTaxTotal": "0"}, "usage"),
        ({"ChargeType": "", "PublisherName": "Palo Alto Networks, Inc."}, "usage"),
    ],
)
def test_charge_type_and_credit_decide_the_nature(change: dict[str, str], nature: str, tmp_path: Path) -> None:
    (row,) = daily_rows(tmp_path, change)

    assert row["x_charge_nature"] == nature


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("", None),
        ('{"env": "prod"}', '{"env": "prod"}'),
        ('"env": "prod","a": "b"', '{"env": "prod","a": "b"}'),
        ("plain", '{"tags":"plain"}'),
    ],
)
def test_tags_become_json(tags: str, expected: str | None, tmp_path: Path) -> None:
    (row,) = daily_rows(tmp_path, {"Tags": tags})

    assert row["tags"] == expected


def test_late_usage_belongs_to_the_invoice_that_bills_it(tmp_path: Path) -> None:
    late = {"ChargeStartDate": "9/1/2026", "ChargeEndDate": "9/30/2026", "UsageDate": "9/29/2026"}
    rows = daily_rows(tmp_path, late, {})

    assert [row["billing_period"] for row in rows] == ["2026-10", "2026-10"]
    assert rows[0]["charge_period_start"] == datetime(2026, 9, 29, tzinfo=UTC)


def test_doubles_of_more_than_18_decimals_are_rounded_and_the_row_says_so(tmp_path: Path) -> None:
    rows = daily_rows(tmp_path, {"BillingPreTaxTotal": "1.23456789012345E-06"}, {"Quantity": "0.1"})

    assert rows[0]["billed_cost"] == Decimal("0.000001234567890123")
    assert rows[0]["x_rounded_amounts"] == "BillingPreTaxTotal=1.23456789012345E-06"
    assert rows[1]["x_rounded_amounts"] is None


def test_the_names_of_the_api_mean_the_same(tmp_path: Path) -> None:
    item = {key[0].lower() + key[1:]: value for key, value in DAILY.items() if key not in ("Unit", "Tags")}
    del item["partnerEarnedCreditPercentage"]
    line = {
        **item, "unitOfMeasure": "1 Hour", "rateOfPartnerEarnedCredit": 0.15, "resourceUri": DAILY["ResourceURI"],
        "tags": {"env": "prod"}, "attributes": {"objectType": "DailyRatedUsageLineItem"},
    }  # fmt: skip
    del line["resourceURI"]

    (row,) = convert_bytes("ms_daily", tmp_path, json_lines(line), "in.jsonl").to_dicts()

    assert (row["pricing_unit"], row["list_cost"], row["tags"]) == ("1 Hour", Decimal(4), '{"env": "prod"}')


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("BillingPreTaxTotal", "free", "no number"),
        ("BillingPreTaxTotal", "", "must not be empty"),
        ("Quantity", "1,5", "no number"),
        ("UsageDate", "31/10/2026", "no such date"),
        ("BillingCurrency", "", "must not be empty"),
        ("PartnerEarnedCreditPercentage", "15 %", "no number"),
    ],
)
def test_a_bad_cell_is_named(column: str, value: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        daily_rows(tmp_path, {}, {column: value})

    assert (caught.value.row, caught.value.column, caught.value.value) == (2, column, value)
    assert reason in caught.value.reason


def test_unbilled_usage_is_not_final(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(daily_csv({"InvoiceNumber": ""}, {"InvoiceNumber": ""}))

    converted = convert_file("ms_daily", path, tmp_path / "out.parquet")

    assert (converted.has_invoice_id_column, converted.groups[0].rows_without_invoice_id) == (True, 2)
