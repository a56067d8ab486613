"""Billing periods and local days.

Upper bounds are exclusive. The caller gives the zone and the instant: nothing here reads a clock.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from billing_pipeline.errors import WrongUsage

# ASCII: Python's \d and int() also take the digits of other scripts.
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
# fromisoformat alone would also take week dates such as 2026-W01-1.
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII | re.IGNORECASE
)


# The first day of arrival that is run: older than any file a vendor still offers.
FIRST_DAY = date(2014, 1, 1)


class PeriodInvalid(WrongUsage):
    """A text that is no billing period `YYYY-MM`, no day `YYYY-MM-DD` or no instant."""


@dataclass(frozen=True, order=True)
class BillingPeriod:
    """One calendar month as a vendor bills it.

    Attributes:
        text: `YYYY-MM`.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `YYYY-MM`.

        Raises:
            PeriodInvalid: any other text.
        """
        if not _MONTH.fullmatch(text):
            raise PeriodInvalid(f"{text!r} is no billing period; write YYYY-MM, for example 2026-10")
        return cls(text)

    @classmethod
    def of_day(cls, day: date) -> Self:
        """Return the month that contains a day."""
        return cls(f"{day:%Y-%m}")

    @property
    def first_day(self) -> date:
        """The first day of the month."""
        return date(int(self.text[:4]), int(self.text[5:]), 1)

    @property
    def end_day(self) -> date:
        """The first day after the month."""
        return (self.first_day + timedelta(days=31)).replace(day=1)

    @property
    def last_day(self) -> date:
        """The last day of the month."""
        return self.end_day - timedelta(days=1)

    def previous(self) -> "BillingPeriod":
        """Return the month before."""
        return BillingPeriod.of_day(self.first_day - timedelta(days=1))

    def __str__(self) -> str:
        return self.text


def parse_day(text: str) -> date:
    """Read `YYYY-MM-DD`.

    Raises:
        PeriodInvalid: any other text.
    """
    try:
        if not _DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError as error:
        raise PeriodInvalid(f"{text!r} is no day; write YYYY-MM-DD, for example 2026-10-05") from error


def parse_instant(text: str) -> datetime:
    """Read an instant in ISO 8601 with zone; the result is in UTC.

    Raises:
        PeriodInvalid: any other text, also a date and time without zone.
    """
    try:
        if not _INSTANT.fullmatch(text):
            raise ValueError
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise PeriodInvalid(
            f"{text!r} is no instant; write ISO 8601 with zone, for example 2026-10-05T09:00:00+03:00, or a day"
        ) from error


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """Return the calendar day of an instant in a time zone."""
    return instant.astimezone(zone).date()


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, at which a local day begins."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the last microsecond, in UTC, of a local day: the instant meant by who says only a day."""
    return start_of_day(day + timedelta(days=1), zone) - timedelta(microseconds=1)


def noon(day: date, zone: ZoneInfo) -> datetime:
    """Return local noon of a day, in UTC: the instant meant by a folder that names only a day."""
    return datetime.combine(day, time(12), tzinfo=zone).astimezone(UTC)


def days_between(first: date, last: date) -> list[date]:
    """Return every day from `first` to `last`, both included.

    Raises:
        PeriodInvalid: `last` is earlier than `first`.
    """
    if last < first:
        raise PeriodInvalid(f"the last day, {last}, is before the first, {first}")
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
