"""A small workspace for tests: three sources, a customer per account, 10 % on everything, and files to drop."""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from resources.workspace import Workspace
from tests.vendor_files import csv_text

ZONE = "Europe/Athens"
BILLING_TOML = f"""
[organisation]
id = "contoso"
name = "Contoso Cloud Ltd"
time_zone = "{ZONE}"
currency = "USD"
country = "GR"
charges_start_on = 2025-01-01
standard_edition_since = 2024-06-01
[[sources]]
id = "aws"
format = "aws_cur"
vendor = "AWS"
[[sources]]
id = "cloud"
format = "focus"
vendor = "Cloud"
[[sources]]
id = "dist"
format = "distributor_invoice"
vendor = "Distributor"
"""
SINCE = "2024-01-01,2024-01-01T00:00:00Z"
# The account that pays for each row of tests.vendor_files, and its customer.
ACCOUNTS = {"aws": "012345678901", "cloud": "00123", "dist": "007"}
RECEIVED = "received=2025-11-25"


def make_workspace(home: Path) -> Workspace:
    """A workspace in which every plain row has a customer and a price."""
    reference = {
        "customers": [
            "customer_id,name,invoice_currency,pricebook_id,enabled_currencies,country,tax_category,valid_from,recorded_at",
            *(f"C-{source},Customer of {source},USD,standard,USD,GR,,{SINCE}" for source in ACCOUNTS),
        ],
        "accounts": [
            "source,account_id,customer_id,valid_from,recorded_at",
            *(f"{source},{account},C-{source},{SINCE}" for source, account in ACCOUNTS.items()),
            f"dist,C-dist,C-dist,{SINCE}",
        ],
        "pricebooks": ["pricebook_id,name,currency", "standard,Standard,USD"],
        "pricing_rules": [
            "rule_id,scope,scope_id,method,percent,valid_from,recorded_at",
            *(f"R-{vendor},vendor,{vendor},markup,10,{SINCE}" for vendor in ("AWS", "Cloud", "Distributor")),
        ],
    }
    (home / "reference").mkdir(parents=True)
    (home / "billing.toml").write_text(BILLING_TOML)
    for name, lines in reference.items():
        (home / "reference" / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return Workspace.at(home)


def drop(workspace: Workspace, name: str, content: bytes | str, at: datetime | None = None) -> Path:
    """Drop a file below `landing/`, modified at an instant (default: now)."""
    path = workspace.home / "landing" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    if at is not None:
        os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def rows_of(vendor_format: str, *changes: Mapping[str, str]) -> str:
    """A CSV file of October 2025, one row per set of changes to the format's plain row."""
    final = {"aws_cur": {"bill/InvoiceId": "V-1"}, "distributor_invoice": {"currency": "USD"}}.get(vendor_format, {})
    return csv_text(vendor_format, *({**final, **change} for change in changes)).replace("2026-", "2025-")


def invoice(number: str, quantity: int, **changes: str) -> str:
    """A distributor's invoice of one item at 10.00 USD."""
    return rows_of(
        "distributor_invoice",
        {"invoice_number": number, "quantity": str(quantity), "net_total": f"{quantity * 10}.00", **changes},
    )


def aws_manifest(assembly: str, keys: Sequence[str], month: str = "20251001") -> str:
    return json.dumps(
        {"assemblyId": assembly, "reportKeys": list(keys), "billingPeriod": {"start": f"{month}T000000.000Z"}}
    )


def query(workspace: Workspace, select: str) -> list[tuple[Any, ...]]:
    """Rows of a select on the published warehouse."""
    with duckdb.connect(str(workspace.warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(select).fetchall()


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def instant(day: int, hour: int = 9, month: int = 11) -> datetime:
    return datetime(2025, month, day, hour, tzinfo=UTC)
