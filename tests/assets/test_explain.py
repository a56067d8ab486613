"""`billing explain`, from vendor files that are run as a user runs them to the rows they lead back to."""

import csv
import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from billing_pipeline.cli.application import app
from resources.explanations import charge_reader
from resources.workspace import Workspace
from tests.workspaces import RECEIVED, drop, invoice, make_workspace, query, rows_of

OCTOBER = "2025-10"
AWS_LINE = "2025-10-C-aws-USD/1"
SECOND_DAY = "2025-10-02T00:00:00.000Z"
USAGE = rows_of(
    "aws_cur",
    {"identity/LineItemId": "a", "lineItem/UnblendedCost": "1.2E-6"},
    {"identity/LineItemId": "b", "lineItem/UsageStartDate": SECOND_DAY, "lineItem/UnblendedCost": "5.001"},
    {"identity/LineItemId": "c", "lineItem/UnblendedCost": "0.005"},
    {"identity/LineItemId": "d", "lineItem/UsageAccountId": "999999999999"},
    {"identity/LineItemId": "e", "lineItem/LineItemType": "Tax", "lineItem/UnblendedCost": "0.10"},
)  # fmt: skip
CREDIT = {"type": "credit", "credits_invoice_number": "N1", "credits_line_number": "1"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A month of usage, an invoice and its credit, with drafts."""
    made = make_workspace(tmp_path_factory.mktemp("explain") / "home")
    drop(made, f"aws/{RECEIVED}/report.csv", USAGE)
    drop(made, f"dist/{RECEIVED}/invoice.csv", invoice("N1", 3))
    drop(made, "dist/received=2025-11-26/credit.csv", invoice("N2", 1, **CREDIT))
    drop(made, f"dist/{RECEIVED}/pending.csv", invoice("N3", 1, status="pending"))
    assert call(made, "run", "--month", OCTOBER).exit_code == 0
    return made


def call(workspace: Workspace, *words: str) -> Result:
    """Run the command on a workspace, as a user types it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BILLING_HOME", str(workspace.home))
        patch.setenv("DAGSTER_HOME", str(workspace.home / ".dagster"))
        return CliRunner().invoke(app, list(words))


def explained(workspace: Workspace, *words: str) -> dict[str, Any]:
    """What `--json` says, where everything agrees."""
    result = call(workspace, "explain", *words, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    assert found["problems"] == []
    return found


def test_an_invoice_line_leads_to_file_hash_and_rows(workspace: Workspace) -> None:
    (line,) = explained(workspace, AWS_LINE)["lines"]
    assert line["rounding"]["exact"] == line["charges_amount"] == "5.50660132"
    assert Decimal(line["rounding"]["payable"]) == Decimal("5.51")
    assert Decimal(line["rounding"]["share"]) == Decimal("0.00339868")
    first, second = line["charges"]
    assert first["arithmetic"]["steps"] == ["cost 0.0050012 x (1 + 10 %) = 0.00550132"]
    assert second["arithmetic"]["steps"] == ["cost 5.001 x (1 + 10 %) = 5.5011"]
    (file,) = first["files"]
    assert file["name"] == f"{RECEIVED}/report.csv"
    assert file["sha256"] == hashlib.sha256(USAGE.encode()).hexdigest()
    assert (file["row_numbers"], file["row_ranges"]) == ("1, 3", [[1, 1], [3, 3]])
    assert (workspace.home / file["kept_as"]).read_text() == USAGE
    assert [(row["row_number"], row["billed_cost"]) for row in first["rows"]] == [(1, "0.0000012"), (3, "0.005")]
    assert second["files"][0]["row_numbers"] == "2"


def test_a_term_leads_to_its_row_in_the_reference_file(workspace: Workspace) -> None:
    charge = explained(workspace, AWS_LINE)["lines"][0]["charges"][0]
    (term,) = charge["terms"]
    kept = (workspace.home / term["kept_as"]).read_bytes()
    assert term["sha256"] == hashlib.sha256(kept).hexdigest()
    assert kept.decode().splitlines()[term["row_number"]].startswith("R-AWS,vendor,AWS,markup,10,")
    assert (term["says"], term["how"]) == ("markup 10 % for vendor AWS, valid from 2024-01-01 on", "known")
    assert charge["customer"]["says"].startswith("account 012345678901 of source aws belongs to C-aws")
    assert charge["customer"]["row"]["file"] == "accounts"
    assert charge["moment"]["term_day"] == "2025-10-01"


def test_a_charge_is_found_by_either_of_its_ids_and_names_its_line(workspace: Workspace) -> None:
    charge_id = explained(workspace, AWS_LINE)["lines"][0]["charges"][0]["item"]["charge_id"]
    by_charge, by_line_item = explained(workspace, charge_id), explained(workspace, f"line-{charge_id}")
    assert by_charge["charges"] == by_line_item["charges"]
    assert by_charge["billed_on"] == [AWS_LINE]


def test_a_document_shows_every_line_with_its_rounding(workspace: Workspace) -> None:
    found = explained(workspace, "2025-10-C-dist-USD")
    assert [line["charges_amount"] for line in found["lines"]] == [line["rounding"]["exact"] for line in found["lines"]]
    assert sum(Decimal(line["charges_amount"]) for line in found["lines"]) == Decimal(found["document"]["subtotal"])
    shown = call(workspace, "explain", "2025-10-C-dist-USD").stdout
    assert "pricing_rule R-Distributor" in shown


@pytest.mark.parametrize("words", [("N1/1",), ("N1", "--line", "1"), ("dist/N1/1",), ("N1",)])
def test_an_item_is_found_by_the_distributors_number(workspace: Workspace, words: tuple[str, ...]) -> None:
    (charge,) = explained(workspace, *words)["charges"]
    assert charge["arithmetic"]["steps"] == ["unit cost 10 x (1 + 10 %) = 11", "11 x 3 Month = 33"]
    assert charge["files"][0]["row_numbers"] == "1"
    assert charge["customer"]["says"].startswith("account 007 of source dist belongs to C-dist")


def test_a_credit_shows_the_line_it_credits_and_its_frozen_price(workspace: Workspace) -> None:
    (charge,) = explained(workspace, "N2/1")["charges"]
    assert charge["arithmetic"]["steps"] == ["frozen unit price of the credited line = 11", "-11 x 1 Month = -11"]
    assert charge["credited"]["item"]["invoice_number"] == "N1"
    assert charge["credited"]["terms"][0]["name"] == "pricing_rule R-Distributor"
    assert charge["credited"]["files"][0]["name"] == f"{RECEIVED}/invoice.csv"


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("bucket = 'unmapped_account'", "not billed, bucket unmapped_account: account 999999999999 of source aws"),
        ("bucket = 'tax'", "not billed, bucket tax"),
        ("bucket = 'excluded_by_rule'", "not billed, bucket excluded_by_rule: the distributor's invoice is pending"),
    ],
)
def test_a_charge_that_is_not_billed_says_why(workspace: Workspace, condition: str, says: str) -> None:
    ((charge_id,),) = query(workspace, f"select charge_id from unbilled_charges where {condition}")
    result = call(workspace, "explain", charge_id)
    assert result.exit_code == 0
    assert says in result.stdout


