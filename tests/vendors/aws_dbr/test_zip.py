"""The report comes in a zip: exactly one CSV, verified, and nothing that could do harm."""

import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.errors import BadInput
from resources import carriers
from tests.vendors.aws_dbr.rows import NAME, control, convert_dbr, text_of, zipped

ZIP = f"{NAME}.zip"
TEXT = text_of(*({"UnBlendedCost": "0.01"} for _ in range(400)), control("StatementTotal", "4")).encode()
GOOD = zipped((NAME, TEXT))


def refused(folder: Path, content: bytes, name: str = ZIP) -> BadInput:
    """Convert a zip that must be refused; nothing may be left behind."""
    with pytest.raises(BadInput) as caught:
        convert_dbr(folder, content, name)
    assert [path.name for path in folder.iterdir()] == [name]
    assert caught.value.file == name
    return caught.value


def member(name: str, mode: int) -> zipfile.ZipInfo:
    """A member with a Unix mode."""
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def one_member(info: zipfile.ZipInfo, content: bytes = TEXT) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(info, content)
    return buffer.getvalue()


def test_a_zip_gives_the_rows_of_the_csv(tmp_path: Path) -> None:
    differing = ("delivery_id", "x_file_name", "x_file_sha256")
    plain = pl.read_parquet(convert_dbr(tmp_path, TEXT).path).drop(differing)

    assert pl.read_parquet(convert_dbr(tmp_path, GOOD, ZIP).path).drop(differing).equals(plain)
    assert pl.read_parquet(convert_dbr(tmp_path, GOOD, "x-2026-10.zip").path).drop(differing).equals(plain)
    stored = BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(NAME, TEXT)
    assert pl.read_parquet(convert_dbr(tmp_path, stored.getvalue(), ZIP).path).drop(differing).equals(plain)


@pytest.mark.parametrize(
    "name", ["../evil.csv", "a/../../evil.csv", "/etc/evil.csv", "..\\evil.csv", "C:\\evil.csv", "C:evil.csv"]
)
def test_a_member_that_would_leave_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    error = refused(tmp_path, zipped((name, TEXT)))

    assert "would leave the landing folder" in error.reason
    assert [path.name for path in tmp_path.parent.glob("*evil*")] == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped(("a-2026-10.csv", TEXT), ("b-2026-10.csv", TEXT)), "it holds 2"),
        (zipped((NAME, TEXT), ("readme.txt", b"hello")), "it holds 2"),
        (zipped(("folder/", b"")), "it holds something else"),
        (zipped(("inner.zip", GOOD)), "it holds something else"),
        (zipped(("report.xlsx", TEXT)), "it holds something else"),
        (zipped(("inner.csv", GOOD)), "an archive inside the archive"),
        (zipped(("inner.csv", b"\x1f\x8b\x08\0")), "an archive inside the archive"),
        (one_member(member(NAME, 0o120777), b"/etc/passwd"), "it holds something else"),
        (zipped((NAME, b"")), "no header"),
    ],
    ids=["two", "readme", "folder", "zip", "xlsx", "zip as csv", "gzip as csv", "link", "empty"],
)
def test_anything_but_one_csv_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    assert reason in refused(tmp_path, content).reason


def test_a_file_in_a_folder_of_the_zip_is_taken(tmp_path: Path) -> None:
    assert convert_dbr(tmp_path, zipped((f"reports/{NAME}", TEXT)), ZIP).row_count == 400


def _flip(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]


def _encrypted(data: bytes) -> bytes:
    directory = data.index(b"PK\x01\x02")
    return data[:6] + b"\x01" + data[7 : directory + 8] + b"\x01" + data[directory + 9 :]


def _bzip2(_: bytes) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr(NAME, TEXT)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: _flip(data, data.index(b"PK\x01\x02") + 16), "corrupt"),
        (lambda data: _flip(data, data.index(b"PK\x01\x02") + 24), "corrupt"),
        (lambda data: _flip(data, len(data) // 3), "corrupt"),
        (lambda data: data[: len(data) // 2], "corrupt"),
        (lambda data: data[:-3], "corrupt"),
        (lambda data: data[:30], "corrupt"),
        (_encrypted, "encrypted"),
        (_bzip2, "compression"),
    ],
    ids=["crc", "length", "content", "half", "no end", "header only", "encrypted", "bzip2"],
)
def test_a_damaged_zip_is_refused(damage: Callable[[bytes], bytes], reason: str, tmp_path: Path) -> None:
    assert reason in refused(tmp_path, damage(GOOD)).reason


def test_no_flipped_byte_and_no_cut_changes_an_amount_silently(tmp_path: Path) -> None:
    expected = convert_dbr(tmp_path, GOOD, ZIP).groups
    damaged = [_flip(GOOD, position) for position in range(0, len(GOOD), max(1, len(GOOD) // 60))]
    damaged += [GOOD[:end] for end in range(0, len(GOOD), max(1, len(GOOD) // 20))]

    silent = 0
    for data in damaged:
        try:
            silent += convert_dbr(tmp_path, data, ZIP).groups != expected
        except BadInput:
            continue
    assert silent == 0


def test_a_zip_bomb_is_refused_before_and_while_it_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carriers, "BOMB_BYTES", 1 << 20)
    bomb = zipped((NAME, TEXT + b"\n" * (8 << 20)))

    assert "decompression bomb" in refused(tmp_path, bomb).reason
    # A directory that lies about the size: the bytes are counted all the same, and never come to more.
    directory = bomb.index(b"PK\x01\x02")
    lying = bomb[: directory + 24] + (1000).to_bytes(4, "little") + bomb[directory + 28 :]
    assert "corrupt" in refused(tmp_path, lying).reason


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (TEXT, ZIP, "the name says zip, the content is text"),
        (GOOD, NAME, "the name says csv, the content is zip"),
        (b"PK\x05\x06" + b"\0" * 18, ZIP, "the name says zip, the content is text"),
    ],
)
def test_name_and_content_must_agree(content: bytes, name: str, reason: str, tmp_path: Path) -> None:
    assert reason in refused(tmp_path, content, name).reason


def test_other_formats_do_not_come_in_a_zip(tmp_path: Path) -> None:
    from tests.vendor_files import convert_bytes

    with pytest.raises(BadInput, match="does not come as zip"):
        convert_bytes("focus", tmp_path, GOOD, "in.zip")
