"""The day's customer charges: what is in, what is counted out, and who may read the files."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from stat import S_IMODE

import pytest
from dagster import AssetCheckKey, AssetKey, DagsterInstance

from assets import charges
from billing_pipeline.cli.jobs import Jobs, RunFailed
from billing_pipeline.errors import ConfigurationInvalid
from billing_pipeline.periods import BillingPeriod, parse_day
from billing_pipeline.schemas.customer_charges import EXCLUDED_CHARGES
from resources.connections import WorkspaceResource
from resources.day_runs import find_uncounted, list_charges_of_day
from resources.lake import Lake
from resources.workspace import Workspace
from tests.workspaces import drop, invoice, make_workspace, query, rows_of

DAY = "2025-11-05"
USAGE = rows_of(
    "aws_cur",
    {"identity/LineItemId": "a", "lineItem/UnblendedCost": "5.001"},
    {"identity/LineItemId": "b", "lineItem/UnblendedCost": "0.999"},
    {"identity/LineItemId": "c", "lineItem/UsageAccountId": "999999999999", "lineItem/UnblendedCost": "2"},
    {"identity/LineItemId": "d", "lineItem/LineItemType": "Tax", "lineItem/UnblendedCost": "0.105"},
)  # fmt: skip
TOTALS = "billing_account_id,billing_period,invoice_id,invoice_date,currency,net_total,tax_total,is_final\n"


def through_distributor(workspace: Workspace, distributor: str = "dist") -> Workspace:
    """Say that the distributor's invoices bill what the feed `cloud` itemises."""
    text = workspace.config_file.read_text()
    workspace.config_file.write_text(
        text.replace('vendor = "Cloud"', f'vendor = "Cloud"\ninvoiced_through = "{distributor}"')
    )
    return workspace


def run_day(workspace: Workspace, instance: DagsterInstance, day: str = DAY) -> Jobs:
    jobs = Jobs(workspace, instance)
    jobs.run_days([parse_day(day)], [], publish=True)
    return jobs


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = make_workspace(tmp_path / "home")
    drop(made, f"aws/received={DAY}/report.csv", USAGE)
    drop(made, f"dist/received={DAY}/invoice.csv", invoice("N1", 3))
    return made


def test_counts_reasons_and_amounts_stand_on_the_asset(workspace: Workspace, instance: DagsterInstance) -> None:
    run_day(workspace, instance)
    [record] = instance.fetch_materializations(AssetKey("customer_charges"), limit=1).records
    assert record.asset_materialization is not None
    shown = record.asset_materialization.metadata
    assert shown["dagster/row_count"].value == 2
    assert shown["excluded"].value == {"tax": 1, "unmapped_customer": 1}
    assert str(shown["excluded_by_rule"].value).splitlines()[2:] == [
        "| tax | USD | 1 | 1 | 0.11 |",
        "| unmapped_customer | USD | 1 | 1 | 2.00 |",
    ]
    assert "39.60" in str(shown["totals"].value)


