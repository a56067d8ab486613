"""The worked cases of the pricing rules, from the distributor's file to the cell of the workbook.

Each case is a row of the file, the reseller's terms, and the four prices a person reads in `Customer Charges.xlsx`.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dagster import DagsterInstance
from openpyxl import load_workbook

from assets.graph import build_definitions
from resources.workspace import Workspace

BILLING_TOML = """
[organisation]
id = "golden"
name = "Golden Resale Ltd"
time_zone = "Europe/Athens"
currency = "EUR"
country = "GR"
charges_start_on = 2025-01-01
standard_edition_since = 2025-01-01
show_invoice_numbers = true

[[sources]]
id = "dist"
format = "distributor_invoice"
vendor = "Distributor"
"""

REFERENCE = {
    "customers": """\
customer_id,name,invoice_currency
k1,First Customer,EUR
k2,Second Customer,EUR
""",
    "products": """\
product_id,name,product_type
p1,Product 1,License
p2,Product 2,License
p3,Product 3,License
p5,Product 5,License
p6,Product 6,License
p7,Product 7,License
p8,Product 8,License
p9,Product 9,License
p11,Product 11,License
""",
    "pricing_rules": """\
rule_id,scope,scope_id,method,percent,valid_from,valid_to,recorded_at
r1,product,p1,markup,50,2025-01-01,,2025-01-01
r2,product,p2,srp,,2025-01-01,,2025-01-01
r3,product,p3,srp,,2025-01-01,,2025-01-01
r5,product,p5,markup,50,2025-01-01,,2025-01-01
r6,product,p6,markup,10,2025-01-01,,2025-01-01
r7,product,p7,srp,,2025-01-01,,2025-01-01
r8,product,p8,markup,15,2025-01-01,,2025-01-01
r9,product,p9,srp,,2025-01-01,,2025-01-01
r11a,product,p11,markup,10,2025-01-01,2025-10-16,2025-01-01
r11b,product,p11,markup,20,2025-10-16,,2025-01-01
""",
    "special_prices": """\
special_price_id,customer_id,product_id,method,percent,valid_from,recorded_at
s5,k2,p5,markup,5,2025-01-01,2025-01-01
s8,k2,p8,markup,10,2025-01-01,2025-01-01
""",
}

HEADER = (
    "invoice_number,type,order_channel,customer_id,product_id,quantity,list_price,unit_cost,net_total,"
    "credits_invoice_number,credits_line_number,ordered_at,"
    "invoice_date,issued_at,status,origin,currency,tax_total,line_number,customer_name,product_name,product_type,"
    "pay_per_use,description,installment_number,installment_count,start_date,end_date,unit,order_id"
)
EARLY = """\
C1,debit,distributor_storefront,k1,p1,1,100.00,100.00,100.00,,,
C2,debit,distributor_storefront,k1,p2,1,100.00,100.00,100.00,,,
C3,debit,distributor_bss,k1,p3,1,100.00,75.00,75.00,,,
C5,debit,distributor_storefront,k2,p5,1,100.00,75.00,75.00,,,
C5b,debit,distributor_storefront,k1,p5,1,100.00,75.00,75.00,,,
C6,debit,distributor_storefront,k1,p6,1,,90.00,90.00,,,
C7,debit,distributor_storefront,k1,p7,1,100.00,85.00,85.00,,,
C8,debit,distributor_storefront,k2,p8,1,,80.00,80.00,,,
C9,debit,distributor_storefront,k1,p9,3,100.00,85.00,255.00,,,
"""
LATE = """\
C9-credit,credit,distributor_storefront,k1,p9,3,110.00,85.00,255.00,C9,1,
C11,debit,reseller_storefront,k1,p11,1,,50.00,50.00,,,2025-10-10T09:00:00+03:00
C12,debit,distributor_storefront,k1,p11,1,,50.00,50.00,,,2025-10-10T09:00:00+03:00
"""


@dataclass(frozen=True)
class Case:
    """What a person reads in the workbook."""

    customer: str
    unit_cost: str
    unit_sell: str
    quantity: str = "1"
    kind: str = "Debit"
    term: str = ""


CASES = {
    "C1": Case("First Customer", "100", "150", term="r1"),
    "C2": Case("First Customer", "100", "100", term="r2"),
    "C3": Case("First Customer", "75", "100", term="r3"),
    "C5": Case("Second Customer", "75", "78.75", term="s5"),
    "C5b": Case("First Customer", "75", "112.5", term="r5"),
    "C6": Case("First Customer", "90", "99", term="r6"),
    "C7": Case("First Customer", "85", "100", term="r7"),
    "C8": Case("Second Customer", "80", "88", term="s8"),
    "C9": Case("First Customer", "85", "100", quantity="3", term="r9"),
    "C9-credit": Case("First Customer", "-85", "-100", quantity="3", kind="Credit", term="r9"),
    "C11": Case("First Customer", "50", "55", term="r11a"),
    "C12": Case("First Customer", "50", "60", term="r11b"),
}


def invoice_file(rows: str, day: str) -> str:
    """Return a distributor's file: the columns a case is about, then those that are the same for all."""
    header = f"{day},{day}T10:00:00+02:00,issued,api,EUR,0"
    same = f"{header},1,As on the invoice,,License,false,Seats,,,{day},2025-12-31,Month,"
    return "\n".join([HEADER, *(f"{row},{same}" for row in rows.splitlines())]) + "\n"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace in which both days of arrival have been run by the daily job."""
    home = tmp_path_factory.mktemp("worked_cases")
    (home / "billing.toml").write_text(BILLING_TOML)
    (home / "reference").mkdir()
    for name, text in REFERENCE.items():
        (home / "reference" / f"{name}.csv").write_text(text)
    days = {"2025-10-05": EARLY, "2025-10-20": LATE}
    for day, rows in days.items():
        folder = home / "landing" / "dist" / f"received={day}"
        folder.mkdir(parents=True)
        (folder / "invoices.csv").write_text(invoice_file(rows, day))
    found = Workspace.at(home)
    job = build_definitions(found).resolve_job_def("daily")
    with DagsterInstance.ephemeral() as instance:
        for day in days:
            assert job.execute_in_process(partition_key=day, instance=instance).success
    return found


@pytest.fixture(scope="module")
def charges(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """Rows of both days' workbooks by invoice number, cells by header."""
    rows: dict[str, dict[str, Any]] = {}
    for path in sorted(workspace.exports.glob("customer_charges/*/Customer Charges.xlsx")):
        header, *lines = load_workbook(path)["Customer Charges"].iter_rows(values_only=True)
        for line in lines:
            row = {str(name): cell for name, cell in zip(header, line, strict=True)}
            rows[str(row["Invoice #"])] = row
    return rows


