"""Taxes of a document: which named rates hold at a place, and what they come to on the lines' categories.

Categories follow EN 16931 (BT-118): `standard` and any other name with rates of its own (S), `zero` (Z), `exempt` (E),
`reverse_charge` (AE). What does not belong here: who pays which line (`drafting`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from billing_pipeline.errors import BillingError
from billing_pipeline.money import EXACT, round_money

STANDARD: Final = "standard"
# Why nothing is charged, where the tax table has no row that says it in the reseller's own words.
UNTAXED: Final[Mapping[str, str]] = {
    "zero": "Zero-rated supply",
    "exempt": "Exempt from tax",
    "reverse_charge": "Reverse charge: the recipient is liable for the tax",
}
_PERCENT = Decimal("0.01")


class TaxUnknown(BillingError):
    """The tax of a line cannot be told: the customer's country or a rate for the category is missing."""


@dataclass(frozen=True)
class Place:
    """Where a customer is taxed.

    Attributes:
        country: ISO 3166-1 alpha-2 code, or None.
        region: state or province, or None.
        postal_code: or None.
    """

    country: str | None
    region: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True)
class TaxLine:
    """One tax of a document: the group of lines of one category under one rate.

    Attributes:
        tax_id: id of the rate in tax_rates.csv; None where nothing is charged and no row says so.
        name: what the customer reads.
        percent: 24 is 24 %.
        base: sum of the payable amounts of the category's lines, in the document's currency.
        amount: base x percent, rounded once to the currency's minor unit, half away from zero.
        reason: why nothing is charged, for zero, exempt and reverse charge.
    """

    tax_category: str
    tax_id: str | None
    name: str
    percent: Decimal
    base: Decimal
    amount: Decimal
    reason: str | None = None


def category_of(line_category: str | None, customer_category: str | None) -> str:
    """Return the category a line is taxed in: the customer's own, such as reverse charge, goes before the product's."""
    if customer_category and customer_category != STANDARD:
        return customer_category
    return line_category or STANDARD


def tax_lines(
    amounts: Iterable[tuple[str, Decimal]],
    place: Place,
    rates: Sequence[Mapping[str, Any]],
    on: date,
    currency: str,
) -> tuple[TaxLine, ...]:
    """Return the taxes of a document.

    Args:
        amounts: category and payable amount of each line, in `currency`.
        place: the customer's; the most specific row of each tax_id counts, rows of several tax_ids add up.
        rates: rows of tax_rates.csv.
        on: the day whose rates hold.

    Returns:
        One line per category and rate, sorted by category and tax_id. A category whose lines add up to nothing has a
        line too.

    Raises:
        TaxUnknown: a category that is charged has no rate there, or the place has no country.
    """
    bases: dict[str, Decimal] = {}
    for category, amount in amounts:
        bases[category] = EXACT.add(bases.get(category, Decimal(0)), amount)
    found: list[TaxLine] = []
    for category in sorted(bases):
        base = round_money(bases[category], currency)
        rows = _rows_in_force(category, place, rates, on)
        if category in UNTAXED:
            found.append(_untaxed(category, base, rows, currency))
            continue
        if not rows:
            where = place.country or "a customer without country"
            raise TaxUnknown(f"no tax rate for category {category} in {where} on {on}; add a row to tax_rates.csv")
        found += [
            TaxLine(
                category, row["tax_id"], row["name"], row["percent"], base, _tax(base, row["percent"], currency), None
            )
            for row in rows
        ]
    return tuple(found)


def _tax(base: Decimal, percent: Decimal, currency: str) -> Decimal:
    return round_money(EXACT.multiply(EXACT.multiply(base, percent), _PERCENT), currency)


def _untaxed(category: str, base: Decimal, rows: Sequence[Mapping[str, Any]], currency: str) -> TaxLine:
    charged = [row["tax_id"] for row in rows if row["percent"]]
    if charged:
        raise TaxUnknown(f"tax {', '.join(charged)}: category {category} is never charged, its percent must be 0")
    reason = rows[0]["name"] if rows else UNTAXED[category]
    return TaxLine(
        category,
        rows[0]["tax_id"] if rows else None,
        reason,
        Decimal(0),
        base,
        round_money(Decimal(0), currency),
        reason,
    )


def _rows_in_force(
    category: str, place: Place, rates: Sequence[Mapping[str, Any]], on: date
) -> list[Mapping[str, Any]]:
    """Return the row of each tax_id that is closest to the place; of equally close ones the one recorded last."""
    closest: dict[str, tuple[tuple[int, Any], Mapping[str, Any]]] = {}
    for row in rates:
        fits = (
            row["tax_category"] == category
            and row["country"] == place.country
            and row.get("region") in (None, place.region)
            and row.get("postal_code") in (None, place.postal_code)
            and row["valid_from"] <= on
            and (row["valid_to"] is None or on < row["valid_to"])
        )
        if not fits:
            continue
        closeness = 2 * (row.get("postal_code") is not None) + (row.get("region") is not None)
        rank = (closeness, row["recorded_at"])
        if row["tax_id"] not in closest or closest[row["tax_id"]][0] < rank:
            closest[row["tax_id"]] = (rank, row)
    return [row for _, (_, row) in sorted(closest.items())]
