"""The history of reference files: order of rows means nothing, and what was loaded once is found again for ever."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_pipeline.reference import ReferenceSet, read_reference_rows
from billing_pipeline.reference_history import Arrival, add_version, first_versions, history_of, no_stretches
from billing_pipeline.schemas.reference import REFERENCE_FILES_BY_NAME
from resources.reference_files import load_reference

ATHENS = ZoneInfo("Europe/Athens")
START = datetime(2026, 1, 1, tzinfo=UTC)
FILE = REFERENCE_FILES_BY_NAME["pricing_rules"]
HEADER = "rule_id,scope,scope_id,method,percent,valid_from,recorded_at\n"
# A rule each of five products; the last of them is no rule, and with it the set is refused.
RULES = [f"r{number},product,p{number},markup,{number},2026-01-01,\n" for number in range(4)]
OWN = "r4,product,p4,markup,4,2026-01-01,2025-06-01T00:00:00Z\n"
WRONG = "r5,product,p5,markup,,2026-01-01,\n"

rows = st.lists(st.sampled_from([*RULES, OWN]), unique=True, max_size=5)
# What the file holds (None = there is no file), hours from the version before to its time, hours until it is taken.
steps = st.lists(
    st.tuples(
        st.none() | st.lists(st.sampled_from([*RULES, OWN, WRONG]), unique=True, max_size=4),
        st.integers(-40, 40),
        st.integers(1, 30),
    ),
    min_size=1,
    max_size=6,
)


def history(versions: Sequence[Sequence[str]]) -> pl.DataFrame:
    stretches = no_stretches(FILE)
    for number, texts in enumerate(versions):
        cells = read_reference_rows(FILE.name, (HEADER + "".join(texts)).encode())
        stretches = add_version(FILE, stretches, number, f"sha{number}", cells)
    instants = [START + timedelta(hours=9 * number) for number in range(len(versions))]
    arrivals = [Arrival.of(instant, ATHENS, is_first_set=instant == START) for instant in instants]
    return history_of(FILE, stretches, arrivals, ATHENS).known


@given(st.lists(rows, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_rows_in_any_version_does_not_matter(versions: list[list[str]], random: object) -> None:
    shuffled = [list(texts) for texts in versions]
    for texts in shuffled:
        random.shuffle(texts)  # type: ignore[attr-defined]
    one, other = (
        history(texts).drop("source_row").sort("rule_id", "recorded_at", "withdrawn_at")
        for texts in (versions, shuffled)
    )
    assert one.equals(other)


@given(st.lists(rows, min_size=1, max_size=6), st.integers(0, 6))
def test_the_first_versions_of_a_history_are_the_history_of_the_first_versions(
    versions: list[list[str]], count: int
) -> None:
    def stretches(some: Sequence[Sequence[str]]) -> pl.DataFrame:
        found = no_stretches(FILE)
        for number, texts in enumerate(some):
            cells = read_reference_rows(FILE.name, (HEADER + "".join(texts)).encode())
            found = add_version(FILE, found, number, f"sha{number}", cells)
        return found

    assert first_versions(stretches(versions), count).equals(stretches(versions[:count]))


@given(st.lists(rows, min_size=1, max_size=6))
def test_at_every_version_the_rows_that_are_not_withdrawn_are_its_rows(versions: list[list[str]]) -> None:
    known = history(versions)
    for number, texts in enumerate(versions):
        arrived_at = START + timedelta(hours=9 * number)
        there = known.filter(
            pl.col("source_sha256").is_in([f"sha{n}" for n in range(number + 1)]),
            pl.col("withdrawn_at").is_null() | (pl.col("withdrawn_at") > arrived_at),
        )
        assert sorted(there["rule_id"]) == sorted(text[:2] for text in texts)


@settings(max_examples=30)
@given(steps)
def test_a_set_as_of_the_instant_it_was_taken_is_the_one_loaded_then(
    story: list[tuple[list[str] | None, int, int]],
) -> None:
    with TemporaryDirectory() as folder:
        home = Path(folder)
        path = home / "reference" / "pricing_rules.csv"
        path.parent.mkdir()
        path.write_text(HEADER + RULES[0])
        os.utime(path, (START.timestamp(), START.timestamp()))
        modified_at, at = START, START + timedelta(hours=1)
        loaded = [load_reference(home, ATHENS, now=lambda: at)]
        for texts, hours, until in story:
            path.unlink(missing_ok=True)
            at += timedelta(hours=until)
            # A time that lies ahead of the clock is no history yet.
            modified_at = min(modified_at + timedelta(hours=hours), at)
            if texts is not None:
                path.write_text(HEADER + "".join(texts))
                os.utime(path, (modified_at.timestamp(), modified_at.timestamp()))
            loaded.append(load_reference(home, ATHENS, now=lambda at=at: at))  # type: ignore[misc]
        for then in loaded:
            assert then.taken_at is not None
            assert_same(load_reference(home, ATHENS, then.taken_at), then)


def assert_same(one: ReferenceSet, other: ReferenceSet) -> None:
    assert one.taken_at == other.taken_at
    for name, frame in other.frames().items():
        assert one.frames()[name].equals(frame), name
        assert one.known[name].equals(other.known[name]), name
