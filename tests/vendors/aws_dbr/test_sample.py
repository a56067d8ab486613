"""The sample of a detailed billing report has AWS's name and totals, and is taken with the vendor's net total."""

import csv
import io
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.aws_dbr import AwsDetailedBillingReport
from billing_pipeline.samples.catalogue import build_world
from resources import sample_aws_files
from tests.vendor_files import convert_file

MONTH = BillingPeriod("2026-10")


def rows_in(path: Path) -> list[dict[str, str]]:
    with zipfile.ZipFile(path) as archive:
        (name,) = archive.namelist()
        assert f"{name}.zip" == path.name
        return list(csv.DictReader(io.StringIO(archive.read(name).decode()), strict=True))


def total(rows: list[dict[str, str]], *record_types: str) -> Decimal:
    return sum((Decimal(row["UnBlendedCost"]) for row in rows if row["RecordType"] in record_types), Decimal(0))


def test_the_name_is_awss_and_the_bytes_repeat(tmp_path: Path) -> None:
    one, two = (sample_aws_files.write_aws_dbr(tmp_path / name, MONTH, rows=500) for name in ("one", "two"))

    assert one.parent.relative_to(tmp_path / "one").as_posix() == "landing/aws-dbr/received=2026-11-08"
    assert one.name.endswith("-aws-billing-detailed-line-items-with-resources-and-tags-2026-10.csv.zip")
    assert one.read_bytes() == two.read_bytes()


def test_the_totals_are_whole_cents_and_rounding_leads_to_them(tmp_path: Path) -> None:
    rows = rows_in(sample_aws_files.write_aws_dbr(tmp_path, MONTH, rows=500))

    assert total(rows, "LineItem", "Rounding") == total(rows, "InvoiceTotal") == total(rows, "StatementTotal")
    assert total(rows, "LineItem") == total(rows, "AccountTotal")
    assert total(rows, "Rounding") != 0
    assert total(rows, "StatementTotal") == round(total(rows, "StatementTotal"), 2)
    taxes = [row for row in rows if row["ItemDescription"].startswith("Tax ")]
    assert taxes
    assert {(row["UsageStartDate"], row["UsageEndDate"], row["UsageType"]) for row in taxes} == {("", "", "")}
    assert any(row["LinkedAccountId"].startswith("0") for row in rows)


def test_the_blocks_costs_are_the_exact_sum_of_the_charges() -> None:
    report = AwsDetailedBillingReport(build_world(), MONTH, 900, seed=3)
    blocks = list(report.blocks())
    rows = list(csv.DictReader(io.StringIO((report.header + b"".join(block.text for block in blocks)).decode())))

    assert sum(block.rows for block in blocks) == len(rows)
    assert sum((block.cost for block in blocks), Decimal(0)) == total(rows, "LineItem")
    assert len({row["RecordId"] for row in rows if row["RecordId"]}) == 900


@pytest.mark.parametrize(("day", "blank"), [(3, 500), (8, 0)])
def test_a_sample_is_taken_with_the_vendors_net_total(day: int, blank: int, tmp_path: Path) -> None:
    path = sample_aws_files.write_aws_dbr(tmp_path, MONTH, rows=500, day=day)
    rows = rows_in(path)

    converted = convert_file("aws_dbr", path, tmp_path / "out.parquet", currency="EUR")

    (group,) = converted.groups
    assert (group.row_count, group.total_cost) == (500, total(rows, "LineItem"))
    assert group.net_total == total(rows, "StatementTotal")
    assert group.net_total - group.total_cost == total(rows, "Rounding")
    assert (group.billing_period, group.currency, group.rows_without_invoice_id) == ("2026-10", "EUR", blank)
