"""`resources.vendor_differences`: small workspaces from file to verdict, with the rows that are to blame."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.reconciliation import ACCEPTED_DIFFERENCES, VENDOR_DIFFERENCES
from resources.connections import WorkspaceResource
from resources.day_runs import reconcile_day
from resources.invoice_runs import read_month
from tests.priced_workspace import take_and_price
from tests.sql.inline import Row, fetch
from tests.workspaces import RECEIVED, drop, make_workspace, rows_of

DAY = date(2025, 11, 25)
MONTH = BillingPeriod("2025-10")
HEADER = "billing_account_id,billing_period,invoice_id,invoice_date,currency,net_total,tax_total,is_final"
Tamper = Callable[[duckdb.DuckDBPyConnection, WorkspaceResource], None]


def compare(
    folder: Path,
    costs: list[str],
    total: str,
    *,
    extra: tuple[dict[str, str], ...] = (),
    settings: str = "",
    accepted: pl.DataFrame | None = None,
    tamper: Tamper | None = None,
) -> Row:
    """Return the verdict on a FOCUS delivery of rows that cost so much, under a total."""
    workspace = make_workspace(folder / "home")
    toml = (workspace.home / "billing.toml").read_text()
    (workspace.home / "billing.toml").write_text(toml.replace('vendor = "Cloud"\n', f'vendor = "Cloud"\n{settings}\n'))
    changes = [{"BilledCost": cost, "InvoiceId": "V-9", "SkuId": f"sku-{cost}"} for cost in costs]
    changes += [{"InvoiceId": "V-9", "SkuId": "sku", **change} for change in extra]
    drop(workspace, f"cloud/{RECEIVED}/focus.csv", rows_of("focus", *changes))
    drop(workspace, f"cloud/{RECEIVED}/invoice_totals.csv", f"{HEADER}\n0042,2025-10,{total}\n")
    resource = WorkspaceResource(home=str(workspace.home))
    with resource.session() as connection:
        assert take_and_price(connection, resource, [DAY], folder) == set()
        if tamper is not None:
            tamper(connection, resource)
        read_month(connection, resource.config, resource.lake, MONTH, accepted=accepted)
        (row,) = fetch(connection, "select * from vendor_differences")
        frame = connection.sql("select * from vendor_differences").pl()
        blocking = fetch(connection, "select * from differences")
    VENDOR_DIFFERENCES.pandera_schema().validate(frame)
    assert bool(blocking) == row["is_blocking"]
    return row


def first_rows(row: Row) -> list[tuple[Any, ...]]:
    return [tuple(one.values()) for one in json.loads(row["first_rows"])]


def test_the_second_of_two_identical_rows_is_named(tmp_path: Path) -> None:
    row = compare(tmp_path, ["1.5", "2.25", "1.5"], "V-9,2025-11-03,USD,3.75,,true")
    assert (row["reason"], row["difference"]) == ("repeated_rows", Decimal("-1.5"))
    assert first_rows(row) == [
        (f"{RECEIVED}/focus.csv", 3, "billed_cost", "1.5"),
        (f"{RECEIVED}/invoice_totals.csv", 1, "net_total", "3.75"),
    ]


def test_a_row_that_costs_what_is_too_much_is_the_first_to_look_at(tmp_path: Path) -> None:
    row = compare(tmp_path, ["100", "2.25", "3"], "V-9,2025-11-03,USD,103,,true")
    assert (row["reason"], first_rows(row)[0]) == ("unexplained", (f"{RECEIVED}/focus.csv", 2, "billed_cost", "2.25"))


def test_an_invoice_that_agrees_with_its_tax_apart_leaves_the_one_that_is_missing(tmp_path: Path) -> None:
    totals = "V-9,2025-11-03,USD,10,2,true\n0042,2025-10,V-8,2025-11-03,USD,5,0,true"
    row = compare(tmp_path, ["10"], totals, extra=({"BilledCost": "2", "ChargeCategory": "Tax"},))
    assert json.loads(row["reasons"]) == [{"reason": "missing_rows", "part": "net", "amount": "5", "invoice": "V-8"}]
    assert (row["rows_net_total"], row["rows_tax_total"], row["tax_difference"]) == (10, 2, 0)
    assert first_rows(row) == [(f"{RECEIVED}/invoice_totals.csv", 2, "net_total", "5")]


def test_rows_of_an_invoice_without_total_are_named(tmp_path: Path) -> None:
    other = {"InvoiceId": "V-7", "BilledCost": "2.25"}
    row = compare(tmp_path, ["100"], "V-9,2025-11-03,USD,100,,true", extra=(other,))
    assert (row["reason"], row["is_blocking"], row["difference"]) == ("missing_total", True, Decimal("-2.25"))
    assert first_rows(row) == [(f"{RECEIVED}/focus.csv", 2, "billed_cost", "2.25")]


def test_totals_and_rows_that_name_other_invoices_are_compared_as_a_whole(tmp_path: Path) -> None:
    row = compare(tmp_path, ["100", "2.25"], "V-8,2025-11-03,USD,7,,true")
    assert (row["reason"], row["is_blocking"], row["difference"]) == ("unexplained", True, Decimal("-95.25"))


def test_two_invoices_that_agree_in_their_sum_alone_are_found_with_their_rows(tmp_path: Path) -> None:
    totals = "V-9,2025-11-03,USD,110,,true\n0042,2025-10,V-8,2025-11-03,USD,40,,true"
    row = compare(tmp_path, ["100"], totals, extra=({"InvoiceId": "V-8", "BilledCost": "50"},))
    assert (row["reason"], row["is_blocking"], row["difference"]) == ("unexplained", True, 0)
    assert [(one["invoice"], one["amount"]) for one in json.loads(row["reasons"])] == [("V-8", "-10"), ("V-9", "10")]
    assert (f"{RECEIVED}/focus.csv", 2, "billed_cost", "50") in first_rows(row)


@pytest.mark.parametrize(
    ("tax", "compared"),
    [("1.99", ("11.99", "12.00", "-0.01")), ("", ("10", "10", "0"))],
    ids=["tax stated", "no tax stated"],
)
def test_total_rows_and_difference_fit_with_tax_and_without(
    tax: str, compared: tuple[str, ...], tmp_path: Path
) -> None:
    total = f"V-9,2025-11-03,USD,10,{tax},true"
    row = compare(tmp_path, ["10"], total, extra=({"BilledCost": "2", "ChargeCategory": "Tax"},))
    assert [row[name] for name in ("vendor_total", "rows_total", "difference")] == [Decimal(one) for one in compared]
    assert (row["cost_total"], row["net_difference"], row["is_blocking"]) == (12, 0, bool(tax))


def test_a_tolerance_of_the_source_lets_a_difference_pass(tmp_path: Path) -> None:
    row = compare(tmp_path, ["1.5"], "V-9,2025-11-03,USD,1.60,,true", settings='tolerance = "0.1"')
    assert (row["reason"], row["is_blocking"], row["difference"]) == ("tolerance", False, Decimal("0.10"))


def test_a_feed_that_a_distributor_invoices_blocks_nothing(tmp_path: Path) -> None:
    row = compare(tmp_path, ["1.5"], "V-9,2025-11-03,USD,2,,true", settings='invoiced_through = "dist"')
    assert (row["reason"], row["is_blocking"]) == ("missing_rows", False)
    assert row["detail"].endswith("blocks nothing: dist invoices what the feed itemises")


def test_a_total_that_is_an_estimate_blocks_nothing(tmp_path: Path) -> None:
    row = compare(tmp_path, ["1.5"], "V-9,2025-11-03,USD,2,,false")
    assert (row["reason"], row["is_blocking"], row["is_final"]) == ("not_yet_final", False, False)


@pytest.mark.parametrize(
    ("change", "holds"),
    [({}, True), ({"difference": Decimal("0.51")}, False), ({"basis_sha256": "0" * 64}, False)],
    ids=str,
)
def test_an_acceptance_holds_for_the_same_difference_of_the_same_files_only(
    change: Row, holds: bool, tmp_path: Path
) -> None:
    total = "V-9,2025-11-03,USD,2,,true"
    before = compare(tmp_path / "before", ["1.5"], total)
    names = ("source", "billing_account_id", "billing_period", "currency", "difference", "tax_difference")
    fields: Row = {name: before[name] for name in (*names, "basis_sha256")}
    fields |= {"sequence": 1, "deliveries": "[]", "reason": "known", "who": "ann"}
    fields |= {"at": datetime(2025, 11, 26, tzinfo=UTC), **change}
    accepted = pl.DataFrame([fields], schema=ACCEPTED_DIFFERENCES.empty_frame().schema)
    row = compare(tmp_path / "after", ["1.5"], total, accepted=accepted)
    assert (row["reason"], row["is_blocking"]) == (("accepted", False) if holds else ("missing_rows", True))
    assert (row["accepted_by"], row["accepted_reason"]) == (("ann", "known") if holds else (None, None))
    assert ("have changed since" in row["detail"]) is not holds


def test_a_charge_that_pricing_lost_blocks_and_its_rows_are_named(tmp_path: Path) -> None:
    def lose_a_charge(connection: duckdb.DuckDBPyConnection, resource: WorkspaceResource) -> None:
        (file,) = resource.lake.files(PRICED_LINE_ITEMS.name, [DAY.isoformat()])
        kept = pl.read_parquet(file).filter(pl.col("total_cost") != Decimal("2.25"))
        resource.lake.write_frame(PRICED_LINE_ITEMS, DAY.isoformat(), kept)
        reconcile_day(connection, resource.lake, DAY.isoformat())

    row = compare(tmp_path, ["1.5", "2.25"], "V-9,2025-11-03,USD,3.75,,true", tamper=lose_a_charge)
    assert (row["reason"], row["unattributed"], row["difference"]) == ("unattributed", Decimal("2.25"), 0)
    assert first_rows(row) == [(f"{RECEIVED}/focus.csv", 2, "billed_cost", "2.25")]
