"""`billing verify`: a workspace that nobody touched passes, and whatever was damaged is found and named."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from resources.verification import verify
from resources.workspace import Workspace
from tests.command_line import run_command
from tests.workspaces import RECEIVED, drop, invoice, make_workspace, rows_of

CHECKS = [
    *("archive", "reference", "partitions", "converted files", "reconciliation", "billed charges", "documents"),
    *("numbers", "warehouse"),
]
APPROVED, DRAFT = "2025-10-C-aws-USD", "2025-10-C-dist-USD"
USAGE = rows_of(
    "aws_cur",
    {"identity/LineItemId": "a", "lineItem/UnblendedCost": "1.20"},
    {"identity/LineItemId": "b", "lineItem/UnblendedCost": "5.001"},
    {"identity/LineItemId": "c", "lineItem/UsageAccountId": "999999999999"},
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A month of usage and of two invoices, drafted; the first document is approved."""
    workspace = make_workspace(tmp_path_factory.mktemp("verify") / "home")
    drop(workspace, f"aws/{RECEIVED}/report.csv", USAGE)
    drop(workspace, f"dist/{RECEIVED}/invoice.csv", invoice("N1", 3))
    drop(workspace, "dist/received=2025-11-26/invoice.csv", invoice("N2", 1))
    # Sent again: it is no delivery, and its rows count nowhere.
    drop(workspace, "dist/received=2025-11-27/again.csv", invoice("N2", 1) + "\n")
    assert run_command(workspace, "run", "--month", "2025-10") == 0
    assert run_command(workspace, "invoices", "approve", APPROVED) == 0
    return workspace


@pytest.fixture
def workspace(made: Workspace, tmp_path: Path) -> Workspace:
    """A copy to damage."""
    shutil.copytree(made.home, tmp_path / "home")
    return Workspace.at(tmp_path / "home")


def problems(workspace: Workspace) -> dict[str, list[str]]:
    """What is found, by check."""
    found = list(verify(workspace, lambda _: None))
    return {
        one.check: [f"{problem.subject}: {problem.difference}" for problem in one.problems]
        for one in found
        if one.problems
    }


def flip(path: Path, at: int | None = None) -> None:
    """Flip a byte of a file, the one in its middle unless another is named."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if at is None else at] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(content)


def only(workspace: Workspace, pattern: str) -> Path:
    """The only file of a pattern below the workspace."""
    (path,) = workspace.home.glob(pattern)
    return path


def change(workspace: Workspace, *statements: str) -> None:
    """Change the ledger behind the program's back, in spite of its triggers."""
    with closing(sqlite3.connect(workspace.home / "ledger.db")) as ledger:
        for (name,) in ledger.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            ledger.execute(f"drop trigger {name}")
        for statement in statements:
            ledger.execute(statement)
        ledger.commit()


def rewrite(path: Path, query: str) -> None:
    """Replace a Parquet file by the rows of a query on it, called `rows`."""
    with duckdb.connect() as connection:
        connection.execute(f"create view rows as select * from read_parquet('{path}', hive_partitioning = false)")
        connection.execute(f"copy ({query}) to '{path}.new' (format parquet)")
    path.with_name(path.name + ".new").replace(path)


