"""Billing periods, local days across clock changes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from billing_pipeline.periods import (
    BillingPeriod,
    PeriodInvalid,
    days_between,
    end_of_day,
    local_day,
    noon,
    parse_day,
    parse_instant,
    start_of_day,
)

ATHENS = ZoneInfo("Europe/Athens")


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "2026-1", "26-01", "2026-01-01", "", "2026-01\n", "\uff12\uff10\uff12\uff16-01"]
)
def test_only_year_and_month_are_a_billing_period(text: str) -> None:
    with pytest.raises(PeriodInvalid, match="is no billing period; write YYYY-MM"):
        BillingPeriod.parse(text)


def test_a_period_ends_on_the_first_day_after_it() -> None:
    assert BillingPeriod.parse("2028-02").end_day == date(2028, 3, 1)
    assert BillingPeriod.parse("2026-12").end_day == date(2027, 1, 1)
    assert BillingPeriod.parse("2026-01").previous() == BillingPeriod("2025-12")
    assert str(BillingPeriod.of_day(date(2026, 10, 31))) == "2026-10"


@pytest.mark.parametrize("text", ["2026-02-30", "20260105", "2026-W01-1", "2026-1-05", "05.01.2026", ""])
def test_only_iso_days_are_days(text: str) -> None:
    with pytest.raises(PeriodInvalid, match="is no day; write YYYY-MM-DD"):
        parse_day(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-05T09:00:00+03:00",
        "2026-10-05 06:00Z",
        "2026-10-05t06:00:00.000000z",
        "2026-10-05T01:00:00-05:00",
    ],
)
def test_an_instant_is_read_in_utc_whatever_its_zone(text: str) -> None:
    assert parse_instant(text) == datetime(2026, 10, 5, 6, tzinfo=UTC)
    assert parse_instant(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-05T09:00:00",
        "2026-10-05",
        "2026-W41-1T09:00Z",
        "2026-10-05T25:00Z",
        "0001-01-01T00:00+03:00",
        "9 o'clock",
        "",
    ],
)
def test_an_instant_without_zone_or_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(PeriodInvalid, match="is no instant; write ISO 8601 with zone"):
        parse_instant(text)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25), date(2026, 10, 5)])
def test_the_end_of_a_day_is_its_last_microsecond(day: date) -> None:
    end = end_of_day(day, ATHENS)
    assert local_day(end, ATHENS) == day
    assert end + timedelta(microseconds=1) == start_of_day(day + timedelta(days=1), ATHENS)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 10, 5), 24)])
def test_a_local_day_has_as_many_hours_as_the_clock_change_leaves_it(day: date, hours: int) -> None:
    assert start_of_day(day + timedelta(days=1), ATHENS) - start_of_day(day, ATHENS) == timedelta(hours=hours)
    assert start_of_day(day, ATHENS).tzinfo is UTC


def test_an_instant_belongs_to_the_local_day_that_it_falls_on() -> None:
    assert local_day(datetime(2026, 10, 4, 21, tzinfo=UTC), ATHENS) == date(2026, 10, 5)
    assert local_day(datetime(2026, 10, 4, 20, 59, tzinfo=UTC), ATHENS) == date(2026, 10, 4)
    assert local_day(noon(date(2026, 3, 29), ATHENS), ATHENS) == date(2026, 3, 29)


def test_days_between_includes_both_ends_and_refuses_to_run_backwards() -> None:
    assert days_between(date(2026, 2, 27), date(2026, 3, 1)) == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]
    with pytest.raises(PeriodInvalid, match="2026-02-27, is before the first, 2026-03-01"):
        days_between(date(2026, 3, 1), date(2026, 2, 27))
