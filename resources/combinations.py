"""Number the distinct combinations of several columns, so that work is done once for each of them."""

from collections.abc import Sequence

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

# Products of more are numbered anew before they can overflow 64 bits.
_MOST_CODES = 1 << 31


def combinations(columns: Sequence[pa.DictionaryArray], count: int) -> tuple[pa.Int32Array, pa.Array]:
    """Number the combinations of values that rows have in some columns.

    Args:
        columns: of equal values only those at the same place of the dictionary are taken for equal.
        count: rows.

    Returns:
        The number of each row's combination, in the order in which they first appear; and the first row of each.
    """
    codes: pa.Array | None = None
    possible = 1
    for column in columns:
        # One more than the dictionary has: the place of null.
        values = len(column.dictionary) + 1
        if codes is not None and possible * values > _MOST_CODES:
            codes = codes.dictionary_encode().indices
            possible = count
        indices = column.indices.fill_null(values - 1) if column.indices.null_count else column.indices
        codes = indices if codes is None else pc.add(pc.multiply(codes.cast(pa.int64()), values), indices)
        possible *= values
    if codes is None:
        codes = pa.repeat(pa.scalar(0, pa.int32()), count)
    numbers = codes.dictionary_encode().indices
    return numbers, pl.Series(numbers).arg_unique().to_arrow()
