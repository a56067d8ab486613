"""Measure Parquet to invoices: the stages of a month, from converted vendor rows to drafts and the warehouse.

Usage: python bench/invoices.py --rows N [--repeat N] [--statements]

The workspace with N vendor rows is made under bench/data/N and kept; its files are converted once, which is not
part of the figures (bench/convert.py measures that). Each stage runs in a process of its own, without Dagster;
`invoices` runs those that lead to invoices in one process, one after the other, `whole` all of them. Imports are
counted apart, as `start`.
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measuring.usage import Clock, Parts, Usage, measure_child, report
from measuring.workspaces import MONTH, make_workspace, workspace_folder

if TYPE_CHECKING:
    from resources.workspace import Workspace

WHO = "bench"


def convert_vendor_files(workspace: "Workspace", parts: Parts) -> dict[str, int]:
    """Take every day's files into the lake, as intake does: anew only where the conversion has changed since."""
    from resources.connections import WorkspaceResource  # noqa: PLC0415
    from resources.intake import Intake, open_inbox  # noqa: PLC0415

    place = WorkspaceResource(home=str(workspace.home))
    with parts("landing and archive"):
        inbox = open_inbox(place.workspace.home, place.config, place.archive)
    rows = 0
    with place.session() as connection, place.converter(connection) as converter:
        taker = Intake(connection, converter, place.config, place.archive, place.lake)
        for day in inbox.days(place.config.organisation.zone):
            rows += int(taker.take(inbox, day).deliveries["row_count"].sum())
    return {"rows": rows}


def price_line_items(workspace: "Workspace", parts: Parts) -> dict[str, int]:
    """Sum vendor rows to the charge grain, attribute and price them, as the asset priced_line_items does."""
    from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS  # noqa: PLC0415
    from resources import relations  # noqa: PLC0415
    from resources.day_runs import price_days  # noqa: PLC0415
    from resources.lake import Lake  # noqa: PLC0415
    from resources.reference_files import load_reference, reference_frames  # noqa: PLC0415

    config, lake = workspace.load_config(), Lake(workspace.lake)
    with _session(workspace, parts) as connection:
        with parts("reference files"):
            reference = load_reference(workspace.home, config.organisation.zone)
            relations.register_frames(connection, reference_frames(reference))
        price_days(connection, lake, config, lake.partitions("deliveries"))
        relations.read_partitions(connection, "line_items", PRICED_LINE_ITEMS, lake, None)
        return {"charges": _count(connection, "line_items")}


def reconcile(workspace: "Workspace", parts: Parts) -> dict[str, int]:
    """Put every charge's cost into a bucket and compare with the deliveries, as usage_reconciliation does."""
    from resources.day_runs import find_differences, reconcile_day  # noqa: PLC0415
    from resources.lake import Lake  # noqa: PLC0415

    lake = Lake(workspace.lake)
    with _session(workspace, parts) as connection:
        days = lake.partitions("deliveries")
        for day in days:
            reconcile_day(connection, lake, day)
        differences = find_differences(connection, lake, days)
        return {"buckets": _count(connection, "buckets"), "differences": differences}


def list_customer_charges(workspace: "Workspace", parts: Parts) -> dict[str, int]:
    """Let distributor items in or leave them out, and write the day's files, as customer_charges(_export) do."""
    from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES  # noqa: PLC0415
    from resources import relations  # noqa: PLC0415
    from resources.charge_files import write_day_files  # noqa: PLC0415
    from resources.day_runs import list_charges_of_day  # noqa: PLC0415
    from resources.lake import Lake  # noqa: PLC0415
    from resources.reference_files import load_reference, reference_frames  # noqa: PLC0415

    organisation, lake = workspace.load_config().organisation, Lake(workspace.lake)
    with _session(workspace, parts) as connection:
        with parts("reference files"):
            reference = load_reference(workspace.home, organisation.zone)
            relations.register_frames(connection, reference_frames(reference))
        for day in lake.partitions("deliveries"):
            list_charges_of_day(connection, lake, organisation, day)
            with parts("workbooks and files"):
                write_day_files(connection, lake, organisation, workspace.exports, day)
        relations.read_partitions(connection, "listed", CUSTOMER_CHARGES, lake, None)
        return {"customer charges": _count(connection, "listed")}


