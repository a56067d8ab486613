"""A month that changes after its invoices: from the vendor's files to the next month's statement and its explanation.

Account 00123 of `cloud` belongs to one customer, at 10 % on cost. October is billed at 100.00 and 50.00 and approved.
Then the vendor sends October again: the first charge costs 120.00, the second is gone, a third of 7.00 has come, and
30.00 of another customer, who had nothing in October. A custom charge of October comes to be known, too.
"""

import csv
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from resources.workspace import Workspace
from tests.command_line import run_command
from tests.vendor_files import csv_text
from tests.workspaces import SINCE, drop, files_below, make_workspace, query

OCTOBER = {"BillingPeriodStart": "2025-10-01 00:00:00", "BillingPeriodEnd": "2025-11-01 00:00:00", "InvoiceId": "V-10"}
NOVEMBER = {"BillingPeriodStart": "2025-11-01 00:00:00", "BillingPeriodEnd": "2025-12-01 00:00:00", "InvoiceId": "V-11"}
LINES = (
    "select reference, service_period, cast(amount_precise as varchar) from invoice_lines"
    " where invoice_id like '{}%' and line_kind = 'adjustment' order by reference, amount_precise"
)


def charge(month: Mapping[str, str], sku: str, cost: str, quantity: str = "1") -> dict[str, str]:
    day = month["BillingPeriodStart"].replace("-01 ", "-02 ")
    period = {"ChargePeriodStart": day, "ChargePeriodEnd": day.replace("00:00:00", "01:00:00")}
    return {**month, **period, "SkuId": sku, "BilledCost": cost, "PricingQuantity": quantity, "ServiceName": sku}


def deliver(workspace: Workspace, day: str, *charges: dict[str, str]) -> None:
    drop(workspace, f"cloud/received={day}/usage.csv", csv_text("focus", *charges))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """October approved, sent again, and November drafted."""
    made = make_workspace(tmp_path_factory.mktemp("adjusted"))
    deliver(made, "2025-11-05", charge(OCTOBER, "a", "100.00"), charge(OCTOBER, "b", "50.00"))
    assert run_command(made, "run", "--month", "2025-10") == 0
    assert run_command(made, "invoices", "approve", "--all") == 0
    reference = made.home / "reference"
    with (reference / "accounts.csv").open("a") as file:
        file.write(f"cloud,00999,C-aws,{SINCE}\n")
    header = "charge_id,customer_id,description,amount,currency,product_type,recurrence,valid_from"
    once = "onboarding,C-cloud,Onboarding,40.00,USD,Services,once,2025-10-20"
    (reference / "custom_charges.csv").write_text(f"{header}\n{once}\n")
    others = charge(OCTOBER, "d", "30.00") | {"SubAccountId": "00999"}
    changed = (charge(OCTOBER, "a", "120.00"), charge(OCTOBER, "c", "7.00"), others)
    deliver(made, "2025-11-20", *changed)
    deliver(made, "2025-12-05", charge(NOVEMBER, "a", "10.00"))
    assert run_command(made, "run") == 0
    assert run_command(made, "run", "--month", "2025-11") == 0
    return made


def amounts(workspace: Workspace, month: str) -> list[tuple[str, str, Decimal]]:
    return [(reference, period, Decimal(text)) for reference, period, text in query(workspace, LINES.format(month))]


def test_the_next_month_bills_the_differences_with_a_reference_to_the_original_line(workspace: Workspace) -> None:
    number = query(workspace, "select invoice_number from invoices where billing_period = '2025-10'")[0][0]
    assert amounts(workspace, "2025-11-C-cloud") == [
        (number, "2025-10", Decimal("7.70")),
        (f"{number} line 1", "2025-10", Decimal("22")),
        (f"{number} line 2", "2025-10", Decimal("-55")),
    ]
    query_causes = "select cause from billed_charges where cause is not null and customer_id = 'C-cloud' order by cause"
    causes = query(workspace, query_causes)
    assert [cause for (cause,) in causes] == ["late_usage", "price", "withdrawn"]


