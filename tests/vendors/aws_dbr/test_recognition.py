"""A detailed billing report is told by its header; it states no currency, so its source must."""

from pathlib import Path

import pytest

from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.aws_dbr import AWS_DBR
from billing_pipeline.vendors.header import match_header
from billing_pipeline.vendors.registry import FORMATS, recognise, require_format
from tests.vendors.aws_dbr.rows import PLAIN


def listed(folder: Path, name: str) -> list[str]:
    return (folder / "columns" / name).read_text().split("\n")


def test_the_listed_columns_are_recognised_and_no_other_formats(shared_data: Path) -> None:
    header = [name for name in listed(shared_data, "aws_dbr_resources_tags.txt") if name]

    assert require_format("aws_dbr", header, "f") is AWS_DBR
    assert [name for name, other in FORMATS.items() if AWS_DBR.recognise(list(other.columns))] == ["aws_dbr"]


def test_the_monthly_report_which_sums_these_rows_is_not_taken_for_it(shared_data: Path) -> None:
    header = [
        name.removesuffix("(cost-allocation-only)")
        for name in listed(shared_data, "aws_monthly_and_cost_allocation.txt")
    ]

    assert recognise(header) is None


def test_an_account_of_its_own_has_cost_in_place_of_unblended_cost() -> None:
    header = ["Rate" if name == "UnBlendedRate" else "Cost" if name == "UnBlendedCost" else name for name in PLAIN]

    match = match_header(AWS_DBR, header, "f", currency_is_known=True)

    assert match.own_names["un_blended_cost"] == "Cost"


def test_without_a_currency_of_the_source_the_file_is_refused_saying_where_to_state_it() -> None:
    with pytest.raises(BadInput, match=r"missing columns .*: currency; where the files have none, billing.toml states"):
        match_header(AWS_DBR, list(PLAIN), "f")


def test_tags_keep_the_whole_header_as_their_key() -> None:
    header = [*PLAIN, "aws:createdBy", "user:name"]

    assert list(match_header(AWS_DBR, header, "f", currency_is_known=True).tags) == [
        "aws:createdBy",
        "user:Name",
        "user:name",
    ]


def test_a_tag_column_that_stands_twice_is_refused() -> None:
    with pytest.raises(BadInput, match="appears twice"):
        match_header(AWS_DBR, [*PLAIN, "user:Name"], "f", currency_is_known=True)


@pytest.mark.parametrize(
    ("file", "month"),
    [
        ("1-aws-billing-detailed-line-items-with-resources-and-tags-2026-10.csv", "2026-10"),
        ("x-2026-10.csv.zip", "2026-10"),
        ("x-2026-10.zip", "2026-10"),
        ("received=2026-11-05/2025-01.d/x-2026-10.csv", "2026-10"),
        ("received=2026-11-05/report.csv", None),
        ("x-2026-13.csv", None),
        ("x-2026-10-05.csv", None),
        ("x-12026-10.csv", None),
    ],
)
def test_the_month_is_in_the_files_name_not_in_its_folders(file: str, month: str | None) -> None:
    assert AWS_DBR.control_rows is not None
    assert AWS_DBR.control_rows.month_of(file) == month
