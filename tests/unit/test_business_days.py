"""Business days after the calendars of countries: moving feasts, other weekends, unknown countries."""

from datetime import date, timedelta

import holidays
import pytest

from billing_pipeline.business_days import add_business_days, is_business_day


@pytest.mark.parametrize(
    ("day", "country", "is_business"),
    [
        # Easter 2026: Western on 5 April, Orthodox on 12 April.
        (date(2026, 4, 3), "DE", False),
        (date(2026, 4, 3), "GR", True),
        (date(2026, 4, 6), "DE", False),
        (date(2026, 4, 6), "GR", True),
        (date(2026, 4, 10), "DE", True),
        (date(2026, 4, 10), "GR", False),
        (date(2026, 4, 13), "DE", True),
        (date(2026, 4, 13), "GR", False),
        # Clean Monday and Ohi Day are Greek; Reformation Day is of some German states, not of the nation.
        (date(2026, 2, 23), "GR", False),
        (date(2026, 2, 23), "DE", True),
        (date(2026, 10, 28), "GR", False),
        (date(2026, 10, 28), "DE", True),
        (date(2025, 10, 31), "DE", True),
        (date(2026, 11, 7), "GR", False),
    ],
)
def test_holidays_are_those_of_the_country(day: date, country: str, is_business: bool) -> None:
    assert is_business_day(day, country) is is_business


def test_five_business_days_after_march_2026_end_two_days_apart_in_germany_and_greece() -> None:
    # 1 and 2 April, then Germany's long Easter weekend of 3 to 6 April; Greece works through it.
    march = date(2026, 3, 31)
    assert add_business_days(march, 5, "DE") == date(2026, 4, 9)
    assert add_business_days(march, 5, "GR") == date(2026, 4, 7)
    # Greece rests from 10 to 13 April.
    assert add_business_days(march, 15, "DE") == date(2026, 4, 23)
    assert add_business_days(march, 15, "GR") == date(2026, 4, 23)
    assert add_business_days(march, 8, "GR") == date(2026, 4, 14)
    assert add_business_days(march, 8, "DE") == date(2026, 4, 14)
    assert add_business_days(march, 7, "GR") == date(2026, 4, 9)
    assert add_business_days(march, 7, "DE") == date(2026, 4, 13)


def test_no_day_is_the_day_itself() -> None:
    saturday = date(2026, 10, 31)
    assert add_business_days(saturday, 0, "GR") == saturday
    assert add_business_days(saturday, 1, "GR") == date(2026, 11, 2)


def test_a_weekend_need_not_be_saturday_and_sunday() -> None:
    friday, sunday = date(2026, 11, 6), date(2026, 11, 8)
    assert not is_business_day(friday, "IL")
    assert is_business_day(sunday, "IL")


def test_a_country_without_a_calendar_works_from_monday_to_friday() -> None:
    with pytest.raises(NotImplementedError):
        holidays.country_holidays("XX")
    worked = [is_business_day(date(2026, 4, 6) + timedelta(days=offset), "XX") for offset in range(7)]
    assert worked == [True] * 5 + [False] * 2
