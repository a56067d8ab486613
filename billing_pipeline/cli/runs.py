"""`billing run`: which days, in what order, and what is said at the end."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import typer

from assets.partitions import is_day_of_arrival
from billing_pipeline.cli.draft_options import draft_config
from billing_pipeline.cli.jobs import open_jobs
from billing_pipeline.cli.month_documents import documents_of
from billing_pipeline.cli.output import OUT, complain, money, show_table
from billing_pipeline.cli.reconciliations import blocking
from billing_pipeline.cli.reference_notices import take_reference
from billing_pipeline.invoicing import DraftOptions
from billing_pipeline.periods import FIRST_DAY, BillingPeriod, days_between, local_day
from billing_pipeline.schemas.deliveries import DELIVERIES, QUARANTINE
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from resources import clock
from resources.archive import Archive
from resources.intake import Inbox, open_inbox
from resources.lake import Lake
from resources.late_debits import days_with_late_debits
from resources.published_tables import IS_PRICED
from resources.publishing import publish_changes
from resources.relations import read_deliveries, read_partitions
from resources.unfinished_work import RUN, UnfinishedWork
from resources.untaken import outdated_days, quarantined_days, untaken_days
from resources.workspace import Workspace


@dataclass(frozen=True)
class RunRequest:
    """What to run.

    Attributes:
        month: billing period, then `first` and `last` are None.
        first: first day of arrival.
        last: last day of arrival.
        options: of the month's drafts.
    """

    month: BillingPeriod | None = None
    first: date | None = None
    last: date | None = None
    options: DraftOptions = field(default_factory=DraftOptions)


def run(workspace: Workspace, request: RunRequest, as_json: bool = False) -> bool:
    """Run the days and the month that were asked for, and print a summary.

    Returns:
        Whether all went well: nothing refused, no customer without the draft it should have.
    """
    config = workspace.load_config()
    refused = take_reference(workspace)
    archive, lake, work = Archive(workspace.archive), Lake(workspace.lake), UnfinishedWork(workspace.home)
    inbox = open_inbox(workspace.home, config, archive)
    busy = inbox.days(config.organisation.zone)
    left: list[date] = []
    with open_jobs(workspace) as jobs:
        if request.first is not None and request.last is not None:
            days = days_between(request.first, request.last)
        else:
            zone = config.organisation.zone
            days = [day for day in untaken_days(inbox, lake, archive, zone) if is_day_of_arrival(day, zone)]
            of_month = days_of_month(lake, workspace, request.month) if request.month is not None else []
            left = [day for day in work.days() if is_day_of_arrival(day, zone) and day not in (*days, *of_month)]
        marked = [day.isoformat() for day in (*days, *left) if is_day_of_arrival(day, config.organisation.zone)]
        # Until the end: what the days make outdated or late is found again if this run does not live to run it.
        work.begin_days(marked, RUN)
        jobs.run_days(days, busy, publish=request.month is None)
        # What an earlier run left undone; apart, so that a day which cannot be finished stops no new one.
        jobs.run_days(left, busy, publish=request.month is None)
        days = [*days, *left]
        # What arrived for these days may make an invoice of a later day a repeat, or news.
        outdated = [day for day in outdated_days(inbox, lake, config.organisation.zone) if day not in days]
        jobs.run_days(outdated, busy, publish=request.month is None)
        days = [*days, *outdated]
        late = days_with_late_debits(lake, days)
        jobs.run_days(late, busy, publish=request.month is None)
        days = [*days, *(day for day in late if day not in days)]
        if request.month is not None:
            again = [day for day in days_of_month(lake, workspace, request.month) if day not in days]
            jobs.run_days(again, busy, publish=False)
            days = [*days, *again]
            jobs.run_month(request.month, draft_config(request.options, "billing run"))
    work.finish_days(marked, RUN)
    # An earlier run may not have lived to publish what it had changed.
    publish_changes(workspace, local_day(clock.utc_now(), config.organisation.zone))
    strays = _beyond_the_days(inbox, config.organisation.zone)
    return summarise(workspace, sorted(days), request.month, as_json, [*strays, *refused])


def _beyond_the_days(inbox: Inbox, zone: ZoneInfo) -> list[str]:
    """Return a complaint for each file that counts as arrived on a day that is no partition: no run takes it."""
    files = [
        *(
            (one.files[0], one.received_at)
            for found in inbox.by_source.values()
            for one in (*found.complete, *found.totals)
        ),
        *((item.arrival, item.arrival.received_at) for found in inbox.by_source.values() for item in found.refused),
    ]
    return [
        f"not taken: {arrival.source}/{arrival.name}: it counts as arrived on {local_day(instant, zone)};"
        f" days of arrival run from {FIRST_DAY} to today"
        for arrival, instant in files
        if not is_day_of_arrival(local_day(instant, zone), zone)
    ]


def retry(workspace: Workspace) -> list[date]:
    """Run the days whose quarantine is not empty again, and publish.

    Returns:
        Those days.
    """
    config = workspace.load_config()
    inbox = open_inbox(workspace.home, config, Archive(workspace.archive))
    days = quarantined_days(Lake(workspace.lake))
    if days:
        with open_jobs(workspace) as jobs:
            jobs.run_days(days, inbox.days(config.organisation.zone), publish=True)
    return days


def days_of_month(lake: Lake, workspace: Workspace, period: BillingPeriod) -> list[date]:
    """Return the days on which a delivery or totals of a billing period arrived, as far as runs have taken them."""
    zone = workspace.load_config().organisation.zone
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        read_partitions(connection, "taken", DELIVERIES, lake, None)
        read_partitions(connection, "totals", VENDOR_TOTALS, lake, None)
        found = connection.execute(
            "select received_at from taken where billing_period = $period and unchanged_since is null"
            " union select received_at from totals where billing_period = $period",
            {"period": period.text},
        ).fetchall()
    return sorted({local_day(received_at, zone) for (received_at,) in found})


def summarise(
    workspace: Workspace, days: list[date], month: BillingPeriod | None, as_json: bool, strays: Sequence[str] = ()
) -> bool:
    """Print what the days and the month came to, problems on stderr.

    Args:
        strays: complaints about files that no run takes or uses.

    Returns:
        Whether there was no problem.
    """
    facts = _facts(workspace, days, month)
    facts["problems"] += strays
    if as_json:
        typer.echo(json.dumps(facts, indent=2, default=str))
    else:
        rows = [[name.replace("_", " "), value] for name, value in facts["counts"].items()]
        rows += [
            [f"total {name.replace('_', ' ')} {code}", text]
            for code, names in facts["totals"].items()
            for name, text in names.items()
        ]
        show_table(f"Run of {_spoken(days, month)}", ["what", "amount"], rows, as_json=False)
        for name, path in facts["paths"].items():
            OUT.print(f"{name:<18} {path}", markup=False, soft_wrap=True)
    for notice in facts["notices"]:
        complain(notice)
    for problem in facts["problems"]:
        complain(problem)
    return not facts["problems"]


def _spoken(days: list[date], month: BillingPeriod | None) -> str:
    spoken = (
        "no day: nothing new has arrived" if not days else f"{len(days)} day(s) of arrival, {days[0]} to {days[-1]}"
    )
    return spoken if month is None else f"{month}, {spoken}"


def _facts(workspace: Workspace, days: list[date], month: BillingPeriod | None) -> dict[str, Any]:
    lake = Lake(workspace.lake)
    partitions = [day.isoformat() for day in days]
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        read_deliveries(connection, lake, partitions)
        read_partitions(connection, "quarantine", QUARANTINE, lake, partitions)
        read_partitions(connection, "line_items", PRICED_LINE_ITEMS, lake, partitions)
        taken = connection.execute(
            "select count(distinct delivery_id), coalesce(sum(row_count), 0) from deliveries"
        ).fetchone()
        read_partitions(connection, "totals", VENDOR_TOTALS, lake, partitions)
        months = connection.execute(
            "select billing_period from deliveries union select billing_period from totals order by all"
        ).fetchall()
        refused = connection.execute(
            "select source, file_name, row_number, column_name, value, reason from quarantine order by all"
        ).fetchall()
        items = connection.execute(
            f"select count(*) filter ({IS_PRICED}),"
            " count(*) filter (bucket = 'unmapped_account'), count(*) filter (bucket = 'unpriced'),"
            " count(*) filter (charge_type = 'Debit' and unit_cost <> expected_unit_cost) from line_items"
        ).fetchone()
        sums = connection.execute(
            "select currency, sum(total_cost), sum(total_sell) from line_items group by currency order by currency"
        ).fetchall()
    documents = documents_of(workspace, month)
    assert taken is not None
    assert items is not None
    counts: dict[str, Any] = {
        "rows_in": int(taken[1]),
        "deliveries": taken[0],
        "quarantined": len(refused),
        "charges": items[0],
        "unmapped": items[1],
        "unpriced": items[2],
    }
    if month is not None:
        counts |= {"invoices": documents.count, "customers_without_draft": documents.missing}
    by_currency: dict[str, dict[str, str]] = {
        code: {"cost": money(cost, code), "price": money(price, code)} for code, cost, price in sums
    }
    for code, total in documents.totals.items():
        by_currency.setdefault(code, {})["invoiced"] = money(total, code)
    refusals = [_refusal(*row) for row in refused]
    differences = blocking(workspace, sorted({*(name for (name,) in months), *([month.text] if month else [])}))
    return {
        "counts": counts,
        "totals": by_currency,
        "paths": _paths(workspace, partitions, month),
        "notices": [*_cost_notices(items[3]), *documents.notices],
        "problems": [*refusals, *differences, *documents.problems],
    }


def _cost_notices(differing: int) -> list[str]:
    if not differing:
        return []
    return [
        f"{differing} item(s) of distributor invoices cost other than the price list says: they are billed on the"
        " invoiced cost; the warehouse's table unit_cost_differences names them"
    ]


def _refusal(source: str, file: str, row: int | None, column: str | None, value: str | None, reason: str) -> str:
    where = "".join(
        f", {name} {cell}" for name, cell in (("row", row), ("column", column), ("value", value)) if cell is not None
    )
    return f"quarantined: {source}/{file}{where}: {reason}"


def _paths(workspace: Workspace, partitions: list[str], month: BillingPeriod | None) -> dict[str, str]:
    paths = {"warehouse": str(workspace.warehouse), "lake": str(workspace.lake)}
    folder = workspace.exports / "customer_charges"
    written = [folder / day for day in partitions if (folder / day).is_dir()]
    if written:
        paths["customer charges"] = str(written[-1] / "Customer Charges.xlsx")
    if month is not None and (workspace.exports / "invoices" / month.text).is_dir():
        paths["invoices"] = str(workspace.exports / "invoices" / month.text)
    return paths
