"""The sample extraction is one delivery, taken whole, and adds up to what Google would invoice."""

import gzip
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from billing_pipeline.periods import BillingPeriod
from resources import sample_chunks, sample_google_files
from resources.archive import Archive
from resources.intake import Day, Inbox, Intake, open_inbox
from resources.isolation import Converter
from resources.lake import Lake
from resources.session import duckdb_session
from resources.workspace import Workspace
from tests.workspaces import make_workspace

SOURCE = '[[sources]]\nid = "gcp"\nformat = "gcp_reseller"\nvendor = "Google Cloud"\n'
MONTH = BillingPeriod("2026-10")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    made = make_workspace(tmp_path / "home")
    made.config_file.write_text(made.config_file.read_text() + SOURCE)
    monkeypatch.setattr(sample_chunks, "ROWS_PER_CHUNK", 300)
    sample_google_files.write_gcp_reseller(made.home, MONTH, rows=600)
    return made


def take(workspace: Workspace) -> tuple[Day, Inbox]:
    config, archive = workspace.load_config(), Archive(workspace.archive)
    with (
        duckdb_session(memory_limit="1GB", threads=1) as connection,
        Converter(connection, workspace.home) as converter,
    ):
        inbox = open_inbox(workspace.home, config, archive)
        return Intake(connection, converter, config, archive, Lake(workspace.lake)).take(
            inbox, date(2026, 11, 8)
        ), inbox


def test_the_shards_and_their_job_are_one_delivery_of_whole_cents(workspace: Workspace) -> None:
    day, inbox = take(workspace)

    (delivery,) = day.deliveries.to_dicts()
    assert (delivery["file_count"], delivery["billing_period"]) == (2, "2026-10")
    assert (day.quarantine.height, inbox.waiting()) == (0, [])
    exact = Decimal(0)
    lines = 0
    for shard in workspace.home.rglob("*.json.gz"):
        for line in gzip.decompress(shard.read_bytes()).splitlines():
            row = json.loads(line, parse_float=Decimal)
            lines += 1
            exact += row["cost"] + sum((credit["amount"] for credit in row["credits"]), Decimal(0))
    assert lines == 600
    # Only the row of noise is beyond 18 decimals, and it says so.
    assert delivery["total_cost"] == exact - Decimal("5.421e-20") == round(exact, 2)


def test_before_the_calendar_says_so_a_delivery_is_not_final(workspace: Workspace) -> None:
    # 8 November is before the fifteenth business day; the export itself has no invoice number.
    day, _ = take(workspace)
    assert day.deliveries["is_final"].to_list() == [False]


def test_shards_without_their_job_wait(workspace: Workspace) -> None:
    next(workspace.home.rglob("manifest.json")).unlink()
    day, inbox = take(workspace)
    assert day.deliveries.is_empty()
    assert {waiting.reason for waiting in inbox.waiting()} == {"its manifest has not arrived"}


def test_a_shard_that_is_not_there_quarantines_the_whole(workspace: Workspace) -> None:
    sorted(workspace.home.rglob("*.json.gz"))[1].unlink()
    day, _ = take(workspace)
    assert day.deliveries.is_empty()
    assert day.quarantine["reason"].to_list() == ["a chunk that the manifest lists is not here"]


def test_the_same_seed_writes_the_same_bytes(workspace: Workspace, tmp_path: Path) -> None:
    sample_google_files.write_gcp_reseller(tmp_path / "again", MONTH, rows=600)
    first, second = (
        {path.name: path.read_bytes() for path in (home / "landing" / "gcp").rglob("*.*") if path.is_file()}
        for home in (workspace.home, tmp_path / "again")
    )
    assert first == second
