"""Adjustments of a locked month in the FOCUS export: corrections in the next month's file, on their original days."""

from decimal import Decimal
from pathlib import Path

from tests.command_line import run_command
from tests.focus_validator import rows_of_file, violations
from tests.workspaces import RECEIVED, SINCE, drop, make_workspace, query, rows_of

CUSTOMERS = [
    "customer_id,name,invoice_currency,pricebook_id,enabled_currencies,valid_from,recorded_at",
    *(f"C-{name},{name},EUR,standard,EUR;USD,{SINCE}" for name in ("aws", "cloud", "dist")),
]
RATES = [
    "base_currency,quote_currency,rate,rate_date",
    "USD,EUR,0.913726,2025-10-30",
    "USD,EUR,0.9,2025-11-28",
]
ROW = {"identity/LineItemId": "a", "lineItem/UnblendedCost": "7.000000001"}


def test_late_usage_of_a_locked_month_is_a_correction_of_the_next(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "home")
    (workspace.home / "reference" / "customers.csv").write_text("\n".join(CUSTOMERS) + "\n")
    (workspace.home / "reference" / "exchange_rates.csv").write_text("\n".join(RATES) + "\n")
    drop(workspace, f"aws/{RECEIVED}/report.csv", rows_of("aws_cur", ROW))
    assert run_command(workspace, "run", "--month", "2025-10") == 0
    assert run_command(workspace, "invoices", "approve", "--month", "2025-10") == 0
    out = tmp_path / "october.csv"
    assert run_command(workspace, "focus", "export", "--month", "2025-10", "--out", str(out)) == 0
    october = out.read_bytes()
    late = ROW | {"identity/LineItemId": "b", "lineItem/UsageStartDate": "2025-10-09T00:00:00.000Z"}
    drop(workspace, "aws/received=2025-12-03/report.csv", rows_of("aws_cur", ROW, late))
    november = rows_of("aws_cur", ROW).replace("2025-11-01", "2025-12-01").replace("2025-10-01", "2025-11-01")
    drop(workspace, "aws/received=2025-12-04/november.csv", november)
    assert run_command(workspace, "run", "--date", "2025-12-03") == 0
    assert run_command(workspace, "run", "--month", "2025-11") == 0
    assert run_command(workspace, "invoices", "approve", "--month", "2025-11") == 0
    assert run_command(workspace, "focus", "export", "--month", "2025-11", "--out", str(tmp_path / "f.csv")) == 0
    rows = rows_of_file((tmp_path / "f.csv").read_bytes())
    assert [broken for row in rows if (broken := violations(row))] == []
    (correction,) = [row for row in rows if row["ChargeClass"]]
    number = query(workspace, "select invoice_number from invoices where billing_period = '2025-10'")[0][0]
    names = ("ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodStart", "x_LineKind", "x_Reference")
    assert [correction[name] for name in names] == [
        "2025-10-09T00:00:00Z", "2025-10-10T00:00:00Z", "2025-11-01T00:00:00Z", "adjustment", number,
    ]  # fmt: skip
    # At October's rate, as the document says, not at November's.
    assert Decimal(correction["BilledCost"]) == Decimal("7.7000000011") * Decimal("0.913726")
    totals = dict(query(workspace, "select billing_period, total from invoices"))
    assert sum(Decimal(row["BilledCost"]) for row in rows) == totals["2025-11"]
    assert run_command(workspace, "focus", "export", "--month", "2025-10", "--out", str(out)) == 0
    assert out.read_bytes() == october
