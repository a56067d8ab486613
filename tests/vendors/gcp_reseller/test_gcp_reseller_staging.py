"""Rows of Google's reseller export become canonical rows: `sql/staging/gcp_reseller.sql`."""

import gzip
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from billing_pipeline.errors import BadInput
from tests.vendor_files import convert_bytes, convert_file
from tests.vendors.gcp_reseller.gcp_files import changed, credit, json_lines, parquet_bytes, rows

NOTHING = {"customer_cost": None, "cost_at_list": None}
OWN = ("delivery_id", "x_file_name", "x_file_sha256")


def instant(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def exact_amounts(found: list[dict[str, Any]]) -> Decimal:
    """The rows' cost with what rounding took: billed_cost plus the digits that x_rounded_amounts has beyond it."""
    parts = [row["billed_cost"] for row in found]
    for row in found:
        for part in (row["x_rounded_amounts"] or "").split("; "):
            name, _, text = part.partition("=")
            if name in ("cost", "credits.amount"):
                parts += [Decimal(text), -Decimal(text).quantize(Decimal("1e-18"), "ROUND_HALF_UP")]
    return exact_sum(parts)


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum with all its digits; Python's own context keeps 28."""
    with localcontext(prec=100):
        return sum(amounts, Decimal(0))


def test_a_usage_row_is_the_subaccounts_and_the_invoice_months(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, {})

    assert (row["billing_account_id"], row["sub_account_id"]) == ("00B-PAYER", "01A-CUSTOMER")
    assert (row["sub_account_name"], row["sku_id"]) == ("Acme", "0012")
    assert (row["billed_cost"], row["list_cost"], row["x_customer_cost"]) == (10, Decimal("12.5"), 11)
    assert (row["billing_period"], row["billing_period_end"]) == ("2026-10", instant(11, 1))
    assert (row["charge_period_start"], row["charge_period_end"]) == (instant(10, 1, 7), instant(10, 1, 8))
    assert (row["pricing_quantity"], row["pricing_unit"]) == (1, "hour")
    assert row["tags"] == '{"env": "prod", "owner": "Zoë \\"Z\\""}'
    assert (row["invoice_id"], row["x_rounded_amounts"]) == (None, None)


def test_usage_of_an_earlier_day_belongs_to_the_month_that_invoices_it(tmp_path: Path) -> None:
    (row,) = rows(
        tmp_path,
        {"usage_start_time": "2026-09-30 23:00:00 UTC", "usage_end_time": "2026-10-01 00:00:00 UTC"},
    )

    assert (row["billing_period"], row["charge_period_start"]) == ("2026-10", instant(9, 30, 23))


def test_reseller_margin_is_a_row_of_its_own_and_other_credits_lower_the_cost(tmp_path: Path) -> None:
    credits = [
        credit("RESELLER_MARGIN", -1.2, 0),
        credit("SUSTAINED_USAGE_DISCOUNT", -0.5, -0.55),
        credit("PROMOTION", "-0.25", "-0.25"),
        credit("RESELLER_MARGIN", -0.1, 0),
    ]
    usage, margin = rows(tmp_path, {"credits": credits})

    assert (usage["x_charge_nature"], usage["billed_cost"], usage["row_number"]) == ("usage", Decimal("9.25"), 1)
    assert (margin["x_charge_nature"], margin["billed_cost"], margin["row_number"]) == (
        "partner_discount", Decimal("-1.3"), 1,
    )  # fmt: skip
    assert usage["x_customer_cost"] == Decimal("10.20")
    assert (margin["pricing_quantity"], margin["list_cost"], margin["x_customer_cost"]) == (None, None, None)
    assert (margin["charge_category"], margin["sub_account_id"]) == ("Credit", "01A-CUSTOMER")


@pytest.mark.parametrize(
    ("change", "nature", "category", "charge_class"),
    [
        ({}, "usage", "Usage", None),
        ({"cost_type": "tax", **NOTHING}, "tax", "Tax", None),
        ({"cost_type": "rounding_error", **NOTHING}, "rounding", "Adjustment", None),
        ({"cost_type": "adjustment", **NOTHING}, "credit", "Adjustment", "Correction"),
        ({"transaction_type": "THIRD_PARTY_RESELLER"}, "marketplace_fee", "Usage", None),
        ({"transaction_type": "THIRD_PARTY_AGENCY"}, "marketplace_fee", "Usage", None),
        ({"transaction_type": "THIRD_PARTY_RESELLER", "cost_type": "tax", **NOTHING}, "tax", "Tax", None),
        ({"transaction_type": None}, "usage", "Usage", None),
        ({"credits": [credit("FREE_TIER", -10.0, -11.0)]}, "free_tier", "Usage", None),
        ({"credits": [credit("FREE_TIER", -9.0, -9.9)]}, "usage", "Usage", None),
        # One of the two rows of a commitment costs nothing: it stays, and is no free tier.
        ({"cost": 0.0, "customer_cost": 0.0, "cost_at_list": 0.0}, "usage", "Usage", None),
    ],
)
def test_what_a_row_is_follows_from_cost_type_seller_and_credits(
    change: dict[str, Any], nature: str, category: str, charge_class: str | None, tmp_path: Path
) -> None:
    (row,) = rows(tmp_path, change)

    assert (row["x_charge_nature"], row["charge_category"], row["charge_class"]) == (nature, category, charge_class)


def test_tax_adjustment_and_rounding_have_no_customer_amount(tmp_path: Path) -> None:
    found = rows(tmp_path, *({"cost_type": kind, **NOTHING} for kind in ("tax", "adjustment", "rounding_error")))

    assert [row["x_customer_cost"] for row in found] == [None] * 3


@pytest.mark.parametrize(
    ("change", "list_cost"),
    [
        ({"cost_at_list": None}, "10"),
        ({"cost_at_list": 0.0}, None),
        ({"cost_at_list": 0.0, "cost": 0.0}, "0"),
        # What a commitment covers was charged when it was bought; the reseller's margin never lowers the SRP.
        ({"credits": [credit("COMMITTED_USAGE_DISCOUNT", -10.0)], "cost_at_list": 10.0}, "0"),
        ({"credits": [credit("COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE", -4.0)]}, "8.5"),
        ({"credits": [credit("FREE_TIER", -2.0)]}, "10.5"),
        ({"credits": [credit("SUSTAINED_USAGE_DISCOUNT", -2.0)]}, "12.5"),
        ({"credits": [credit("RESELLER_MARGIN", -2.0)]}, "12.5"),
    ],
)
def test_the_srp_is_the_cost_at_list_or_the_cost(change: dict[str, Any], list_cost: str | None, tmp_path: Path) -> None:
    row = rows(tmp_path, change)[0]

    assert row["list_cost"] == (None if list_cost is None else Decimal(list_cost))


def test_a_member_that_a_row_lacks_is_absent(tmp_path: Path) -> None:
    row = changed({})
    for name in ("credits", "labels", "customer_cost", "cost_at_list", "usage", "location", "transaction_type"):
        del row[name]
    second = convert_bytes("gcp_reseller", tmp_path, json_lines(changed({}), row), "in.jsonl").to_dicts()[1]

    assert (second["billed_cost"], second["list_cost"], second["tags"]) == (10, 10, None)
    assert second["pricing_quantity"] is None


def test_the_digits_of_doubles_are_kept_or_the_row_says_what_was_rounded(tmp_path: Path) -> None:
    texts = ["0.1", "0.30000000000000004", "1.2345678901234568e-05", "5.421e-20", "-7.000000000000001e-07"]
    margin = "-1.1102230246251565e-16"
    given = [{"cost": float(text), "credits": [credit("RESELLER_MARGIN", float(margin))]} for text in texts]

    found = rows(tmp_path, *given)

    assert exact_amounts(found) == exact_sum(map(Decimal, [*texts, *[margin] * len(texts)]))
    assert [row["x_rounded_amounts"] for row in found[::2]] == [
        None, None, "cost=1.2345678901234568e-05", "cost=5.421e-20", "cost=-7.000000000000001e-07",
    ]  # fmt: skip
    assert {row["x_rounded_amounts"] for row in found[1::2]} == {f"credits.amount={margin}"}
    assert sum(row["billed_cost"] for row in found[::2]) == Decimal("0.400011645678901275")


@pytest.mark.parametrize("text", ["10.25", "1.025E1", "10.2500000000000000000000"])
def test_numbers_may_stand_as_texts(text: str, tmp_path: Path) -> None:
    (row,) = rows(tmp_path, {"cost": text, "customer_cost": text, "cost_at_list": text})

    assert row["billed_cost"] == row["list_cost"] == row["x_customer_cost"] == Decimal("10.25")


@pytest.mark.parametrize("amount", [pa.float64(), pa.decimal128(38, 9), pa.decimal256(76, 38)], ids=str)
@pytest.mark.parametrize("wrapped", [False, True], ids=["plain lists", "wrapped lists"])
def test_parquet_gives_the_same_rows_as_json(amount: pa.DataType, wrapped: bool, tmp_path: Path) -> None:
    given = [
        changed({}),
        changed({"cost": 0.5, **NOTHING, "labels": []}),
        changed({"credits": [credit("RESELLER_MARGIN", -2.0, 0.0), credit("PROMOTION", -1.5)]}),
    ]
    from_json = convert_bytes("gcp_reseller", tmp_path, json_lines(*given), "in.jsonl")
    from_parquet = convert_bytes("gcp_reseller", tmp_path, parquet_bytes(given, amount, wrapped=wrapped), "in.parquet")

    assert from_parquet.drop(OWN).to_dicts() == from_json.drop(OWN).to_dicts()


def test_json_lines_in_gzip_give_the_same_rows(tmp_path: Path) -> None:
    content = json_lines(changed({}), changed({"cost": 2.5}))
    plain = convert_bytes("gcp_reseller", tmp_path, content, "in.jsonl")

    for name in ("in.jsonl.gz", "in.json.gz"):
        packed = convert_bytes("gcp_reseller", tmp_path, gzip.compress(content), name)
        assert packed.drop(OWN).equals(plain.drop(OWN))


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"cost": "ten"}, "cost", "no number"),
        ({"cost": None}, "cost", "must not be empty"),
        ({"customer_cost": "1,5"}, "customer_cost", "no number"),
        ({"credits": [credit("PROMOTION", "much")]}, "credits", "no number"),
        ({"credits": "none"}, "credits", "no JSON list"),
        ({"credits": ["x"]}, "credits", "no JSON list of objects"),
        ({"invoice.month": "202613"}, "invoice.month", "no month"),
        ({"invoice.month": "October"}, "invoice.month", "no month"),
        ({"cost_type": "gift"}, "cost_type", "one of regular"),
        ({"currency": "EURO"}, "currency", "ISO 4217"),
        ({"usage_start_time": "yesterday"}, "usage_start_time", "no date and time"),
        ({"payer_billing_account_id": ""}, "payer_billing_account_id", "must not be empty"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column(
    change: dict[str, Any], column: str, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput) as caught:
        rows(tmp_path, {}, change, {})

    assert (caught.value.row, caught.value.column) == (2, column)
    assert reason in caught.value.reason


def test_a_bad_credit_of_a_parquet_is_named(tmp_path: Path) -> None:
    content = parquet_bytes([changed({}), changed({"credits": [credit("PROMOTION", float("nan"))]})], pa.float64())

    with pytest.raises(BadInput, match="no number") as caught:
        convert_bytes("gcp_reseller", tmp_path, content, "in.parquet")
    assert (caught.value.row, caught.value.column) == (2, "credits")


def test_a_file_of_two_invoice_months_is_a_delivery_of_each(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(json_lines(changed({}), changed({"invoice.month": "202611"})))

    converted = convert_file("gcp_reseller", tmp_path / "in.jsonl", tmp_path / "out.parquet")
    assert [group.billing_period for group in converted.groups] == ["2026-10", "2026-11"]
    assert not converted.has_invoice_id_column


def test_rows_stay_in_the_order_of_the_file(tmp_path: Path) -> None:
    given = [changed({"cost": float(number), "credits": [credit("RESELLER_MARGIN", -0.5)]}) for number in range(300)]

    found = convert_bytes("gcp_reseller", tmp_path, json_lines(*given), "in.jsonl")
    assert found["row_number"].to_list() == [number for number in range(1, 301) for _ in range(2)]
    assert found.filter(pl.col("x_charge_nature") == "usage")["billed_cost"].to_list() == list(range(300))