def test_people_read_payable_exact_and_rounding_before_the_charges(workspace: Workspace) -> None:
    text = call(workspace, "explain", AWS_LINE).stdout
    places = [
        text.index(words) for words in ("payable   5.51 USD", "exact     5.50660132 USD", "+0.00339868", "2 charges")
    ]
    assert places == sorted(places)
    assert "cost 5.001 x (1 + 10 %) = 5.5011 [1]" in text
    assert "rows 1, 3 of [A], 0.0050012 USD" in text
    assert hashlib.sha256(USAGE.encode()).hexdigest() in text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nope",), "nothing has the id 'nope'"),
        (("2025-10-C-aws-USD/9",), "document 2025-10-C-aws-USD has lines 1 to 1, not '9'"),
        (("N1", "--line", "9"), "nothing has the id 'N1 line 9'"),
        (("use-0", "--json"), "nothing has the id 'use-0'"),
    ],
)
def test_an_id_of_nothing_is_an_error_that_says_so(workspace: Workspace, words: tuple[str, ...], says: str) -> None:
    result = call(workspace, "explain", *words)
    assert result.exit_code == 1
    assert says in str(result.exception)


def test_an_id_of_two_things_lists_how_to_name_each(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "home")
    config = workspace.config_file.read_text()
    workspace.config_file.write_text(
        config + '[[sources]]\nid = "dist2"\nformat = "distributor_invoice"\nvendor = "Other"\n'
    )
    for source in ("dist", "dist2"):
        drop(workspace, f"{source}/{RECEIVED}/invoice.csv", invoice("N1", 1))
    call(workspace, "run", "--date", "2025-11-25")
    refused = call(workspace, "explain", "N1")
    assert refused.exit_code == 1
    assert "dist/N1 " in str(refused.exception)
    assert "dist2/N1 " in str(refused.exception)
    assert explained(workspace, "dist/N1")["charges"][0]["item"]["source"] == "dist"


