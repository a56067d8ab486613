"""Keys made from business facts: never from a clock, a random number or the order of rows."""

import hashlib
import re
from collections.abc import Iterable


def file_set_sha256(file_sha256s: Iterable[str]) -> str:
    """Return one hash for a set of files, whatever the order in which they are named.

    Args:
        file_sha256s: lower-case hex SHA-256 of each file's bytes.

    Returns:
        The file's own hash for one file; else the SHA-256 of the sorted hashes, a line each.
    """
    hashes = sorted(file_sha256s)
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def delivery_id(source: str, billing_account_id: str, billing_period: str, sha256: str) -> str:
    """Return the key of one version of (source, billing account, billing period).

    Args:
        sha256: `file_set_sha256` of the files it came in.
    """
    return f"{source}/{billing_account_id}/{billing_period}/{sha256[:12]}"


def file_name_of(identifier: str) -> str:
    """Return a text that is safe as one file name on any system and still tells identifiers apart.

    Letters, digits, `.`, `-` and `_` stay; where anything else had to go, a short hash of the
    original is appended, so two identifiers never share a file.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", identifier).strip("._")[:80]
    if safe == identifier:
        return safe
    return f"{safe}_{hashlib.sha256(identifier.encode()).hexdigest()[:8]}"