def test_who_had_nothing_in_the_month_is_billed_for_it_on_the_next(workspace: Workspace) -> None:
    assert amounts(workspace, "2025-11-C-aws") == [(None, "2025-10", Decimal(33))]
    assert query(workspace, "select cause from billed_charges where customer_id = 'C-aws'") == [("late_usage",)]


def test_a_custom_charge_that_came_after_its_month_was_invoiced_is_on_the_next(workspace: Workspace) -> None:
    found = query(
        workspace,
        "select invoice_id, service_period, cast(amount as varchar) from invoice_lines where line_kind = 'custom'",
    )
    assert [(name, month, Decimal(text)) for name, month, text in found] == [
        ("2025-11-C-cloud-USD", "2025-10", Decimal(40))
    ]


def test_october_and_november_together_come_to_what_the_vendor_charges_now(workspace: Workspace) -> None:
    billed = query(
        workspace,
        "select cast(sum(total_cost) as varchar), cast(sum(amount_precise) as varchar) from billed_charges"
        " where billing_period = '2025-10' and customer_id = 'C-cloud'",
    )
    assert [(Decimal(cost), Decimal(price)) for cost, price in billed] == [(Decimal(127), Decimal("139.7"))]


def test_drafting_again_changes_no_byte_of_the_lake(workspace: Workspace) -> None:
    before = files_below(workspace.home / "lake")
    assert run_command(workspace, "invoices", "draft", "--month", "2025-11") == 0
    assert files_below(workspace.home / "lake") == before


def test_every_adjustment_is_explained_to_the_vendors_rows(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    found = query(
        workspace,
        "select line_number from invoice_lines"
        " where line_kind = 'adjustment' and invoice_id like '%C-cloud%' order by 1",
    )
    assert len(found) == 3
    for (line,) in found:
        capsys.readouterr()
        assert run_command(workspace, "explain", f"2025-11-C-cloud-USD/{line}") == 0
        assert "adjusts 2025-10" in capsys.readouterr().out


def test_the_detailed_file_of_the_statement_adds_up_and_names_the_files(workspace: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("invoices", "export", "2025-11-C-cloud-USD", "--format", "detailed-csv", "--out", str(out))
    assert run_command(workspace, *words) == 0
    (path,) = out.rglob("*.csv")
    rows = read_csv(path)
    adjusted = [row for row in rows if row["line_kind"] == "adjustment"]
    assert {row["billing_period"] for row in adjusted} == {"2025-10"}
    assert all("usage.csv" in row["file_name"] for row in adjusted)
    assert {row["cause"] for row in adjusted} == {"late_usage", "price", "withdrawn"}
    assert all(row["reference"] for row in adjusted)
    assert sum(Decimal(row["amount"]) for row in adjusted) == Decimal("-25.3")


def read_csv(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_void_document_unlocks_its_month_and_its_new_draft_takes_off_what_others_billed(workspace: Workspace) -> None:
    assert run_command(workspace, "invoices", "approve", "2025-11-C-cloud-USD") == 0
    assert run_command(workspace, "invoices", "void", "2025-10-C-cloud-USD", "--reason", "wrong address") == 0
    assert run_command(workspace, "invoices", "draft", "--month", "2025-10") == 0
    taken_off = query(
        workspace,
        "select cast(sum(amount_precise) as varchar) from invoice_lines join invoices using (invoice_id)"
        " where billing_period = '2025-10' and status = 'draft' and line_kind = 'adjustment'"
        " and customer_id = 'C-cloud'",
    )
    assert Decimal(taken_off[0][0]) == Decimal("25.3")
    owed = query(
        workspace,
        "select cast(sum(subtotal) as varchar) from invoices where status <> 'void' and customer_id = 'C-cloud'",
    )
    # October as the vendor has it now, 127.00, and November, 10.00, at 10 %; and the custom charge, once.
    assert Decimal(owed[0][0]) == Decimal("190.70")
