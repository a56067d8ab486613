"""A Cost Management export is taken when its manifest and every part are there and match, else quarantined."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import Arrival
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.vendors.azure_costs import read_export_manifest
from resources import sample_chunks, sample_microsoft_files
from resources.archive import Archive
from resources.intake import Day, Inbox, Intake, open_inbox
from resources.isolation import Converter
from resources.lake import Lake
from resources.session import duckdb_session
from resources.workspace import Workspace
from tests.vendors.azure_costs.azure_files import EA, PARTNER, manifest, text_of
from tests.workspaces import drop, make_workspace

NOON = datetime(2026, 11, 8, 10, tzinfo=UTC)
ARRIVAL = Arrival("azure-costs", "x/manifest.json", "f" * 64, 1, NOON, NOON)
SOURCE = '[[sources]]\nid = "azure-costs"\nformat = "azure_costs"\nvendor = "Microsoft"\n'
FOLDER = "azure-costs/received=2026-11-08/export/20261001-20261031/run-1"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = make_workspace(tmp_path / "home")
    made.config_file.write_text(made.config_file.read_text() + SOURCE)
    return made


def take(workspace: Workspace, day: date = date(2026, 11, 8)) -> tuple[Day, Inbox]:
    config = workspace.load_config()
    archive = Archive(workspace.archive)
    with (
        duckdb_session(memory_limit="1GB", threads=1) as connection,
        Converter(connection, workspace.home) as converter,
    ):
        intake = Intake(connection, converter, config, archive, Lake(workspace.lake))
        inbox = open_inbox(workspace.home, config, archive)
        return intake.take(inbox, day), inbox


def refused(day: Day) -> list[tuple[Any, ...]]:
    return day.quarantine.select("file_name", "column_name", "reason").rows()


def test_the_sample_export_in_three_parts_is_one_final_delivery(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_chunks, "ROWS_PER_CHUNK", 400)
    sample_microsoft_files.write_azure_costs(workspace.home, BillingPeriod("2026-10"), rows=1_000)

    day, inbox = take(workspace)
    (delivery,) = day.deliveries.to_dicts()
    assert (delivery["file_count"], delivery["row_count"], delivery["is_final"]) == (3, 1_000, True)
    assert delivery["total_cost"] == round(delivery["total_cost"], 2)
    assert (refused(day), inbox.waiting()) == ([], [])


def parts(workspace: Workspace, **members: object) -> None:
    """Drop a whole export: two parts of two rows and one, and a manifest with some members changed."""
    texts = [text_of(PARTNER, {}, {"date": "10/03/2026"}), text_of(PARTNER, {"date": "10/04/2026"})]
    names = [f"costs/export/20261001-20261031/run-1/part_0_000{number}.csv" for number in (1, 2)]
    for name, text in zip(names, texts, strict=True):
        drop(workspace, f"{FOLDER}/{name.rpartition('/')[2]}", text)
    facts = [(name, len(text.encode()), count) for name, text, count in zip(names, texts, (2, 1), strict=True)]
    drop(workspace, f"{FOLDER}/manifest.json", manifest(*facts, **members))


def test_a_whole_export_is_taken(workspace: Workspace) -> None:
    parts(workspace)
    day, _ = take(workspace)
    assert day.deliveries.select("file_count", "row_count").rows() == [(2, 3)]
    assert refused(day) == []


def test_parts_without_their_manifest_wait(workspace: Workspace) -> None:
    parts(workspace)
    (workspace.home / "landing" / FOLDER / "manifest.json").unlink()
    day, inbox = take(workspace)
    assert (day.deliveries.is_empty(), refused(day)) == (True, [])
    assert {waiting.reason for waiting in inbox.waiting()} == {"its manifest has not arrived"}


def test_a_part_that_is_not_there_quarantines_the_manifest(workspace: Workspace) -> None:
    parts(workspace)
    (workspace.home / "landing" / FOLDER / "part_0_0002.csv").unlink()
    day, _ = take(workspace)
    assert day.deliveries.is_empty()
    ((name, _, reason),) = refused(day)
    assert name.endswith("run-1/manifest.json")
    assert "is not here" in reason


def _shorter(workspace: Workspace) -> None:
    drop(workspace, f"{FOLDER}/part_0_0002.csv", text_of(PARTNER, {"date": "10/4/2026"}))


def test_a_part_of_another_size_quarantines_the_whole_and_its_repair_is_taken(workspace: Workspace) -> None:
    parts(workspace)
    _shorter(workspace)
    day, _ = take(workspace)
    assert day.deliveries.is_empty()
    ((name, column, reason),) = refused(day)
    assert (name.rpartition("/")[2], column) == ("manifest.json", "byteCount")
    assert "bytes, the manifest says" in reason

    drop(workspace, f"{FOLDER}/part_0_0002.csv", text_of(PARTNER, {"date": "10/04/2026"}))
    day, _ = take(workspace)
    assert day.deliveries.select("file_count", "row_count").rows() == [(2, 3)]
    assert refused(day) == []


def test_a_part_with_another_number_of_rows_quarantines_the_whole(workspace: Workspace) -> None:
    text = text_of(PARTNER, {}, {})
    drop(workspace, f"{FOLDER}/part_0_0001.csv", text)
    drop(workspace, f"{FOLDER}/manifest.json", manifest(("part_0_0001.csv", len(text.encode()), 3)))
    day, _ = take(workspace)
    assert day.deliveries.is_empty()
    ((name, column, reason),) = refused(day)
    assert (name.rpartition("/")[2], column) == ("manifest.json", "dataRowCount")
    assert reason.endswith("part_0_0001.csv has 2 rows, the manifest says 3")


def test_a_manifest_without_row_counts_is_taken_by_its_sizes(workspace: Workspace) -> None:
    text = text_of(PARTNER, {}, {})
    drop(workspace, f"{FOLDER}/part_0_0001.csv", text)
    drop(workspace, f"{FOLDER}/manifest.json", manifest(("part_0_0001.csv", len(text.encode()), None)))
    assert take(workspace)[0].deliveries["row_count"].to_list() == [2]


def test_a_manifest_of_another_month_quarantines_the_whole(workspace: Workspace) -> None:
    run = {"runId": "run-1", "startDate": "2026-09-01T00:00:00", "endDate": "2026-09-30T00:00:00"}
    parts(workspace, runInfo=run)
    day, _ = take(workspace)
    assert day.deliveries.is_empty()
    assert "the manifest is for 2026-09, its chunks hold 2026-10" in refused(day)[0][2]


@pytest.mark.parametrize(("arrived", "is_final"), [("2026-10-20", False), ("2026-10-21", True)])
def test_ea_files_are_final_once_the_vendor_usually_has_settled(
    arrived: str, is_final: bool, workspace: Workspace
) -> None:
    # The fifteenth business day after September is the 21st of October: the first is a Thursday.
    drop(workspace, f"azure-costs/received={arrived}/september.csv", text_of(EA, {}))
    day, _ = take(workspace, date.fromisoformat(arrived))
    assert day.deliveries["is_final"].to_list() == [is_final]


def test_a_partner_file_with_a_row_without_invoice_is_not_final(workspace: Workspace) -> None:
    drop(workspace, "azure-costs/received=2026-11-08/october.csv", text_of(PARTNER, {}, {"invoiceId": ""}))
    assert take(workspace)[0].deliveries["is_final"].to_list() == [False]


def test_a_manifest_names_run_month_sizes_and_rows() -> None:
    read = read_export_manifest(ARRIVAL, manifest(("a/part_0_0001.csv", 10, 2), ("a/part_1_0001.csv", 20, 1)).encode())

    assert (read.assembly_id, read.billing_period) == ("run-1", "2026-10")
    assert read.keys == ("a/part_0_0001.csv", "a/part_1_0001.csv")
    assert read.sizes == {"a/part_0_0001.csv": 10, "a/part_1_0001.csv": 20}
    assert read.row_counts == {"a/part_0_0001.csv": 2, "a/part_1_0001.csv": 1}


def test_the_older_manifest_without_run_is_known_by_its_hash_and_names_no_month() -> None:
    read = read_export_manifest(
        ARRIVAL, manifest(("a.csv", 10, 2), runInfo=None, exportConfig=None, manifestVersion="2021-01-01").encode()
    )

    assert (read.assembly_id, read.billing_period) == ("f" * 64, None)


def test_an_export_of_several_months_names_none() -> None:
    run = {"runId": "r", "startDate": "2026-09-01T00:00:00", "endDate": "2026-10-31T00:00:00"}

    assert read_export_manifest(ARRIVAL, manifest(("a.csv", 10, 2), runInfo=run).encode()).billing_period is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda: "{", "cannot be read"),
        (lambda: "[]", "cannot be read"),
        (lambda: '{"blobs": 3}', "cannot be read"),
        (lambda: '{"blobs": ["a.csv"]}', "cannot be read"),
        (manifest, "names no chunk"),
        (lambda: manifest(("../a.csv", 1, 1)), "leave the landing folder"),
        (lambda: manifest(("/etc/a.csv", 1, 1)), "leave the landing folder"),
        (lambda: manifest(("a.csv", 1, 1), ("a.csv", 1, 1)), "names a chunk twice"),
        (lambda: manifest(("a.csv", 1, 1), byteCount=2), "contradicts itself: its chunks add up to 1"),
        (lambda: manifest(("a.csv", 1, 1), blobCount=2), "contradicts itself"),
        (lambda: manifest(("a.csv", 1, 1), dataRowCount=2), "contradicts itself"),
        (lambda: manifest(("a.csv", 1, 1), byteCount="1"), "number cannot be read"),
        (lambda: manifest(("a.csv", 1, 1), exportConfig={"type": "AmortizedCost"}), "amortised cost"),
        (lambda: manifest(("a.csv", 1, 1), exportConfig={"type": "FocusCost"}), "another dataset"),
        (lambda: manifest(("a.csv", 1, 1), runInfo={"startDate": "soon", "endDate": "later"}), "dates cannot be read"),
    ],
)
def test_a_manifest_that_cannot_be_trusted_is_refused(content: Callable[[], str], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read_export_manifest(ARRIVAL, content().encode())
