"""Rows of Azure cost details become canonical rows: `sql/staging/azure_costs.sql`."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.errors import BadInput
from tests.vendor_files import convert_bytes, convert_file
from tests.vendors.azure_costs.azure_files import EA, PARTNER, rows, text_of


def day(month: int, number: int) -> datetime:
    return datetime(2026, month, number, tzinfo=UTC)


def test_a_partner_row_is_the_tenants_and_keeps_ids_and_amounts(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, PARTNER, {})

    assert (row["billing_account_id"], row["sub_account_id"], row["sub_account_name"]) == ("0042", "tenant-1", "Acme")
    assert (row["sku_id"], row["sku_price_id"]) == ("0012", "meter-1")
    assert (row["billed_cost"], row["list_cost"]) == (Decimal("0.000017"), Decimal("0.00002"))
    assert (row["billing_period"], row["invoice_id"]) == ("2026-10", "G012345678")
    assert (row["billing_period_start"], row["billing_period_end"]) == (day(10, 1), day(11, 1))
    assert (row["charge_period_start"], row["charge_period_end"]) == (day(10, 2), day(10, 3))
    assert (row["pricing_quantity"], row["pricing_unit"]) == (Decimal(2), "1 Hour")
    assert (row["charge_frequency"], row["x_row_key"]) == ("Usage-Based", None)


def test_an_ea_row_is_the_subscriptions_and_has_no_invoice(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, EA, {})

    assert (row["sub_account_id"], row["sub_account_name"]) == ("sub-1", "Production")
    assert (row["sku_id"], row["sku_price_id"]) == ("meter-1", "ABC-1234")
    assert (row["billing_account_id"], row["billing_currency"], row["invoice_id"]) == ("012345", "CAD", None)
    assert row["billed_cost"] == Decimal("0.0000564902")
    assert row["list_cost"] == Decimal("1.2")
    assert row["billing_period_end"] == day(10, 1)


def test_a_purchase_without_subscription_belongs_to_the_tenant_and_one_without_tenant_to_the_subscription(
    tmp_path: Path,
) -> None:
    first, second, third = rows(
        tmp_path, PARTNER, {"SubscriptionId": ""}, {"customerTenantId": ""},
        {"SubscriptionId": "", "customerTenantId": ""},
    )  # fmt: skip

    assert [row["sub_account_id"] for row in (first, second, third)] == ["tenant-1", "sub-1", None]


@pytest.mark.parametrize(
    ("change", "nature", "category", "charge_class"),
    [
        ({}, "usage", "Usage", None),
        ({"chargeType": "Purchase"}, "usage", "Purchase", None),
        ({"chargeType": "Tax"}, "tax", "Tax", None),
        ({"chargeType": "Tax", "publisherType": "Marketplace"}, "tax", "Tax", None),
        ({"chargeType": "RoundingAdjustment"}, "rounding", "Adjustment", None),
        ({"chargeType": "Rounding adjustment"}, "rounding", "Adjustment", None),
        ({"publisherType": "Marketplace"}, "marketplace_fee", "Usage", None),
        ({"publisherType": "Marketplace", "chargeType": "Purchase"}, "marketplace_fee", "Purchase", None),
        ({"publisherType": "Marketplace", "chargeType": "Refund"}, "marketplace_fee", "Credit", "Correction"),
        ({"chargeType": "Refund", "costInBillingCurrency": "-5"}, "credit", "Credit", "Correction"),
        ({"chargeType": "Credit", "costInBillingCurrency": "-5"}, "credit", "Credit", None),
        ({"previousInvoiceId": "G0", "costInBillingCurrency": "-5"}, "usage", "Usage", "Correction"),
        ({"meterName": "Standard Free", "costInBillingCurrency": "0"}, "free_tier", "Usage", None),
        ({"meterName": "Standard Free", "costInBillingCurrency": "1E-9"}, "usage", "Usage", None),
        ({"meterName": "Freeze", "costInBillingCurrency": "0"}, "usage", "Usage", None),
        (
            {"meterName": "Free", "costInBillingCurrency": "0", "PricingModel": "SavingsPlan"},
            "usage", "Usage", None,
        ),
    ],
)  # fmt: skip
def test_what_a_row_is_follows_from_charge_type_and_publisher(
    change: dict[str, str], nature: str, category: str, charge_class: str | None, tmp_path: Path
) -> None:
    (row,) = rows(tmp_path, PARTNER, change)

    assert (row["x_charge_nature"], row["charge_category"], row["charge_class"]) == (nature, category, charge_class)


@pytest.mark.parametrize(
    ("change", "list_cost"),
    [
        # 0.0000111 x 0.9 x 2, as Microsoft defines the pay-as-you-go cost.
        ({"paygCostInBillingCurrency": ""}, "0.00001998"),
        ({"paygCostInBillingCurrency": "", "exchangeRatePricingToBilling": ""}, None),
        ({"paygCostInBillingCurrency": "", "exchangeRatePricingToBilling": "", "pricingCurrency": "EUR"}, "0.0000222"),
        ({"paygCostInBillingCurrency": "", "PayGPrice": ""}, None),
        # An SRP of zero beside a cost is no price, beside no cost it is one.
        ({"paygCostInBillingCurrency": "0"}, None),
        ({"paygCostInBillingCurrency": "0", "costInBillingCurrency": "0"}, "0"),
        # A reservation or savings plan is charged where it was bought; partner earned credit stays with the reseller.
        ({"costInBillingCurrency": "0", "PricingModel": "Reservation"}, "0"),
        ({"costInBillingCurrency": "0", "PricingModel": "SavingsPlan"}, "0"),
        ({"costInBillingCurrency": "0"}, "0.00002"),
        ({"quantity": "-2", "costInBillingCurrency": "-1", "paygCostInBillingCurrency": ""}, "-0.00001998"),
    ],
)
def test_the_srp_is_the_pay_as_you_go_cost(change: dict[str, str], list_cost: str | None, tmp_path: Path) -> None:
    (row,) = rows(tmp_path, PARTNER, change)

    assert row["list_cost"] == (None if list_cost is None else Decimal(list_cost))


def test_a_purchase_lasts_to_the_end_of_its_service_period(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, PARTNER, {"chargeType": "Purchase", "servicePeriodEndDate": "10/01/2027"})

    assert row["charge_period_start"] == day(10, 2)
    assert row["charge_period_end"] == datetime(2027, 10, 2, tzinfo=UTC)


def test_purchases_without_meter_are_named_by_their_product(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, PARTNER, {"meterCategory": "Unassigned", "serviceFamily": ""})

    assert (row["service_name"], row["service_category"]) == (PARTNER["ProductName"], PARTNER["ProductName"])


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("", None),
        ('{"a": "1"}', '{"a": "1"}'),
        ('"a": "1","b": "2"', '{"a": "1","b": "2"}'),
        ("a=1", '{"tags":"a=1"}'),
    ],
)
def test_tags_are_json_with_and_without_braces(tags: str, expected: str | None, tmp_path: Path) -> None:
    (row,) = rows(tmp_path, EA, {"Tags": tags})

    assert row["tags"] == expected


def test_a_double_with_more_than_18_decimals_is_rounded_and_said_so(tmp_path: Path) -> None:
    plain, tiny = rows(
        tmp_path, PARTNER, {}, {"costInBillingCurrency": "1.2345678901234567E-05", "quantity": "5.421e-20"}
    )

    assert plain["x_rounded_amounts"] is None
    assert (tiny["billed_cost"], tiny["pricing_quantity"]) == (Decimal("0.000012345678901235"), Decimal(0))
    assert tiny["x_rounded_amounts"] == "costInBillingCurrency=1.2345678901234567E-05; quantity=5.421e-20"


@pytest.mark.parametrize(
    ("in_pricing_currency", "rate", "expected"),
    [
        ("2", "0.9", None),
        ("2.0001", "0.9", None),
        ("2.1", "0.9", Decimal("1.89")),
        ("2", "0.45", Decimal("0.9")),
        ("2", "", None),
        ("", "0.9", None),
    ],
)
def test_a_cost_converted_at_another_rate_than_the_rows_own_has_an_expected_cost(
    in_pricing_currency: str, rate: str, expected: Decimal | None, tmp_path: Path
) -> None:
    plain = {**PARTNER, "costInPricingCurrency": ""}
    cells = {"costInPricingCurrency": in_pricing_currency, "exchangeRatePricingToBilling": rate}
    (row,) = rows(tmp_path, plain, {"costInBillingCurrency": "1.8", **cells})

    assert (row["billed_cost"], row["x_expected_cost"]) == (Decimal("1.8"), expected)


def test_a_parquet_of_doubles_and_timestamps_gives_the_same_rows_as_the_csv(tmp_path: Path) -> None:
    change = {"costInBillingCurrency": "1.2345678901234568e-05"}
    from_csv = convert_bytes("azure_costs", tmp_path, text_of(PARTNER, change).encode())
    row: dict[str, object] = {**PARTNER, **change}
    for name in PARTNER:
        if name.endswith("Date") or name == "date":
            row[name] = datetime.strptime(PARTNER[name], "%m/%d/%Y")  # noqa: DTZ007 Parquet written without a zone
        elif "ost" in name or name in ("quantity", "PayGPrice", "exchangeRatePricingToBilling"):
            row[name] = float(str(row[name]))
        elif row[name] == "":
            row[name] = None
    pl.DataFrame([row]).write_parquet(buffer := io.BytesIO())
    from_parquet = convert_bytes("azure_costs", tmp_path, buffer.getvalue(), "in.parquet")

    own = ("delivery_id", "x_file_name", "x_file_sha256")
    assert from_parquet.drop(own).equals(from_csv.drop(own))


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("costInBillingCurrency", "1,5", "no number"),
        ("costInBillingCurrency", "", "must not be empty"),
        ("costInBillingCurrency", "NaN", "no number"),
        ("costInBillingCurrency", "1E25", "more than 20 digits"),
        ("paygCostInBillingCurrency", "x", "no number"),
        ("date", "31/10/2026", "no such date"),
        ("date", "2/30/2026", "no such date"),
        ("date", "10-02-2026", "no date and time"),
        ("billingCurrency", "EURO", "ISO 4217"),
        ("chargeType", "UnusedReservation", "amortised cost file"),
        ("chargeType", "UnusedSavingsPlan", "amortised cost file"),
        ("billingAccountId", "NULL", "must not be empty"),
    ],
)
def test_a_bad_cell_is_named_by_row_column_and_value(column: str, value: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        rows(tmp_path, PARTNER, {}, {column: value}, {})

    assert (caught.value.row, caught.value.column, caught.value.value) == (2, column, value)
    assert reason in caught.value.reason


def test_rows_without_invoice_are_counted_and_a_file_without_the_column_says_so(tmp_path: Path) -> None:
    for name, text in (("p.csv", text_of(PARTNER, {}, {"invoiceId": ""})), ("ea.csv", text_of(EA, {}))):
        (tmp_path / name).write_text(text)

    partner = convert_file("azure_costs", tmp_path / "p.csv", tmp_path / "p.parquet")
    ea = convert_file("azure_costs", tmp_path / "ea.csv", tmp_path / "ea.parquet")
    assert (partner.has_invoice_id_column, partner.groups[0].rows_without_invoice_id) == (True, 1)
    assert not ea.has_invoice_id_column


def test_the_real_ea_export_adds_up_to_its_own_sum(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "azure" / "ea_export_sample.csv"
    with path.open(encoding="utf-8-sig", newline="") as stream:
        own = list(csv.DictReader(stream))

    converted = convert_file("azure_costs", path, tmp_path / "out.parquet")
    (group,) = converted.groups
    assert (converted.row_count, group.currency, group.billing_period) == (27, "CAD", "2023-09")
    assert group.total_cost == sum(Decimal(row["CostInBillingCurrency"]) for row in own) == Decimal("1.26136926505726")
    found = pl.read_parquet(converted.path).to_dicts()
    for row, vendor in zip(found, own, strict=True):
        assert row["sub_account_id"] == vendor["SubscriptionId"]
        assert row["list_cost"] == Decimal(vendor["PayGPrice"]) * Decimal(vendor["Quantity"])
        assert row["tags"].startswith('{"tagA"')
    assert {row["x_charge_nature"] for row in found} == {"usage"}
