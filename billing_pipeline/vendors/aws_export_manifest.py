"""The manifest of an AWS Data Export: which data files one refresh of the export consists of.

Source: AWS Data Exports user guide, "Understanding export delivery": data files lie in
`<prefix>/<export>/data/BILLING_PERIOD=YYYY-MM/`, the manifest in `<prefix>/<export>/metadata/BILLING_PERIOD=YYYY-MM/`
as `<export>-Manifest.json`; it is written after all data files and lists them. The guide does not show the document:
the keys `executionId` and `dataFiles` (S3 URIs), and that no key says the month, are what public readers of it use.
"""

import json
import re

from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import Arrival, Manifest, leaves_the_folder

_KEYS = "dataFiles"
_BUCKET = re.compile(r"s3://[^/]+/")
_MONTH = re.compile(r"(?:^|/)BILLING_PERIOD=(\d{4}-(?:0[1-9]|1[0-2]))/", re.IGNORECASE | re.ASCII)


def read_export_manifest(arrival: Arrival, content: bytes) -> Manifest:
    """Read the manifest of a Data Export.

    Args:
        arrival: its path tells the month too.
        content: the file's bytes, JSON with `executionId` and `dataFiles`.

    Raises:
        BadInput: it is no JSON, lacks a key, names a chunk twice or outside the landing folder, or names two months.
    """
    try:
        document = json.loads(content)
        execution_id, uris = document["executionId"], document[_KEYS]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadInput(arrival.name, f"the manifest cannot be read: {error}") from error
    if not isinstance(execution_id, str) or not execution_id or not isinstance(uris, list) or not uris:
        raise BadInput(arrival.name, "the manifest names no execution or no chunk", column=_KEYS)
    keys = []
    for uri in uris:
        key = _BUCKET.sub("", uri, count=1) if isinstance(uri, str) else ""
        if leaves_the_folder(key):
            raise BadInput(
                arrival.name, "the manifest names a chunk that would leave the landing folder",
                column=_KEYS, value=str(uri),
            )  # fmt: skip
        keys.append(key)
    if len(set(keys)) != len(keys):
        raise BadInput(arrival.name, "the manifest names a chunk twice", column=_KEYS)
    return Manifest(arrival, execution_id, tuple(keys), _month(arrival, keys), keys_name=_KEYS)


def _month(arrival: Arrival, keys: list[str]) -> str | None:
    months = sorted({found[1] for path in (arrival.name, *keys) if (found := _MONTH.search(path))})
    if len(months) > 1:
        raise BadInput(arrival.name, f"the manifest speaks of several months: {', '.join(months)}", column=_KEYS)
    return months[0] if months else None
