"""Row numbers as people write them: `1-24, 31`."""

from collections.abc import Iterable, Sequence

# First and last row number of an unbroken run, both included.
RowRange = tuple[int, int]


def row_ranges(numbers: Iterable[int]) -> tuple[RowRange, ...]:
    """Return the unbroken runs of row numbers, in order.

    Args:
        numbers: row numbers in any order; one that is given twice counts once.
    """
    ranges: list[RowRange] = []
    for number in sorted(set(numbers)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return tuple(ranges)


def ranges_text(ranges: Sequence[RowRange], at_most: int | None = None) -> str:
    """Write runs of row numbers.

    Args:
        at_most: how many runs are written before the rest is only counted; None writes all.

    Returns:
        `1-24, 31`, or `1-24, 31, and 5 more ranges`.
    """
    shown = ranges if at_most is None else ranges[:at_most]
    texts = [f"{first}" if first == last else f"{first}-{last}" for first, last in shown]
    left = len(ranges) - len(shown)
    if left:
        texts.append(f"and {left} more range{'s' if left > 1 else ''}")
    return ", ".join(texts)
