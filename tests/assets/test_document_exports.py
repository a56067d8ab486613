"""`billing invoices export`, from vendor files that are run as a user runs them to every format of document."""

import csv
import hashlib
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from billing_pipeline.cli.application import app
from billing_pipeline.documents.detailed_csv import COST_COLUMNS
from resources.document_files import FORMATS
from resources.workspace import Workspace
from tests.workspaces import RECEIVED, drop, invoice, make_workspace, rows_of

OCTOBER = "2025-10"
AWS_DOCUMENT = "2025-10-C-aws-USD"
SECOND_DAY = "2025-10-02T00:00:00.000Z"
USAGE = rows_of(
    "aws_cur",
    {"identity/LineItemId": "a", "lineItem/UnblendedCost": "1.2E-6"},
    {"identity/LineItemId": "b", "lineItem/UsageStartDate": SECOND_DAY, "lineItem/UnblendedCost": "5.001"},
    {"identity/LineItemId": "c", "lineItem/UnblendedCost": "0.005"},
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A month of usage and an invoice, with drafts."""
    made = make_workspace(tmp_path_factory.mktemp("documents") / "home")
    drop(made, f"aws/{RECEIVED}/report.csv", USAGE)
    drop(made, f"dist/{RECEIVED}/invoice.csv", invoice("N1", 3))
    assert call(made, "run", "--month", OCTOBER).exit_code == 0
    return made


def call(workspace: Workspace, *words: str) -> Result:
    """Run the command on a workspace, as a user types it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BILLING_HOME", str(workspace.home))
        patch.setenv("DAGSTER_HOME", str(workspace.home / ".dagster"))
        return CliRunner().invoke(app, list(words))


def exported(workspace: Workspace, out: Path, *words: str) -> dict[str, bytes]:
    """Return the files that an export writes, by name."""
    result = call(workspace, "invoices", "export", *words, "--out", str(out))
    assert result.exit_code == 0, result.output
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_every_format_is_written_and_repeats_byte_for_byte(workspace: Workspace, tmp_path: Path) -> None:
    words = ("--month", OCTOBER, "--format", ",".join(FORMATS))
    first = exported(workspace, tmp_path / "first", *words)
    assert exported(workspace, tmp_path / "second", *words) == first
    suffixes = {name.removeprefix(AWS_DOCUMENT) for name in first if name.startswith(AWS_DOCUMENT)}
    assert suffixes == {".pdf", ".csv", ".detailed.csv", ".html", ".xlsx"}


def test_the_detailed_csv_leads_from_each_charge_to_the_file_and_its_rows(workspace: Workspace, tmp_path: Path) -> None:
    files = exported(workspace, tmp_path, AWS_DOCUMENT, "--format", "detailed-csv")
    rows = list(csv.DictReader(files[f"{AWS_DOCUMENT}.detailed.csv"].decode("utf-8").splitlines()))
    landed = next((workspace.home / "landing" / "aws").rglob("report.csv"))
    assert {row["file_sha256"] for row in rows} == {hashlib.sha256(landed.read_bytes()).hexdigest()}
    assert sorted(row["row_numbers"] for row in rows) == ["1, 3", "2"]
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("5.50660132")
    assert not set(COST_COLUMNS) & set(rows[0])


def test_cost_is_shown_when_asked_for(workspace: Workspace, tmp_path: Path) -> None:
    files = exported(workspace, tmp_path, AWS_DOCUMENT, "--format", "detailed-csv", "--with-cost")
    rows = list(csv.DictReader(files[f"{AWS_DOCUMENT}.detailed.csv"].decode("utf-8").splitlines()))
    assert sum(Decimal(row["total_cost"]) for row in rows) == Decimal("5.0060012")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "docx"), "format docx is unknown; there are pdf, csv, detailed-csv, html, xlsx"),
        (("--format", "detailed-csv", "--currency", "EUR"), "leave out --currency"),
        (("--currency", "GBP"), "currency GBP is not enabled"),
    ],
)
def test_what_cannot_be_exported_is_said(workspace: Workspace, words: tuple[str, ...], said: str) -> None:
    result = call(workspace, "invoices", "export", AWS_DOCUMENT, *words)
    assert result.exit_code != 0
    assert said in str(result.exception)
