"""What a checksum file may say: the lines of coreutils, and nothing that is no checksum."""

import hashlib
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from shutil import which

import pytest

from billing_pipeline.checksums import algorithm_of, may_speak_of, read_checksums
from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import Arrival

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
SHA, OTHER = hashlib.sha256(b"a").hexdigest(), hashlib.sha256(b"b").hexdigest()
MD5 = hashlib.md5(b"a", usedforsecurity=False).hexdigest()


def arrival(name: str) -> Arrival:
    return Arrival("s", name, "f" * 64, 1, NOON, NOON)


def said(name: str, content: str | bytes) -> dict[str, str]:
    """Digests by the file they are of."""
    raw = content.encode() if isinstance(content, str) else content
    return {item.file: item.digest for item in read_checksums(arrival(name), raw)}


def refusal(name: str, content: str | bytes) -> BadInput:
    with pytest.raises(BadInput) as caught:
        said(name, content)
    assert caught.value.file == name
    return caught.value


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("a.csv.sha256", "sha256"),
        ("x/a.CSV.SHA256", "sha256"),
        ("a.md5", "md5"),
        ("x/SHA256SUMS", "sha256"),
        ("md5sums", "md5"),
        ("a.csv", None),
        ("sha256", None),
        (".sha256", None),
        ("SHA256SUMS.csv", None),
        ("a.sha256/b.csv", None),
    ],
)
def test_a_checksum_file_is_known_by_its_name(name: str, algorithm: str | None) -> None:
    assert algorithm_of(name) == algorithm


@pytest.mark.parametrize(
    "text",
    [
        SHA,
        f"{SHA}\n",
        f"{SHA.upper()}\r\n",
        f"{SHA}  a.csv\n",
        f"{SHA} *a.csv\n",
        f"\ufeff{SHA}  a.csv\n",
        f"# made by our upload\n\n{SHA}  out/2026/a.csv\n",
        f"{SHA}  C:\\out\\a.csv\r\n",
    ],
)
def test_a_checksum_beside_a_file_speaks_of_it(text: str) -> None:
    assert said("x/a.csv.sha256", text) == {"x/a.csv": SHA}


def test_md5_is_read_as_well() -> None:
    assert said("a.csv.md5", f"{MD5}  a.csv\n") == {"a.csv": MD5}
    assert said("x/MD5SUMS", f"{MD5}  a.csv\n") == {"x/a.csv": MD5}


def test_a_list_speaks_of_files_in_its_folder_and_below() -> None:
    text = f"{SHA}  a.csv\n{OTHER} *./y/b.csv\n{SHA}  τιμολόγιο 1.csv\n"
    assert said("x/SHA256SUMS", text) == {"x/a.csv": SHA, "x/y/b.csv": OTHER, "x/τιμολόγιο 1.csv": SHA}


def test_a_list_that_was_made_with_itself_in_the_folder_says_nothing_of_itself() -> None:
    assert said("x/SHA256SUMS", f"{OTHER}  SHA256SUMS\n{SHA}  a.csv\n") == {"x/a.csv": SHA}


def test_escaped_names_are_those_of_coreutils() -> None:
    assert said("SHA256SUMS", f"\\{SHA}  a\\\\b\\nc.csv\n") == {"a\\b\nc.csv": SHA}


@pytest.mark.skipif(which("sha256sum") is None, reason="sha256sum is not installed")
def test_what_coreutils_writes_is_read(tmp_path: Path) -> None:
    names = ["a.csv", "a b.csv", "a\\b.csv", "a\nb.csv", "*star.csv"]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    written = subprocess.run(["sha256sum", "--", *names], cwd=tmp_path, capture_output=True, check=True).stdout
    assert said("SHA256SUMS", written) == {name: hashlib.sha256(name.encode()).hexdigest() for name in names}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "names no file"),
        ("# nothing\n", 1, "names no file"),
        (f"{SHA[:-1]}  a.csv\n", 1, "no SHA-256 checksum"),
        (f"{MD5}  a.csv\n", 1, "no SHA-256 checksum"),
        (f"{SHA[:-1]}g  a.csv\n", 1, "no SHA-256 checksum"),
        (f"{SHA} a.csv\n", 1, "no SHA-256 checksum"),
        (f"{SHA}  \n", 1, "no SHA-256 checksum"),
        (f"\n{SHA}  b.csv\n", 2, "names another file"),
        (f"{SHA}\n{OTHER}\n", 2, "two checksums"),
        (b"\xff\xfe" + SHA.encode(), 1, "not UTF-8"),
        (f"{SHA}  a.csv\n".encode() + b"\xff", 2, "not UTF-8"),
    ],
)
def test_a_malformed_checksum_is_refused_with_its_line(text: str | bytes, line: int, reason: str) -> None:
    found = refusal("x/a.csv.sha256", text)
    assert (found.row, reason in found.reason) == (line, True), found


@pytest.mark.parametrize("name", ["../a.csv", "/etc/passwd", "C:\\a.csv", "x/../../a.csv"])
def test_a_list_never_leads_out_of_its_folder(name: str) -> None:
    found = refusal("SHA256SUMS", f"{OTHER}  b.csv\n{SHA}  {name}\n")
    assert (found.row, "leave the landing folder" in found.reason) == (2, True)


def test_a_list_must_name_its_files() -> None:
    assert refusal("SHA256SUMS", f"{SHA}\n").reason == "the line names no file"


def test_what_an_unreadable_checksum_file_may_have_spoken_of() -> None:
    assert may_speak_of(arrival("x/a.csv.sha256"), "x/a.csv")
    assert not may_speak_of(arrival("x/a.csv.sha256"), "x/b.csv")
    assert may_speak_of(arrival("x/SHA256SUMS"), "x/y/b.csv")
    assert may_speak_of(arrival("SHA256SUMS"), "x/y/b.csv")
    assert not may_speak_of(arrival("x/SHA256SUMS"), "xy/b.csv")