def test_vendor_rows_that_were_changed_since_are_said_and_the_command_fails(
    workspace: Workspace, tmp_path: Path
) -> None:
    (path,) = [path for path in (workspace.lake / "vendor_charges").rglob("*.parquet") if rows_in(path) == 5]
    before = path.read_bytes()
    try:
        change_a_cost(path, tmp_path / "changed.parquet")
        result = call(workspace, "explain", AWS_LINE)
    finally:
        path.write_bytes(before)
    assert result.exit_code == 1
    assert "its vendor rows add up to 6.001, its cost is 5.001 USD" in result.output


def rows_in(path: Path) -> int:
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())


def change_a_cost(path: Path, aside: Path) -> None:
    """Add 1 to the cost of a file's second row."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            "copy (select * replace (cast(billed_cost + case when row_number = 2 then 1 else 0 end as decimal(38, 18))"
            f" as billed_cost) from '{path}') to '{aside}' (format parquet)"
        )
    path.write_bytes(aside.read_bytes())


def test_every_charge_of_the_real_report_leads_to_rows_that_cover_the_file_once(
    tmp_path: Path, shared_data: Path
) -> None:
    real = shared_data / "aws" / "cur_legacy_2023_11.csv"
    workspace = make_workspace(tmp_path / "home")
    add_row(workspace, "accounts", "aws,123412340534,C-aws,2023-01-01,2023-01-01T00:00:00Z")
    add_row(workspace, "pricing_rules", "R-2023,vendor,AWS,markup,12.5,2023-01-01,2023-01-01T00:00:00Z")
    drop(workspace, f"aws/{RECEIVED}/{real.name}", real.read_bytes())
    assert call(workspace, "run", "--month", "2023-11", "--override-unsettled", "a sample").exit_code == 0
    with real.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))

    with charge_reader(workspace) as reader:
        charges = reader.explain(reader.items("true", {}, None), None)
    found = [row for charge in charges for row in charge.rows]
    assert sorted(row["row_number"] for row in found) == list(range(1, len(rows) + 1))
    for row in found:
        original = rows[row["row_number"] - 1]
        assert row["billed_cost"] == Decimal(original["lineItem/UnblendedCost"])
        assert row["line_item_type"] == original["lineItem/LineItemType"]
    assert [problem for charge in charges for problem in charge.problems if "accounts.csv" not in problem] == []

    document = explained(workspace, "2023-11-C-aws-USD")
    assert sum(Decimal(line["charges_amount"]) for line in document["lines"]) * 1000 == 1125 * sum(
        Decimal(row["lineItem/UnblendedCost"]) for row in rows if row["lineItem/LineItemType"] == "Usage"
    )
    line = explained(workspace, "2023-11-C-aws-USD/1")["lines"][0]
    assert line["row_count"] == sum(file["row_count"] for charge in line["charges"] for file in charge["files"])
    assert {file["sha256"] for charge in line["charges"] for file in charge["files"]} == {
        hashlib.sha256(real.read_bytes()).hexdigest()
    }


def add_row(workspace: Workspace, name: str, row: str) -> None:
    path = workspace.reference / f"{name}.csv"
    path.write_text(f"{path.read_text()}{row}\n")


def test_a_customer_charge_of_a_feed_leads_to_its_charges_and_their_vendor_rows(workspace: Workspace) -> None:
    [(line_item_id, total)] = query(
        workspace, "select line_item_id, total_sell_price from customer_charges where source = 'aws'"
    )
    found = explained(workspace, line_item_id)
    assert (found["kind"], found["id"]) == ("customer_charge", line_item_id)
    charges = found["charges"]
    assert [charge["item"]["period_start"] for charge in charges] == ["2025-10-01", "2025-10-02"]
    assert sum(Decimal(charge["item"]["total_sell"]) for charge in charges) == total
    assert sum(len(charge["rows"]) for charge in charges) == 3
    shown = call(workspace, "explain", line_item_id)
    assert shown.exit_code == 0
    assert "2 charges" in shown.output
    assert call(workspace, "explain", "line-sum-00").exit_code == 1
