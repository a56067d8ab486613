"""A CUR 2.0 file is told from its siblings by its own columns, whatever their order."""

import csv
from pathlib import Path

import pytest

from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.aws_cur import AWS_CUR
from billing_pipeline.vendors.aws_cur2 import AWS_CUR2
from billing_pipeline.vendors.header import match_header
from billing_pipeline.vendors.registry import FORMATS, recognise, require_format
from tests.vendor_files import AWS, convert_file
from tests.vendors.aws_cur2.rows import MAPS, PLAIN


@pytest.mark.parametrize("map_column", MAPS)
def test_one_map_column_is_enough_to_tell_it_from_the_legacy_report(map_column: str) -> None:
    flat = [name for name in PLAIN if name not in MAPS and name != "bill_payer_account_name"]

    assert recognise([*flat, map_column]) is AWS_CUR2


def test_a_legacy_report_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match=r"this is an AWS Cost and Usage Report \(legacy\), the source expects"):
        require_format("aws_cur2", list(AWS), "f")


def test_the_real_legacy_header_is_refused_by_name(shared_data: Path) -> None:
    header = (shared_data / "columns" / "aws_cur_real_sample_header.txt").read_text().split()
    parquet_header = [name.replace("/", "_") for name in header]

    for names in (header, parquet_header):
        with pytest.raises(BadInput, match="legacy"):
            require_format("aws_cur2", names, "f")


def test_a_header_without_maps_fits_both_reports_and_is_what_the_source_says() -> None:
    # Whoever queries single keys of the maps gets the columns of the legacy Parquet: both read them alike.
    flat = [name for name, column in AWS_CUR2.columns.items() if column.required]

    assert require_format("aws_cur2", flat, "f") is AWS_CUR2
    assert require_format("aws_cur", flat, "f") is AWS_CUR


def test_other_formats_are_not_taken_for_it() -> None:
    assert [name for name, other in FORMATS.items() if AWS_CUR2.recognise(list(other.columns))] == [
        "aws_cur",
        "aws_cur2",
    ]


def test_the_published_sample_is_refused_with_its_missing_columns_named(shared_data: Path, tmp_path: Path) -> None:
    """It has 13 columns; without the line item type nobody can tell usage from tax, nor the month without its dates."""
    path = shared_data / "aws" / "cur_2_0_header_sample.csv"

    with pytest.raises(BadInput) as caught:
        convert_file("aws_cur2", path, tmp_path / "out.parquet", currency="USD")

    assert caught.value.reason == (
        "missing columns of an AWS Cost and Usage Report 2.0: identity_line_item_id, identity_time_interval, "
        "bill_billing_entity, bill_billing_period_start_date, bill_billing_period_end_date, line_item_line_item_type"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_published_sample_without_a_stated_currency_misses_that_too(shared_data: Path) -> None:
    with (shared_data / "aws" / "cur_2_0_header_sample.csv").open(encoding="utf-8-sig", newline="") as stream:
        header = next(csv.reader(stream))

    with pytest.raises(BadInput, match=r"line_item_line_item_type, line_item_currency_code$"):
        match_header(require_format("aws_cur2", header, "f"), header, "f")
