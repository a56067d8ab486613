"""Every planted cent is found in the right bucket or as the right difference, and no unplanted one appears.

`RECONCILED_MONTHS` months are generated, taken, priced and reconciled; `make test-reconciliation` makes 200.
"""

import json
import os
from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from billing_pipeline.periods import BillingPeriod
from resources.connections import WorkspaceResource
from resources.invoice_runs import read_month
from tests.priced_workspace import take_and_price
from tests.properties.reconciled_months import (
    CURRENCIES,
    FIRST_DAY,
    KINDS,
    KNOWN_ACCOUNTS,
    SECOND_DAY,
    Expected,
    Month,
    make_month,
)
from tests.workspaces import drop, make_workspace

MONTHS = int(os.environ.get("RECONCILED_MONTHS", "12"))
FIRST_SEED = int(os.environ.get("RECONCILED_FIRST_SEED", "1"))
_AT_ONCE = 40
_WAITS = "a chunk that the manifest lists is not here"
_FORMATS = {
    "cloud": "focus",
    "aws": "aws_cur",
    "report": "aws_dbr",
    "azure": "azure_costs",
    "licences": "ms_nce",
    "dist": "distributor_invoice",
}
HEADER = "billing_account_id,billing_period,invoice_id,invoice_date,currency,net_total,tax_total,is_final"
Found = dict[tuple[str, str, str], object]


def reconcile(folder: Path, months: Sequence[Month]) -> tuple[Found, Found, set[tuple[str, str, str]]]:
    """Take, price and reconcile months, and return buckets, findings and what blocks.

    Returns:
        Amounts by source, month and bucket; lists of reason, part and amount by source, month and currency.
    """
    workspace = make_workspace(folder / "home")
    _configure(workspace.home)
    for month in months:
        for name, content in month.files.items():
            drop(workspace, name, content)
    for source in CURRENCIES:
        lines = [line for month in months for line in month.totals.get(source, [])]
        if lines:
            drop(workspace, f"{source}/received={SECOND_DAY}/invoice_totals.csv", "\n".join([HEADER, *lines, ""]))
    resource = WorkspaceResource(home=str(workspace.home))
    with resource.session() as connection:
        reasons = take_and_price(connection, resource, (FIRST_DAY, SECOND_DAY), folder)
        assert reasons <= {_WAITS}
        read_month(connection, resource.config, resource.lake, *(BillingPeriod(month.period) for month in months))
        return _buckets(connection), _findings(connection), _blocking(connection)


def _configure(home: Path) -> None:
    """Let the workspace have a source of each format, and a customer for each known account."""
    text = (home / "billing.toml").read_text()
    sources = "".join(
        f'[[sources]]\nid = "{source}"\nformat = "{name}"\nvendor = "Cloud"\n'
        + ('currency = "USD"\n' if name == "aws_dbr" else "")
        for source, name in _FORMATS.items()
    )
    (home / "billing.toml").write_text(text[: text.index("[[sources]]")] + sources)
    since = "2000-01-01,2000-01-01T00:00:00Z"
    accounts = [f"{source},{account},C-{source},{since}" for source in _FORMATS for account in KNOWN_ACCOUNTS]
    customers = [f"C-{source},{source},USD,{since}" for source in _FORMATS]
    files = {
        "accounts": ["source,account_id,customer_id,valid_from,recorded_at", *accounts],
        "customers": ["customer_id,name,invoice_currency,valid_from,recorded_at", *customers],
        "pricing_rules": [
            "rule_id,scope,scope_id,method,percent,valid_from,recorded_at",
            "R,vendor,Cloud,markup,10,2000-01-01,2000-01-01T00:00:00Z",
        ],
    }
    for name, lines in files.items():
        (home / "reference" / f"{name}.csv").write_text("\n".join(lines) + "\n")
    (home / "reference" / "pricebooks.csv").unlink()


def _buckets(connection: duckdb.DuckDBPyConnection) -> Found:
    found = connection.execute("select source, billing_period, bucket, amount from buckets").fetchall()
    return {(source, period, bucket): amount for source, period, bucket, amount in found}


def _findings(connection: duckdb.DuckDBPyConnection) -> Found:
    found = connection.execute("select source, billing_period, currency, reasons from vendor_differences").fetchall()
    return {
        (source, period, currency): sorted(
            (one["reason"], one["part"], Decimal(one["amount"])) for one in json.loads(reasons)
        )
        for source, period, currency, reasons in found
        if json.loads(reasons)
    }


def _blocking(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str, str]]:
    return set(connection.execute("select distinct source, billing_period, currency from differences").fetchall())


def wanted(months: Sequence[Month]) -> tuple[Found, Found, set[tuple[str, str, str]]]:
    """Return what must be found, after the oracle."""
    each: list[tuple[str, str, Expected]] = [
        (source, month.period, expected) for month in months for source, expected in month.expected.items()
    ]
    buckets: Found = {
        (source, period, bucket): amount
        for source, period, expected in each
        for bucket, amount in expected.buckets.items()
    }
    findings: Found = {
        (source, period, currency): sorted(found)
        for source, period, expected in each
        for currency, found in expected.findings.items()
    }
    blocking = {
        (source, period, currency)
        for source, period, expected in each
        for currency in expected.findings
        if expected.is_blocking(currency)
    }
    return buckets, findings, blocking


def generated(first: int, count: int) -> list[Month]:
    """Return months of consecutive seeds, each a billing period of its own."""
    start = date(2001, 1, 1)
    return [
        make_month(seed, f"{start.year + (seed % 240) // 12}-{(seed % 240) % 12 + 1:02}")
        for seed in range(first, first + count)
    ]


@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + MONTHS, _AT_ONCE))
def test_every_planted_cent_is_found_where_it_belongs_and_no_other_appears(first: int, tmp_path: Path) -> None:
    months = generated(first, min(_AT_ONCE, FIRST_SEED + MONTHS - first))
    buckets, findings, blocking = reconcile(tmp_path, months)
    expected_buckets, expected_findings, expected_blocking = wanted(months)
    planted = {month.period: month.planted for month in months}
    for found, expected in ((buckets, expected_buckets), (findings, expected_findings)):
        wrong = {key: (found.get(key), expected.get(key)) for key in found.keys() | expected.keys()}
        wrong = {key: pair for key, pair in wrong.items() if pair[0] != pair[1]}
        assert not wrong, [(key, pair, planted[key[1]]) for key, pair in sorted(wrong.items())]
    assert blocking == expected_blocking


def test_the_months_hold_every_kind_of_fault_and_some_hold_none() -> None:
    months = generated(1, 200)
    kinds = Counter(kind for month in months for kind, _ in month.planted)
    assert set(kinds) == set(KINDS)
    assert min(kinds.values()) >= 40
    assert sum(not month.planted for month in months) >= 10
