"""Which files make a delivery: chunks, manifests, assemblies."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.deliveries import Arrival, Assembled, Manifest, assemble, read_manifest
from billing_pipeline.errors import BadInput
from billing_pipeline.identifiers import file_set_sha256
from billing_pipeline.manifests import part_stem

START = datetime(2026, 11, 5, 6, tzinfo=UTC)
PERIOD = "cur/20261001-20261101"
MANIFEST = "report-Manifest.json"


def arrived(name: str, hour: int = 0, content: str | None = None) -> Arrival:
    """A file that arrived some hours after the start."""
    instant = START + timedelta(hours=hour)
    return Arrival("aws", name, f"sha of {content or name}", 1, instant, instant)


def manifest(name: str, assembly: str, *keys: str, hour: int = 0, period: str | None = "2026-10") -> Manifest:
    return Manifest(arrived(name, hour, f"{assembly} {keys}"), assembly, keys, period)


def names(assembled: Assembled) -> list[list[str]]:
    return [[file.name for file in file_set.files] for file_set in assembled.complete]


def waiting(assembled: Assembled) -> dict[str, str]:
    return {item.arrival.name: item.reason for item in assembled.waiting}


def refused(assembled: Assembled) -> dict[str, str]:
    return {item.arrival.name: item.error.reason for item in assembled.refused}


def keys_of(assembly: str, count: int = 2) -> list[str]:
    """The keys AWS writes when every assembly has its own folder."""
    return [f"bucket/prefix/{PERIOD}/{assembly}/report-{number:05}.csv.gz" for number in range(1, count + 1)]


def chunks_of(assembly: str, hour: int = 0, count: int = 2) -> list[Arrival]:
    folder = f"{PERIOD}/{assembly}"
    return [arrived(f"{folder}/report-{number:05}.csv.gz", hour) for number in range(1, count + 1)]


def test_files_without_manifests_are_deliveries_of_their_own() -> None:
    assembled = assemble([arrived("a.csv"), arrived("sub/b.csv", 1)], [])
    assert names(assembled) == [["a.csv"], ["sub/b.csv"]]
    assert (assembled.waiting, assembled.refused) == ([], [])


@pytest.mark.parametrize("place", [f"{PERIOD}/A/{MANIFEST}", f"{PERIOD}/{MANIFEST}", MANIFEST])
def test_chunks_are_found_at_and_below_the_manifest(place: str) -> None:
    chunks = chunks_of("A")
    assembled = assemble(chunks, [manifest(place, "A", *keys_of("A"))], needs_manifest=True)
    assert names(assembled) == [[chunk.name for chunk in chunks]]
    assert assembled.waiting == []


def test_chunks_are_found_above_the_manifest() -> None:
    assembled = assemble(chunks_of("A"), [manifest(f"manifests/{MANIFEST}", "A", *keys_of("A"))])
    assert len(assembled.complete) == 1


def test_a_flattened_drop_is_one_delivery() -> None:
    chunks = [arrived("received=2026-11-05/report-00001.csv.gz"), arrived("received=2026-11-05/report-00002.csv.gz")]
    assembled = assemble(chunks, [manifest(f"received=2026-11-05/{MANIFEST}", "A", *keys_of("A"))], True)
    assert names(assembled) == [[chunk.name for chunk in chunks]]


def test_a_flattened_chunk_of_another_folder_is_not_taken_for_ours() -> None:
    chunks = [arrived("received=2026-11-04/report-00001.csv.gz"), arrived("received=2026-11-05/report-00002.csv.gz")]
    assembled = assemble(chunks, [manifest(f"received=2026-11-05/{MANIFEST}", "A", *keys_of("A"))], True)
    assert names(assembled) == []


def test_the_set_arrives_with_its_last_piece() -> None:
    first, second = chunks_of("A")
    late = arrived(second.name, 30)
    [file_set] = assemble([first, late], [manifest(f"{PERIOD}/A/{MANIFEST}", "A", *keys_of("A"), hour=3)]).complete
    assert file_set.received_at == late.received_at
    assert file_set.sha256 == file_set_sha256([first.sha256, late.sha256])


def test_two_assemblies_with_their_own_manifests_and_no_root_are_two_deliveries() -> None:
    # Equal instants are refused later, when their rows claim the same month: resources.intake_checks.
    manifests = [
        manifest(f"{PERIOD}/{name}/{MANIFEST}", name, *keys_of(name), hour=hour) for name, hour in (("A", 0), ("B", 5))
    ]
    assembled = assemble([*chunks_of("A"), *chunks_of("B", 5)], manifests, True)
    assert [file_set.manifest and file_set.manifest.assembly_id for file_set in assembled.complete] == ["A", "B"]
    assert [len(file_set.files) for file_set in assembled.complete] == [2, 2]


def test_the_root_manifest_decides_between_two_assemblies_that_arrived_together() -> None:
    own = [manifest(f"{PERIOD}/{name}/{MANIFEST}", name, *keys_of(name)) for name in ("A", "B")]
    root = manifest(f"{PERIOD}/{MANIFEST}", "B", *keys_of("B"))
    assembled = assemble([*chunks_of("A"), *chunks_of("B")], [*own, root], True)
    assert names(assembled) == [[chunk.name for chunk in chunks_of("B")]]
    assert waiting(assembled) == {f"{PERIOD}/A/{MANIFEST}": f"superseded by assembly B of {PERIOD}/{MANIFEST}"}


def test_two_assemblies_without_own_manifests_are_told_apart_by_the_root_manifest() -> None:
    root = manifest(f"{PERIOD}/{MANIFEST}", "B", *keys_of("B"))
    assembled = assemble([*chunks_of("A"), *chunks_of("B")], [root], True)
    assert names(assembled) == [[chunk.name for chunk in chunks_of("B")]]
    assert set(waiting(assembled)) == {chunk.name for chunk in chunks_of("A")}


def test_an_overwritten_root_manifest_gives_two_versions_in_turn() -> None:
    roots = [manifest(f"{PERIOD}/{MANIFEST}", name, *keys_of(name), hour=hour) for name, hour in (("A", 1), ("B", 25))]
    assembled = assemble([*chunks_of("A"), *chunks_of("B", 24)], roots, True)
    assert [file_set.received_at.day for file_set in assembled.complete] == [5, 6]
    assert waiting(assembled) == {}


def test_the_root_manifest_of_another_month_supersedes_nothing() -> None:
    # Found here: a manifest dropped into the landing folder itself stood above every period's folder.
    assembled = assemble(
        [*chunks_of("A"), arrived("report-00009.csv.gz")],
        [
            manifest(f"{PERIOD}/A/{MANIFEST}", "A", *keys_of("A")),
            manifest(MANIFEST, "X", "bucket/report-00009.csv.gz", period="2026-09"),
        ],
        needs_manifest=True,
    )
    assert names(assembled) == [[chunk.name for chunk in chunks_of("A")], ["report-00009.csv.gz"]]


def test_a_late_chunk_of_an_assembly_that_was_overtaken_bills_nothing() -> None:
    first, second = chunks_of("A")
    roots = [manifest(f"{PERIOD}/{MANIFEST}", name, *keys_of(name), hour=hour) for name, hour in (("A", 1), ("B", 25))]
    assembled = assemble([first, arrived(second.name, 50), *chunks_of("B", 24)], roots, True)
    assert names(assembled) == [[chunk.name for chunk in chunks_of("B", 24)]]


@pytest.mark.parametrize("manifest_is_first", [True, False])
def test_chunks_overwritten_in_place_never_mix_with_the_assembly_before(manifest_is_first: bool) -> None:
    # Found here: with the manifest downloaded before its chunks, assembly B was billed with chunks of A.
    keys = ["bucket/report-00001.csv.gz", "bucket/report-00002.csv.gz"]
    order = (0, 1) if manifest_is_first else (1, 0)
    arrivals, manifests = [], []
    for day, assembly in enumerate(("A", "B", "C")):
        manifests.append(manifest(MANIFEST, assembly, *keys, hour=day * 24 + order[0]))
        arrivals += [arrived(f"report-0000{n}.csv.gz", day * 24 + order[1], f"{assembly}{n}") for n in (1, 2)]
    assembled = assemble(arrivals, manifests, True)
    found = [{file.sha256 for file in file_set.files} for file_set in assembled.complete]
    assert found == [{f"sha of {assembly}1", f"sha of {assembly}2"} for assembly in ("A", "B", "C")]
    assert (assembled.refused, assembled.waiting) == ([], [])


def test_an_assembly_whose_chunks_are_half_overwritten_is_refused() -> None:
    keys = ["bucket/report-00001.csv.gz", "bucket/report-00002.csv.gz"]
    arrivals = [
        arrived("report-00001.csv.gz", 0, "A1"),
        arrived("report-00002.csv.gz", 0, "A2"),
        arrived("report-00001.csv.gz", 24, "B1"),
    ]
    manifests = [manifest(MANIFEST, name, *keys, hour=hour) for name, hour in (("A", 1), ("B", 25))]
    assembled = assemble(arrivals, manifests, True)
    assert [{file.sha256 for file in one.files} for one in assembled.complete] == [{"sha of A1", "sha of A2"}]
    assert refused(assembled) == {MANIFEST: "a chunk that the manifest lists is still that of assembly A"}
    assert "lists chunks that are not here" in waiting(assembled)["report-00001.csv.gz"]


def test_a_missing_chunk_refuses_the_manifest_and_holds_the_others_back() -> None:
    place = f"{PERIOD}/A/{MANIFEST}"
    assembled = assemble(chunks_of("A"), [manifest(place, "A", *keys_of("A", 3))], True)
    assert names(assembled) == []
    assert refused(assembled) == {place: "a chunk that the manifest lists is not here"}
    assert assembled.refused[0].error.value == keys_of("A", 3)[2]
    assert set(waiting(assembled)) == {chunk.name for chunk in chunks_of("A")}


def test_a_missing_chunk_holds_back_the_others_also_outside_the_manifests_folder() -> None:
    # Found here: the chunk that was there passed for a whole report of its own.
    chunks = [arrived("data/one.csv.gz")]
    keys = ("bucket/data/one.csv.gz", "bucket/data/two.csv.gz")
    assembled = assemble(chunks, [manifest(f"manifests/{MANIFEST}", "A", *keys)], True)
    assert names(assembled) == []
    assert set(waiting(assembled)) == {"data/one.csv.gz"}


def test_an_incomplete_assembly_that_was_overtaken_waits_instead_of_being_refused_for_ever() -> None:
    roots = [manifest(f"{PERIOD}/{MANIFEST}", name, *keys_of(name), hour=hour) for name, hour in (("A", 1), ("B", 25))]
    assembled = assemble([chunks_of("A")[0], *chunks_of("B", 24)], roots, True)
    assert names(assembled) == [[chunk.name for chunk in chunks_of("B", 24)]]
    assert refused(assembled) == {}


@pytest.mark.parametrize("name", ["report-00001.csv.gz", "report-00002.snappy.parquet", f"{PERIOD}/x/one.csv"])
def test_a_chunk_without_its_manifest_waits(name: str) -> None:
    # Found here: chunks dropped flat before their manifest were billed, each as a whole month.
    assembled = assemble([arrived(name)], [], needs_manifest=True)
    assert names(assembled) == []
    assert waiting(assembled) == {name: "its manifest has not arrived"}


@pytest.mark.parametrize("name", ["cur_legacy_2023_11.csv", "cur-2026-10.csv", "report.csv.gz"])
def test_a_whole_report_needs_no_manifest(name: str) -> None:
    assert names(assemble([arrived(name)], [], needs_manifest=True)) == [[name]]


def test_files_beside_a_refused_manifest_wait_until_it_is_mended() -> None:
    # Found here: with an unreadable manifest the chunks beside it were billed, each as a whole month.
    chunk, broken = arrived("drop/one.csv.gz"), arrived(f"drop/{MANIFEST}", 1, "broken")
    before = assemble([chunk], [], True, unreadable=[broken])
    assert waiting(before) == {"drop/one.csv.gz": f"its manifest drop/{MANIFEST} is not taken"}
    mended = manifest(f"drop/{MANIFEST}", "A", "bucket/one.csv.gz", hour=2)
    assert names(assemble([chunk], [mended], True, unreadable=[broken])) == [["drop/one.csv.gz"]]


def test_the_same_bytes_twice_are_one_delivery_the_earlier() -> None:
    assembled = assemble([arrived("b.csv", 5, "same"), arrived("a.csv", 9, "same")], [])
    assert names(assembled) == [["b.csv"]]


def test_the_same_assembly_delivered_twice_is_one_delivery() -> None:
    arrivals, manifests = [], []
    for day in (5, 6):
        folder = f"received=2026-11-0{day}"
        arrivals += [arrived(f"{folder}/report-0000{n}.csv.gz", day, f"chunk {n}") for n in (1, 2)]
        manifests.append(manifest(f"{folder}/{MANIFEST}", "A", *keys_of("A"), hour=day))
    assert len(assemble(arrivals, manifests, True).complete) == 1


def test_a_file_overwritten_in_place_is_a_new_version() -> None:
    assembled = assemble([arrived("a.csv", 0, "old"), arrived("a.csv", 24, "new")], [])
    assert [file_set.sha256 for file_set in assembled.complete] == ["sha of old", "sha of new"]


def test_a_file_overwritten_within_one_received_folder_is_its_last_version_only() -> None:
    old = Arrival("aws", "received=2026-11-05/a.csv", "old", 1, START, START)
    new = Arrival("aws", "received=2026-11-05/a.csv", "new", 1, START, START + timedelta(hours=1))
    assert [one.sha256 for one in assemble([new, old], []).complete] == ["new"]


def test_a_file_that_no_manifest_of_its_folder_lists_waits() -> None:
    assembled = assemble(
        [*chunks_of("A"), arrived(f"{PERIOD}/A/extra.csv")], [manifest(f"{PERIOD}/A/{MANIFEST}", "A", *keys_of("A"))]
    )
    assert len(assembled.complete) == 1
    assert waiting(assembled) == {f"{PERIOD}/A/extra.csv": f"listed by no manifest of {PERIOD}/A"}


@st.composite
def landings(draw: st.DrawFn) -> tuple[list[Arrival], list[Manifest], list[Arrival]]:
    """Chunks, manifests and strays of a few assemblies, some of them incomplete, mixed up or delivered twice."""
    folders = st.sampled_from([PERIOD, f"{PERIOD}/A", f"{PERIOD}/B", "received=2026-11-05", "."])
    assemblies, hours = st.sampled_from(["A", "B", "C"]), st.integers(0, 3)
    files = st.sampled_from(["report-00001.csv.gz", "report-00002.csv.gz", "whole.csv"])

    def place(folder: str, name: str) -> str:
        return name if folder == "." else f"{folder}/{name}"

    arrivals = [
        arrived(place(draw(folders), draw(files)), draw(hours), draw(st.sampled_from("uvwxyz")))
        for _ in range(draw(st.integers(0, 8)))
    ]
    manifests = []
    for _ in range(draw(st.integers(0, 4))):
        assembly = draw(assemblies)
        keys = keys_of(assembly, draw(st.integers(1, 2)))
        name, hour = place(draw(folders), MANIFEST), draw(hours)
        manifests.append(manifest(name, assembly, *keys, hour=hour, period=draw(st.sampled_from(["2026-10", None]))))
    unreadable = [
        arrived(place(draw(folders), MANIFEST), draw(hours), "broken") for _ in range(draw(st.integers(0, 1)))
    ]
    return arrivals, manifests, unreadable


def outcome(landed: tuple[Sequence[Arrival], Sequence[Manifest], Sequence[Arrival]]) -> tuple[object, ...]:
    found = assemble(landed[0], landed[1], needs_manifest=True, unreadable=landed[2])
    return (
        found.complete,
        sorted(map(repr, found.waiting)),
        sorted(map(repr, found.refused)),
    )


@given(landings(), st.randoms(use_true_random=False))
def test_the_order_in_which_arrivals_are_listed_decides_nothing(
    landed: tuple[list[Arrival], list[Manifest], list[Arrival]], random: object
) -> None:
    shuffled = tuple(list(part) for part in landed)
    for part in shuffled:
        random.shuffle(part)  # type: ignore[attr-defined]
    assert outcome(shuffled) == outcome(landed)  # type: ignore[arg-type]


@given(landings())
def test_no_file_is_billed_twice_and_no_chunk_is_billed_outside_its_assembly(
    landed: tuple[list[Arrival], list[Manifest], list[Arrival]],
) -> None:
    found = assemble(landed[0], landed[1], needs_manifest=True, unreadable=landed[2])
    hashes = [file_set.sha256 for file_set in found.complete]
    assert len(set(hashes)) == len(hashes)
    for file_set in found.complete:
        if file_set.manifest is None:
            assert part_stem(file_set.files[0].name) is None
        else:
            assert len(file_set.files) == len(file_set.manifest.keys)


def content(**changes: object) -> bytes:
    document = {"assemblyId": "A", "reportKeys": keys_of("A"), "billingPeriod": {"start": "20261001T000000.000Z"}}
    return json.dumps(document | changes).encode()


def test_a_manifest_names_assembly_chunks_and_month() -> None:
    found = read_manifest(arrived(MANIFEST), b"\xef\xbb\xbf" + content())
    assert (found.assembly_id, found.keys, found.billing_period) == ("A", tuple(keys_of("A")), "2026-10")


@pytest.mark.parametrize(
    "key",
    [
        "../x.csv",
        "a/../../x.csv",
        "/etc/passwd",
        "..\\x.csv",
        "a\\..\\..\\x.csv",
        "C:\\x.csv",
        "C:x.csv",
        "",
        ".",
        "a\0b",
        7,
    ],
)
def test_a_manifest_that_names_a_chunk_outside_the_folder_is_refused(key: object) -> None:
    with pytest.raises(BadInput) as caught:
        read_manifest(arrived(MANIFEST), content(reportKeys=[*keys_of("A"), key]))
    assert caught.value.reason == "the manifest names a chunk that would leave the landing folder"
    assert (caught.value.column, caught.value.value) == ("reportKeys", str(key))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        content(assemblyId=None),
        content(assemblyId=""),
        content(reportKeys=[]),
        content(reportKeys="x"),
        content(reportKeys=["a", "a"]),
        content(billingPeriod="soon"),
        content(billingPeriod=[1]),
        content(billingPeriod={"start": 20261001}),
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused_and_not_a_crash(text: bytes) -> None:
    with pytest.raises(BadInput):
        read_manifest(arrived(MANIFEST), text)


@pytest.mark.parametrize("period", [None, {}])
def test_a_manifest_need_not_say_its_month(period: object) -> None:
    document = json.loads(content())
    del document["billingPeriod"]
    if period is None:
        assert read_manifest(arrived(MANIFEST), json.dumps(document).encode()).billing_period is None
    else:
        with pytest.raises(BadInput, match="billing period"):
            read_manifest(arrived(MANIFEST), content(billingPeriod=period))


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("x/report-00002.csv.gz", "x/report.csv.gz"),
        ("part_1_0001.csv", ".csv"),
        ("part-00003-c000.snappy.parquet", "-c000.snappy.parquet"),
        ("focus-2026-10.csv", None),
        ("focus_v2.csv", None),
        ("department-1.csv", None),
        ("invoices-20261005.csv", None),
    ],
)
def test_parts_of_one_delivery_are_known_by_their_number(name: str, stem: str | None) -> None:
    assert part_stem(name) == stem
