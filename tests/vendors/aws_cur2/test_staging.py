"""Rows of a CUR 2.0 become canonical rows: `sql/staging/aws_cur2.sql`."""

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from billing_pipeline.errors import BadInput
from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from tests.vendor_files import convert_bytes, convert_file
from tests.vendors.aws_cur2.rows import parquet_of, rows_of, text_of


def test_a_usage_row_keeps_ids_as_text_and_amounts_exact(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, {})

    assert (row["billing_account_id"], row["billing_account_name"]) == ("000111111111", "Meltemi")
    assert (row["sub_account_id"], row["sub_account_name"]) == ("012345678901", "production")
    assert (row["sku_id"], row["sku_price_id"]) == ("0012", "0012.X")
    assert (row["billed_cost"], row["list_cost"]) == (Decimal("0.0000012"), Decimal("0.0000024"))
    assert (row["pricing_quantity"], row["pricing_unit"]) == (Decimal(3), "Requests")
    assert (row["billing_period"], row["charge_period_end"]) == ("2026-10", datetime(2026, 10, 1, 1, tzinfo=UTC))
    assert (row["service_name"], row["service_category"]) == ("Amazon Simple Storage Service", "API Request")
    assert (row["region_id"], row["resource_id"], row["invoice_id"]) == ("eu-west-1", "assets", None)
    assert row["x_row_key"] == "abc|2026-10-01T00:00:00Z/2026-10-02T00:00:00Z"
    assert str(row["delivery_id"]) == f"src/000111111111/2026-10/{str(row['x_file_sha256'])[:12]}"


def test_the_rows_fulfil_the_contract_without_floating_point(tmp_path: Path) -> None:
    rows = convert_bytes("aws_cur2", tmp_path, text_of({}).encode())

    VENDOR_CHARGES.pandera_schema().validate(rows)
    assert not [name for name, type_ in rows.schema.items() if type_.is_float()]


@pytest.mark.parametrize(
    ("change", "nature", "category"),
    [
        ({}, "usage", "Usage"),
        ({"line_item_line_item_type": "Tax", "line_item_usage_type": ""}, "tax", "Tax"),
        ({"bill_billing_entity": "AWS Marketplace"}, "marketplace_fee", "Usage"),
        ({"line_item_line_item_type": "Credit", "line_item_unblended_cost": "-5"}, "credit", "Credit"),
        ({"line_item_line_item_type": "Refund", "line_item_unblended_cost": "-5"}, "credit", "Credit"),
        ({"line_item_line_item_type": "SppDiscount"}, "partner_discount", "Adjustment"),
        ({"line_item_line_item_type": "Rounding"}, "rounding", "Adjustment"),
        ({"line_item_line_item_type": "SavingsPlanNegation", "line_item_unblended_cost": "-5"}, "usage", "Usage"),
        ({"line_item_line_item_type": "RIFee"}, "usage", "Purchase"),
        ({"line_item_line_item_description": "are free", "line_item_unblended_cost": "0.0"}, "free_tier", "Usage"),
        ({"line_item_line_item_description": "are free", "line_item_unblended_cost": "1E-10"}, "usage", "Usage"),
    ],
)
def test_line_item_types_decide_the_nature(change: dict[str, str], nature: str, category: str, tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, change)

    assert (row["x_charge_nature"], row["charge_category"]) == (nature, category)


def test_natures_are_decided_word_for_word_as_in_the_legacy_report() -> None:
    def rules(name: str) -> str:
        return load_sql(name).partition("classified as (")[2].partition("canonical as (")[0]

    assert rules("staging/aws_cur2")
    assert rules("staging/aws_cur2") == rules("staging/aws_cur")


def test_tags_keep_keys_sorted_and_what_has_no_value_out(tmp_path: Path) -> None:
    rows = rows_of(
        tmp_path,
        {"resource_tags": '{"user_team":"a","user_owner":"Zo\\u00eb \\"Z\\"","n":null,"flag":true,"count":1.50}'},
        {"resource_tags": "{}", "identity_line_item_id": "2"},
        {"resource_tags": "", "identity_line_item_id": "3"},
        {"resource_tags": "NULL", "identity_line_item_id": "4"},
    )

    assert [row["tags"] for row in rows] == [
        '{"count": "1.50", "flag": "true", "user_owner": "Zoë \\"Z\\"", "user_team": "a"}',
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("change", "name", "region"),
    [
        ({}, "Amazon Simple Storage Service", "eu-west-1"),
        ({"product": "{}"}, "AmazonS3", "eu-west-1"),
        ({"product": '{"region":"us-east-1"}', "product_region_code": ""}, "AmazonS3", "us-east-1"),
        ({"product_product_name": "S3, queried by its key", "product": ""}, "S3, queried by its key", "eu-west-1"),
    ],
)
def test_product_attributes_come_from_a_column_or_the_map(
    change: dict[str, str], name: str, region: str, tmp_path: Path
) -> None:
    (row,) = rows_of(tmp_path, change)

    assert (row["service_name"], row["region_id"]) == (name, region)


def test_a_missing_map_is_nothing_that_is_needed(tmp_path: Path) -> None:
    text = text_of({}, without=("product", "resource_tags"))

    (row,) = convert_bytes("aws_cur2", tmp_path, text.encode()).to_dicts()

    assert (row["service_name"], row["tags"]) == ("AmazonS3", None)


