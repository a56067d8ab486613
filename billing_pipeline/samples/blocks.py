"""Blocks of rows: what a generator of samples hands out, and how many rows go into each."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Block:
    """Some consecutive rows of a file.

    Attributes:
        text: whole CSV lines without header, UTF-8, each ended by a line feed.
        rows: how many lines.
        cost: exact sum of what the rows cost, in the file's currency.
    """

    text: bytes
    rows: int
    cost: Decimal


def even_split(total: int, parts: int) -> list[int]:
    """Return `parts` whole numbers that differ by at most one and add up to `total`."""
    return [total * (part + 1) // parts - total * part // parts for part in range(parts)]


def spread(total: int, most: int) -> list[int]:
    """Return numbers of at most `most` that add up to `total`; empty for 0."""
    return even_split(total, -(-total // most)) if total else []
