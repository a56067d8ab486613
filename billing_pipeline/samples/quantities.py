"""How much is used in one hour or day: exact decimals from whole random numbers."""

from decimal import Decimal
from random import Random

_SECONDS_PER_HOUR = 3600
_BUSY = 60


def quantity(kind: str, random: Random) -> Decimal:
    """Return one believable quantity with at most 10 decimals.

    Args:
        kind: `hours` (mostly exactly 1, else whole seconds of it), `gb_month` (an hour's share of a
            month's storage), `gb` (from some bytes to a few dozen GB), `requests` (whole, up to 10**8).
        random: where chance comes from.

    Raises:
        ValueError: unknown kind.
    """
    if kind == "hours":
        if random.randrange(4):
            return Decimal(1)
        return Decimal(random.randrange(1, _SECONDS_PER_HOUR) * 10**10 // _SECONDS_PER_HOUR).scaleb(-10)
    if kind == "gb_month":
        return Decimal(_digits(random, 8, 11)).scaleb(-10)
    if kind == "gb":
        return Decimal(_digits(random, 3, 11)).scaleb(-10)
    if kind == "requests":
        # A few meters count tens of millions, which AWS writes as 1.2E7.
        return Decimal(_digits(random, 1, 6 if random.randrange(_BUSY) else 8))
    raise ValueError(f"unknown kind of quantity {kind!r}")


def _digits(random: Random, fewest: int, most: int) -> int:
    count = random.randint(fewest, most)
    return random.randrange(10 ** (count - 1), 10**count)
