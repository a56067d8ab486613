"""Margin leaks and margins of a month in which every kind of leak was planted: each is found, and nothing else."""

import json
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from assets.margins import describe_margins
from billing_pipeline.schemas.reconciliation import LEAK_KINDS
from resources.workspace import Workspace
from tests.command_line import run_command
from tests.workspaces import RECEIVED, SINCE, drop, invoice, make_workspace, query, rows_of

OCTOBER = "2025-10"
REFERENCE = {
    "pricing_rules": [
        "rule_id,scope,scope_id,method,percent,valid_from,recorded_at",
        *(f"R-{vendor},vendor,{vendor},markup,10,{SINCE}" for vendor in ("AWS", "Cloud", "Distributor")),
        f"R-list,product,no-list,srp,,{SINCE}",
    ],
    "special_prices": [
        "special_price_id,customer_id,product_id,method,percent,valid_from,valid_to,recorded_at",
        "cheap,C-aws,dear,markup,-20,2025-01-01,,2025-01-01T00:00:00Z",
        "ended,C-dist,p1,markup,50,2025-01-01,2025-10-01,2025-01-01T00:00:00Z",
        "discount,C-dist,p2,markup,5,2025-01-01,2025-10-01,2025-01-01T00:00:00Z",
    ],
    "distributor_price_lists": [
        "price_list_id,product_id,method,percent,valid_from,recorded_at",
        f"list,p2,percent_of_sell_price,25,{SINCE}",
    ],
}
USAGE = rows_of(
    "aws_cur",
    {"identity/LineItemId": "a", "lineItem/UnblendedCost": "7"},
    {"identity/LineItemId": "b", "lineItem/UnblendedCost": "1.23", "lineItem/UsageAccountId": "888"},
    {"identity/LineItemId": "c", "lineItem/UnblendedCost": "10", "product/sku": "dear"},
    {"identity/LineItemId": "d", "lineItem/UnblendedCost": "4.2", "bill/BillingEntity": "AWS Marketplace"},
)
CLOUD = rows_of(
    "focus",
    {"InvoiceId": "V-2"},
    {"InvoiceId": "V-2", "BilledCost": "2.00", "SkuId": "no-list", "ListCost": ""},
)
PLANTED = [
    ("credited_more_than_charged", "C-dist", "dist", Decimal(11), "N3 line 1"),
    ("expired_special_price", "C-dist", "dist", Decimal(12), "Product: special price ended ended on 2025-10-01"),
    ("marketplace_fee_not_passed_on", "C-aws", "aws", Decimal("4.2"), "Amazon Simple Storage Service"),
    ("not_invoiced", "C-cloud", "cloud", Decimal("1.5"), None),
    ("sold_below_cost", "C-aws", "aws", Decimal(2), "Amazon Simple Storage Service"),
    ("unit_cost_above_price_list", "C-dist", "dist", Decimal("1.25"), "Product"),
    ("unmapped_account", None, "aws", Decimal("1.23"), None),
    ("unpriced", "C-cloud", "cloud", Decimal(2), None),
]
FOUND = "select kind, customer_id, source, amount, detail from margin_leaks order by kind"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = make_workspace(tmp_path_factory.mktemp("margins") / "home")
    for name, lines in REFERENCE.items():
        (made.home / "reference" / f"{name}.csv").write_text("\n".join(lines) + "\n")
    drop(made, f"aws/{RECEIVED}/report.csv", USAGE)
    drop(made, f"cloud/{RECEIVED}/usage.csv", CLOUD)
    drop(made, f"dist/{RECEIVED}/n1.csv", invoice("N1", 3))
    drop(made, f"dist/{RECEIVED}/n2.csv", invoice("N2", 2, product_id="p2"))
    drop(made, f"dist/{RECEIVED}/n3.csv", invoice("N3", 3, product_id="p3"))
    credit = {"type": "credit", "product_id": "p3", "credits_invoice_number": "N3", "credits_line_number": "1"}
    drop(made, f"dist/{RECEIVED}/n4.csv", invoice("N4", 3, **credit))
    drop(made, f"dist/{RECEIVED}/n5.csv", invoice("N5", 1, **credit))
    assert run_command(made, "run", "--month", OCTOBER) == 1
    return made


