"""A warehouse of many charges shows the lake's files where a small one holds copies; analysts see the same."""

from datetime import date

import pytest
from dagster import DagsterInstance

from billing_pipeline.cli.jobs import Jobs
from billing_pipeline.periods import BillingPeriod
from resources import warehouse
from resources.publishing import publish_warehouse
from resources.workspace import Workspace
from tests.workspaces import drop, invoice, make_workspace, query, rows_of

TODAY = date(2025, 11, 20)
CHARGES = ("priced_line_items", "unbilled_charges", "billed_charges")
KINDS = "select view_name from duckdb_views() where not internal order by all"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    found = make_workspace(tmp_path_factory.mktemp("large") / "home")
    drop(found, "cloud/received=2025-11-05/usage.csv", rows_of("focus", {}, {"SubAccountId": "unknown"}))
    drop(found, "dist/received=2025-11-05/n1.csv", invoice("N1", 5, invoice_date="2025-10-31"))
    with DagsterInstance.ephemeral() as instance:
        jobs = Jobs(found, instance)
        jobs.run_days([date(2025, 11, 5)], [date(2025, 11, 5)], publish=False)
        jobs.run_month(BillingPeriod("2025-10"), {"override_unsettled": "test"})
    return found


def rows(workspace: Workspace) -> dict[str, list[tuple[object, ...]]]:
    return {name: query(workspace, f"select * from {name} order by all") for name in CHARGES}


def test_charges_read_the_same_as_table_and_as_view(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_warehouse(workspace, TODAY)
    copied = rows(workspace)
    assert query(workspace, KINDS) == [("vendor_charges",)]
    assert all(copied.values())
    monkeypatch.setattr(warehouse, "LARGE_DETAIL_ROWS", 1)
    publish_warehouse(workspace, TODAY)
    assert query(workspace, KINDS) == [(name,) for name in sorted((*CHARGES, "vendor_charges"))]
    assert rows(workspace) == copied


def test_the_charges_behind_a_line_add_up_to_it(workspace: Workspace) -> None:
    publish_warehouse(workspace, TODAY)
    lines = query(workspace, "select invoice_id, line_number, amount_precise from invoice_lines order by all")
    sums = "select invoice_id, line_number, sum(amount_precise) from billed_charges group by all order by all"
    assert query(workspace, sums) == lines != []
