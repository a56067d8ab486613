"""A credit may come before the invoice it credits, and is priced by that invoice's terms all the same."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from dagster import DagsterInstance

from billing_pipeline.cli.jobs import Jobs
from billing_pipeline.periods import days_between
from resources.connections import WorkspaceResource
from resources.day_runs import price_days
from resources.lake import Lake
from resources.late_debits import days_with_late_debits
from resources.overlay import OverlayLake
from resources.reference_files import reference_frames
from resources.relations import register_frames
from resources.workspace import Workspace
from tests.command_line import run_command
from tests.workspaces import drop, files_below, invoice, make_workspace, query, rows_of

DAYS = days_between(date(2025, 11, 4), date(2025, 11, 6))
CREDITS = "select invoice_number, total_sell_price from customer_charges where type = 'Credit' order by all"


def credit(number: str, of: str, quantity: int) -> str:
    return invoice(number, quantity, type="credit", credits_invoice_number=of, credits_line_number="1")


def drop_files(workspace: Workspace) -> None:
    # Each of the first two days credits the other one's invoice; the third credits the first's.
    drop(workspace, "dist/received=2025-11-04/n1.csv", invoice("N1", 5))
    drop(workspace, "dist/received=2025-11-04/c2.csv", credit("C2", "N2", 1))
    drop(workspace, "dist/received=2025-11-05/n2.csv", invoice("N2", 6))
    drop(workspace, "dist/received=2025-11-05/c1.csv", credit("C1", "N1", 2))
    drop(workspace, "dist/received=2025-11-06/c1b.csv", credit("C1b", "N1", 3))
    drop(workspace, "dist/received=2025-11-06/c9.csv", credit("C9", "N9", 1))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    found = make_workspace(tmp_path_factory.mktemp("late") / "home")
    drop_files(found)
    with DagsterInstance.ephemeral() as instance:
        Jobs(found, instance).run_days(DAYS, DAYS, publish=True)
        yield found


def test_days_of_one_run_price_each_others_credits(workspace: Workspace) -> None:
    assert query(workspace, CREDITS) == [("C1", Decimal(-22)), ("C1b", Decimal(-33)), ("C2", Decimal(-11))]
    reason = "select invoice_number, reason from unbilled_charges"
    assert query(workspace, reason) == [("C9", "the credited line is not known: N9 line 1")]


def test_the_order_in_which_days_are_priced_changes_no_byte(workspace: Workspace, tmp_path: Path) -> None:
    resource = WorkspaceResource(home=str(workspace.home))
    outcomes = []
    with resource.session() as connection:
        register_frames(connection, reference_frames(resource.reference()))
        in_order = [day.isoformat() for day in DAYS]
        for number, days in enumerate((in_order, in_order[::-1])):
            lake = OverlayLake(tmp_path / str(number), Lake(workspace.lake), shared=["deliveries"])
            assert price_days(connection, lake, resource.config, days) == days
            outcomes.append(files_below(lake.root))
    assert outcomes[0] == outcomes[1]
    priced = files_below(workspace.lake / "priced_line_items")
    assert outcomes[0] == {f"priced_line_items/{name}": content for name, content in priced.items()}


def test_the_command_runs_the_day_of_a_waiting_credit_again_when_its_invoice_has_come(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "home")
    drop(workspace, "dist/received=2025-11-04/c2.csv", credit("C2", "N2", 1))
    drop(workspace, "cloud/received=2025-11-05/october.csv", rows_of("focus", {}))
    assert run_command(workspace, "run") == 0
    assert query(workspace, CREDITS) == []
    assert days_with_late_debits(Lake(workspace.lake), [DAYS[0]]) == []
    drop(workspace, "dist/received=2025-11-20/n2.csv", invoice("N2", 6))
    assert run_command(workspace, "run") == 0
    assert query(workspace, CREDITS) == [("C2", Decimal(-11))]
    # It waits for nothing any more.
    assert days_with_late_debits(Lake(workspace.lake), [DAYS[0] + timedelta(days=16)]) == []
