"""When a vendor usually settles a month, and to which month a file belongs that says it only by its place or day."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from billing_pipeline.business_days import add_business_days
from billing_pipeline.configuration import Source
from billing_pipeline.periods import BillingPeriod, PeriodInvalid

# AWS: `20261001-20261101` and `BILLING_PERIOD=2026-10`; Azure `20261001-20261031`; others a folder `2026-10`.
_PERIOD_FOLDER = re.compile(r"(?:billing_period=)?(\d{4})-?(\d{2})(?:01-\d{8})?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class SettlementDays:
    """The days between which a vendor usually settles a month.

    Attributes:
        earliest: the first of them.
        latest: the last; a month that is not settled after it is late.
    """

    earliest: date
    latest: date


def settlement_days(source: Source, period: BillingPeriod, country: str) -> SettlementDays:
    """Return when a source's month usually is final: so many business days after the month's last day.

    Args:
        country: the organisation's, whose business days count.
    """
    last_day = period.end_day - timedelta(days=1)
    # No earlier than the day after the month, also where the setting is 0.
    earliest, latest = (
        max(add_business_days(last_day, count, country), period.end_day) for count in source.settles_after_business_days
    )
    return SettlementDays(earliest, latest)


def period_of_file(name: str, arrived_on: date, source: Source, country: str) -> BillingPeriod:
    """Return the month to which a file counts that was not read.

    Args:
        name: path in the landing folder; the innermost folder that names a month decides.
        arrived_on: local day of arrival, which decides where no folder does: until the month before is usually
            settled, what arrives may belong to it.
    """
    for part in reversed(name.split("/")[:-1]):
        found = _PERIOD_FOLDER.fullmatch(part)
        if found:
            try:
                return BillingPeriod.parse(f"{found[1]}-{found[2]}")
            except PeriodInvalid:
                continue
    running = BillingPeriod.of_day(arrived_on)
    ended = running.previous()
    return ended if arrived_on <= settlement_days(source, ended, country).latest else running


def months_between(first: BillingPeriod, last: BillingPeriod) -> list[BillingPeriod]:
    """Return every month from `first` to `last`, both included; none if `last` is the earlier."""
    months = []
    while first <= last:
        months.append(first)
        first = BillingPeriod.of_day(first.end_day)
    return months
