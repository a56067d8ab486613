"""The manifest of a partner billing export says which blobs belong together, and never shows its key."""

import json
from datetime import UTC, datetime

import pytest

from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import Arrival
from billing_pipeline.vendors.microsoft_manifest import read_export_manifest

ROOT = (
    "https://exports.blob.example/billedusagefastpath/v1/PartnerTenantId=0E195B37-4574-4539-bc42-0e539b9684c0"
    "/BillingMonth=202310/InvoiceId=G031809528/InvoiceVersion=202311/Fragment=basic/PartitionType=default"
)
# As in Microsoft's documentation of "Get manifest".
DOCUMENT: dict[str, object] = {
    "id": "6fe687d7-1e0f-4bd6-9091-4672691f64bc",
    "schemaVersion": "1",
    "dataFormat": "compressedJSON",
    "createdDateTime": "2023-03-09T06:34:34.87Z",
    "eTag": "WYjLro78HdMg6vUWR",
    "partnerTenantId": "0E195B37-4574-4539-bc42-0e539b9684c0",
    "rootDirectory": ROOT,
    "sasToken": "sig=SECRET",
    "partitionType": "Default",
    "blobCount": 1,
    "blobs": [{"name": "part-00049-b016029b.c000.json.gz", "partitionValue": "default"}],
}
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
ARRIVAL = Arrival("ms", "a/manifest.json", "", 0, WHEN, WHEN)


def refused(document: object) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read_export_manifest(ARRIVAL, document if isinstance(document, bytes) else json.dumps(document).encode())
    assert "SECRET" not in str(caught.value)
    return caught.value


def test_version_blobs_month_and_partner_are_read() -> None:
    manifest = read_export_manifest(ARRIVAL, json.dumps(DOCUMENT).encode())

    assert (manifest.assembly_id, manifest.billing_period) == ("WYjLro78HdMg6vUWR", "2023-10")
    assert manifest.billing_account_id == "0e195b37-4574-4539-bc42-0e539b9684c0"
    (key,) = manifest.keys
    assert key.startswith("billedusagefastpath/v1/PartnerTenantId=")
    assert key.endswith("/PartitionType=default/part-00049-b016029b.c000.json.gz")
    assert "SECRET" not in repr(manifest)


def test_the_finished_operation_that_holds_a_manifest_is_one_too() -> None:
    operation = {"status": "succeeded", "resourceLocation": DOCUMENT}

    plain = json.dumps(DOCUMENT).encode()
    assert read_export_manifest(ARRIVAL, json.dumps(operation).encode()) == read_export_manifest(ARRIVAL, plain)


@pytest.mark.parametrize(
    "root", ["https://exports.blob.example/unbilled/v1/Period=current", "/exports/BillingMonth=202313"]
)
def test_a_path_without_month_leaves_it_to_the_rows(root: str) -> None:
    assert (
        read_export_manifest(ARRIVAL, json.dumps({**DOCUMENT, "rootDirectory": root}).encode()).billing_period is None
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"blobCount": 2}, "lists 1 blobs and counts 2"),
        ({"blobs": []}, "lacks"),
        ({"blobs": [{"name": "../a.json.gz"}]}, "leave the landing folder"),
        ({"blobs": [{"name": "/etc/a.json.gz"}]}, "leave the landing folder"),
        ({"blobs": [{"name": "c:/a.json.gz"}]}, "leave the landing folder"),
        ({"blobs": [{"name": 7}]}, "leave the landing folder"),
        ({"rootDirectory": "https://h/a/%2e%2e/b"}, "leave the landing folder"),
        ({"blobs": [{"name": "a"}, {"name": "a"}], "blobCount": 2}, "names a blob twice"),
        ({"blobs": [{}]}, "cannot be read"),
        ({"blobs": "a"}, "cannot be read"),
        ({"eTag": ""}, "lacks eTag"),
        ({"rootDirectory": None}, "lacks eTag, rootDirectory"),
        ({"dataFormat": "csv"}, "data format"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(change: dict[str, object], reason: str) -> None:
    assert reason in refused({**DOCUMENT, **change}).reason


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"\xff", b"[" * 100_000])
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    assert "cannot be read" in refused(content).reason
