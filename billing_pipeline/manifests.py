"""What arrived, as recorded, and what a manifest says about it.

What does not belong here: which files make a delivery (`deliveries`), reading bytes (`resources`).
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from billing_pipeline.errors import BadInput

# How vendors number the parts of one delivery: `report-00002.csv.gz` (AWS), `part_1_0001.csv` (Azure), `part-00000-c1`.
_PART_NUMBER = re.compile(r"(?<![A-Za-z])part[-_]?\d+([-_]\d+)?|-(\d{5}|\d{12})(?=\.)", re.IGNORECASE)


@dataclass(frozen=True)
class Arrival:
    """One file that arrived, as recorded when it was first seen.

    Attributes:
        name: path relative to the source's landing folder, with `/`.
        received_at: when it counts as arrived: local noon of its `received=` folder, else its modification time.
        modified_at: the file's modification time; orders arrivals of one instant.
        seen_at: the clock when the file was first landed; None until it is recorded.
    """

    source: str
    name: str
    sha256: str
    size: int
    received_at: datetime
    modified_at: datetime
    seen_at: datetime | None = None


@dataclass(frozen=True)
class Manifest:
    """What one manifest says: which chunks make up which assembly.

    Attributes:
        keys: the chunks' keys in the vendor's bucket.
        billing_period: `YYYY-MM`, or None.
        sizes: bytes of a chunk by its key, where the manifest says so.
        row_counts: data rows of a chunk by its key, where the manifest says so.
        billing_account_id: lower case, of every row in the chunks, where the manifest says so.
        keys_name: the member of the manifest that lists the chunks, for messages.
    """

    arrival: Arrival
    assembly_id: str
    keys: tuple[str, ...]
    billing_period: str | None
    sizes: Mapping[str, int] = field(default_factory=dict)
    row_counts: Mapping[str, int] = field(default_factory=dict)
    billing_account_id: str | None = None
    keys_name: str = "reportKeys"


@dataclass(frozen=True)
class ManifestReader:
    """How a format's manifests are told from its data files, and read.

    Attributes:
        suffix: end of a manifest's name, lower case.
        read: the manifest of an arrival with these bytes; raises BadInput.
    """

    suffix: str
    read: Callable[[Arrival, bytes], Manifest]


def part_stem(name: str) -> str | None:
    """Return a file's path without its part number, the same for all parts of a delivery; None if it has none."""
    path = PurePosixPath(name)
    stem, found = _PART_NUMBER.subn("", path.name)
    return str(path.with_name(stem or "part")) if found else None


def read_manifest(arrival: Arrival, content: bytes) -> Manifest:
    """Read a CUR manifest.

    Args:
        content: the file's bytes, JSON with `assemblyId`, `reportKeys` and `billingPeriod`.

    Raises:
        BadInput: it is no JSON, lacks a key, or names a chunk outside the landing folder.
    """
    try:
        document = json.loads(content)
        assembly_id, keys = document["assemblyId"], document["reportKeys"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadInput(arrival.name, f"the manifest cannot be read: {error}") from error
    if not isinstance(assembly_id, str) or not assembly_id or not isinstance(keys, list) or not keys:
        raise BadInput(arrival.name, "the manifest names no assembly or no chunk", column="reportKeys")
    for key in keys:
        if not isinstance(key, str) or leaves_the_folder(key):
            raise BadInput(
                arrival.name,
                "the manifest names a chunk that would leave the landing folder",
                column="reportKeys",
                value=str(key),
            )
    if len(set(keys)) != len(keys):
        raise BadInput(arrival.name, "the manifest names a chunk twice", column="reportKeys")
    return Manifest(arrival, assembly_id, tuple(keys), _billing_period(arrival, document))


def _billing_period(arrival: Arrival, document: Mapping[str, object]) -> str | None:
    """Return the month for which a manifest says it is, None if it does not say."""
    stated = document.get("billingPeriod")
    if stated is None:
        return None
    start = stated.get("start") if isinstance(stated, dict) else stated
    if not isinstance(start, str) or not re.match(r"\d{6}", start, re.ASCII):
        raise BadInput(
            arrival.name, "the manifest's billing period cannot be read", column="billingPeriod", value=str(start)
        )
    return f"{start[:4]}-{start[4:6]}"


def leaves_the_folder(key: str) -> bool:
    """Tell whether a chunk's key, taken as a path, would point out of the landing folder."""
    parts = PurePosixPath(key.replace("\\", "/")).parts
    return not parts or parts[0] == "/" or ".." in parts or ":" in parts[0] or "\x00" in key
