"""How the customer's country writes numbers and days: separators, digits in groups, the names of months.

The conventions are CLDR's, by Babel; the language is the one most spoken in the country. Words on documents stay
English, and how many decimals an amount has comes from ISO 4217 (`money`), never from CLDR, which differs for some
currencies. Digits are always 0 to 9 and a negative number begins with `-`, so that figures can be searched and copied.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton

from billing_pipeline.documents.formatting import format_amount, format_day, format_period, format_quantity
from billing_pipeline.periods import BillingPeriod

# Marks that lay Arabic dates out from right to left: between English labels they put the year before the day.
_BIDI_MARKS = re.compile("[\u061c\u200e\u200f]")


@dataclass(frozen=True)
class CustomerLocale:
    """One country's way of writing.

    Attributes:
        name: of the locale, such as `el_GR`; None writes as `formatting` does, for customers without a country.
        group: what stands between groups of digits.
        decimal: what stands before the decimals.
        grouping: digits in the last group, and in every group before it.
    """

    name: str | None = None
    group: str = ","
    decimal: str = "."
    grouping: tuple[int, int] = (3, 3)

    def amount(self, amount: Decimal, currency: str) -> str:
        """Write an amount with its currency's decimals, rounded half away from zero."""
        return self._number(format_amount(amount, currency))

    def quantity(self, quantity: Decimal) -> str:
        """Write a quantity, rate or percentage with all its digits and no trailing zeros."""
        return self._number(format_quantity(quantity))

    def day(self, day: date) -> str:
        """Write a day in the country's medium form: `5 Oct 2026`, `05.10.2026`, `2026/10/05`."""
        if self.name is None:
            return format_day(day)
        return _BIDI_MARKS.sub("", format_date(day, "medium", locale=self.name))

    def period(self, billing_period: str) -> str:
        """Write a billing period `YYYY-MM` as month and year.

        Raises:
            PeriodInvalid: the text is no billing period.
        """
        if self.name is None:
            return format_period(billing_period)
        first_day = BillingPeriod.parse(billing_period).first_day
        return _BIDI_MARKS.sub("", format_skeleton("yMMMM", first_day, locale=self.name))

    def _number(self, english: str) -> str:
        """Write anew a number that has commas between thousands and a point before the decimals."""
        sign = "-" if english.startswith("-") else ""
        whole, point, decimals = english.lstrip("-").replace(",", "").partition(".")
        last, other = self.grouping
        groups = [whole[-last:]]
        whole = whole[:-last]
        while whole:
            groups.append(whole[-other:])
            whole = whole[:-other]
        return sign + self.group.join(reversed(groups)) + (self.decimal + decimals if point else "")


ENGLISH = CustomerLocale()


@cache
def locale_of(country: str | None) -> CustomerLocale:
    """Return how a country writes; English where the country is unknown.

    Args:
        country: ISO 3166-1 alpha-2 code, or None.
    """
    if country is None:
        return ENGLISH
    try:
        locale = Locale.parse(f"und_{country}")
    except (UnknownLocaleError, ValueError):
        return ENGLISH
    symbols = locale.number_symbols.get("latn")
    if not symbols:
        return ENGLISH
    return CustomerLocale(
        name=str(locale),
        group=symbols["group"],
        decimal=symbols["decimal"],
        grouping=locale.decimal_formats[None].grouping,
    )
