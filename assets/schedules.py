"""The schedules: every day at 07:00 what arrived the day before; every month the drafts of the month before.

Both tick on the organisation's wall clock. Clocks change between 02:00 and 04:00, so 07:00 exists once on every
day, and the day before is a calendar day whether it had 23, 24 or 25 hours.
"""

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from dagster import (
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    schedule,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from assets.partitions import day_before, month_key
from billing_pipeline.periods import BillingPeriod

DAILY_HOUR = 7


def build_schedules(
    time_zone: str, daily: UnresolvedAssetJobDefinition, month_close: UnresolvedAssetJobDefinition
) -> Sequence[ScheduleDefinition]:
    """Return both schedules, on the organisation's clock."""
    zone = ZoneInfo(time_zone)

    @schedule(
        name="daily_customer_charges",
        job=daily,
        cron_schedule=f"0 {DAILY_HOUR} * * *",
        execution_timezone=time_zone,
        description="At 07:00 local time: take, price and publish what arrived the day before.",
    )
    def daily_customer_charges(context: ScheduleEvaluationContext) -> RunRequest:
        key = day_before(context.scheduled_execution_time, zone)
        return RunRequest(run_key=key, partition_key=key)

    @schedule(
        name="monthly_invoice_drafts",
        job=month_close,
        cron_schedule=f"0 {DAILY_HOUR + 1} 1 * *",
        execution_timezone=time_zone,
        description="At 08:00 on the first of a month, after the daily job: drafts of the month before.",
    )
    def monthly_invoice_drafts(context: ScheduleEvaluationContext) -> RunRequest:
        today = context.scheduled_execution_time.astimezone(zone).date()
        period = BillingPeriod.of_day(today.replace(day=1) - timedelta(days=1))
        return RunRequest(run_key=period.text, partition_key=month_key(period.text))

    return [daily_customer_charges, monthly_invoice_drafts]
