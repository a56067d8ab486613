"""A format's columns are found by name, and only its own files are taken for it."""

import csv
import json
from pathlib import Path

import pytest

from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.aws_cur import AWS_CUR
from billing_pipeline.vendors.distributor_invoice import DISTRIBUTOR_INVOICE
from billing_pipeline.vendors.focus import FOCUS
from billing_pipeline.vendors.format import VendorFormat, normalise_header
from billing_pipeline.vendors.header import match_header
from billing_pipeline.vendors.registry import FORMATS, recognise, require_format


@pytest.mark.parametrize(
    "text", ["lineItem/UnblendedCost", "line_item_unblended_cost", "LineItemUnblendedCost", "LINEITEM/UNBLENDEDCOST"]
)
def test_spellings_of_one_column_are_the_same(text: str) -> None:
    assert normalise_header(text) == "lineitemunblendedcost"


@pytest.mark.parametrize("vendor_format", FORMATS.values(), ids=lambda vendor_format: vendor_format.name)
def test_each_format_recognises_its_own_header_in_any_order_and_no_other(vendor_format: VendorFormat) -> None:
    header = list(reversed(vendor_format.columns))

    assert recognise(header) is vendor_format
    assert match_header(vendor_format, header, "f").positions[header[0]] == 0


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2", "v1.3", "v1.4"])
def test_every_version_of_focus_is_recognised(version: str, shared_data: Path) -> None:
    versions = json.loads((shared_data / "columns" / "focus_columns_by_version.json").read_text())
    header = {
        "v1.3": versions["v1.3_header_from_focus-data-toolkit"],
        "v1.4": [column["name"] for column in versions["v1.4"]["Cost and Usage"]],
    }.get(version) or [column["name"] for column in versions[version]]

    assert require_format("focus", header, "f") is FOCUS
    assert match_header(FOCUS, header, "f").own_names["billed_cost"] == "BilledCost"


def test_the_real_aws_header_is_recognised(shared_data: Path) -> None:
    header = (shared_data / "columns" / "aws_cur_real_sample_header.txt").read_text().split()

    assert require_format("aws_cur", header, "f") is AWS_CUR
    assert match_header(AWS_CUR, header, "f").own_names["pricing_unit"] == "pricing/unit"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("azure_costs", "azure_mpa_cost_details_2023_12_01.txt"),
        ("gcp_reseller", "gcp_reseller_billing_detailed_export_v1.txt"),
        ("aws_cur", "aws_cur_real_sample_header.txt"),
        ("aws_dbr", "aws_dbr_resources_tags.txt"),
        ("ms_nce", "nce_recon.txt"),
        ("ms_daily", "daily_rated_usage.txt"),
    ],
)
def test_every_documented_header_is_its_own_formats_and_no_others(name: str, file: str, shared_data: Path) -> None:
    lines = (shared_data / "columns" / file).read_text().split()
    # A repeated field of Google's is one column.
    header = list(dict.fromkeys(line.partition("[]")[0] for line in lines))

    for other in FORMATS:
        if other == name:
            assert require_format(other, header, "f").name == name
        else:
            with pytest.raises(BadInput, match=r"unknown format|the source expects"):
                require_format(other, header, "f")


def test_a_cur_2_0_file_is_not_taken_for_the_legacy_report(shared_data: Path) -> None:
    with pytest.raises(BadInput, match=r"this is an AWS Cost and Usage Report 2\.0, the source expects"):
        require_format("aws_cur", [*AWS_CUR.columns, "product", "resource_tags"], "f")

    with (shared_data / "aws" / "cur_2_0_header_sample.csv").open(encoding="utf-8-sig", newline="") as stream:
        few_columns = next(csv.reader(stream))
    with pytest.raises(BadInput, match=r"missing columns|unknown format"):
        match_header(require_format("aws_cur", few_columns, "f"), few_columns, "f")


def test_a_file_of_another_format_is_named() -> None:
    with pytest.raises(BadInput, match="this is a FOCUS file, the source expects a distributor invoice"):
        require_format("distributor_invoice", list(FOCUS.columns), "f")


def test_all_missing_columns_are_named_in_one_error() -> None:
    header = [name for name in FOCUS.columns if name not in ("billed_cost", "billing_currency", "tags")]

    with pytest.raises(BadInput) as caught:
        match_header(FOCUS, header, "f")

    assert caught.value.reason == "missing columns of a FOCUS file: billed_cost, billing_currency"


def test_the_currency_column_may_be_missing_when_the_source_states_the_currency() -> None:
    header = [name for name in FOCUS.columns if name != "billing_currency"]

    assert "billing_currency" not in match_header(FOCUS, header, "f", currency_is_known=True).positions


@pytest.mark.parametrize("again", ["BilledCost", "billed_cost", "Extra"])
def test_a_column_that_appears_twice_is_refused(again: str) -> None:
    header = [*FOCUS.columns, "Extra", again]

    with pytest.raises(BadInput, match=r"appears (twice|2 times) in the header"):
        match_header(FOCUS, header, "f")


def test_extra_columns_of_vendors_are_ignored_and_of_our_own_format_refused() -> None:
    assert match_header(FOCUS, [*FOCUS.columns, "x_Discount"], "f").positions

    with pytest.raises(BadInput, match="unknown columns in a distributor invoice: 'Rebate'") as caught:
        match_header(DISTRIBUTOR_INVOICE, [*DISTRIBUTOR_INVOICE.columns, "Rebate"], "f")
    assert caught.value.column == "Rebate"


def test_tag_columns_are_found_by_prefix_and_sorted_by_key() -> None:
    header = [*AWS_CUR.columns, "resourceTags/user:owner", "resourceTags/aws:createdBy", "resourceTags/user:Owner"]

    assert list(match_header(AWS_CUR, header, "f").tags) == ["aws:createdBy", "user:Owner", "user:owner"]
