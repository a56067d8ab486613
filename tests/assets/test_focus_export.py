"""`billing focus export`: a month's documents as FOCUS 1.2, and back through the pipeline's own intake of FOCUS."""

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from resources.workspace import Workspace
from tests.command_line import run_command
from tests.focus_validator import rows_of_file, violations
from tests.workspaces import BILLING_TOML, RECEIVED, SINCE, drop, invoice, make_workspace, query, rows_of

OCTOBER = "2025-10"
REFERENCE = {
    "customers": [
        "customer_id,name,invoice_currency,pricebook_id,enabled_currencies,country,tax_category,valid_from,recorded_at",
        f"C-aws,Ακμή,EUR,standard,EUR;USD,GR,,{SINCE}",
        f'C-cloud,"=Cloud, Inc.",USD,standard,USD,GR,,{SINCE}',
        f"C-dist,Dist,JPY,standard,JPY;USD,JP,reverse_charge,{SINCE}",
    ],
    "exchange_rates": [
        "base_currency,quote_currency,rate,rate_date,source",
        "USD,EUR,0.913726,2025-10-30,ECB",
        "JPY,USD,0.0066127,2025-10-30,BOJ",
    ],
    "tax_rates": [
        "tax_id,name,country,percent,tax_category,valid_from,recorded_at",
        f"gr,VAT 24%,GR,24,standard,{SINCE}",
    ],
    "credits": [
        "credit_id,customer_id,kind,amount,currency,granted_on,recorded_at",
        "welcome,C-aws,general,3.50,EUR,2025-01-01,2025-01-01T00:00:00Z",
        "market,C-aws,marketplace,2.00,EUR,2025-01-01,2025-01-01T00:00:00Z",
    ],
    "support_plans": [
        "plan_id,customer_id,basis,method,percent,valid_from,recorded_at",
        f"gold,C-aws,sell,percent,7.5,{SINCE}",
    ],
    "custom_charges": [
        "charge_id,customer_id,description,amount,currency,product_type,recurrence,valid_from,recorded_at",
        f"onboarding,C-cloud,-Onboarding,10.005,USD,Services,monthly,{SINCE}",
    ],
}
USAGE = rows_of(
    "aws_cur",
    {"identity/LineItemId": "a", "lineItem/UnblendedCost": "1.2345E-6"},
    {
        "identity/LineItemId": "b",
        "lineItem/UsageStartDate": "2025-10-02T00:00:00.000Z",
        "lineItem/UnblendedCost": "17.001",
    },
    {"identity/LineItemId": "c", "lineItem/UsageAccountId": "999", "lineItem/UnblendedCost": "0.005"},
    {"identity/LineItemId": "d", "bill/BillingEntity": "AWS Marketplace", "lineItem/UnblendedCost": "4.2"},
)
COSTS = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost")
OPTIONS = (
    "--apply-credits",
    "--include-tax",
    "--include-marketplace-fees",
    "--use-credits-for-marketplace-fees",
)
# What the rows of issued documents are, by what the ledger says of them; a file of FOCUS has 18 decimals.
OWED = """
    with issued as (
        select * from invoices where status <> 'void'
    ),
    parts as (
        select
            customer_id, issued.currency, if(line_kind = 'usage', 'Usage', 'Purchase') as charge_category,
            cast(amount_precise as decimal(38, 18)) as amount,
        from issued inner join invoice_lines using (invoice_id)
        union all
        select customer_id, currency, 'Tax', cast(tax_total as decimal(38, 18)) from issued
        union all
        select customer_id, currency, 'Credit', -cast(credits_applied as decimal(38, 18)) from issued
    )
    select customer_id, currency, charge_category, sum(amount)
    from parts group by all having sum(amount) <> 0 order by all
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A month in EUR, USD and JPY with taxes, credits, fees, a credit note, and a void document."""
    made = make_workspace(tmp_path_factory.mktemp("reseller") / "home")
    for name, lines in REFERENCE.items():
        (made.home / "reference" / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    accounts = made.home / "reference" / "accounts.csv"
    accounts.write_text(accounts.read_text() + f"aws,999,C-aws,{SINCE}\n")
    drop(made, f"aws/{RECEIVED}/report.csv", USAGE)
    drop(made, f"cloud/{RECEIVED}/usage.csv", rows_of("focus", {"InvoiceId": "V-2"}))
    drop(made, f"dist/{RECEIVED}/invoice.csv", invoice("N1", 3))
    assert run_command(made, "run", "--month", OCTOBER) == 0
    assert run_command(made, "invoices", "approve", "2025-10-C-cloud-USD") == 0
    assert run_command(made, "invoices", "void", "2025-10-C-cloud-USD", "--reason", "wrong options") == 0
    assert run_command(made, "invoices", "draft", "--month", OCTOBER, *OPTIONS) == 0
    assert run_command(made, "invoices", "approve", "--month", OCTOBER) == 0
    words = ("invoices", "credit-note", "2025-10-C-aws-EUR", "--line", "1", "--reason", "wrong price")
    assert run_command(made, *words) == 0
    assert run_command(made, "invoices", "approve", "--customer", "C-aws") == 0
    return made


def export(workspace: Workspace, out: Path, *words: str) -> bytes:
    assert run_command(workspace, "focus", "export", "--month", OCTOBER, "--out", str(out), *words) == 0
    return out.read_bytes()


def test_the_rows_of_the_documents_add_up_to_what_is_owed_exactly(workspace: Workspace, tmp_path: Path) -> None:
    sums: dict[tuple[str, str], Decimal] = {}
    for row in rows_of_file(export(workspace, tmp_path / "f.csv")):
        key = (row["InvoiceId"], row["BillingCurrency"])
        sums[key] = sums.get(key, Decimal(0)) + Decimal(row["BilledCost"])
    owed = query(workspace, "select invoice_number, currency, total from invoices where status <> 'void'")
    assert sums == {(number, currency): total for number, currency, total in owed}
    assert len(sums) == 4


def test_the_file_keeps_the_rules_of_the_standard(workspace: Workspace, tmp_path: Path) -> None:
    rows = rows_of_file(export(workspace, tmp_path / "f.csv"))
    assert [(row["x_ChargeId"], broken) for row in rows if (broken := violations(row))] == []
    assert {row["ChargeCategory"] for row in rows} == {"Usage", "Purchase", "Tax", "Credit", "Adjustment"}
    assert {row["ChargeClass"] for row in rows} == {"", "Correction"}
    assert {row["InvoiceIssuerName"] for row in rows} == {"Contoso Cloud Ltd"}


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet"])
def test_it_reads_back_through_the_own_intake_of_focus_to_the_same_sums(
    workspace: Workspace, tmp_path: Path, suffix: str
) -> None:
    reader = make_workspace(tmp_path / "home")
    (reader.home / "billing.toml").write_text(
        BILLING_TOML.replace('id = "cloud"', 'id = "own"').replace('vendor = "Cloud"', 'vendor = "Contoso"')
    )
    for name in ("accounts", "pricing_rules"):
        path = reader.home / "reference" / f"{name}.csv"
        lines = [line for line in path.read_text().splitlines() if "cloud" not in line.lower()]
        path.write_text("\n".join(lines) + "\n")
    drop(reader, f"own/{RECEIVED}/focus.{suffix}", export(workspace, tmp_path / f"focus.{suffix}"))
    run_command(reader, "run", "--date", RECEIVED.removeprefix("received="))
    assert query(reader, "select reason from quarantine") == []
    # As text, a cell that a spreadsheet would take for a formula has an apostrophe before it.
    taken = query(
        reader,
        "select ltrim(billing_account_id, ''''), billing_currency, charge_category, sum(billed_cost)"
        " from vendor_charges where x_charge_nature <> 'rounding' group by all having sum(billed_cost) <> 0"
        " order by all",
    )
    assert taken == query(workspace, OWED) != []
    roundings = query(
        reader,
        "select billing_account_id, invoice_id, sum(billed_cost) from vendor_charges group by all order by all",
    )
    owed = "select customer_id, invoice_number, total from invoices where status <> 'void' order by all"
    assert roundings == query(workspace, owed)


def test_neither_cost_nor_margin_nor_term_is_in_it(workspace: Workspace, tmp_path: Path) -> None:
    rows = rows_of_file(export(workspace, tmp_path / "f.csv"))
    assert not any(word in name.lower() for word in ("margin", "total", "term", "markup") for name in rows[0])
    charges = query(workspace, "select charge_id, total_cost from billed_charges where amount_precise <> total_cost")
    costs = dict(charges)
    shown = {row["x_ChargeId"]: {row[name] for name in COSTS} for row in rows if row["x_ChargeId"] in costs}
    assert shown.keys() == costs.keys()
    assert [name for name, cells in shown.items() if costs[name] in {Decimal(cell) for cell in cells}] == []


def test_the_same_documents_give_the_same_bytes(workspace: Workspace, tmp_path: Path) -> None:
    for suffix in ("csv", "csv.gz", "parquet"):
        first = export(workspace, tmp_path / f"first.{suffix}")
        assert export(workspace, tmp_path / f"second.{suffix}") == first


def test_each_customer_gets_a_file_of_nothing_but_their_own(workspace: Workspace, tmp_path: Path) -> None:
    whole = rows_of_file(export(workspace, tmp_path / "f.csv"))
    words = ("focus", "export", "--month", OCTOBER, "--out", str(tmp_path / "each"), "--per-customer")
    assert run_command(workspace, *words) == 0
    files = {path.name: rows_of_file(path.read_bytes()) for path in sorted((tmp_path / "each").iterdir())}
    assert list(files) == [f"focus-2025-10-C-{name}.csv" for name in ("aws", "cloud", "dist")]
    for name, rows in files.items():
        customer = name.removeprefix("focus-2025-10-").removesuffix(".csv")
        assert rows == [row for row in whole if row["BillingAccountId"] == customer]
        assert rows == rows_of_file(export(workspace, tmp_path / "one.csv", "--customer", customer))


def test_text_that_a_spreadsheet_takes_for_a_formula_is_text(workspace: Workspace, tmp_path: Path) -> None:
    rows = rows_of_file(export(workspace, tmp_path / "f.csv"))
    assert "'=Cloud, Inc." in {row["BillingAccountName"] for row in rows}
    assert "'-Onboarding" in {row["ChargeDescription"] for row in rows}
    export(workspace, tmp_path / "f.parquet")
    assert "=Cloud, Inc." in pl.read_parquet(tmp_path / "f.parquet")["BillingAccountName"].to_list()


def test_drafts_are_in_it_only_when_asked_for_and_have_no_number(workspace: Workspace, tmp_path: Path) -> None:
    issued = rows_of_file(export(workspace, tmp_path / "f.csv"))
    words = ("invoices", "credit-note", "2025-10-C-dist-JPY", "--reason", "not ordered")
    assert run_command(workspace, *words) == 0
    assert rows_of_file(export(workspace, tmp_path / "f.csv")) == issued
    drafts = [row for row in rows_of_file(export(workspace, tmp_path / "f.csv", "--drafts")) if row not in issued]
    assert drafts
    assert {row["InvoiceId"] for row in drafts} == {""}
    assert run_command(workspace, "invoices", "delete", "--customer", "C-dist") == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--month", "2025-09"), "there is no issued document of 2025-09"),
        (("--month", OCTOBER, "--customer", "C-dist", "--customer", "C-x"), "customer C-x: no issued document"),
    ],
)
def test_nothing_to_export_is_an_error_and_writes_no_file(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert run_command(workspace, "focus", "export", *words, "--out", str(tmp_path / "f.csv")) == 1
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_charges_that_are_not_those_of_the_documents_are_refused(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshots = sorted((workspace.lake / "billed_charges" / OCTOBER).iterdir())
    kept = [path.read_bytes() for path in snapshots]
    for path in snapshots:
        path.write_bytes(path.read_bytes() + b" ")
    assert run_command(workspace, "focus", "export", "--month", OCTOBER, "--out", str(tmp_path / "f.csv")) == 1
    assert "have changed since they were written" in capsys.readouterr().err
    for path, content in zip(snapshots, kept, strict=True):
        path.write_bytes(content)
