"""Days of few distributor items are priced together, with the bytes that each would have by itself."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest
from dagster import DagsterInstance

from billing_pipeline.cli.jobs import Jobs
from billing_pipeline.periods import days_between
from resources import day_runs
from resources.connections import WorkspaceResource
from resources.lake import Lake
from resources.overlay import OverlayLake
from resources.reference_files import reference_frames
from resources.relations import register_frames
from resources.workspace import Workspace
from tests.workspaces import drop, files_below, invoice, make_workspace, rows_of

DAYS = days_between(date(2025, 11, 4), date(2025, 11, 8))
KEYS = [day.isoformat() for day in DAYS]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    found = make_workspace(tmp_path_factory.mktemp("batches") / "home")
    drop(found, "dist/received=2025-11-04/n1.csv", invoice("N1", 5))
    drop(found, "cloud/received=2025-11-05/usage.csv", rows_of("focus", {}, {"BilledCost": "2"}))
    drop(found, "dist/received=2025-11-06/n2.csv", invoice("N2", 7))
    credit = invoice("C1", 2, type="credit", credits_invoice_number="N1", credits_line_number="1")
    drop(found, "dist/received=2025-11-08/c1.csv", credit)
    with DagsterInstance.ephemeral() as instance:
        Jobs(found, instance).run_days(DAYS, DAYS, publish=False)
    return found


@pytest.fixture
def connection(workspace: Workspace) -> Iterator[duckdb.DuckDBPyConnection]:
    resource = WorkspaceResource(home=str(workspace.home))
    with resource.session() as session:
        register_frames(session, reference_frames(resource.reference()))
        yield session


def price(
    workspace: Workspace, connection: duckdb.DuckDBPyConnection, root: Path, *runs: list[str]
) -> dict[str, bytes]:
    lake = OverlayLake(root, Lake(workspace.lake), shared=["deliveries"])
    for days in runs:
        day_runs.price_days(connection, lake, workspace.load_config(), days)
    return files_below(root)


def test_days_priced_together_have_the_bytes_they_have_one_by_one(
    workspace: Workspace, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    together = price(workspace, connection, tmp_path / "together", KEYS)
    one_by_one = price(workspace, connection, tmp_path / "single", *([day] for day in KEYS))
    assert together == one_by_one
    assert sorted(together) == [f"priced_line_items/{day}.parquet" for day in KEYS]


def test_a_day_of_usage_is_priced_by_itself_and_an_empty_day_not_at_all(
    workspace: Workspace, connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    batches: list[list[str]] = []
    price_batch = day_runs._price_batch
    monkeypatch.setattr(day_runs, "_price_batch", lambda *given: batches.append(list(given[-1])) or price_batch(*given))
    price(workspace, connection, tmp_path, KEYS)
    assert batches == [["2025-11-04", "2025-11-06", "2025-11-08"], ["2025-11-05"]]


def test_a_batch_has_so_many_items_and_no_more(
    workspace: Workspace, connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = price(workspace, connection, tmp_path / "before", KEYS)
    monkeypatch.setattr(day_runs, "_ITEMS_AT_ONCE", 1)
    assert price(workspace, connection, tmp_path / "after", KEYS) == before
