"""The graph: its names, its partitions, and what a range of days leaves behind."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from dagster import (
    AssetKey,
    AssetsDefinition,
    BackfillPolicy,
    DagsterInstance,
    DailyPartitionsDefinition,
    Definitions,
    MonthlyPartitionsDefinition,
    TableSchema,
)

from assets.graph import DAILY_ASSETS, build_definitions
from billing_pipeline.cli.jobs import Jobs, RunFailed, open_jobs
from billing_pipeline.cli.runs import RunRequest, run
from billing_pipeline.errors import ConfigurationInvalid
from billing_pipeline.periods import BillingPeriod, days_between
from resources.workspace import Workspace
from tests.workspaces import ZONE, aws_manifest, drop, files_below, instant, invoice, make_workspace, query, rows_of

FIRST, LAST = date(2025, 10, 1), date(2025, 11, 29)
DAYS = days_between(FIRST, LAST)
# Built a second time: the days of October on which something arrived, and a few on which nothing did.
AGAIN = days_between(date(2025, 10, 6), date(2025, 10, 12))
ASSETS = (*DAILY_ASSETS, "invoice_drafts", "warehouse")


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Definitions:
    return build_definitions(make_workspace(tmp_path_factory.mktemp("graph") / "home"))


def asset_of(definitions: Definitions, name: str) -> AssetsDefinition:
    return definitions.resolve_assets_def(AssetKey(name))


def test_the_promised_names_exist(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == {
        "deliveries",
        "vendor_charges",
        "usage_reconciliation",
        "priced_line_items",
        "invoice_drafts",
        "customer_charges",
        "customer_charges_export",
        "warehouse",
    }
    repository = definitions.get_repository_def()
    assert {job.name for job in repository.get_all_jobs()} >= {"daily", "month_close"}
    assert {schedule.name: schedule.job_name for schedule in repository.schedule_defs} == {
        "daily_customer_charges": "daily",
        "monthly_invoice_drafts": "month_close",
        "mail_outbox": "mail_outbox",
    }
    assert {sensor.name: sensor.job_name for sensor in repository.sensor_defs} == {"landing_files": "daily"}


@pytest.mark.parametrize("name", ASSETS)
def test_every_asset_says_what_it_is_and_what_columns_it_has(definitions: Definitions, name: str) -> None:
    spec = asset_of(definitions, name).get_asset_spec(AssetKey(name))
    assert len(spec.description or "") > 20
    schema = spec.metadata["dagster/column_schema"]
    assert isinstance(schema, TableSchema)
    assert schema.columns
    assert all(column.description for column in schema.columns)


@pytest.mark.parametrize("name", DAILY_ASSETS)
def test_every_daily_asset_is_partitioned_by_local_day_and_backfilled_in_one_run(
    definitions: Definitions, name: str
) -> None:
    found = asset_of(definitions, name)
    partitions = found.get_asset_spec(AssetKey(name)).partitions_def
    assert isinstance(partitions, DailyPartitionsDefinition)
    assert (partitions.timezone, partitions.minute_offset, partitions.hour_offset) == (ZONE, 0, 0)
    assert found.backfill_policy == BackfillPolicy.single_run()


def test_drafts_are_partitioned_by_month_and_backfilled_in_one_run(definitions: Definitions) -> None:
    found = asset_of(definitions, "invoice_drafts")
    assert isinstance(found.partitions_def, MonthlyPartitionsDefinition)
    assert found.backfill_policy == BackfillPolicy.single_run()


def test_an_asset_is_built_after_what_it_reads(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()

    def before(name: str) -> set[str]:
        return {key.to_user_string() for key in graph.get(AssetKey(name)).parent_keys}

    assert before("vendor_charges") == {"deliveries"}
    assert before("priced_line_items") == {"vendor_charges"}
    assert before("usage_reconciliation") == {"priced_line_items", "deliveries"}
    assert before("customer_charges_export") == {"customer_charges"}
    assert before("invoice_drafts") >= {"priced_line_items", "usage_reconciliation"}
    assert before("warehouse") >= {"deliveries", "invoice_drafts", "customer_charges", "usage_reconciliation"}


def focus(*costs: str) -> str:
    return rows_of("focus", *({"BilledCost": cost} for cost in costs))


@dataclass
class Built:
    """A workspace of sixty days, built twice, with what was there after the first time."""

    workspace: Workspace
    instance: DagsterInstance
    runs_of_first: int
    first: dict[str, bytes] = field(default_factory=dict)
    runs_of_second: int = 0

    def rows(self, select: str) -> list[tuple[object, ...]]:
        return query(self.workspace, select)


def drop_files(workspace: Workspace) -> None:
    drop(workspace, "dist/received=2025-10-07/n1.csv", invoice("N1", 2))
    drop(workspace, "cloud/received=2025-10-09/october.csv", focus("1.00", "2.00", "4.00"))
    drop(workspace, "cloud/received=2025-11-25/october.csv", focus("8.00"))
    same = invoice("N2", 3)
    drop(workspace, "dist/received=2025-10-08/n2.csv", same)
    drop(workspace, "dist/received=2025-10-09/again.csv", same)
    # One drop of a distributor, both states of an invoice with one modification time, in either order of their hashes.
    for number, quantity in (("N3", 5), ("N4", 6), ("N5", 7), ("N6", 8)):
        for status in ("pending", "issued"):
            text = invoice(number, quantity, status=status)
            drop(workspace, f"dist/received=2025-10-10/{number}-{status}.csv", text, instant(10, month=10))
    drop(workspace, "cloud/broken.csv", "no header of ours\n1\n", instant(3))


def contents(workspace: Workspace) -> dict[str, bytes]:
    return {
        f"{folder.name}/{name}": content
        for folder in (workspace.lake, workspace.exports, workspace.archive)
        for name, content in files_below(folder).items()
    }


def build(jobs: Jobs, days: list[date]) -> int:
    """Build a range of days and return how many runs it took."""
    before = jobs.instance.get_runs_count()
    jobs.run_days(days, [], publish=True)
    return jobs.instance.get_runs_count() - before


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    workspace = make_workspace(tmp_path_factory.mktemp("sixty") / "home")
    drop_files(workspace)
    # Runs are recorded in memory: half of the minute that sixty days take on disk is Dagster's own bookkeeping.
    with DagsterInstance.ephemeral() as instance:
        jobs = Jobs(workspace, instance)
        found = Built(workspace, instance, build(jobs, DAYS))
        found.first = contents(workspace)
        found.runs_of_second = build(jobs, AGAIN)
        jobs.run_month(BillingPeriod("2025-10"), {"who": "test"})
        yield found


def test_sixty_days_are_one_run(built: Built) -> None:
    assert len(DAYS) == 60
    assert (built.runs_of_first, built.runs_of_second) == (1, 1)


@pytest.mark.parametrize("name", DAILY_ASSETS)
def test_one_run_materialises_every_partition(built: Built, name: str) -> None:
    found = built.instance.get_materialized_partitions(AssetKey(name))
    assert found == {day.isoformat() for day in DAYS}


def test_every_day_has_its_file_in_the_lake_also_when_nothing_arrived(built: Built) -> None:
    for name in ("deliveries", "quarantine", "priced_line_items", "usage_reconciliation", "customer_charges"):
        assert {path.stem for path in (built.workspace.lake / name).glob("*.parquet")} == {d.isoformat() for d in DAYS}


def test_running_a_range_twice_changes_no_byte(built: Built) -> None:
    assert any(name.endswith("Customer Charges.xlsx") for name in built.first)
    # What a month's drafts leave behind came about after the first look.
    of_drafts = ("invoice_drafts", "billed_charges")
    now = {
        name: content
        for name, content in contents(built.workspace).items()
        if not any(asset in name for asset in of_drafts)
    }
    assert {name for name in now if now[name] != built.first.get(name)} == set()
    assert set(now) == set(built.first)


def test_a_shorter_second_delivery_replaces_the_first_whole(built: Built) -> None:
    deliveries = built.rows(
        "select received_at, is_current, total_cost from deliveries where source = 'cloud' order by 1"
    )
    assert [(received.day, *rest) for received, *rest in deliveries if isinstance(received, datetime)] == [
        (9, False, Decimal(7)),
        (25, True, Decimal(8)),
    ]
    assert built.rows("select billed_cost from vendor_charges where source = 'cloud'") == [(Decimal(8),)]
    assert built.rows("select sum(total_cost) from priced_line_items where source = 'cloud'") == [(Decimal(8),)]
    assert built.rows("select sum(amount) from usage_reconciliation where source = 'cloud'") == [(Decimal(8),)]


def test_a_shorter_second_delivery_replaces_the_first_in_the_drafts(built: Built) -> None:
    assert built.rows("select subtotal from invoices where customer_id = 'C-cloud'") == [(Decimal("8.80"),)]


def test_the_same_bytes_on_two_days_are_one_delivery(built: Built) -> None:
    found = built.rows("select count(*), min(received_at) from deliveries where billing_account_id = 'N2'")
    assert [(count, first.day) for count, first in found if isinstance(first, datetime)] == [(1, 8)]
    assert built.rows("select sum(total_cost_price) from customer_charges where invoice_number = 'N2'") == [
        (Decimal(30),)
    ]


def test_of_two_states_of_an_invoice_that_arrived_at_one_instant_the_issued_one_counts(built: Built) -> None:
    # Found here: the hash decided, so half of such invoices were not billed at all.
    found = built.rows(
        "select billing_account_id, invoice_status from deliveries where is_current"
        " and billing_account_id in ('N3', 'N4', 'N5', 'N6') order by all"
    )
    assert found == [(number, "issued") for number in ("N3", "N4", "N5", "N6")]
    assert built.rows("select total from invoices where customer_id = 'C-dist'") == [(Decimal("341.00"),)]


def test_a_refused_file_is_in_the_quarantine_of_its_day(built: Built) -> None:
    assert built.rows("select file_name, cast(seen_at as date) from quarantine") == [("broken.csv", date(2025, 11, 3))]


def test_runs_are_recorded_as_successful(built: Built) -> None:
    assert {run.status.value for run in built.instance.get_runs()} == {"SUCCESS"}


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    workspace = make_workspace(tmp_path_factory.mktemp("late") / "home")
    monkeypatch.setenv("DAGSTER_HOME", str(workspace.dagster_home))
    return workspace


def test_a_chunk_that_comes_a_day_late_also_clears_the_quarantine_of_the_day_before(workspace: Workspace) -> None:
    # Found here: only the chunk's own day was built, and the refusal of the day before stayed for good.
    folder, keys = "aws/20251001-20251101/A", [f"b/20251001-20251101/A/c-{number}.csv" for number in (1, 2)]
    rows = [rows_of("aws_cur", {"identity/LineItemId": key, "lineItem/UnblendedCost": "2.50"}) for key in keys]
    drop(workspace, f"{folder}/c-1.csv", rows[0], instant(10))
    drop(workspace, f"{folder}/c-Manifest.json", aws_manifest("A", keys), instant(10))
    assert not run(workspace, RunRequest())
    assert query(workspace, "select file_name from quarantine") == [("20251001-20251101/A/c-Manifest.json",)]
    assert query(workspace, "select count(*) from deliveries") == [(0,)]
    drop(workspace, f"{folder}/c-2.csv", rows[1], instant(12))
    assert run(workspace, RunRequest())
    assert query(workspace, "select file_name from quarantine") == []
    assert query(workspace, "select total_cost, cast(received_at as date) from deliveries") == [
        (Decimal(5), date(2025, 11, 12))
    ]
    assert run(workspace, RunRequest())


@pytest.mark.parametrize("day", [date(2013, 12, 31), date(2999, 1, 1)])
def test_a_day_that_is_no_partition_is_refused_before_anything_runs(workspace: Workspace, day: date) -> None:
    with open_jobs(workspace) as jobs, pytest.raises(ConfigurationInvalid, match=f"{day} is no day of arrival"):
        jobs.run_days([day], [], publish=True)


def test_a_failing_step_says_why(workspace: Workspace) -> None:
    (workspace.reference / "customers.csv").write_text("customer_id,nonsense\n1,2\n")
    with open_jobs(workspace) as jobs, pytest.raises(RunFailed, match="nonsense"):
        jobs.run_days([FIRST, FIRST + timedelta(days=1)], [], publish=False)
