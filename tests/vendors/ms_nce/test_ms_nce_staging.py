"""What rows of a new-commerce reconciliation become."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from billing_pipeline.errors import BadInput
from tests.vendor_files import convert_bytes, convert_file
from tests.vendors.ms_nce.nce_rows import METER, NCE, json_lines, nce_csv, nce_rows


def test_seats_keep_ids_as_text_and_subtotal_is_the_cost(tmp_path: Path) -> None:
    (row,) = nce_rows(tmp_path, {})

    assert row["billing_account_id"] == NCE["PartnerId"]
    assert (row["sub_account_id"], row["sub_account_name"]) == (NCE["CustomerId"], "Acme")
    assert (row["sku_id"], row["sku_price_id"]) == ("CFQ7TTC0LDPB:0001", "CFQ7TTC0LDPB:0001:CFQ7TTC0K18P")
    assert (row["billed_cost"], row["x_tax_total"]) == (Decimal("47.60"), Decimal("11.42"))
    assert (row["pricing_quantity"], row["pricing_unit"]) == (10, "Licenses")
    assert (row["billing_period"], row["invoice_id"]) == ("2026-10", "G002297372")
    assert row["charge_period_start"] == datetime(2026, 10, 3, tzinfo=UTC)
    assert row["charge_period_end"] == datetime(2026, 11, 3, tzinfo=UTC)
    assert (row["service_category"], row["charge_category"], row["charge_frequency"]) == (
        "Licences", "Purchase", "Recurring",
    )  # fmt: skip
    assert (row["list_cost"], row["x_note"], row["x_rounded_amounts"]) == (None, None, None)
    assert str(row["delivery_id"]) == f"src/{NCE['PartnerId']}/2026-10/{str(row['x_file_sha256'])[:12]}"


def test_metered_rows_have_the_total_before_earned_credit_as_srp(tmp_path: Path) -> None:
    (row,) = nce_rows(tmp_path, METER)

    assert (row["charge_category"], row["service_category"]) == ("Usage", "Azure plan")
    assert row["list_cost"] == Decimal("2.211764705882352941")
    assert row["x_note"] is None


def test_metered_rows_without_earned_credit_have_their_cost_as_srp(tmp_path: Path) -> None:
    (row,) = nce_rows(tmp_path, {**METER, "PriceAdjustmentDescription": ""})

    assert row["list_cost"] == Decimal("1.88")


def test_billable_quantity_counts_not_quantity_and_a_stand_in_is_told(tmp_path: Path) -> None:
    changed, absent = nce_rows(
        tmp_path, {"Quantity": "3", "BillableQuantity": "10"}, {"Quantity": "3", "BillableQuantity": ""}
    )

    assert (changed["pricing_quantity"], changed["x_note"]) == (10, None)
    assert (absent["pricing_quantity"], absent["x_note"]) == (
        3,
        "BillableQuantity is absent, Quantity stands in for it",
    )


def test_a_change_of_quantity_is_two_rows_of_one_charge_type_and_both_count(tmp_path: Path) -> None:
    rows = nce_rows(
        tmp_path,
        {"ChargeType": "addQuantity", "BillableQuantity": "-10", "Subtotal": "-47.60"},
        {"ChargeType": "addQuantity", "BillableQuantity": "14", "Subtotal": "66.64"},
        {"ChargeType": "cancelImmediate", "BillableQuantity": "-3", "Subtotal": "-14.28"},
    )

    assert [row["billed_cost"] for row in rows] == [Decimal("-47.60"), Decimal("66.64"), Decimal("-14.28")]
    assert {(row["x_charge_nature"], row["x_note"]) for row in rows} == {("usage", None)}


@pytest.mark.parametrize(
    ("change", "nature", "category"),
    [
        ({}, "usage", "Purchase"),
        ({"ChargeType": "customerCredit", "Subtotal": "-5"}, "credit", "Credit"),
        ({"CreditReasonCode": "Azure Credit Applied", "Subtotal": "0"}, "credit", "Credit"),
        ({"CreditReasonCode": "NA"}, "usage", "Purchase"),
        ({"CreditReasonCode": "Azure Credit Applied"}, "usage", "Purchase"),
        ({"ChargeType": "rounding"}, "rounding", "Adjustment"),
        ({"Subtotal": "0", "ProductQualifiers": '["Trial"]'}, "free_tier", "Purchase"),
        ({"Subtotal": "0", "ProductName": "Power BI (free)"}, "free_tier", "Purchase"),
        ({"Subtotal": "0"}, "usage", "Purchase"),
        ({"ProductQualifiers": '["Trial"]'}, "usage", "Purchase"),
    ],
)
def test_charge_type_and_reason_decide_the_nature(
    change: dict[str, str], nature: str, category: str, tmp_path: Path
) -> None:
    (row,) = nce_rows(tmp_path, change)

    assert (row["x_charge_nature"], row["charge_category"]) == (nature, category)


@pytest.mark.parametrize(
    ("change", "is_noted"),
    [
        ({"Subtotal": "47.61"}, False),
        ({"Subtotal": "47.59"}, False),
        ({"Subtotal": "47.62"}, True),
        ({"Subtotal": "47.58"}, True),
        # The rate is applied per seat and cut: ROUNDDOWN(4.76 * 0.9999, 2) * 10.
        ({"Subtotal": "47.50", "PCToBCExchangeRate": "0.9999"}, False),
        ({**METER, "Subtotal": "1.87"}, False),
        ({**METER, "Subtotal": "1.90"}, True),
        # Cut towards zero: ROUNDDOWN(-2.046375, 2) * 0.923 = -1.88292.
        ({**METER, "BillableQuantity": "-53.5", "Subtotal": "-1.88"}, False),
        ({**METER, "BillableQuantity": "-53.5", "Subtotal": "1.88"}, True),
        ({"Subtotal": "47", "Currency": "JPY"}, False),
        ({"Subtotal": "46", "Currency": "JPY"}, True),
        ({"Subtotal": "99", "EffectiveUnitPrice": ""}, False),
        ({"Subtotal": "99", "EffectiveUnitPrice": "12345678901234567890"}, False),
    ],
)
def test_a_subtotal_off_the_documented_arithmetic_is_taken_and_noted(
    change: dict[str, str], is_noted: bool, tmp_path: Path
) -> None:
    (row,) = nce_rows(tmp_path, change)

    assert row["billed_cost"] == Decimal(change["Subtotal"])
    assert ("documented arithmetic" in str(row["x_note"])) == is_noted
    assert (row["x_expected_cost"] is not None) == is_noted


@pytest.mark.parametrize(
    ("text", "tenant"), [("", None), ("org:196E2273-9651", "196E2273-9651"), ("196e2273-9651", "196e2273-9651")]
)
def test_a_tenant_is_the_same_in_every_carrier_and_none_is_unmapped(
    text: str, tenant: str | None, tmp_path: Path
) -> None:
    (row,) = nce_rows(tmp_path, {"CustomerId": text})

    assert row["sub_account_id"] == tenant


def test_one_file_bills_one_month_the_latest_that_a_charge_starts_in(tmp_path: Path) -> None:
    rows = nce_rows(
        tmp_path,
        {"ChargeStartDate": "9/12/2026", "ChargeType": "cancelImmediate"},
        {"ChargeStartDate": "10/31/2026", "ChargeEndDate": "10/30/2027"},
        {"ChargeStartDate": "", "SubscriptionStartDate": "3/1/2025"},
    )

    assert [row["billing_period"] for row in rows] == ["2026-10"] * 3
    assert [str(row["charge_period_start"])[:10] for row in rows] == ["2026-09-12", "2026-10-31", "2025-03-01"]
    assert {str(row["delivery_id"]) for row in rows} == {str(rows[0]["delivery_id"])}


def test_a_file_without_any_date_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the billing month is unknown"):
        nce_rows(tmp_path, {"ChargeStartDate": "", "SubscriptionStartDate": "", "OrderDate": ""})


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("1/2/2026", datetime(2026, 1, 2, tzinfo=UTC)),
        ("01/02/2026 0:00", datetime(2026, 1, 2, tzinfo=UTC)),
        ("1/2/2026 12:05:06 AM", datetime(2026, 1, 2, 0, 5, 6, tzinfo=UTC)),
        ("1/2/2026 12:05 PM", datetime(2026, 1, 2, 12, 5, tzinfo=UTC)),
        ("2026-01-02T09:22:40.1767993-08:00", datetime(2026, 1, 2, 17, 22, 40, 176799, tzinfo=UTC)),
    ],
)
def test_dates_are_month_first_or_iso(text: str, start: datetime, tmp_path: Path) -> None:
    (row,) = nce_rows(tmp_path, {"ChargeStartDate": text})

    assert row["charge_period_start"] == start


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("Subtotal", "4,76", "no number"),
        ("Subtotal", "", "must not be empty"),
        ("Subtotal", "0.1234567890123456789", "more than 18 decimals"),
        ("TaxTotal", "n/a", "no number"),
        ("BillableQuantity", "ten", "no number"),
        ("Currency", "EURO", "ISO 4217"),
        ("ChargeStartDate", "13/1/2026", "no such date"),
        ("ChargeStartDate", "1/2/26", "no date and time"),
        ("ChargeStartDate", "1/2/2026 25:00", "no such date"),
        ("PartnerId", "", "must not be empty"),
    ],
)
def test_a_bad_cell_is_named(column: str, value: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        nce_rows(tmp_path, {}, {column: value})

    assert (caught.value.row, caught.value.column, caught.value.value) == (2, column, value)
    assert reason in caught.value.reason


def test_unbilled_rows_are_counted_and_a_file_without_the_column_is_unbilled_too(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(nce_csv({"InvoiceNumber": ""}, {}))
    converted = convert_file("ms_nce", path, tmp_path / "out.parquet")
    assert (converted.has_invoice_id_column, converted.groups[0].rows_without_invoice_id) == (True, 1)

    path.write_text(nce_csv({}).replace("InvoiceNumber", "Something"))
    converted = convert_file("ms_nce", path, tmp_path / "out.parquet")
    assert (converted.has_invoice_id_column, converted.groups[0].rows_without_invoice_id) == (True, 1)


def test_the_tax_of_the_rows_is_the_tax_of_the_invoice(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(nce_csv({}, {"TaxTotal": "-1.42"}, {"TaxTotal": ""}))

    (group,) = convert_file("ms_nce", path, tmp_path / "out.parquet").groups

    assert (group.total_cost, group.tax_total, group.net_total) == (Decimal("142.80"), Decimal("10.00"), None)


def test_json_lines_give_the_same_rows_as_the_csv(tmp_path: Path) -> None:
    from_csv = convert_bytes("ms_nce", tmp_path, nce_csv({}, METER).encode())
    records = [{name: value for name, value in {**NCE, **change}.items() if value} for change in ({}, METER)]
    from_json = convert_bytes("ms_nce", tmp_path, json_lines(*records), "in.jsonl")

    ignored = ("delivery_id", "x_file_name", "x_file_sha256")
    assert from_json.drop(ignored).equals(from_csv.drop(ignored))


def test_a_member_that_only_later_lines_have_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.carriers.CHUNK_BYTES", 1500)
    records = [{name: value for name, value in NCE.items() if name != "CustomerName"} for _ in range(9)]
    rows = convert_bytes("ms_nce", tmp_path, json_lines(*records, {**records[0], "customerName": "Late"}), "in.jsonl")

    assert rows["sub_account_name"].to_list() == [NCE["CustomerDomainName"]] * 9 + ["Late"]


def test_two_spellings_of_one_column_in_a_line_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="two members mean the same column") as caught:
        convert_bytes("ms_nce", tmp_path, json_lines(NCE, {**NCE, "subTotal": "1"}), "in.jsonl")
    assert (caught.value.row, caught.value.column) == (2, "subTotal")