def test_a_row_that_is_neither_listed_nor_left_out_stops_the_run_before_any_file_is_made(
    workspace: Workspace, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(connection: object, lake: Lake, organisation: object, day: str) -> bool:
        found = list_charges_of_day(connection, lake, organisation, day)  # type: ignore[arg-type]
        lake.write_empty(EXCLUDED_CHARGES, day)
        return found

    monkeypatch.setattr(charges, "list_charges_of_day", forgetful)
    with pytest.raises(RunFailed):
        run_day(workspace, instance)
    key = AssetCheckKey(AssetKey("customer_charges"), "every_row_is_listed_or_left_out")
    [check] = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert check.status.value == "FAILED"
    assert not (workspace.exports / "customer_charges").exists()


def test_a_day_whose_rows_are_not_all_there_is_named(workspace: Workspace, instance: DagsterInstance) -> None:
    run_day(workspace, instance)
    lake = Lake(workspace.lake)
    with WorkspaceResource(home=str(workspace.home)).session() as connection:
        assert find_uncounted(connection, lake, [DAY]) == 0
        lake.write_empty(EXCLUDED_CHARGES, DAY)
        assert find_uncounted(connection, lake, [DAY]) == 1
        [found] = connection.execute("select delivered_rows, counted_rows, counted_cost from uncounted").fetchall()
    assert found == (4, 2, Decimal(6))


def test_totals_that_come_later_settle_and_date_what_the_next_run_of_the_day_lists(
    workspace: Workspace, instance: DagsterInstance
) -> None:
    estimate = USAGE.replace("V-1", "").replace("000111111111", "000222222222")
    drop(workspace, f"aws/received={DAY}/estimate.csv", estimate)
    run_day(workspace, instance)
    listed = (
        "select delivery_id like '%/000222222222/%', invoice_date, total_sell_price from customer_charges"
        " where source = 'aws' order by all"
    )
    assert query(workspace, listed) == [(False, None, Decimal("6.6"))]
    # Without tax: 5.001 + 0.999 + 2, and 0.00 more by rounding.
    rows = (
        "000111111111,2025-10,V-1,2025-11-03,USD,8.00,0.105,true\n"
        "000222222222,2025-10,V-2,2025-11-04,USD,8.00,0.105,true\n"
    )
    drop(workspace, "aws/received=2025-11-06/invoice_totals.csv", TOTALS + rows)
    run_day(workspace, instance, "2025-11-06")
    run_day(workspace, instance)
    assert query(workspace, listed) == [(False, date(2025, 11, 3), Decimal("6.6")), (True, None, Decimal("6.6"))]


def test_totals_that_are_not_final_keep_charges_out_whatever_the_files_say(
    workspace: Workspace, instance: DagsterInstance
) -> None:
    row = "000111111111,2025-10,V-1,2025-11-03,USD,8.00,0.105,false\n"
    drop(workspace, f"aws/received={DAY}/invoice_totals.csv", TOTALS + row)
    run_day(workspace, instance)
    assert query(workspace, "select count(*) from customer_charges where source = 'aws'") == [(0,)]
    assert query(
        workspace, "select reason, sum(row_count) from excluded_charges where source = 'aws' group by all order by all"
    ) == [("tax", 1), ("vendor_invoice_not_issued", 3)]


def test_only_owner_and_group_may_read_what_shows_costs(workspace: Workspace, instance: DagsterInstance) -> None:
    run_day(workspace, instance)
    folder = workspace.exports / "customer_charges" / DAY
    assert {S_IMODE(path.stat().st_mode) & 0o007 for path in (folder.parent, folder, *folder.iterdir())} == {0}
    assert {path.suffix for path in folder.iterdir()} == {".xlsx", ".csv", ".parquet"}


def test_a_feed_invoiced_through_a_distributor_is_on_no_draft_and_keeps_none_waiting(
    workspace: Workspace, instance: DagsterInstance
) -> None:
    through_distributor(workspace)
    # The distributor invoices the customer of the feed; the feed itself comes for September only.
    item = {"customer_id": "C-cloud", "invoice_date": "2025-10-06", "issued_at": "2025-10-06T10:00:00+02:00"}
    drop(workspace, f"dist/received={DAY}/cloud.csv", invoice("N2", 2, **item))
    jobs = run_day(workspace, instance)
    jobs.run_month(BillingPeriod("2025-10"), {"who": "test"})
    drafts = "select customer_id, subtotal from invoices where customer_id = 'C-cloud'"
    assert query(workspace, drafts) == [("C-cloud", Decimal("22.00"))]

    drop(workspace, f"cloud/received={DAY}/usage.csv", rows_of("focus", {"BilledCost": "20", "InvoiceId": "V-9"}))
    jobs = run_day(workspace, instance)
    jobs.run_month(BillingPeriod("2025-10"), {"who": "test"})
    assert query(workspace, drafts) == [("C-cloud", Decimal("22.00"))]
    assert query(workspace, "select reason, row_count from excluded_charges where source = 'cloud'") == [
        ("invoiced_through_distributor", 1)
    ]
    assert query(workspace, "select count(*) from margin_leaks where source = 'cloud'") == [(0,)]
    assert query(workspace, "select count(*) from priced_line_items where source = 'cloud'") == [(0,)]


def test_a_feed_invoiced_through_a_source_that_is_no_distributor_is_refused_by_name(workspace: Workspace) -> None:
    with pytest.raises(ConfigurationInvalid, match=r"billing\.toml.*source cloud: invoiced_through = 'aws' must name"):
        through_distributor(workspace, "aws").load_config()
