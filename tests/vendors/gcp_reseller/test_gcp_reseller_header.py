"""Google's reseller export is found by its fields, nested or not, and its extraction by the job that wrote it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import Arrival, part_stem
from billing_pipeline.vendors.gcp_reseller import GCP_RESELLER, read_extract_job
from billing_pipeline.vendors.header import match_header
from billing_pipeline.vendors.registry import FORMATS, recognise

NOON = datetime(2026, 11, 8, 10, tzinfo=UTC)
ARRIVAL = Arrival("gcp", "x/manifest.json", "f" * 64, 1, NOON, NOON)
PATTERN = "gs://bucket/table/202610/export-*.json.gz"


def job(pattern: object = PATTERN, count: object = "3", **members: object) -> bytes:
    document = {
        "jobReference": {"jobId": "bqjob_1"},
        "configuration": {"extract": {"destinationUris": [pattern]}},
        "statistics": {"extract": {"destinationUriFileCounts": [count]}},
        "status": {"state": "DONE"},
    }
    return json.dumps({**document, **members}).encode()


def documented_header(shared_data: Path) -> list[str]:
    """The documented fields as columns: a repeated one is one column, a nested one a column per member."""
    lines = (shared_data / "columns" / "gcp_reseller_billing_detailed_export_v1.txt").read_text().split()
    return list(dict.fromkeys(line.partition("[]")[0] for line in lines))


def test_the_documented_fields_are_recognised_and_only_as_this_format(shared_data: Path) -> None:
    header = documented_header(shared_data)

    assert recognise(header) is GCP_RESELLER
    assert set(match_header(GCP_RESELLER, header, "f").positions) == set(GCP_RESELLER.columns)
    shares = {name: other.share_of_required(header) for name, other in FORMATS.items() if other is not GCP_RESELLER}
    assert max(shares.values()) < 0.5, shares


def test_shards_are_parts_of_one_extraction() -> None:
    assert part_stem("x/export-000000000000.json.gz") == part_stem("x/export-000000000001.json.gz") is not None


def test_a_job_names_every_shard_it_wrote() -> None:
    read = read_extract_job(ARRIVAL, job())

    assert read.assembly_id == "bqjob_1"
    assert read.keys == tuple(f"table/202610/export-00000000000{number}.json.gz" for number in range(3))


def test_a_job_without_pattern_wrote_one_file() -> None:
    assert read_extract_job(ARRIVAL, job("gs://bucket/a/all.parquet", "1")).keys == ("a/all.parquet",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "no BigQuery extract job"),
        (b"{}", "no BigQuery extract job"),
        (job(count="many"), "no BigQuery extract job"),
        (job(3), "no BigQuery extract job"),
        (job(status={"state": "RUNNING"}), "not ended well"),
        (job(status={"state": "DONE", "errorResult": {"reason": "x"}}), "not ended well"),
        (job("gs://bucket/../../etc/export-*.json"), "no destination"),
        (job("gs://bucket"), "no destination"),
        (job("gs://bucket/a.json", "2"), "does not fit the pattern"),
        (job("gs://bucket/*/a-*.json", "2"), "does not fit the pattern"),
        (job(count="0"), "does not fit the pattern"),
        (job(count="9999999999"), "does not fit the pattern"),
    ],
)
def test_a_job_that_cannot_be_trusted_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read_extract_job(ARRIVAL, content)
