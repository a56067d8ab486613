"""Rows with equal values have equal numbers, rows with other values have others."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources import combinations as module
from resources.combinations import combinations

ROWS = st.lists(st.tuples(*[st.sampled_from([None, "", "a", "b", "αβ"])] * 3), min_size=1, max_size=40)


def dictionary(values: list[str | None]) -> pa.DictionaryArray:
    return pa.array(values, pa.string()).dictionary_encode()


@given(rows=ROWS, most_codes=st.sampled_from([1, 10, 1 << 31]))
def test_combinations_are_numbered_as_they_first_appear(rows: list[tuple[str | None, ...]], most_codes: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MOST_CODES", most_codes)
        numbers, first_rows = combinations([dictionary(list(column)) for column in zip(*rows, strict=True)], len(rows))

    distinct = list(dict.fromkeys(rows))
    assert numbers.to_pylist() == [distinct.index(row) for row in rows]
    assert first_rows.to_pylist() == [rows.index(row) for row in distinct]


def test_rows_without_columns_are_all_one_combination() -> None:
    numbers, first_rows = combinations([], 3)

    assert (numbers.to_pylist(), first_rows.to_pylist()) == ([0, 0, 0], [0])


def test_many_columns_of_many_values_do_not_overflow() -> None:
    columns = [dictionary([f"{(row * prime) % 97}" for row in range(2000)]) for prime in range(2, 22)]

    numbers, first_rows = combinations(columns, 2000)

    assert numbers.to_pylist() == [row % 97 for row in range(2000)]
    assert len(first_rows) == 97
