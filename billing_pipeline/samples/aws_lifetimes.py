"""When resources are at work: all month, some days, in office hours, by night, or once for some hours.

In a real report a resource that runs is in every hour of its life, so that many rows are one charge of a day. The
shares below give fifteen rows a charge and day at ten million rows, as the month of the performance targets has.
What does not belong here: which resources there are and what they use (`aws_cur`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from billing_pipeline.periods import BillingPeriod

HOURS_OF_DAY = 24
_DAY = (1 << HOURS_OF_DAY) - 1
_OFFICE_FROM, _OFFICE_TO = 8, 18
_SATURDAY = 5
_LONGEST_NIGHT_HOURS = 4
_LONGEST_STAY_DAYS = 14
_LONGEST_JOB_HOURS = 12


@dataclass(frozen=True)
class Hours:
    """The hours of a month in which a resource is at work.

    Attributes:
        bits: bit n is hour n of the month, counted from 0.
    """

    bits: int

    @property
    def count(self) -> int:
        """How many hours there are."""
        return self.bits.bit_count()

    def of_day(self, day: int) -> int:
        """Return the 24 bits of a day, the month's first is 0."""
        return self.bits >> HOURS_OF_DAY * day & _DAY

    def at_most(self, most: int, chance: Random) -> "Hours":
        """Return these hours, or so many of them one after the other, beginning anywhere."""
        if self.count <= most:
            return self
        every = [hour for hour in range(self.bits.bit_length()) if self.bits >> hour & 1]
        start = chance.randrange(len(every) - most + 1)
        return Hours(sum(1 << hour for hour in every[start : start + most]))


def draw_hours(month: BillingPeriod, chance: Random) -> Hours:
    """Return the hours of one resource, of a life drawn by the shares above."""
    days = (month.end_day - month.first_day).days
    (life,) = chance.choices(_LIVES, _SHARES)
    return Hours(life(days, month.first_day.weekday(), chance))


def _all_month(days: int, _weekday: int, _chance: Random) -> int:
    return (1 << HOURS_OF_DAY * days) - 1


def _some_days(days: int, _weekday: int, chance: Random) -> int:
    return _stretch(chance.randint(HOURS_OF_DAY, HOURS_OF_DAY * _LONGEST_STAY_DAYS), days, chance)


def _office_hours(days: int, weekday: int, _chance: Random) -> int:
    hours = _run(_OFFICE_FROM, _OFFICE_TO - _OFFICE_FROM)
    return sum(hours << HOURS_OF_DAY * day for day in range(days) if (weekday + day) % 7 < _SATURDAY)


def _nightly(days: int, _weekday: int, chance: Random) -> int:
    # A job begins in the same hour of every day; "night" is where its owner's users sleep.
    length = chance.randint(1, _LONGEST_NIGHT_HOURS)
    hours = _run(chance.randrange(HOURS_OF_DAY - length + 1), length)
    return sum(hours << HOURS_OF_DAY * day for day in range(days))


def _one_job(days: int, _weekday: int, chance: Random) -> int:
    return _stretch(chance.randint(1, _LONGEST_JOB_HOURS), days, chance)


def _stretch(length: int, days: int, chance: Random) -> int:
    return _run(chance.randrange(HOURS_OF_DAY * days - length + 1), length)


def _run(first: int, length: int) -> int:
    return ((1 << length) - 1) << first


_LIFE_SHARES: tuple[tuple[Callable[[int, int, Random], int], int], ...] = (
    (_all_month, 20),
    (_some_days, 25),
    (_office_hours, 15),
    (_nightly, 30),
    (_one_job, 10),
)
_LIVES = [life for life, _ in _LIFE_SHARES]
_SHARES = [share for _, share in _LIFE_SHARES]
