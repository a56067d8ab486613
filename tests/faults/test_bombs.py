"""Files that are small on disk and enormous inside are refused within the limits, and nothing else is harmed."""

import gzip
import io
import json
import resource
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from billing_pipeline.configuration import Source
from billing_pipeline.errors import BadInput
from resources.archive import Archive
from resources.checksum_files import MOST_LIST_BYTES
from resources.conversion import Converted, LandedFile, sha256_of
from resources.intake import open_inbox
from resources.isolation import Converter, Job, Limits
from resources.session import duckdb_session
from tests.faults.test_broken_files import PLAIN_WORKBOOK, with_member, workbook
from tests.vendor_files import FOCUS, csv_text
from tests.workspaces import aws_manifest, drop, instant, make_workspace, rows_of

MB = 1 << 20
MOST_ON_DISK = 4 * MB
TOO_MUCH = "more memory, time or disk"
# An hour of processor time would be no bound; these are the product's own limits, but for the time.
LIMITS = Limits(cpu_seconds=60, memory_bytes=3 << 30)


def deflated(start: bytes, piece: bytes, times: int) -> bytes:
    """A deflate stream of a piece many times over, made by compressing it once."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    beginning = compressor.compress(start) + compressor.flush(zlib.Z_FULL_FLUSH)
    block = compressor.compress(piece) + compressor.flush(zlib.Z_FULL_FLUSH)
    return beginning + block * times + compressor.flush()


def packed(start: bytes, piece: bytes, times: int) -> bytes:
    """A gzip of a piece many times over; its end, with the wrong checksum, is never reached."""
    return b"\x1f\x8b\x08" + bytes(7) + deflated(start, piece, times) + bytes(8)


def shared_strings(megabytes: int) -> bytes:
    """A workbook whose shared strings unpack to so many megabytes."""
    buffer = io.BytesIO(workbook(PLAIN_WORKBOOK))
    content = deflated(b"<sst>", b"<si><t>0123456789abcdef</t></si>" * (MB // 32), megabytes)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("xl/more_strings.xml", content)
        member = archive.getinfo("xl/more_strings.xml")
        member.compress_type, member.file_size = zipfile.ZIP_DEFLATED, 5 + megabytes * MB
    return buffer.getvalue()


def far_cell() -> bytes:
    """A workbook of two rows and a cell in its last corner: as a table, 17 thousand million cells."""
    book = workbook(PLAIN_WORKBOOK)
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    far = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    return with_member(book, "xl/worksheets/sheet1.xml", sheet.replace("</sheetData>", far).encode())


def zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def focus_parquet(columns: dict[str, pa.Array], rows: int) -> bytes:
    """FOCUS rows that all are the same, but for some columns."""
    plain = {
        name: pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([text]))
        for name, text in FOCUS.items()
    }
    parquet.write_table(pa.table({**plain, **columns}), buffer := io.BytesIO(), compression="zstd")
    return buffer.getvalue()


def long_texts() -> bytes:
    """A dictionary of one text of a megabyte, which every row has: 20 GB as rows."""
    rows = 20_000
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * MB]))
    return focus_parquet({"ChargeDescription": text}, rows)


def absurd_rows() -> bytes:
    """A footer that says two thousand million rows in all and in its row group."""
    content = focus_parquet({}, 3)
    footer_start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    footer = content[footer_start:-8].replace(b"\x16\x06", b"\x16\x80\xa8\xd6\xb9\x07")
    return content[:footer_start] + footer + len(footer).to_bytes(4, "little") + b"PAR1"


HEADER, LONG_ROW = csv_text("focus", {"ChargeDescription": "x" * 10_000}).encode().splitlines(keepends=True)
NAME = "000111111111-aws-billing-detailed-line-items-with-resources-and-tags-2026-10.csv"
Bomb = tuple[str, Callable[[], bytes], str]
BOMBS: dict[str, Bomb] = {
    "rows.csv.gz": ("focus", lambda: packed(HEADER, LONG_ROW * (MB // len(LONG_ROW)), 300), "decompression bomb"),
    "zeros.csv.gz": ("focus", lambda: packed(HEADER, bytes(MB), 300), "a row is longer than 64 MB"),
    "blank.csv.gz": ("focus", lambda: packed(HEADER, b"\n" * MB, 300), "decompression bomb"),
    "quoted.csv.gz": ("focus", lambda: packed(HEADER + b'"', b"a line    \n" * (MB // 11), 80), "a row is longer"),
    "line.json.gz": ("ms_daily", lambda: packed(b"{", bytes(MB), 100), "a line is longer than 64 MB"),
    "strings.xlsx": ("distributor_invoice", lambda: shared_strings(1024), "decompression bomb"),
    "far.xlsx": ("distributor_invoice", far_cell, TOO_MUCH),
    f"{NAME}.zip": ("aws_dbr", lambda: zipped(NAME, zipped("more.zip", b"x" * MB)), "archive inside"),
    "texts.parquet": ("focus", long_texts, TOO_MUCH),
    "rows.parquet": ("focus", absurd_rows, "decompression bomb"),
    "deep.json": ("distributor_invoice", lambda: b'{"invoices": ' + b"[" * MB, "no valid JSON"),
    "deep.jsonl": ("ms_daily", lambda: b'{"a": ' * 100_000, "no valid JSON"),
    "wide.json": ("distributor_invoice", lambda: b'{"invoices": [' + b"[]," * (MB // 2), "no valid JSON"),
    "wide.csv": ("focus", lambda: b"a," * MB + b"\n", "the file has 1048577 columns"),
    # Found here: the end of such a header was sought in quadratic time, for hours, and not in a child.
    "header.csv": ("focus", lambda: b'"' + b"\n" * (2 * MB) + b'",a\n', "the header is no valid CSV"),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Converted | BadInput]]:
    """What all bombs come to, converted at once with two good files among them."""
    folder = tmp_path_factory.mktemp("bombs")
    good: Bomb = ("focus", lambda: csv_text("focus", {}).encode(), "")
    jobs = []
    for name, (file_format, make, _) in {"good.csv": good, **BOMBS, "good.csv.gz": good}.items():
        path = folder / name
        path.write_bytes(gzip.compress(make()) if name == "good.csv.gz" else make())
        assert path.stat().st_size <= MOST_ON_DISK
        source = Source(id="s", format=file_format, vendor="V", currency="USD")
        file = LandedFile(name, path, sha256_of(path))
        jobs.append(Job(source, file, path.stat().st_size, file.sha256, folder / f"{name}.converted"))
    with duckdb_session(memory_limit="1GB", threads=1) as connection:
        with Converter(connection, folder, limits=LIMITS) as converter:
            yield dict(zip([job.file.name for job in jobs], converter.convert(jobs), strict=True))
        # A reader that was killed leaves a hidden file, which the end of the day's intake sweeps away.
        left = sorted(path.name for path in folder.glob("*.converted"))
        assert left == ["good.csv.converted", "good.csv.gz.converted"]


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_with_a_reason(name: str, outcomes: dict[str, Converted | BadInput]) -> None:
    outcome, reason = outcomes[name], BOMBS[name][2]
    assert isinstance(outcome, BadInput)
    assert reason in outcome.reason
    assert "its reader failed" not in outcome.reason


def test_the_files_beside_bombs_are_taken(outcomes: dict[str, Converted | BadInput]) -> None:
    assert isinstance(outcomes["good.csv"], Converted)
    assert isinstance(outcomes["good.csv.gz"], Converted)


def test_the_process_itself_stays_small(outcomes: dict[str, Converted | BadInput]) -> None:
    """Whatever unpacks does so in a child."""
    assert len(outcomes) == len(BOMBS) + 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10 < 2 << 30


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"assemblyId": ' + b"[" * 200_000, "cannot be read"),
        (b" " * (MOST_LIST_BYTES + 1), "far more than any list of files needs"),
    ],
)
def test_a_manifest_that_is_a_bomb_is_refused_and_the_others_go_on(content: bytes, reason: str, tmp_path: Path) -> None:
    # Found here: a manifest of any size was read whole by the process that takes the files.
    workspace = make_workspace(tmp_path / "home")
    folder = "aws/received=2025-11-25/20251001-20251101"
    drop(workspace, f"{folder}/A/bad-Manifest.json", content, instant(25))
    drop(workspace, f"{folder}/B/c-1.csv", rows_of("aws_cur", {}), instant(25))
    drop(workspace, f"{folder}/B/c-Manifest.json", aws_manifest("B", ["b/20251001-20251101/B/c-1.csv"]), instant(25))
    inbox = open_inbox(workspace.home, workspace.load_config(), Archive(workspace.archive))
    [refused] = inbox.by_source["aws"].refused
    assert reason in refused.error.reason
    assert len(inbox.by_source["aws"].complete) == 1


def test_json_that_is_larger_than_it_looks_is_read_in_a_child(tmp_path: Path) -> None:
    """Five megabytes of JSON are a hundred in memory."""
    content = json.dumps({"invoices": [[] for _ in range(MB)]}).encode()
    path = tmp_path / "in.json"
    path.write_bytes(content)
    assert len(content) > Limits().plain_json_bytes
    job = Job(
        Source(id="s", format="distributor_invoice", vendor="V"),
        LandedFile("in.json", path, sha256_of(path)), len(content), "0", tmp_path / "out.parquet",
    )  # fmt: skip
    with duckdb_session() as connection, Converter(connection, tmp_path) as converter:
        assert not converter._is_harmless(job)
