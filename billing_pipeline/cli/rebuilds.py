"""`billing rebuild`: a billing month as it was known at a past moment, in a folder of its own."""

import json
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import typer

from billing_pipeline.cli.output import OUT, complain, show_table
from billing_pipeline.errors import WrongUsage
from billing_pipeline.invoicing import DraftOptions
from billing_pipeline.periods import BillingPeriod, PeriodInvalid, end_of_day, local_day, parse_day, parse_instant
from resources import clock
from resources.rebuild import MANIFEST, Rebuilt, rebuild_month
from resources.workspace import Workspace


class RebuildInvalid(WrongUsage):
    """A rebuild that cannot be made as it was asked for."""


def parse_moment(text: str) -> date | datetime:
    """Read an instant with zone, or a day.

    Raises:
        PeriodInvalid: any other text.
    """
    try:
        return parse_day(text)
    except PeriodInvalid:
        return parse_instant(text)


def as_instant(moment: date | datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the instant that is meant; a day means its end in the organisation's zone.

    Args:
        now: the clock.

    Raises:
        RebuildInvalid: the instant, or the day, lies in the future.
    """
    if isinstance(moment, datetime):
        instant, is_future = moment, moment > now
    else:
        instant, is_future = end_of_day(moment, zone), moment > local_day(now, zone)
    if is_future:
        raise RebuildInvalid(f"{moment.isoformat()} lies in the future: nobody knows yet what is known then")
    return instant


def rebuild(
    workspace: Workspace,
    period: BillingPeriod,
    moment: date | datetime,
    options: DraftOptions,
    out: Path,
    as_json: bool,
) -> bool:
    """Make a month again as it was known at a moment, and print what was made.

    Returns:
        Whether no customer lacks the draft it should have.

    Raises:
        RebuildInvalid: the moment or the folder cannot be used.
    """
    out = out.expanduser().absolute()
    _check_folder(workspace, out)
    as_of = as_instant(moment, workspace.load_config().organisation.zone, clock.utc_now())
    rebuilt = rebuild_month(workspace, period, as_of, options, out)
    for notice in rebuilt.notices:
        complain(notice)
    for error in rebuilt.errors:
        complain(f"no draft for customer {error.customer_id}: {error.reason}")
    _show(rebuilt, period, as_of, out, as_json)
    # A vendor that still estimated was a state, not a failure: as in `billing run`.
    return all(error.kind == "unsettled" for error in rebuilt.errors)


def _check_folder(workspace: Workspace, out: Path) -> None:
    if out.resolve().is_relative_to(workspace.home.resolve()):
        raise RebuildInvalid(f"{out} lies inside the workspace, which a rebuild leaves alone; name another folder")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RebuildInvalid(f"{out} is not empty; a rebuild goes into a folder of its own")


def _show(rebuilt: Rebuilt, period: BillingPeriod, as_of: datetime, out: Path, as_json: bool) -> None:
    if as_json:
        facts = {"month": period.text, "as_of": as_of.isoformat(), "folder": str(out), **asdict(rebuilt)}
        typer.echo(json.dumps(facts, indent=2))
        return
    rows = [
        ["deliveries", rebuilt.deliveries],
        ["days of arrival", len(rebuilt.days)],
        ["invoices", rebuilt.invoices],
        ["files", len(rebuilt.files)],
    ]
    show_table(f"{period} as of {as_of.isoformat(timespec='seconds')}", ["what", "amount"], rows, as_json=False)
    for name in ("exports", "lake", "ledger.db", "warehouse.duckdb", MANIFEST):
        OUT.print(f"{name:<18} {out / name}", markup=False, soft_wrap=True)
