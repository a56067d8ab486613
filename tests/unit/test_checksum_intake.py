"""Files with checksum files beside them: taken if they match, refused if not, waiting while either is missing."""

import hashlib
from datetime import UTC, date, datetime

import pytest

from billing_pipeline.deliveries import Assembled
from resources.archive import Archive
from resources.checksum_files import MOST_LIST_BYTES
from resources.intake import open_inbox
from resources.workspace import Workspace
from tests.unit.test_intake import focus, refused, take, taken
from tests.workspaces import BILLING_TOML, RECEIVED, aws_manifest, drop, instant, make_workspace, rows_of

REPORT = "received=2025-11-25/20251001-20251101/A"


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_workspace(tmp_path_factory.mktemp("checksums") / "home")


def sha256(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def require_checksums(workspace: Workspace) -> None:
    text = BILLING_TOML.replace('format = "', 'requires_checksum = true\nformat = "')
    workspace.config_file.write_text(text)


def inbox(workspace: Workspace, source: str = "cloud") -> Assembled:
    return open_inbox(workspace.home, workspace.load_config(), Archive(workspace.archive)).by_source[source]


def waiting(workspace: Workspace, source: str = "cloud") -> dict[str, str]:
    return {item.arrival.name: item.reason for item in inbox(workspace, source).waiting}


def test_a_file_that_matches_its_checksum_is_taken_and_the_checksum_is_no_vendor_file(workspace: Workspace) -> None:
    content = focus("3.00")
    drop(workspace, f"cloud/{RECEIVED}/a.csv", content)
    drop(workspace, f"cloud/{RECEIVED}/a.csv.sha256", f"{sha256(content)}  a.csv\n")
    day = take(workspace)
    assert (len(taken(day)), refused(day), waiting(workspace)) == (1, {}, {})


def test_a_file_of_other_bytes_is_quarantined_with_both_hashes(workspace: Workspace) -> None:
    expected = sha256(focus("3.00"))
    drop(workspace, f"cloud/{RECEIVED}/a.csv", focus("3.01"))
    drop(workspace, f"cloud/{RECEIVED}/a.csv.sha256", expected)
    day = take(workspace)
    assert taken(day) == []
    [reason] = refused(day).values()
    assert f"its SHA-256 is {sha256(focus('3.01'))}, not {expected} as {RECEIVED}/a.csv.sha256 says" in reason


def test_the_right_bytes_under_the_same_name_leave_the_quarantine(workspace: Workspace) -> None:
    drop(workspace, f"cloud/{RECEIVED}/a.csv", focus("3.01"), instant(1))
    drop(workspace, f"cloud/{RECEIVED}/a.csv.sha256", sha256(focus("3.00")), instant(2))
    assert len(refused(take(workspace))) == 1
    drop(workspace, f"cloud/{RECEIVED}/a.csv", focus("3.00"), instant(3))
    day = take(workspace)
    assert (len(taken(day)), refused(day)) == (1, {})


def test_md5_counts_too_and_is_worked_out_once(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    content = focus("3.00")
    md5 = hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()
    drop(workspace, f"cloud/{RECEIVED}/a.csv", content)
    drop(workspace, f"cloud/{RECEIVED}/b.csv", focus("4.00", account="B"))
    drop(workspace, f"cloud/{RECEIVED}/MD5SUMS", f"{md5}  a.csv\n{md5}  b.csv\n")
    day = take(workspace)
    assert len(taken(day)) == 1
    assert list(refused(day)) == [f"{RECEIVED}/b.csv"]
    verified: list[str] = []
    original = Archive.verified
    monkeypatch.setattr(
        Archive, "verified", lambda self, arrival: verified.append(arrival.name) or original(self, arrival)
    )
    inbox(workspace)
    assert verified == [f"{RECEIVED}/MD5SUMS"]


def test_a_checksum_waits_for_its_file_and_says_so(workspace: Workspace) -> None:
    drop(workspace, f"cloud/{RECEIVED}/SHA256SUMS", f"{sha256('a')}  a.csv\n{sha256('b')}  b.csv\n{sha256('')}  _OK\n")
    reason = f"{RECEIVED}/a.csv and 1 more, of which it is the checksum, has not arrived"
    assert waiting(workspace) == {f"{RECEIVED}/SHA256SUMS": reason}


def test_a_malformed_checksum_is_quarantined_with_its_line_and_its_file_waits(workspace: Workspace) -> None:
    drop(workspace, f"cloud/{RECEIVED}/a.csv", focus("3.00"))
    drop(workspace, f"cloud/{RECEIVED}/a.csv.sha256", "# of a.csv\nnot a checksum\n")
    day = take(workspace)
    assert taken(day) == []
    [row] = day.quarantine.to_dicts()
    assert (row["file_name"], row["row_number"], row["value"]) == (f"{RECEIVED}/a.csv.sha256", 2, "not a checksum")
    assert waiting(workspace) == {f"{RECEIVED}/a.csv": f"its checksum file {RECEIVED}/a.csv.sha256 cannot be read"}


def test_a_giant_checksum_file_is_refused_unread(workspace: Workspace) -> None:
    drop(workspace, f"cloud/{RECEIVED}/SHA256SUMS", b"\n" * (MOST_LIST_BYTES + 1))
    assert "far more than any list of files needs" in "".join(refused(take(workspace)).values())


def test_without_its_checksum_a_file_waits_where_one_is_required(workspace: Workspace) -> None:
    require_checksums(workspace)
    content = focus("3.00")
    drop(workspace, "cloud/a.csv", content, instant(24))
    assert taken(take(workspace, date(2025, 11, 24))) == []
    assert waiting(workspace) == {"a.csv": "no checksum of it has arrived, which billing.toml requires"}
    drop(workspace, "cloud/a.csv.sha256", sha256(content), instant(25))
    assert taken(take(workspace, date(2025, 11, 24))) == []
    [row] = take(workspace).deliveries.to_dicts()
    assert row["received_at"] == instant(25)
    assert waiting(workspace) == {}


@pytest.mark.parametrize("damaged", ["c-1.csv", "c-Manifest.json"])
def test_a_damaged_piece_keeps_its_whole_assembly_out(workspace: Workspace, damaged: str) -> None:
    contents = {f"c-{number}.csv": rows_of("aws_cur", {"identity/LineItemId": str(number)}) for number in (1, 2)} | {
        "c-Manifest.json": aws_manifest("A", [f"b/20251001-20251101/A/c-{number}.csv" for number in (1, 2)])
    }
    for name, content in contents.items():
        drop(workspace, f"aws/{REPORT}/{name}", content + (" " if name == damaged else ""))
    drop(workspace, f"aws/{REPORT}/SHA256SUMS", "".join(f"{sha256(text)}  {name}\n" for name, text in contents.items()))
    day = take(workspace)
    assert taken(day) == []
    reasons = refused(day)
    assert "its SHA-256 is" in reasons[f"{REPORT}/{damaged}"]
    if damaged == "c-1.csv":
        assert "does not match its checksum" in reasons[f"{REPORT}/c-Manifest.json"]
    drop(workspace, f"aws/{REPORT}/{damaged}", contents[damaged])
    day = take(workspace)
    assert (len(taken(day)), refused(day)) == (1, {})


def test_an_assembly_waits_for_the_checksums_of_its_chunks_where_they_are_required(workspace: Workspace) -> None:
    require_checksums(workspace)
    chunk, manifest = rows_of("aws_cur", {}), aws_manifest("A", ["b/20251001-20251101/A/c-1.csv"])
    drop(workspace, f"aws/{REPORT}/c-1.csv", chunk)
    drop(workspace, f"aws/{REPORT}/c-Manifest.json", manifest)
    reason = "no checksum of it has arrived, which billing.toml requires"
    assert waiting(workspace, "aws") == {f"{REPORT}/c-1.csv": reason, f"{REPORT}/c-Manifest.json": reason}
    drop(workspace, f"aws/{REPORT}/c-Manifest.json.sha256", sha256(manifest))
    assert waiting(workspace, "aws")[f"{REPORT}/c-Manifest.json"] == f"of its chunk {REPORT}/c-1.csv: {reason}"
    assert refused(take(workspace)) == {}
    drop(workspace, f"aws/{REPORT}/c-1.csv.sha256", sha256(chunk))
    assert len(taken(take(workspace))) == 1


def test_a_chunk_of_an_earlier_assembly_never_stands_in_for_a_damaged_one(workspace: Workspace) -> None:
    """Each assembly overwrites the last one's chunk; the earlier manifest was never seen."""
    folder, key = "aws/20251001-20251101", "b/20251001-20251101/c-1.csv"
    old, new = (rows_of("aws_cur", {"lineItem/UnblendedCost": cost}) for cost in ("1", "2"))
    drop(workspace, f"{folder}/c-1.csv", old, instant(23))
    drop(workspace, f"{folder}/c-1.csv.sha256", sha256(old), instant(23))
    inbox(workspace, "aws")
    drop(workspace, f"{folder}/c-1.csv", new + " ", instant(24))
    drop(workspace, f"{folder}/c-1.csv.sha256", sha256(new), instant(24))
    drop(workspace, f"{folder}/c-Manifest.json", aws_manifest("B", [key]), instant(25))
    day = take(workspace)
    assert taken(day) == []
    assert "does not match its checksum" in refused(day)["20251001-20251101/c-Manifest.json"]
    drop(workspace, f"{folder}/c-1.csv", new, instant(25))
    assert len(taken(take(workspace))) == 1


def test_a_file_that_matches_its_checksum_is_finished_however_young_it_is(workspace: Workspace) -> None:
    text = BILLING_TOML.replace('format = "', 'stable_after_seconds = 600\nformat = "')
    workspace.config_file.write_text(text)
    now = datetime.now(UTC)
    content = focus("3.00")
    drop(workspace, "cloud/a.csv", content[:-9], now)
    drop(workspace, "cloud/a.csv.sha256", sha256(content), instant(25))
    assert "modified less than 600 s ago" in waiting(workspace)["a.csv"]
    drop(workspace, "cloud/a.csv", content, now)
    assert [item.files[0].name for item in inbox(workspace).complete] == ["a.csv"]
