"""A month that is billed, and what happens next to it; for `kill_sweep`.

September is issued and October drafted when new deliveries, a late correction of September, a file overwritten in place
and new prices come: every artefact has an old and a new state.
"""

from datetime import UTC, datetime
from pathlib import Path

from resources.workspace import Workspace
from tests.workspaces import drop, instant, invoice, make_workspace, rows_of

FORMATS = "pdf,html,xlsx,csv,detailed-csv"
# The clock during the first commands and during the ones that are killed.
THEN = datetime(2025, 11, 10, 12, tzinfo=UTC)
NOW = datetime(2025, 11, 20, 12, tzinfo=UTC)
# Commands that make the old state.
FIRST: tuple[tuple[str, ...], ...] = (
    ("run", "--month", "2025-09"),
    ("invoices", "approve", "--month", "2025-09"),
    ("run", "--month", "2025-10"),
    ("invoices", "export", "--month", "2025-10", "--format", FORMATS),
)
# Commands that are killed, each from the state in which the one before it ends.
KILLED: tuple[tuple[str, ...], ...] = (
    ("run",),
    ("run", "--month", "2025-10", "--include-tax"),
    ("invoices", "approve", "--month", "2025-10", "--send"),
    ("invoices", "export", "--month", "2025-10", "--format", FORMATS),
)
_TAX_RATES = "tax_id,name,country,percent,tax_category,valid_from\nVAT,VAT,GR,24,standard,2020-01-01\n"
_SEPTEMBER = {"invoice_date": "2025-09-20", "issued_at": "2025-09-20T10:00:00+02:00"}


def first_deliveries(home: Path) -> None:
    """Make a workspace with the files from which the old state is made."""
    workspace = make_workspace(home)
    _change(workspace.reference / "customers.csv", "recorded_at\n", "recorded_at,email\n")
    _change(workspace.reference / "customers.csv", "00Z\n", "00Z,ann@acme.example\n")
    (workspace.reference / "tax_rates.csv").write_text(_TAX_RATES)
    # Its vendor has settled at once: its deliveries are final.
    _change(workspace.config_file, 'vendor = "Cloud"', 'vendor = "Cloud"\nsettles_after_business_days = [0, 0]')
    at = instant(1)
    costs = ({"lineItem/UnblendedCost": "100.00"}, {"lineItem/UnblendedCost": "0.03", "identity/LineItemId": "b"})
    drop(workspace, "dist/received=2025-10-05/n0.csv", invoice("N0", 4, **_SEPTEMBER), at)
    drop(workspace, "aws/received=2025-11-05/october.csv", rows_of("aws_cur", *costs), at)
    drop(workspace, "cloud/received=2025-11-05/october.csv", rows_of("focus", {"BilledCost": "40.00"}), at)
    drop(workspace, "dist/received=2025-11-06/n1.csv", invoice("N1", 3), at)


def second_deliveries(home: Path) -> None:
    """Drop what came since, and change the prices."""
    workspace, at = Workspace.at(home), instant(15)
    restated = rows_of("aws_cur", {"lineItem/UnblendedCost": "130.00"})
    drop(workspace, "aws/received=2025-11-15/october.csv", restated, at)
    drop(workspace, "cloud/received=2025-11-05/october.csv", rows_of("focus", {"BilledCost": "41.00"}), at)
    drop(workspace, "dist/received=2025-11-15/n2.csv", invoice("N2", 5), at)
    drop(workspace, "dist/received=2025-11-15/n0.csv", invoice("N0", 3, **_SEPTEMBER), at)
    rules = workspace.reference / "pricing_rules.csv"
    rules.write_text(rules.read_text() + "R-new,vendor,Cloud,markup,20,2025-10-01,2025-10-20T00:00:00Z\n")


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
