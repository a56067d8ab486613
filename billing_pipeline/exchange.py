"""Exchange rates: which rate of the table holds on a day, and an amount in another currency.

What does not belong here: whether a customer may be invoiced in a currency (`drafting`), rounding to a minor
unit (`money`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from billing_pipeline.errors import BillingError
from billing_pipeline.money import EXACT

# A rate multiplies a precise amount, which has 24 decimals at most.
_CONVERTED = Decimal(1).scaleb(-24)


class RateMissing(BillingError):
    """The table has no rate between two currencies on or before a day, or two that differ."""


@dataclass(frozen=True)
class AppliedRate:
    """A rate as it was used, to be kept on the document.

    Attributes:
        base_currency: 1 unit of it ...
        quote_currency: ... is `rate` units of this one.
        rate: as the table has it.
        rate_date: day of the rate.
        source: who published it, or None.
        is_inverse: whether amounts in the quote currency were divided by the rate, because the table has no rate the
            other way.
    """

    base_currency: str
    quote_currency: str
    rate: Decimal
    rate_date: date
    source: str | None
    is_inverse: bool

    def convert(self, amount: Decimal) -> Decimal:
        """Return an amount in the other currency, to 24 decimals, half away from zero.

        Args:
            amount: in `base_currency`, or in `quote_currency` where the rate is used inversely.
        """
        if self.is_inverse:
            return EXACT.divide(amount, self.rate).quantize(_CONVERTED, rounding=ROUND_HALF_UP, context=EXACT)
        return EXACT.multiply(amount, self.rate).quantize(_CONVERTED, rounding=ROUND_HALF_UP, context=EXACT)


class RateTable:
    """The rows of `exchange_rates.csv`.

    Args:
        rows: base_currency, quote_currency, rate, rate_date, source (or None) of each.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._rates: dict[tuple[str, str], list[AppliedRate]] = {}
        for row in rows:
            rate = AppliedRate(
                row["base_currency"], row["quote_currency"], row["rate"], row["rate_date"], row.get("source"), False
            )
            self._rates.setdefault((rate.base_currency, rate.quote_currency), []).append(rate)

    def rate(self, currency: str, into: str, on: date) -> AppliedRate:
        """Return the rate that turns amounts of one currency into another.

        The rate of the latest day up to and with `on` counts. One that is quoted the other way round is used inversely
        only where there is none in this direction: central banks publish one of the two.

        Raises:
            RateMissing: there is none, or that day has several that differ.
        """
        direct = self._latest(currency, into, on)
        if direct is not None:
            return direct
        inverse = self._latest(into, currency, on)
        if inverse is None:
            raise RateMissing(
                f"no exchange rate from {currency} to {into} on or before {on}; add a row to exchange_rates.csv"
            )
        return AppliedRate(
            inverse.base_currency, inverse.quote_currency, inverse.rate, inverse.rate_date, inverse.source, True
        )

    def _latest(self, base: str, quote: str, on: date) -> AppliedRate | None:
        known = [rate for rate in self._rates.get((base, quote), ()) if rate.rate_date <= on]
        if not known:
            return None
        day = max(rate.rate_date for rate in known)
        of_day = sorted((rate for rate in known if rate.rate_date == day), key=lambda rate: rate.source or "")
        if len({rate.rate for rate in of_day}) > 1:
            sources = " and ".join(rate.source or "(no source)" for rate in of_day)
            raise RateMissing(
                f"the exchange rates from {base} to {quote} of {day} differ between {sources}; keep one of them"
            )
        return of_day[0]