def amount(cell: object) -> Decimal:
    """Read a cell's number as the shortest decimal that is it."""
    assert isinstance(cell, int | float)
    return Decimal(repr(cell))


def test_the_workbooks_hold_exactly_the_cases(charges: dict[str, dict[str, Any]]) -> None:
    assert sorted(charges) == sorted(CASES)


@pytest.mark.parametrize("number", list(CASES))
def test_a_case_reads_in_the_workbook_as_it_was_worked_out_by_hand(
    number: str, charges: dict[str, dict[str, Any]]
) -> None:
    case, row = CASES[number], charges[number]
    quantity = Decimal(case.quantity)
    assert (row["Type"], row["Customer"]) == (case.kind, case.customer)
    assert amount(row["Quantity"]) == quantity
    assert amount(row["Unit Cost Price"]) == Decimal(case.unit_cost)
    assert amount(row["Unit Sell Price"]) == Decimal(case.unit_sell)
    assert amount(row["Total Cost Price"]) == Decimal(case.unit_cost) * quantity
    assert amount(row["Total Sell Price"]) == Decimal(case.unit_sell) * quantity
    assert row["Currency"] == "EUR"
    assert isinstance(row["Invoice date"], datetime)


def test_a_full_credit_leaves_nothing_owed_also_when_the_list_price_has_risen(
    charges: dict[str, dict[str, Any]],
) -> None:
    assert amount(charges["C9"]["Total Sell Price"]) + amount(charges["C9-credit"]["Total Sell Price"]) == 0
    assert amount(charges["C9"]["Total Cost Price"]) + amount(charges["C9-credit"]["Total Cost Price"]) == 0


@pytest.mark.parametrize("number", list(CASES))
def test_a_case_says_which_term_set_its_price_and_is_exact_behind_the_workbook(
    number: str, workspace: Workspace
) -> None:
    query = (
        "select price_term_id, unit_sell_price, total_sell_price from customer_charges where invoice_number = $number"
    )
    with duckdb.connect(str(workspace.warehouse), read_only=True) as warehouse:
        found = warehouse.execute(query, {"number": number}).fetchall()
    case = CASES[number]
    assert found == [(case.term, Decimal(case.unit_sell), Decimal(case.unit_sell) * Decimal(case.quantity))]


def test_every_cent_of_the_files_is_billed(workspace: Workspace) -> None:
    with duckdb.connect(str(workspace.warehouse), read_only=True) as warehouse:
        buckets = warehouse.execute("select bucket, sum(amount) from usage_reconciliation group by bucket").fetchall()
        rows = warehouse.execute("select sum(billed_cost), count(*) from vendor_charges").fetchone()
    assert rows == (Decimal("780"), len(CASES))
    assert buckets == [("billed", Decimal("780"))]


def test_the_margin_and_the_markup_it_came_to_stand_beside_the_price(workspace: Workspace) -> None:
    query = (
        "select invoice_number, margin, derived_markup_percent, srp from priced_line_items"
        " where invoice_number in ('C5', 'C9-credit') order by invoice_number"
    )
    with duckdb.connect(str(workspace.warehouse), read_only=True) as warehouse:
        found = warehouse.execute(query).fetchall()
    assert found == [
        ("C5", Decimal("3.75"), Decimal(5), Decimal(100)),
        ("C9-credit", Decimal(-45), Decimal("17.64705882"), Decimal(-100)),
    ]


def test_running_the_days_again_changes_no_byte_of_the_workbooks(workspace: Workspace) -> None:
    def workbooks() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in workspace.exports.rglob("*.xlsx")}

    before = workbooks()
    job = build_definitions(workspace).resolve_job_def("daily")
    with DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(partition_key="2025-10-20", instance=instance).success
    assert workbooks() == before
