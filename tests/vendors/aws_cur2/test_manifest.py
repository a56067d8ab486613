"""The manifest of a Data Export lies in metadata/, its chunks in data/: only both together are a delivery."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from billing_pipeline.deliveries import Assembled, assemble
from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import Arrival, Manifest
from billing_pipeline.vendors.aws_export_manifest import read_export_manifest

START = datetime(2026, 11, 5, 6, tzinfo=UTC)
PERIOD = "BILLING_PERIOD=2026-10"
MANIFEST = "cur2-Manifest.json"


def arrived(name: str, hour: int = 0, content: str | None = None) -> Arrival:
    """A file that arrived some hours after the start."""
    instant = START + timedelta(hours=hour)
    return Arrival("aws", name, f"sha of {content or name}", 1, instant, instant)


def content(execution: object, *uris: object) -> bytes:
    return json.dumps({"executionId": execution, "dataFiles": uris, "columns": []}).encode()


def read(name: str, execution: str, *uris: str, hour: int = 0) -> Manifest:
    return read_export_manifest(arrived(name, hour, f"{execution} {uris}"), content(execution, *uris))


def uris_of(folder: str, count: int = 2) -> list[str]:
    return [f"s3://bucket/prefix/cur2/data/{folder}/cur2-{number:05}.csv.gz" for number in range(1, count + 1)]


def taken(assembled: Assembled) -> list[list[str]]:
    return [[file.name for file in file_set.files] for file_set in assembled.complete]


def test_a_manifest_names_execution_chunks_and_month() -> None:
    found = read(f"cur2/metadata/{PERIOD}/{MANIFEST}", "E1", *uris_of(PERIOD))

    assert found.assembly_id == "E1"
    assert found.keys == tuple(f"prefix/cur2/data/{PERIOD}/cur2-0000{number}.csv.gz" for number in (1, 2))
    assert found.billing_period == "2026-10"


def test_the_month_is_also_found_in_the_chunks_names_or_not_at_all() -> None:
    assert read(MANIFEST, "E1", *uris_of(PERIOD)).billing_period == "2026-10"
    assert read(MANIFEST, "E1", "cur2-00001.csv.gz").billing_period is None


@pytest.mark.parametrize("root", ["", "prefix/", "received=2026-11-05/", "received=2026-11-05/deep/prefix/"])
@pytest.mark.parametrize("suffix", ["csv.gz", "snappy.parquet"])
def test_data_is_found_beside_metadata(root: str, suffix: str) -> None:
    names = [f"{root}cur2/data/{PERIOD}/cur2-0000{number}.{suffix}" for number in (1, 2)]
    uris = [f"s3://bucket/prefix/cur2/data/{PERIOD}/cur2-0000{number}.{suffix}" for number in (1, 2)]
    manifest = read(f"{root}cur2/metadata/{PERIOD}/{MANIFEST}", "E1", *uris)

    assembled = assemble([arrived(name) for name in names], [manifest], needs_manifest=True)

    assert taken(assembled) == [names]
    assert (assembled.waiting, assembled.refused) == ([], [])


def test_two_months_of_one_export_do_not_disturb_each_other() -> None:
    months = ("BILLING_PERIOD=2026-10", "BILLING_PERIOD=2026-11")
    chunks = [arrived(f"cur2/data/{month}/cur2-0000{number}.csv.gz") for month in months for number in (1, 2)]
    manifests = [read(f"cur2/metadata/{month}/{MANIFEST}", month, *uris_of(month)) for month in months]

    assembled = assemble(chunks, manifests, needs_manifest=True)

    assert taken(assembled) == [[chunk.name for chunk in chunks[:2]], [chunk.name for chunk in chunks[2:]]]


@pytest.mark.parametrize(
    "name", [f"cur2/data/{PERIOD}/cur2-00001.csv.gz", f"cur2/data/{PERIOD}/whole.parquet", "cur2-00001.snappy.parquet"]
)
def test_a_chunk_waits_for_its_manifest(name: str) -> None:
    assembled = assemble([arrived(name)], [], needs_manifest=True)

    assert [(item.arrival.name, item.reason) for item in assembled.waiting] == [(name, "its manifest has not arrived")]


def test_a_missing_chunk_refuses_the_manifest_and_holds_the_other_back() -> None:
    place = f"cur2/metadata/{PERIOD}/{MANIFEST}"
    assembled = assemble(
        [arrived(f"cur2/data/{PERIOD}/cur2-00001.csv.gz")], [read(place, "E1", *uris_of(PERIOD))], needs_manifest=True
    )

    assert taken(assembled) == []
    [refused] = assembled.refused
    assert (refused.error.file, refused.error.column) == (place, "dataFiles")
    assert refused.error.value == f"prefix/cur2/data/{PERIOD}/cur2-00002.csv.gz"
    assert len(assembled.waiting) == 1


def test_overwritten_exports_never_mix_two_executions() -> None:
    # "Overwrite": every refresh has the names of the one before, and the manifest comes last.
    place = f"cur2/metadata/{PERIOD}/{MANIFEST}"
    names = [f"cur2/data/{PERIOD}/cur2-0000{number}.csv.gz" for number in (1, 2)]
    arrivals = [arrived(name, day * 24, f"{name} of day {day}") for day in (0, 1, 2) for name in names[: 2 - day // 2]]
    manifests = [read(place, f"E{day}", *uris_of(PERIOD, 2 - day // 2), hour=day * 24 + 1) for day in (0, 1, 2)]

    for order in permutations(range(3)):
        assembled = assemble(arrivals[::-1], [manifests[index] for index in order], needs_manifest=True)
        assert [sorted(file.sha256 for file in one.files) for one in assembled.complete] == [
            [f"sha of {name} of day {day}" for name in names[: 2 - day // 2]] for day in (0, 1, 2)
        ]


def test_executions_in_folders_of_their_own_follow_the_period_manifest() -> None:
    # "Create new": chunks lie in a folder per execution, the period's manifest names the newest.
    place = f"cur2/metadata/{PERIOD}/{MANIFEST}"
    folders = [f"{PERIOD}/2026-11-0{day}T00_00_00.000Z-E{day}" for day in (1, 2)]
    chunks = [arrived(f"cur2/data/{folder}/cur2-0000{number}.csv.gz") for folder in folders for number in (1, 2)]

    assembled = assemble(chunks, [read(place, "E2", *uris_of(folders[1]), hour=1)], needs_manifest=True)

    assert taken(assembled) == [[chunk.name for chunk in chunks[2:]]]
    assert [item.arrival for item in assembled.waiting] == chunks[:2]


@pytest.mark.parametrize(
    "uri",
    [
        "../x.csv",
        "s3://bucket/../x.csv",
        "s3://bucket/a/../../x.csv",
        "s3://bucket//etc/passwd",
        "s3://bucket/",
        "s3://",
        "https://host/x.csv",
        "C:\\x.csv",
        "",
        7,
        None,
    ],
)
def test_a_chunk_outside_the_landing_folder_is_refused(uri: object) -> None:
    with pytest.raises(BadInput) as caught:
        read_export_manifest(arrived(MANIFEST), content("E1", *uris_of(PERIOD), uri))

    assert "would leave the landing folder" in caught.value.reason
    assert (caught.value.column, caught.value.value) == ("dataFiles", str(uri))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"dataFiles": ["a"]}',
        b'{"executionId": "E"}',
        b'{"executionId": "E", "dataFiles": "a"}',
        content(None, "a"),
        content("", "a"),
        content("E"),
        content("E", "a", "s3://bucket/a"),
        content("E", *uris_of(PERIOD), *uris_of("BILLING_PERIOD=2026-11")),
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused_and_not_a_crash(text: bytes) -> None:
    with pytest.raises(BadInput):
        read_export_manifest(arrived(MANIFEST), text)


def test_a_manifest_in_another_months_folder_than_its_chunks_is_refused() -> None:
    with pytest.raises(BadInput, match="several months: 2026-09, 2026-10"):
        read(f"metadata/BILLING_PERIOD=2026-09/{MANIFEST}", "E1", *uris_of(PERIOD))
