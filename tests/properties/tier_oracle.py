"""What a quantity costs by the tiers of a pricebook, in fractions: F(q) from the first unit on, F(-q) = -F(q)."""

from collections.abc import Sequence
from fractions import Fraction

from tests.sql.inline import Row

TIERED = ("graduated", "volume", "package")


def graduated(tiers: Sequence[Row], quantity: Fraction) -> Fraction | None:
    """Return F(quantity) of a graduated price; None beyond the last tier or in a gap between two."""
    if quantity < 0:
        negative = graduated(tiers, -quantity)
        return None if negative is None else -negative
    reached, total = Fraction(0), Fraction(0)
    for tier in sorted(tiers, key=lambda row: Fraction(row.get("from_quantity") or 0)):
        if quantity <= reached:
            break
        if Fraction(tier.get("from_quantity") or 0) > reached:
            return None
        end = quantity if tier.get("to_quantity") is None else min(quantity, Fraction(tier["to_quantity"]))
        total += (end - reached) * Fraction(tier["unit_price"])
        reached = end
    return total if reached >= quantity else None


def volume_tier(tiers: Sequence[Row], quantity: Fraction) -> Row | None:
    """Return the tier that holds a quantity, from its first on, up to and without its last; None beyond them."""
    for tier in tiers:
        if Fraction(tier.get("from_quantity") or 0) <= abs(quantity) and (
            tier.get("to_quantity") is None or abs(quantity) < Fraction(tier["to_quantity"])
        ):
            return tier
    return None


def package(tier: Row, quantity: Fraction) -> Fraction:
    """Return F(quantity) of packages, each paid whole as soon as it is begun."""
    begun = -(-abs(quantity) // Fraction(tier["package_size"]))
    return begun * Fraction(tier["unit_price"]) * (-1 if quantity < 0 else 1)
