"""`billing reconcile`: a difference that nothing explains blocks one source's customers, until somebody accepts it."""

import json
from datetime import date
from decimal import Decimal

import pytest
from dagster import DagsterInstance

from billing_pipeline.cli.jobs import Jobs
from resources.workspace import Workspace
from tests.command_line import run_command
from tests.workspaces import RECEIVED, drop, invoice, make_workspace, query, rows_of

HEADER = "billing_account_id,billing_period,invoice_id,invoice_date,currency,net_total,tax_total,is_final"
DRAFTS = "select customer_id, total from invoices order by all"
STATE = "select reason, is_blocking, difference, accepted_by from vendor_differences where source = 'cloud'"
ACCEPT = ("reconcile", "--month", "2025-10", "--accept", "cloud/0042", "--who", "ann")
WHY = ("--reason", "the vendor corrects it in November")


def rows(cost: str) -> str:
    return rows_of("focus", {"BilledCost": cost, "InvoiceId": "V-9"})


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A month of two sources; one bills 10.00 in its rows and says 12.34."""
    found = make_workspace(tmp_path_factory.mktemp("reconcile") / "home")
    drop(found, f"dist/{RECEIVED}/n1.csv", invoice("N1", 5))
    drop(found, f"cloud/{RECEIVED}/focus.csv", rows("10.00"))
    total = "0042,2025-10,V-9,2025-11-03,USD,12.34,,true"
    drop(found, f"cloud/{RECEIVED}/invoice_totals.csv", f"{HEADER}\n{total}\n")
    return found


def test_a_difference_blocks_its_source_until_it_is_accepted_and_again_when_the_delivery_changes(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(workspace, "run", "--month", "2025-10") == 1
    told = capsys.readouterr().err
    assert "difference: cloud 0042 2025-10 (USD): missing_rows 2.34 USD" in told
    assert "no draft for customer C-cloud" in told
    # The other source went on.
    assert query(workspace, DRAFTS) == [("C-dist", Decimal("55.00"))]
    assert query(workspace, STATE) == [("missing_rows", True, Decimal("2.34"), None)]

    assert run_command(workspace, "reconcile", "--month", "2025-10") == 1
    shown = capsys.readouterr()
    assert "difference (missing_rows, blocks invoices)" in shown.out
    assert "look at received=2025-11-25/invoice_totals.csv, row 1, net_total 12.34" in shown.err
    assert run_command(workspace, *ACCEPT) == 2
    assert run_command(workspace, *ACCEPT, *WHY, "--currency", "EUR") == 1
    assert query(workspace, "select count(*) from accepted_differences") == [(0,)]

    capsys.readouterr()
    assert run_command(workspace, *ACCEPT, *WHY, "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(one["bucket"], one["amount"], one["reason"]) for one in listed if one["source"] == "cloud"] == [
        ("billed", "10.000000000000000000000000", "accepted")
    ]
    assert query(workspace, STATE) == [("accepted", False, Decimal("2.34"), "ann")]
    assert query(workspace, "select source, difference, who, reason from accepted_differences") == [
        ("cloud", Decimal("2.34"), "ann", WHY[1])
    ]
    assert run_command(workspace, "run", "--month", "2025-10") == 0
    assert query(workspace, DRAFTS) == [("C-cloud", Decimal("11.00")), ("C-dist", Decimal("55.00"))]

    drop(workspace, "cloud/received=2025-11-26/focus.csv", rows("11.00"))
    assert run_command(workspace, "run", "--month", "2025-10") == 1
    assert "ann accepted a difference of 2.34" in capsys.readouterr().err
    assert query(workspace, STATE) == [("missing_rows", True, Decimal("1.34"), None)]


def test_the_check_of_the_asset_fails_and_names_the_difference(workspace: Workspace) -> None:
    with DagsterInstance.ephemeral() as instance:
        days = [date(2025, 11, 25), date(2025, 11, 26)]
        Jobs(workspace, instance).run_days(days, days, publish=False)
        events = instance.all_logs(instance.get_runs()[0].run_id)
    checks = {
        event.dagster_event.asset_check_evaluation_data.check_name: event.dagster_event.asset_check_evaluation_data
        for event in events
        if event.dagster_event and event.dagster_event.event_type_value == "ASSET_CHECK_EVALUATION"
    }
    found = checks["vendor_differences_are_explained"]
    assert (found.passed, found.severity.value, found.blocking) == (False, "ERROR", False)
    assert "missing_rows 1.34 USD" in str(found.metadata["first"].value)
    assert checks["buckets_add_up_to_the_delivery"].passed
