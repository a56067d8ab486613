"""`billing reconcile`: the three-way table with its buckets, what blocks, and accepting a difference."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import duckdb

from billing_pipeline.cli.output import OUT, complain, show_table
from billing_pipeline.errors import BillingError, WrongUsage
from billing_pipeline.ledger.acceptances import Acceptance, record_acceptances
from billing_pipeline.periods import BillingPeriod, local_day
from resources.clock import utc_now
from resources.ledger import open_ledger
from resources.publishing import publish_changes
from resources.three_way import open_differences
from resources.unfinished_work import UnfinishedWork
from resources.workspace import Workspace

_KEY = ("source", "billing_account_id", "currency")
_KEY_OF_MONTH = (*_KEY, "billing_period")
_SUMMED = ("vendor_net_total", "vendor_tax_total", "cost_total")
_ALONE = 3

Query = Callable[[Workspace, str, Sequence[Any]], tuple[list[str], list[Any]]]


class NothingToAccept(BillingError):
    """No difference of that source, account and currency blocks the month."""


def parse_target(text: str) -> tuple[str, str | None]:
    """Read SOURCE or SOURCE/ACCOUNT; an account may hold further slashes."""
    source, _, account = text.partition("/")
    if not source:
        raise WrongUsage("--accept: name a source of billing.toml, or SOURCE/ACCOUNT")
    return source, account or None


def accept(
    workspace: Workspace, period: BillingPeriod, target: str, currency: str | None, reason: str | None, who: str
) -> int:
    """Accept the differences of a source or of one of its accounts, as they are, and publish.

    Returns:
        How many were accepted.

    Raises:
        WrongUsage: there is no reason.
        NothingToAccept: nothing fits, or what fits is a fault of the pipeline.
    """
    if reason is None or not reason.strip():
        raise WrongUsage("--accept needs --reason: why the difference is right as it is")
    source, account = parse_target(target)
    fitting = [
        one
        for one in open_differences(workspace, period)
        if one["source"] == source and account in (None, one["billing_account_id"])
        if currency in (None, one["currency"])
    ]
    if not fitting:
        raise NothingToAccept(f"no difference of {target} blocks the invoices of {period}")
    for one in fitting:
        if one["unattributed"]:
            raise NothingToAccept(
                f"{source} {one['billing_account_id']}: the buckets do not hold what the rows add up to, which is a"
                " fault of this program; nothing was accepted"
            )
    config, now = workspace.load_config(), utc_now()
    names = (*_KEY_OF_MONTH, "tax_difference")
    accepted = [
        Acceptance(
            **{name: one[name] for name in names},
            difference=one["net_difference"],
            basis_sha256=one["basis_sha256"],
            deliveries=tuple(one["deliveries"]),
            reason=reason.strip(),
            who=who,
            at=now,
        )
        for one in fitting
    ]
    UnfinishedWork(workspace.home).begin_change()
    with open_ledger(config.ledger.url, workspace.home).begin() as connection:
        record_acceptances(connection, accepted)
    publish_changes(workspace, local_day(now, config.organisation.zone))
    return len(accepted)


def reconcile(workspace: Workspace, month: str, query: Query, as_json: bool) -> bool:
    """Print the three-way table of a month with its buckets; what blocks goes to stderr.

    Args:
        query: reads the warehouse.

    Returns:
        Whether nothing blocks.
    """
    columns, rows = query(
        workspace,
        "select differences.source, differences.billing_account_id, bucket, amount, differences.currency,"
        " coalesce(buckets.row_count, 0) as row_count, vendor_total, vendor_net_total,"
        " vendor_tax_total, rows_total, rows_net_total, rows_tax_total, cost_total, difference, net_difference,"
        " tax_difference, reason, is_blocking, detail, accepted_by, accepted_reason"
        " from vendor_differences as differences left join usage_reconciliation as buckets"
        " using (source, billing_account_id, billing_period, currency) where billing_period = $1"
        " order by differences.source, differences.billing_account_id, differences.currency, bucket",
        [month],
    )
    if as_json:
        show_table("", columns, rows, as_json=True)
    else:
        cells = [dict(zip(columns, row, strict=True)) for row in rows]
        shown = ["source", "billing_account_id", "currency", "what", "amount", "rows"]
        show_table(f"Reconciliation of {month}", shown, three_way_lines(cells), as_json=False)
    problems = blocking(workspace, [month])
    for problem in problems:
        complain(problem)
    if problems:
        complain("these differences block the invoices of their source and month: get a new delivery, or --accept")
    elif not as_json:
        OUT.print("No difference blocks invoices", markup=False)
    return not problems


def blocking(workspace: Workspace, months: Sequence[str]) -> list[str]:
    """Return what blocks the invoices of some months, in words, after the published warehouse."""
    if not workspace.warehouse.exists():
        return []
    with duckdb.connect(str(workspace.warehouse), read_only=True) as warehouse:
        known = warehouse.execute("select count(*) from duckdb_tables() where table_name = 'vendor_differences'")
        if known.fetchall()[0][0] == 0:
            return []
        found = warehouse.execute(
            "select source, billing_account_id, billing_period, currency, detail, first_rows from vendor_differences"
            " where is_blocking and list_contains($1, billing_period) order by all",
            [list(months)],
        ).fetchall()
    return [
        f"difference: {source} {account} {period} ({currency}): {detail}{_places(first_rows)}"
        for source, account, period, currency, detail, first_rows in found
    ]


def _places(first_rows: str) -> str:
    """Return the first offending rows in words."""
    places = [f"{one['file']}, row {one['row']}, {one['column']} {one['value']}" for one in json.loads(first_rows)]
    return f"; look at {'; '.join(places)}" if places else ""


def three_way_lines(rows: Sequence[dict[str, Any]]) -> list[list[object]]:
    """Return the lines of the table: the three ways of each account, then its buckets.

    Args:
        rows: a row per account and bucket, by column.

    Returns:
        Cells: source, account, currency, what, amount, rows; the first three only where they change.
    """
    accounts: dict[tuple[object, ...], list[dict[str, Any]]] = {}
    for row in rows:
        accounts.setdefault(tuple(row[name] for name in _KEY), []).append(row)
    lines: list[list[object]] = []
    for key, buckets in _gathered(accounts):
        facts = buckets[0]
        told: list[tuple[str, object, object]] = []
        if facts["vendor_net_total"] is None:
            told.append(("vendor total: none stated", None, None))
        else:
            told.append(("vendor total without tax", facts["vendor_net_total"], None))
        if facts["vendor_tax_total"] is not None:
            told.append(("vendor tax", facts["vendor_tax_total"], None))
        told.append(("rows", facts["cost_total"], sum(one["row_count"] for one in buckets)))
        accepted = f", accepted by {facts['accepted_by']}" if facts["accepted_by"] else ""
        blocks = ", blocks invoices" if facts["is_blocking"] else accepted
        for name, words in (("net_difference", "difference"), ("tax_difference", "tax difference")):
            if facts[name]:
                told.append((f"{words} ({facts['reason']}{blocks})", facts[name], None))
        told += [(f"  {one['bucket']}", one["amount"], one["row_count"]) for one in buckets if one["bucket"]]
        for position, (what, amount, count) in enumerate(told):
            lines.append([*(key if position == 0 else ("", "", "")), what, amount, count])
    return lines


def _gathered(
    accounts: dict[tuple[object, ...], list[dict[str, Any]]],
) -> list[tuple[tuple[object, ...], list[dict[str, Any]]]]:
    """Put the accounts of a source that agree into one, if they are many: a distributor's are its invoices."""
    alike: dict[tuple[object, object], list[list[dict[str, Any]]]] = {}
    for (source, _, currency), rows in accounts.items():
        if rows[0]["reason"] in ("none", "no_total"):
            alike.setdefault((source, currency), []).append(rows)
    found = []
    told = set()
    for key, rows in accounts.items():
        source, _, currency = key
        group = alike.get((source, currency), [])
        if rows[0]["reason"] not in ("none", "no_total") or len(group) <= _ALONE:
            found.append((key, rows))
        elif (source, currency) not in told:
            told.add((source, currency))
            found.append(((source, f"{len(group)} accounts without difference", currency), _summed(group)))
    return found


def _summed(group: Sequence[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    heads = [rows[0] for rows in group]
    totals = {name: _total([head[name] for head in heads]) for name in _SUMMED}
    buckets: dict[str, dict[str, Any]] = {}
    for one in (one for rows in group for one in rows):
        name = one["bucket"] or ""
        before = buckets.get(name)
        amounts = {
            "amount": _total([one["amount"], *([before["amount"]] if before else [])]),
            "row_count": one["row_count"] + (before["row_count"] if before else 0),
        }
        buckets[name] = {**heads[0], **totals, "bucket": one["bucket"], **amounts}
    return [buckets[name] for name in sorted(buckets)]


def _total(amounts: Sequence[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, start=Decimal(0)) if len(known) == len(amounts) else None