@pytest.mark.parametrize("amounts", [pa.float64(), pa.decimal128(38, 18)], ids=str)
def test_parquet_with_maps_gives_the_rows_of_the_csv(amounts: pa.DataType, tmp_path: Path) -> None:
    changes = (
        {},
        {"identity_line_item_id": "2", "line_item_unblended_cost": "0.1", "resource_tags": "{}", "product": "{}"},
        {"identity_line_item_id": "3", "resource_tags": '{"a":"\\"quoted\\", \\\\ and 你好"}'},
    )
    differing = ("delivery_id", "x_file_name", "x_file_sha256")
    expected = convert_bytes("aws_cur2", tmp_path, text_of(*changes).encode()).drop(differing)
    path = tmp_path / "in.snappy.parquet"
    parquet_of(path, *changes, amounts=amounts)

    found = pl.read_parquet(convert_file("aws_cur2", path, tmp_path / "parquet.parquet").path).drop(differing)

    assert found.to_dicts() == expected.to_dicts()


def test_gzip_and_other_spellings_of_the_header_change_nothing(tmp_path: Path) -> None:
    text = text_of({}, {"identity_line_item_id": "2"})
    differing = ("delivery_id", "x_file_name", "x_file_sha256")
    expected = convert_bytes("aws_cur2", tmp_path, text.encode()).drop(differing)
    header, _, rest = text.partition("\n")
    camel = ",".join("".join(part.title() for part in name.split("_")) for name in header.split(","))

    packed = convert_bytes("aws_cur2", tmp_path, gzip.compress(text.encode()), "in.csv.gz").drop(differing)
    spelled = convert_bytes("aws_cur2", tmp_path, f"\ufeff{camel}\n{rest}".encode(), "camel.csv").drop(differing)

    assert packed.equals(expected)
    assert spelled.equals(expected)


def test_naughty_strings_survive_as_keys_and_values_of_tags(shared_data: Path, tmp_path: Path) -> None:
    strings = json.loads((shared_data / "text" / "naughty_strings.json").read_text())
    maps = [
        json.dumps({"plain": text, text: "plain"}, ensure_ascii=number % 2 == 0) for number, text in enumerate(strings)
    ]
    changes = [{"identity_line_item_id": str(number), "resource_tags": tags} for number, tags in enumerate(maps)]

    rows = rows_of(tmp_path, *changes)

    assert len(rows) == len(strings) > 500
    assert [json.loads(str(row["tags"])) for row in rows] == [json.loads(tags) for tags in maps]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("line_item_unblended_cost", "1.2.3", "no number"),
        ("line_item_unblended_cost", "", "must not be empty"),
        ("line_item_unblended_cost", "1.2345678901234567899E-6", "more than 18 decimals"),
        ("line_item_usage_start_date", "10/01/2026", "no date and time"),
        ("line_item_currency_code", "US$", "ISO 4217"),
        ("line_item_line_item_type", "", "must not be empty"),
        ("resource_tags", "user_team=a", "no JSON object"),
        ("resource_tags", '["a"]', "no JSON object"),
        ("resource_tags", "[]", "no JSON object"),
        ("resource_tags", '{"a":NaN}', "no JSON object"),
        ("resource_tags", '{"a":"1","a":"2"}', "the key 'a' stands twice"),
        ("resource_tags", '{"a":{"b":"c"}}', "neither text nor number"),
        ("resource_tags", '{"a":"\\ud800"}', "Unicode"),
        ("product", "[" * 100_000, "no JSON object"),
    ],
)
def test_a_bad_cell_is_named_by_row_column_and_value(column: str, value: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(text_of({}, {"identity_line_item_id": "2", column: value}))

    with pytest.raises(BadInput) as caught:
        convert_file("aws_cur2", path, tmp_path / "out.parquet")

    assert (caught.value.row, caught.value.column, caught.value.value) == (2, column, value)
    assert reason in caught.value.reason
    assert not (tmp_path / "out.parquet").exists()


def test_a_double_with_more_digits_than_are_kept_is_refused_in_parquet_too(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    parquet_of(path, {}, {"line_item_unblended_cost": "1.2345678901234567e-05"}, amounts=pa.float64())

    with pytest.raises(BadInput, match="more than 18 decimals") as caught:
        convert_file("aws_cur2", path, tmp_path / "out.parquet")

    assert (caught.value.row, caught.value.column) == (2, "line_item_unblended_cost")


def test_a_key_that_stands_twice_in_a_parquet_map_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    parquet_of(path, {}, amounts=pa.float64())
    table = parquet.read_table(path)
    twice = pa.array([[("a", "1"), ("a", "2")]], pa.map_(pa.string(), pa.string()))
    parquet.write_table(table.set_column(table.schema.get_field_index("resource_tags"), "resource_tags", twice), path)

    with pytest.raises(BadInput, match="the key 'a' stands twice") as caught:
        convert_file("aws_cur2", path, tmp_path / "out.parquet")

    assert (caught.value.row, caught.value.column) == (1, "resource_tags")


def test_a_row_key_that_repeats_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(text_of({}, {"identity_line_item_id": "other"}, {}))

    with pytest.raises(BadInput, match="already stands in row 1"):
        convert_file("aws_cur2", path, tmp_path / "out.parquet")


@pytest.mark.parametrize(("invoice", "blank"), [("", 1), ("EUINEU26-1", 0)])
def test_a_blank_invoice_id_means_not_final(invoice: str, blank: int, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(text_of({"bill_invoice_id": invoice}))

    (group,) = convert_file("aws_cur2", path, tmp_path / "out.parquet").groups

    assert (group.rows_without_invoice_id, group.billing_period) == (blank, "2026-10")
