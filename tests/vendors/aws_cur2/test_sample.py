"""The sample of a CUR 2.0 has AWS's layout, and a month of it goes through intake whole, whatever the order."""

import csv
import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.deliveries import Arrival, assemble
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples import aws_cur2
from billing_pipeline.samples.catalogue import build_world
from billing_pipeline.vendors.aws_cur2 import AWS_CUR2
from billing_pipeline.vendors.aws_export_manifest import read_export_manifest
from billing_pipeline.vendors.header import match_header
from resources import sample_aws_files, sample_chunks
from resources.conversion import sha256_of
from tests.vendor_files import convert_file

MONTH = BillingPeriod("2026-10")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def own_sum(paths: list[Path]) -> Decimal:
    texts = [gzip.decompress(path.read_bytes()).decode() for path in paths]
    rows = [row for text in texts for row in csv.DictReader(io.StringIO(text), strict=True)]
    return sum((Decimal(row["line_item_unblended_cost"]) for row in rows), Decimal(0))


def test_the_layout_is_that_of_data_exports_and_the_bytes_repeat(tmp_path: Path) -> None:
    sample_aws_files.write_aws_cur2(tmp_path / "one", MONTH, rows=500)
    sample_aws_files.write_aws_cur2(tmp_path / "two", MONTH, rows=500)

    folder = "landing/aws-cur2/received=2026-11-08/meltemi-cur2-hourly"
    assert set(contents(tmp_path / "one")) == {
        f"{folder}/data/BILLING_PERIOD=2026-10/meltemi-cur2-hourly-00001.csv.gz",
        f"{folder}/metadata/BILLING_PERIOD=2026-10/meltemi-cur2-hourly-Manifest.json",
    }
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_the_header_has_every_column_that_billing_reads_but_one() -> None:
    # `product_product_name` is only there when somebody queries that key of the map.
    assert set(AWS_CUR2.columns) - set(match_header(AWS_CUR2, aws_cur2.COLUMNS, "f").positions) == {
        "product_product_name"
    }


def test_the_blocks_costs_are_the_exact_sum_of_the_rows() -> None:
    report = aws_cur2.AwsCur2Report(build_world(), MONTH, 900, seed=3)
    blocks = list(report.blocks())
    rows = list(csv.DictReader(io.StringIO((report.header + b"".join(block.text for block in blocks)).decode())))

    assert sum(block.rows for block in blocks) == len(rows) == 900
    assert sum((block.cost for block in blocks), Decimal(0)) == sum(
        (Decimal(row["line_item_unblended_cost"]) for row in rows), Decimal(0)
    )
    assert {"Tax", "Credit", "Refund", "SppDiscount", "SavingsPlanNegation", "Fee"} <= {
        row["line_item_line_item_type"] for row in rows
    }
    assert {"user_environment", "user_project"} <= {key for row in rows for key in json.loads(row["resource_tags"])}


@pytest.mark.parametrize(("day", "blank"), [(3, 498), (8, 0)])
def test_a_sample_is_taken_whole_and_is_final_from_the_eighth(day: int, blank: int, tmp_path: Path) -> None:
    chunk, _ = sample_aws_files.write_aws_cur2(tmp_path, MONTH, rows=500, day=day)
    converted = convert_file("aws_cur2", chunk, tmp_path / "out.parquet")

    (group,) = converted.groups
    assert (group.row_count, group.total_cost) == (500, own_sum([chunk]))
    assert (group.billing_period, group.currency, group.rows_without_invoice_id) == ("2026-10", "EUR", blank)
    rows = pl.read_parquet(converted.path)
    assert {"usage", "tax", "credit", "marketplace_fee", "partner_discount", "free_tier"} == set(
        rows["x_charge_nature"]
    )
    assert rows["sub_account_name"].null_count() == 0


def test_three_refreshes_the_last_one_shorter_end_with_the_last_in_any_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_chunks, "ROWS_PER_CHUNK", 300)
    for day, rows in ((3, 500), (5, 700), (8, 450)):
        sample_aws_files.write_aws_cur2(tmp_path, MONTH, rows=rows, seed=day, day=day)
    folder = tmp_path / "landing" / "aws-cur2"
    arrivals, manifests = [], []
    for path in sorted(path for path in folder.rglob("*.*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        instant = datetime(2026, 11, int(name[17:19]), 10, tzinfo=UTC)
        one = Arrival("aws-cur2", name, sha256_of(path), path.stat().st_size, instant, instant + timedelta(seconds=1))
        if name.endswith("Manifest.json"):
            manifests.append(read_export_manifest(one, path.read_bytes()))
        else:
            arrivals.append(one)

    for order in permutations(range(3)):
        assembled = assemble(arrivals[::-1], [manifests[index] for index in order], needs_manifest=True)
        assert [len(file_set.files) for file_set in assembled.complete] == [2, 3, 2]
        assert (assembled.waiting, assembled.refused) == ([], [])
        last = assembled.complete[-1]
        assert {file.name[:19] for file in last.files} == {"received=2026-11-08"}
        assert last.manifest is not None
        assert last.manifest.billing_period == "2026-10"
