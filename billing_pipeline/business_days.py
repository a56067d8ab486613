"""Business days of a country: its week and its public holidays.

The calendars come from the library `holidays`, which knows moving feasts (Orthodox and Western Easter), holidays moved
to a weekday, and weekends that are not Saturday and Sunday. A country that it does not know has Monday to Friday.
"""

from datetime import date, timedelta
from functools import cache

import holidays

_SATURDAY_AND_SUNDAY = frozenset({5, 6})


def is_business_day(day: date, country: str) -> bool:
    """Tell whether a day is neither weekend nor a nation-wide public holiday.

    Args:
        country: ISO 3166-1 alpha-2 code.
    """
    calendar = _calendar(country)
    return day.weekday() not in _SATURDAY_AND_SUNDAY if calendar is None else bool(calendar.is_working_day(day))


def add_business_days(day: date, count: int, country: str) -> date:
    """Return the day that is `count` business days of a country after `day`; 0 is the day itself."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_business_day(day, country)
    return day


@cache
def _calendar(country: str) -> holidays.HolidayBase | None:
    """Return a country's calendar, which fills itself year by year; None where the library has none."""
    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        return None
