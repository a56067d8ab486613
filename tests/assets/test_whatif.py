"""`billing whatif`: a month under other terms, exactly, and without touching anything."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance

from billing_pipeline.cli.jobs import Jobs
from billing_pipeline.errors import ReferenceInvalid
from billing_pipeline.periods import BillingPeriod
from resources.archive import Archive
from resources.intake import open_inbox
from resources.whatif import NothingPriced, compare_terms
from resources.workspace import Workspace
from tests.command_line import run_command
from tests.workspaces import SINCE, drop, files_below, invoice, make_workspace, rows_of

OCTOBER = BillingPeriod("2025-10")
RULES = "rule_id,scope,scope_id,method,percent,valid_from,recorded_at"
AMOUNTS = ("sell_before", "sell_after", "change", "margin_before", "margin_after")


def credit(number: str, of: str, quantity: int) -> str:
    return invoice(number, quantity, type="credit", credits_invoice_number=of, credits_line_number="1")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    found = make_workspace(tmp_path_factory.mktemp("whatif") / "home")
    # One hundred dollars of AWS, and a dollar of an account that is nobody's.
    other = {"lineItem/UsageAccountId": "999999999999", "identity/LineItemId": "other"}
    usage = rows_of("aws_cur", {"lineItem/UnblendedCost": "100"}, {**other, "lineItem/UnblendedCost": "1"})
    drop(found, "aws/received=2025-11-05/october.csv", usage)
    drop(found, "cloud/received=2025-11-05/first.csv", rows_of("focus", {"BilledCost": "70"}))
    drop(found, "cloud/received=2025-11-06/second.csv", rows_of("focus", {"BilledCost": "40"}))
    # September's invoice and October's arrive in one drop, and are credited in October.
    september = {"invoice_date": "2025-09-20", "issued_at": "2025-09-20T10:00:00+02:00"}
    drop(found, "dist/received=2025-11-05/n0.csv", invoice("N0", 4, **september))
    drop(found, "dist/received=2025-11-05/n1.csv", invoice("N1", 5))
    drop(found, "dist/received=2025-11-05/c0.csv", credit("C0", "N0", 1))
    drop(found, "dist/received=2025-11-06/c1.csv", credit("C1", "N1", 2))
    # Sent again unchanged but for its description, so the version that C1 credits is not the current one.
    drop(found, "dist/received=2025-11-07/n1.csv", invoice("N1", 5, description="The same again"))
    config = found.load_config()
    days = open_inbox(found.home, config, Archive(found.archive)).days(config.organisation.zone)
    with DagsterInstance.ephemeral() as instance:
        Jobs(found, instance).run_days(days, days, publish=True)
    return found


def terms(folder: Path, **files: list[str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, lines in files.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return folder


def rules(folder: Path, **percents: int) -> Path:
    lines = [f"R-{vendor},vendor,{vendor},markup,{percent},2024-01-01," for vendor, percent in percents.items()]
    return terms(folder, pricing_rules=[RULES, *lines])


def rows(workspace: Workspace, folder: Path, by_product: bool = False) -> dict[str | None, dict[str, Any]]:
    found = compare_terms(workspace, OCTOBER, folder, by_product)
    return {row["customer_id"]: row for row in found.iter_rows(named=True)}


def amounts(row: dict[str, Any]) -> list[Decimal]:
    return [row[name] for name in AMOUNTS]


def test_the_same_terms_change_nothing(workspace: Workspace, tmp_path: Path) -> None:
    for row in rows(workspace, rules(tmp_path / "same", AWS=10, Cloud=10, Distributor=10)).values():
        assert row["sell_before"] == row["sell_after"]
        assert row["margin_before"] == row["margin_after"]
        assert (row["change"], row["change_percent"], row["newly_priced"], row["newly_unpriced"]) == (0, 0, 0, 0)


def test_another_markup_is_applied_to_the_whole_month_although_it_came_after_the_deliveries(
    workspace: Workspace, tmp_path: Path
) -> None:
    found = rows(workspace, rules(tmp_path / "more", AWS=20, Cloud=10, Distributor=10))
    assert amounts(found["C-aws"]) == [Decimal(amount) for amount in ("110", "120", "10", "10", "20")]
    assert found["C-aws"]["change_percent"] == Decimal("9.09090909")
    # Of the two deliveries of a month the second alone counts.
    assert amounts(found["C-cloud"]) == [Decimal(amount) for amount in ("44", "44", "0", "4", "4")]
    assert amounts(found[None])[2] == 10


def test_a_credit_follows_a_debit_of_the_month_and_keeps_the_frozen_terms_of_an_earlier_one(
    workspace: Workspace, tmp_path: Path
) -> None:
    found = rows(workspace, rules(tmp_path / "dist", AWS=10, Cloud=10, Distributor=50))
    # 5 - 2 of N1 at 11.00, then at 15.00; 1 of September's N0 at 11.00 both times.
    assert amounts(found["C-dist"])[:3] == [Decimal(22), Decimal(34), Decimal(12)]


def test_what_loses_its_price_and_what_gets_one_is_counted(workspace: Workspace, tmp_path: Path) -> None:
    folder = rules(tmp_path / "gap", AWS=10, Distributor=10)
    accounts = (workspace.reference / "accounts.csv").read_text().splitlines()
    terms(folder, accounts=[*accounts, f"aws,999999999999,C-cloud,{SINCE}"])
    found = rows(workspace, folder)
    assert (found["C-cloud"]["newly_priced"], found["C-cloud"]["newly_unpriced"]) == (1, 1)
    assert amounts(found["C-cloud"])[:3] == [Decimal(44), Decimal("1.1"), Decimal("-42.9")]


def test_products_add_up_to_the_same_total(workspace: Workspace, tmp_path: Path) -> None:
    folder = rules(tmp_path / "more", AWS=20, Cloud=10, Distributor=50)
    (total,) = (row for row in compare_terms(workspace, OCTOBER, folder).rows(named=True) if row["is_total"])
    found = compare_terms(workspace, OCTOBER, folder, by_product=True).rows(named=True)
    assert {row["product_id"] for row in found if not row["is_total"]} == {"0012", "0007", "p1"}
    assert sum(row["change"] for row in found if not row["is_total"]) == total["change"]


def test_the_workspace_is_only_read(workspace: Workspace, tmp_path: Path) -> None:
    before = files_below(workspace.home)
    rows(workspace, rules(tmp_path / "more", AWS=20))
    assert files_below(workspace.home) == before


def test_terms_with_errors_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    folder = terms(tmp_path / "wrong", pricing_rules=[RULES, "R1,vendor,AWS,markup,much,2024-01-01,"])
    with pytest.raises(ReferenceInvalid, match="much"):
        compare_terms(workspace, OCTOBER, folder)


def test_a_month_without_prices_is_no_empty_table(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(NothingPriced, match="no charge of 2025-01 has been priced"):
        compare_terms(workspace, BillingPeriod("2025-01"), rules(tmp_path / "same", AWS=10))


def test_the_command_prints_a_table_json_and_csv(
    workspace: Workspace, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = str(rules(tmp_path / "more", AWS=20, Cloud=10, Distributor=10))
    whatif = ("whatif", "--month", "2025-10", "--terms", folder)
    assert run_command(workspace, *whatif) == 0
    table = capfd.readouterr().out
    assert "C-aws Customer of aws" in table
    assert "all customers" in table
    assert run_command(workspace, *whatif, "--json", "--by", "product", "--out", str(tmp_path / "changes.csv")) == 0
    (first, *_) = json.loads(capfd.readouterr().out)
    assert (first["customer_id"], first["product_id"]) == ("C-aws", "0012")
    assert first["change"] == "10.000000000000000000000000"
    with (tmp_path / "changes.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert (row["customer_id"], row["sell_before"], row["change"], row["is_total"]) == (
        "C-aws",
        "110.00",
        "10.00",
        "false",
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("--month 2025-10 --terms absent", 2),
        ("--month 2025-13 --terms .", 2),
        ("--month 2025-10 --terms . --by vendor", 2),
    ],
)
def test_wrong_usage_exits_with_2(
    workspace: Workspace, words: str, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_command(workspace, "whatif", *words.split()) == code
    assert capfd.readouterr().err.strip()


def test_terms_with_errors_exit_with_1_and_name_the_cell(
    workspace: Workspace, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = terms(tmp_path / "wrong", pricing_rules=[RULES, "R1,vendor,AWS,markup,much,2024-01-01,"])
    assert run_command(workspace, "whatif", "--month", "2025-10", "--terms", str(folder)) == 1
    error = capfd.readouterr().err
    assert "value 'much'" in error
    assert "Traceback" not in error
