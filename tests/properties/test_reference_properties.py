"""Reference files: the sweep finds what comparing every pair finds, and a set survives being written again."""

from datetime import date, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.reference import read_reference_rows
from billing_pipeline.reference_checks import overlapping_pairs

START = date(2026, 1, 1)
TYPES = {"source_row": pl.Int64, "key": pl.String, "valid_from": pl.Date, "valid_to": pl.Date}
Range = tuple[str | None, int, int | None]

ranges = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 12), st.none() | st.integers(1, 6)), max_size=14
)


def frame_of(rows: list[Range]) -> pl.DataFrame:
    records = [
        (
            number,
            key,
            START + timedelta(days=first),
            None if length is None else START + timedelta(days=first + length),
        )
        for number, (key, first, length) in enumerate(rows, start=1)
    ]
    return pl.DataFrame(records, schema=TYPES, orient="row")


def overlap(one: Range, other: Range) -> bool:
    ends = [first + (length if length is not None else 1000) for _, first, length in (one, other)]
    return one[0] == other[0] and one[1] < ends[1] and other[1] < ends[0]


@given(ranges)
def test_the_sweep_finds_an_overlap_exactly_when_some_pair_overlaps(rows: list[Range]) -> None:
    pairs = overlapping_pairs(frame_of(rows), ("key",))
    expected = any(overlap(rows[i], rows[j]) for i in range(len(rows)) for j in range(i))
    assert bool(pairs) == expected


@given(ranges)
def test_every_pair_that_the_sweep_names_does_overlap(rows: list[Range]) -> None:
    for earlier, later in overlapping_pairs(frame_of(rows), ("key",)):
        assert earlier != later
        assert overlap(rows[earlier - 1], rows[later - 1])


@given(ranges, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_decide_whether_they_overlap(rows: list[Range], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert bool(overlapping_pairs(frame_of(rows), ("key",))) == bool(overlapping_pairs(frame_of(shuffled), ("key",)))


names = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1).filter(
    lambda text: text == text.strip() and text.strip() != ""
)


@given(st.lists(names, min_size=1, unique=True, max_size=8))
def test_any_text_survives_quoting_and_keeps_its_row(texts: list[str]) -> None:
    quoted = ['"' + text.replace('"', '""') + '"' for text in texts]
    content = "customer_id,name,invoice_currency\n" + "".join(f"k{i},{text},EUR\n" for i, text in enumerate(quoted))
    rows = read_reference_rows("customers", content.encode())
    assert rows.problems == ()
    assert rows.cells["name"].to_list() == texts
    assert rows.identities().n_unique() == len(texts)