def state(home: Path) -> Mapping[str, tuple[int, bytes]]:
    """Every file with its time and bytes."""
    files = (path for path in home.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_a_workspace_that_nobody_touched_passes_and_nothing_is_written(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state(workspace.home)
    assert run_command(workspace, "verify", "--json") == 0
    assert state(workspace.home) == before
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert [one["check"] for one in found] == CHECKS
    assert {one["check"]: one["problems"] for one in found} == {check: [] for check in CHECKS}
    assert all(one["count"] for one in found)
    assert captured.err.strip() == ""


def test_an_empty_workspace_passes_and_gets_no_ledger(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "home")
    before = state(workspace.home)
    assert problems(workspace) == {}
    assert state(workspace.home) == before


def test_the_command_names_what_is_damaged_and_fails(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    flip(next(workspace.home.glob("archive/files/*/*")))
    assert run_command(workspace, "verify") == 1
    captured = capsys.readouterr()
    assert "archive" in captured.out
    assert "archive: " in captured.err
    assert "was changed: its SHA-256 is" in captured.err


def test_an_archived_file_that_is_missing_is_named_as_it_arrived(workspace: Workspace) -> None:
    for path in workspace.home.glob("archive/files/*/*"):
        path.unlink()
    assert f"aws/{RECEIVED}/report.csv: " in " ".join(problems(workspace)["archive"])


def test_a_changed_version_of_a_reference_file_is_named(workspace: Workspace) -> None:
    flip(only(workspace, "archive/reference/customers/*.csv"))
    (problem,) = problems(workspace)["reference"]
    assert problem.startswith("reference/customers.csv: ")


def test_a_missing_entry_of_the_journal_is_found(workspace: Workspace) -> None:
    entry = only(workspace, "archive/reference/journal/*.json")
    entry.rename(entry.with_name("000002.json"))
    (problem,) = problems(workspace)["reference"]
    assert "000001.json is missing" in problem


@pytest.mark.parametrize("share", range(1, 10))
def test_a_flipped_byte_in_a_converted_file_is_found(workspace: Workspace, share: int) -> None:
    path = only(workspace, f"lake/vendor_charges/{RECEIVED.removeprefix('received=')}/aws*.parquet")
    flip(path, path.stat().st_size * share // 10)
    assert any(str(path.relative_to(workspace.lake)) in problem for problem in problems(workspace)["converted files"])


@pytest.mark.parametrize(
    ("query", "difference"),
    [
        ("select * from rows limit 2", "its converted files have 2 rows"),
        ("select * replace (billed_cost + 1 as billed_cost) from rows", "it was taken with 3"),
        ("select * replace (repeat('0', 64) as x_file_sha256) from rows", "which the archive has not"),
    ],
)
def test_converted_rows_that_are_not_what_was_taken_are_found(
    workspace: Workspace, query: str, difference: str
) -> None:
    rewrite(only(workspace, f"lake/vendor_charges/{RECEIVED.removeprefix('received=')}/aws*.parquet"), query)
    assert difference in " ".join(problems(workspace)["converted files"])


def test_a_partition_that_cannot_be_read_is_named_once_and_the_rest_is_checked(workspace: Workspace) -> None:
    path = only(workspace, "lake/usage_reconciliation/2025-11-25.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    found = problems(workspace)
    assert list(found) == ["partitions"]
    assert found["partitions"][0].startswith("usage_reconciliation/2025-11-25.parquet: it cannot be read")


@pytest.mark.parametrize(
    ("asset", "query", "difference"),
    [
        ("usage_reconciliation", "select * replace (amount + 1 as amount) from rows", "its buckets are"),
        ("usage_reconciliation", "select * replace ('billed' as bucket) from rows", "not those of its priced charges"),
        ("priced_line_items", "select * replace (total_cost + 1 as total_cost) from rows", "not those of its priced"),
    ],
)
def test_buckets_that_are_not_the_delivery_are_found(
    workspace: Workspace, asset: str, query: str, difference: str
) -> None:
    columns = {
        "usage_reconciliation": {"amount": "decimal(38, 24)"},
        "priced_line_items": {"total_cost": "decimal(38, 24)"},
    }
    for name, kind in columns[asset].items():
        query = query.replace(f"{name} + 1", f"cast({name} + 1 as {kind})")
    rewrite(only(workspace, f"lake/{asset}/2025-11-25.parquet"), query)
    assert difference in " ".join(problems(workspace)["reconciliation"])


def test_a_flipped_byte_in_a_snapshot_names_it_and_its_documents(workspace: Workspace) -> None:
    flip(only(workspace, "lake/billed_charges/2025-10/*.parquet"))
    (problem,) = problems(workspace)["billed charges"]
    assert problem.startswith("billed_charges/2025-10/")
    assert APPROVED in problem


@pytest.mark.parametrize(
    ("statement", "check", "difference"),
    [
        ("update invoice_lines set amount = '9.00' where invoice_id = '{0}'", "documents", "its lines add up to"),
        ("update invoice_lines set description = 'x' where invoice_id = '{0}'", "documents", "its content has SHA-256"),
        ("update invoices set tax_total = '1.00' where invoice_id = '{0}'", "documents", "its taxes add up to 0 USD"),
        ("update invoices set total = '1.00' where invoice_id = '{0}'", "documents", "its subtotal, taxes and credits"),
        (
            "update issued_contents set content = '{{}}' where invoice_id = '{0}'",
            "documents",
            "its content as approved",
        ),
        ("delete from issued_contents where invoice_id = '{0}'", "documents", "no approved content"),
        ("update invoices set total = 'x' where invoice_id = '{0}'", "documents", "it cannot be read"),
        (
            "update invoice_lines set amount_precise = '9' where invoice_id = '{0}'",
            "billed charges",
            "line 1: its charges add up to",
        ),
        ("update invoices set charges_sha256 = null where invoice_id = '{0}'", "billed charges", "not in the snapshot"),
    ],
)
def test_a_changed_document_is_named(workspace: Workspace, statement: str, check: str, difference: str) -> None:
    change(workspace, statement.format(APPROVED))
    found = [problem for problem in problems(workspace)[check] if difference in problem]
    assert found
    assert all(APPROVED in problem for problem in found)


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        ("update invoice_numbers set last_number = 2", "000002 is missing"),
        ("update invoice_numbers set last_number = 0", "000001 is beyond the last one given, 0"),
        ("delete from invoice_numbers", "no series of contoso has given it"),
    ],
)
def test_numbers_with_a_gap_are_found(workspace: Workspace, statement: str, difference: str) -> None:
    change(workspace, statement)
    (problem,) = problems(workspace)["numbers"]
    assert difference in problem


def delete_draft(workspace: Workspace) -> None:
    change(workspace, f"delete from invoices where invoice_id = '{DRAFT}'")


def forget_delivery(workspace: Workspace) -> None:
    for asset in ("deliveries", "usage_reconciliation", "priced_line_items"):
        (workspace.lake / asset / "2025-11-26.parquet").unlink()


def remove(workspace: Workspace) -> None:
    workspace.warehouse.unlink()


@pytest.mark.parametrize(
    ("damage", "difference"),
    [
        (delete_draft, f"{DRAFT}: the warehouse's invoices differ"),
        (forget_delivery, "dist/N2/2025-10"),
        (remove, "it does not exist"),
        (lambda workspace: flip(workspace.warehouse, 100), "warehouse.duckdb: it cannot be read"),
    ],
)
def test_a_warehouse_that_is_stale_or_damaged_is_found(
    workspace: Workspace, damage: Callable[[Workspace], None], difference: str
) -> None:
    damage(workspace)
    assert difference in " ".join(problems(workspace)["warehouse"])


def test_a_ledger_of_another_version_is_neither_changed_nor_passed(workspace: Workspace) -> None:
    change(workspace, "update alembic_version set version_num = '0003'")
    before = (workspace.home / "ledger.db").read_bytes()
    (problem,) = problems(workspace)["ledger"]
    assert "schema version 0003" in problem
    assert (workspace.home / "ledger.db").read_bytes() == before
