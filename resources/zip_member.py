"""The one CSV file inside a zip, verified: nothing is unpacked to disk, and nothing but that file is in there."""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import leaves_the_folder

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_ARCHIVES = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"BZh",
    b"\xfd7zXZ",
    b"7z\xbc\xaf",
    b"Rar!",
)


def zip_chunks(path: Path, name: str, chunk_bytes: int, most_bytes: int) -> Iterator[bytes]:
    """Yield the bytes of a zip's only CSV file; reaching the end means that its CRC and length were right.

    Args:
        path: where the zip is.
        name: for errors.
        chunk_bytes: size of a chunk.
        most_bytes: what the file may unpack to; the caller counts too, for directories that lie.

    Raises:
        BadInput: the zip is corrupt or cut short, holds anything else than one plain CSV file, or is encrypted.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            member = _only_member(archive, name)
            if member.file_size > most_bytes:
                raise BadInput(name, f"the zip says it unpacks to {member.file_size} bytes: a decompression bomb")
            produced = 0
            with archive.open(member) as stream:
                while chunk := stream.read(chunk_bytes):
                    if produced == 0 and chunk.startswith(_ARCHIVES):
                        raise BadInput(name, "the zip holds an archive inside the archive", value=member.filename)
                    produced += len(chunk)
                    yield chunk
            if produced != member.file_size:
                raise BadInput(name, f"the archive is corrupt: {produced} bytes instead of {member.file_size}")
    except EOFError as error:
        raise BadInput(name, "the archive is truncated: it ends before its end mark") from error
    # RuntimeError and its NotImplementedError are zipfile's words for what it cannot decrypt or unpack.
    except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, OSError) as error:
        raise BadInput(name, f"the archive is corrupt: {error}") from error


def _only_member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    members = archive.infolist()
    if len(members) != 1:
        shown = ", ".join(member.filename for member in members[:3])
        raise BadInput(name, f"the zip must hold exactly one CSV file, it holds {len(members)}", value=shown or None)
    [member] = members
    # zipfile cuts a name at a zero byte and turns the system's separator into a slash: the raw name is judged.
    if leaves_the_folder(member.orig_filename) or leaves_the_folder(member.filename):
        raise BadInput(name, "the zip holds a name that would leave the landing folder", value=member.orig_filename)
    kind = stat.S_IFMT(member.external_attr >> 16)
    if member.is_dir() or kind not in (0, stat.S_IFREG) or not member.filename.lower().endswith(".csv"):
        raise BadInput(name, "the zip must hold exactly one CSV file, it holds something else", value=member.filename)
    if member.flag_bits & _ENCRYPTED:
        raise BadInput(name, "the zip is encrypted", value=member.filename)
    if member.compress_type not in _METHODS:
        raise BadInput(name, "the zip uses a compression that vendors do not use", value=member.filename)
    return member