def said(workspace: Workspace, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    assert run_command(workspace, "margins", "--month", OCTOBER, *words) == 0
    return capsys.readouterr().out


def test_every_planted_leak_is_found_with_its_exact_amount_and_nothing_else(workspace: Workspace) -> None:
    found = query(workspace, FOUND)
    assert [row[:4] for row in found] == [row[:4] for row in PLANTED]
    assert [row[4] for row, planted in zip(found, PLANTED, strict=True) if planted[4] is not None] == [
        planted[4] for planted in PLANTED if planted[4] is not None
    ]
    assert {row[0] for row in found} == set(LEAK_KINDS)


def test_margins_agree_with_the_priced_charges(workspace: Workspace) -> None:
    sums = "sum(total_cost), sum(total_sell), sum(margin)"
    of_charges = query(workspace, f"select customer_id, currency, count(*), {sums} from priced_line_items group by all")
    of_table = query(workspace, f"select customer_id, currency, sum(charge_count), {sums} from margins group by all")
    assert sorted(of_table) == sorted(of_charges) != []


def test_the_command_prints_leaks_and_margins_and_as_json_one_of_them(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(workspace, capsys)
    assert "Margin leaks of 2025-10" in text
    assert "Margins of 2025-10" in text
    leaks = json.loads(said(workspace, capsys, "--json"))
    assert {row["kind"]: row["amount"] for row in leaks}["marketplace_fee_not_passed_on"].startswith("4.2")
    by_customer = json.loads(said(workspace, capsys, "--by", "customer", "--json"))
    assert {row["customer_id"] for row in by_customer} == {"C-aws", "C-cloud", "C-dist"}
    cloud = next(row for row in by_customer if row["customer_id"] == "C-cloud")
    assert [Decimal(cloud[name]) for name in ("total_cost", "total_sell", "margin", "charges")] == [
        Decimal("1.5"), Decimal("1.65"), Decimal("0.15"), 1,
    ]  # fmt: skip
    both = json.loads(said(workspace, capsys, "--by", "both", "--json"))
    by_type = json.loads(said(workspace, capsys, "--by", "product_type", "--json"))
    assert len(both) >= max(len(by_type), len(by_customer))
    for rows in (both, by_type):
        assert sum(Decimal(row["margin"]) for row in rows) == sum(Decimal(row["margin"]) for row in by_customer)


def test_another_grouping_is_wrong_usage(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(workspace, "margins", "--month", OCTOBER, "--by", "vendor") == 2
    assert "choose customer, product_type or both" in capsys.readouterr().err


def test_the_asset_shows_margins_as_a_table_and_a_chart_of_each_currency(workspace: Workspace) -> None:
    with duckdb.connect(str(workspace.warehouse), read_only=True) as connection:
        shown = describe_margins(connection)
    assert shown["margins_of"] == OCTOBER
    assert "| C-cloud | USD | 1.50 | 1.65 | 0.15 | 9.09 % |" in str(shown["margins"])
    assert "█" in str(shown["margin_chart_USD"])
    assert "| unmapped_account | USD | 1 | 1.23 |" in str(shown["margin_leaks"])


def test_a_fee_that_was_billed_does_not_leak_again_when_its_month_is_delivered_anew(workspace: Workspace) -> None:
    assert run_command(workspace, "invoices", "draft", "--month", OCTOBER, "--include-marketplace-fees") == 1
    fees = f"select amount from ({FOUND}) where kind = 'marketplace_fee_not_passed_on'"
    assert query(workspace, fees) == []
    drop(workspace, "aws/received=2025-11-26/report.csv", USAGE.replace(",7,", ",8,"))
    run_command(workspace, "run", "--date", "2025-11-26")
    assert query(workspace, "select count(*) from deliveries where source = 'aws'") == [(2,)]
    assert query(workspace, fees) == []
    assert run_command(workspace, "invoices", "delete", "--customer", "C-aws") == 0
    assert query(workspace, fees) == [(Decimal("4.2"),)]
