"""The partitions: days on which files arrived, in the organisation's time zone, and billing months."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from dagster import DailyPartitionsDefinition, MonthlyPartitionsDefinition

from billing_pipeline.periods import FIRST_DAY


def arrival_days(time_zone: str) -> DailyPartitionsDefinition:
    """Return the daily partitions: key D holds what arrived on local day D.

    The running day is a partition too, so that a file dropped now can be billed by hand now; the
    schedule builds day D at 07:00 on D+1.
    """
    return DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone=time_zone, end_offset=1)


def is_day_of_arrival(day: date, zone: ZoneInfo) -> bool:
    """Tell whether a day is a partition: neither before the first nor, in the organisation's zone, in the future."""
    return FIRST_DAY <= day <= datetime.now(UTC).astimezone(zone).date()


def billing_months(time_zone: str) -> MonthlyPartitionsDefinition:
    """Return the monthly partitions, keyed by the first day of the billing period; the running month included."""
    return MonthlyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone=time_zone, end_offset=1)


def month_key(billing_period: str) -> str:
    """Return the partition key of a billing period: `2026-10` is `2026-10-01`."""
    return f"{billing_period}-01"


def day_before(instant: datetime, zone: ZoneInfo) -> str:
    """Return the key of the local day before an instant: what the 07:00 job builds."""
    return (instant.astimezone(zone).date() - timedelta(days=1)).isoformat()
