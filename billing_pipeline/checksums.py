"""Checksum files beside a vendor's files: which they are, and what they say.

`<file>.sha256` and `<file>.md5` speak of the file beside them, `SHA256SUMS` and `MD5SUMS` of the files they name, in
their folder and below. The lines are those of GNU coreutils (manual, "cksum output modes", untagged): the digest in
hexadecimal, a space, a space or an asterisk, and the name; a line that begins with a backslash has an escaped name.

What does not belong here: of which version of a file they speak (`checksum_verdicts`), hashing (`resources.archive`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import Arrival, leaves_the_folder

Algorithm = Literal["sha256", "md5"]

TITLES: Mapping[Algorithm, str] = {"sha256": "SHA-256", "md5": "MD5"}
_BESIDE: Mapping[str, Algorithm] = {".sha256": "sha256", ".md5": "md5"}
_LISTS: Mapping[str, Algorithm] = {"sha256sums": "sha256", "md5sums": "md5"}
_DIGITS: Mapping[Algorithm, int] = {"sha256": 64, "md5": 32}
_LINE = re.compile(r"(?P<escaped>\\?)(?P<digest>[0-9A-Fa-f]+)(?:[ \t][ *](?P<name>.+))?", re.ASCII | re.DOTALL)
# Of a line that may be megabytes long.
_SHOWN = 200
_ESCAPE = re.compile(r"\\[nr\\]")
_ESCAPES = {"\\n": "\n", "\\r": "\r", "\\\\": "\\"}


@dataclass(frozen=True)
class Checksum:
    """What one version of a checksum file says of one file.

    Attributes:
        arrival: the checksum file.
        file: name of the file it speaks of, relative to the landing folder.
        digest: lower-case hexadecimal.
    """

    arrival: Arrival
    file: str
    algorithm: Algorithm
    digest: str


def algorithm_of(name: str) -> Algorithm | None:
    """Return the algorithm of a checksum file by its name, None if it is no checksum file."""
    path = PurePosixPath(name.lower())
    return _LISTS.get(path.name) or (_BESIDE.get(path.suffix) if path.stem else None)


def read_checksums(arrival: Arrival, content: bytes) -> list[Checksum]:
    """Read a checksum file.

    Args:
        content: its bytes; empty lines and lines that begin with `#` say nothing.

    Raises:
        BadInput: with the number of the line that is no checksum, or names what it may not.
    """
    algorithm = algorithm_of(arrival.name)
    assert algorithm is not None
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise BadInput(
            arrival.name, f"the checksum file is not UTF-8: {error}", row=_line_at(content, error)
        ) from error
    found: dict[str, Checksum] = {}
    for number, line in enumerate((line.removesuffix("\r") for line in lines), start=1):
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or len(match["digest"]) != _DIGITS[algorithm]:
            reason = f"the line is no {TITLES[algorithm]} checksum: {_DIGITS[algorithm]} hexadecimal digits and a name"
            raise BadInput(arrival.name, reason, row=number, value=line[:_SHOWN])
        file = _file(arrival, match, number)
        if file == arrival.name:
            continue
        checksum = Checksum(arrival, file, algorithm, match["digest"].lower())
        if found.setdefault(file, checksum) != checksum:
            raise BadInput(arrival.name, f"two checksums of {file}", row=number, value=line[:_SHOWN])
    if not found:
        raise BadInput(arrival.name, "the checksum file names no file", row=1)
    return list(found.values())


def _line_at(content: bytes, error: UnicodeDecodeError) -> int:
    return content.count(b"\n", 0, error.start) + 1


def _file(arrival: Arrival, match: re.Match[str], number: int) -> str:
    """Return the name, relative to the landing folder, of the file that a line speaks of.

    Raises:
        BadInput: it names none, another than the one it lies beside, or one outside its folder.
    """
    path = PurePosixPath(arrival.name)
    name = match["name"]
    if name is not None:
        # coreutils escapes a backslash; one that is not escaped is a separator of Windows' tools.
        is_escaped = bool(match["escaped"])
        name = _ESCAPE.sub(lambda escape: _ESCAPES[escape[0]], name) if is_escaped else name.replace("\\", "/")
    if path.name.lower() not in _LISTS:
        beside = path.with_suffix("")
        if name is not None and PurePosixPath(name).name != beside.name:
            reason = f"the checksum lies beside {beside.name} and names another file"
            raise BadInput(arrival.name, reason, row=number, value=name[:_SHOWN])
        return str(beside)
    if name is None:
        raise BadInput(arrival.name, "the line names no file", row=number, value=match["digest"])
    if leaves_the_folder(name):
        reason = "the line names a file that would leave the landing folder"
        raise BadInput(arrival.name, reason, row=number, value=name[:_SHOWN])
    return str(path.parent / name)


def may_speak_of(checksum_file: Arrival, name: str) -> bool:
    """Tell whether a checksum file that cannot be read may have spoken of a file."""
    path = PurePosixPath(checksum_file.name)
    if path.name.lower() in _LISTS:
        return PurePosixPath(name).is_relative_to(path.parent)
    return name == str(path.with_suffix(""))
