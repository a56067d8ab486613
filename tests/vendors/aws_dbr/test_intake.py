"""A detailed billing report from the landing folder to the deliveries table, with the vendor's own total."""

from datetime import date
from decimal import Decimal
from pathlib import Path

from billing_pipeline.periods import BillingPeriod
from resources import sample_aws_files
from tests.vendors.aws_dbr.rows import NAME, control, text_of, zipped
from tests.vendors.aws_intake import newest, take, workspace_of
from tests.workspaces import drop

MONTH = BillingPeriod("2026-10")
RECEIVED = "received=2026-11-08"
DAY = date(2026, 11, 8)


def test_restated_reports_end_with_the_last_one_which_is_shorter(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "home", "aws-dbr")
    for day, rows in ((3, 500), (5, 700), (8, 450)):
        sample_aws_files.write_aws_dbr(workspace.home, MONTH, rows=rows, seed=day, day=day)

    # Days are taken in another order than they arrived in: only what arrived last counts.
    days = [take(workspace, date(2026, 11, day)) for day in (8, 3, 5)]

    assert [day.quarantine.height for day in days] == [0, 0, 0]
    last = newest(days)
    assert (last["row_count"], last["is_final"], last["billing_period"]) == (450, True, "2026-10")
    assert [day.deliveries["is_final"].to_list() for day in days] == [[True], [False], [False]]
    net_total, total_cost = last["vendor_net_total"], last["total_cost"]
    assert isinstance(net_total, Decimal)
    assert isinstance(total_cost, Decimal)
    assert net_total == round(net_total, 2)
    assert 0 < abs(net_total - total_cost) < Decimal("0.02")


def test_a_report_whose_totals_differ_is_quarantined_with_both_numbers_and_the_others_go_on(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "home", "aws-dbr")
    wrong = text_of({"UnBlendedCost": "1"}, control("StatementTotal", "2")).encode()
    right = text_of({"UnBlendedCost": "1"}, control("StatementTotal", "1")).replace("2026-10", "2026-09").encode()
    september = NAME.replace("2026-10", "2026-09")
    drop(workspace, f"aws-dbr/{RECEIVED}/{NAME}.zip", zipped((NAME, wrong)))
    drop(workspace, f"aws-dbr/{RECEIVED}/{september}.zip", zipped((september, right)))

    day = take(workspace, DAY)

    assert day.deliveries.select("billing_period", "vendor_net_total").rows() == [("2026-09", Decimal(1))]
    (row,) = day.quarantine.to_dicts()
    assert row["reason"] == "the StatementTotal is 2, its rows add up to 1 EUR"
    assert (row["row_number"], row["column_name"], row["value"]) == (2, "UnBlendedCost", "2")


def test_a_report_that_was_renamed_to_another_month_is_quarantined(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "home", "aws-dbr")
    drop(
        workspace, f"aws-dbr/{RECEIVED}/{NAME.replace('2026-10', '2026-09')}.zip", zipped((NAME, text_of({}).encode()))
    )

    day = take(workspace, DAY)

    assert day.deliveries.is_empty()
    assert day.quarantine["reason"].to_list() == ["the charge starts outside 2026-09, the month of the file"]