def draft_invoices(workspace: "Workspace", parts: Parts) -> dict[str, int]:
    """Draft the month into the ledger, as invoice_drafts does."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from billing_pipeline.invoicing import DraftOptions  # noqa: PLC0415
    from billing_pipeline.periods import BillingPeriod  # noqa: PLC0415
    from billing_pipeline.schemas.invoices import INVOICE_DRAFTS  # noqa: PLC0415
    from resources.invoice_runs import draft_month  # noqa: PLC0415
    from resources.lake import Lake  # noqa: PLC0415
    from resources.reference_files import load_reference  # noqa: PLC0415
    from resources.relations import read_partitions  # noqa: PLC0415

    reference = load_reference(workspace.home, workspace.load_config().organisation.zone)
    period = BillingPeriod.parse(MONTH)
    with _session(workspace, parts) as connection:
        done = draft_month(connection, workspace, reference, period, DraftOptions(), datetime.now(UTC), WHO)
        read_partitions(connection, "drafted", INVOICE_DRAFTS, Lake(workspace.lake), [period.text])
        lines = _count(connection, "drafted")
    return {"invoices": len(done.created), "lines": lines, "customers without": len(done.errors)}


def publish(workspace: "Workspace", parts: Parts) -> dict[str, int]:
    """Build the warehouse and put it in place, as the asset warehouse does."""
    from datetime import date  # noqa: PLC0415

    from resources.publishing import publish_warehouse  # noqa: PLC0415

    with parts("all"):
        counts = publish_warehouse(workspace, date(2026, 11, 20))
    return {"megabytes": round(workspace.warehouse.stat().st_size / 1e6), "tables": len(counts)}


Stage = Callable[["Workspace", Parts], dict[str, int]]
STAGES: dict[str, Stage] = {
    "price": price_line_items,
    "reconcile": reconcile,
    "charges": list_customer_charges,
    "drafts": draft_invoices,
    "warehouse": publish,
}
# What the design calls Parquet to invoices; lists, workbooks and the warehouse come on top.
TOGETHER = {"invoices": ("price", "reconcile", "drafts"), "whole": tuple(STAGES)}
NAMES = (*STAGES, *TOGETHER)
# Performance targets of the design for 10 million rows, in CPU seconds; cost grows linearly with the rows.
TARGETS = {"invoices": 12.0}


def run_stage(name: str, rows: int, is_traced: bool) -> Usage:
    """Run one stage, or several together, in this process."""
    import billing_pipeline.pricing  # noqa: F401, PLC0415
    import resources.charge_files  # noqa: PLC0415
    import resources.invoice_runs  # noqa: PLC0415
    import resources.publishing  # noqa: F401, PLC0415
    from resources.workspace import Workspace  # noqa: PLC0415

    global _is_traced  # noqa: PLW0603
    _is_traced = is_traced
    workspace = Workspace.at(workspace_folder(rows))
    stages = TOGETHER.get(name, (name,))
    if "drafts" in stages:
        _empty_ledger(workspace)
    clock, parts, facts = Clock(), Parts(), {}
    if name == "convert":
        facts = convert_vendor_files(workspace, parts)
    else:
        for stage in stages:
            facts |= STAGES[stage](workspace, parts)
    usage = clock.stop()
    usage.parts, usage.facts = parts.seconds, facts
    return usage


def _empty_ledger(workspace: "Workspace") -> None:
    """Make a ledger without documents; that happens once in a workspace's life, so it is not measured."""
    from resources.ledger import open_ledger  # noqa: PLC0415

    for file in workspace.home.glob("ledger.db*"):
        file.unlink()
    open_ledger(workspace.load_config().ledger.url, workspace.home).dispose()


_is_traced = False


@contextmanager
def _session(workspace: "Workspace", parts: Parts, traced: bool | None = None) -> Iterator[Any]:
    from measuring.statements import TracedConnection  # noqa: PLC0415

    from resources.session import duckdb_session  # noqa: PLC0415

    temporary = workspace.home / ".duckdb"
    temporary.mkdir(parents=True, exist_ok=True)
    with duckdb_session(temp_directory=temporary) as connection:
        yield TracedConnection(connection, parts) if (_is_traced if traced is None else traced) else connection


def _count(connection: Any, relation: str) -> int:
    return int(connection.execute(f"select count(*) from {relation}").fetchone()[0])


def main() -> None:
    """Measure every stage, each in its own process, then all of them in one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=1, help="print the median of so many runs")
    parser.add_argument("--only", choices=NAMES)
    parser.add_argument("--statements", action="store_true", help="print the CPU seconds of each statement")
    parser.add_argument("--stage", choices=["convert", *NAMES], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stage:
        make_workspace(arguments.rows)
        report(run_stage(arguments.stage, arguments.rows, arguments.statements))
        return
    flags = ["--statements"] if arguments.statements else []
    child = [str(Path(__file__)), "--rows", str(arguments.rows), *flags, "--stage"]
    measure_child(*child, "convert")
    scale = arguments.rows / 10_000_000
    print(f"{'stage':12}{'CPU s':>8}{'wall s':>8}{'start':>8}{'peak MB':>9}  target CPU s")
    for name in [arguments.only] if arguments.only else NAMES:
        runs = sorted((measure_child(*child, name) for _ in range(arguments.repeat)), key=lambda run: run.cpu)
        _print(name, runs, scale)


def _print(name: str, runs: list[Usage], scale: float) -> None:
    cpu = statistics.median(run.cpu for run in runs)
    middle = runs[len(runs) // 2]
    target = f"{TARGETS[name] * scale:.1f}" if name in TARGETS else ""
    print(
        f"{name:12}{cpu:8.2f}{middle.wall:8.2f}{middle.start:8.2f}{max(run.peak_megabytes for run in runs):9.0f}"
        f"  {target:6}  " + ", ".join(f"{value:,} {what}" for what, value in middle.facts.items()),
        flush=True,
    )
    for part, seconds in sorted(middle.parts.items(), key=lambda item: -item[1]):
        if seconds >= 0.005:
            print(f"    {seconds:8.3f}  {part}")


if __name__ == "__main__":
    sys.exit(main())
