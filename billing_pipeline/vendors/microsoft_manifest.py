"""The manifest of a partner billing export (Microsoft Graph): which blobs make up which version of an invoice's data.

Source: Microsoft Graph v1.0, "manifest resource type" and "Get manifest" (microsoft.graph.partners.billing). The
manifest is part of an answer of the API; whoever downloads the blobs saves it beside them as `manifest.json`. It
carries `sasToken`, a short-lived key to the vendor's storage: it is neither read nor ever shown.
"""

import json
import re
from urllib.parse import unquote, urlsplit

from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import Arrival, Manifest, ManifestReader, leaves_the_folder

_BILLING_MONTH = re.compile(r"/BillingMonth=(\d{4})(0[1-9]|1[0-2])(?=/|$)", re.ASCII | re.IGNORECASE)
# The documentation's text says compressedJSONLines, its example compressedJSON.
_DATA_FORMATS = ("compressedJSON", "compressedJSONLines")


def read_export_manifest(arrival: Arrival, content: bytes) -> Manifest:
    """Read a manifest, alone or inside the finished operation that holds it (`resourceLocation`).

    The eTag is the assembly: "any change in eTag indicates a new data version". `BillingMonth=` in the path of
    `rootDirectory` is the month that is billed; where it is not there, the rows tell.

    Args:
        content: JSON with `eTag`, `rootDirectory`, `blobCount`, `partnerTenantId` and `blobs[] {name}`.

    Raises:
        BadInput: it is no such JSON, contradicts itself, or names a blob outside the landing folder.
    """
    try:
        document = json.loads(content)
        document = document.get("resourceLocation", document)
        names = [blob["name"] for blob in document["blobs"]]
        etag, root, tenant = document["eTag"], document["rootDirectory"], document["partnerTenantId"]
        count, data_format = document.get("blobCount", len(names)), document.get("dataFormat", _DATA_FORMATS[0])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(arrival.name, f"the manifest cannot be read: {type(error).__name__} {error}") from error
    if not all(isinstance(text, str) and text for text in (etag, root, tenant)) or not names:
        raise BadInput(arrival.name, "the manifest lacks eTag, rootDirectory, partnerTenantId or blobs", column="blobs")
    if count != len(names):
        raise BadInput(arrival.name, f"the manifest lists {len(names)} blobs and counts {count}", column="blobCount")
    if data_format not in _DATA_FORMATS:
        reason = f"the manifest's data format is not one of {', '.join(_DATA_FORMATS)}"
        raise BadInput(arrival.name, reason, column="dataFormat", value=str(data_format))
    folder = unquote(urlsplit(root).path).strip("/")
    for name in names:
        if not isinstance(name, str) or leaves_the_folder(name) or leaves_the_folder(f"{folder}/{name}".lstrip("/")):
            reason = "the manifest names a blob that would leave the landing folder"
            raise BadInput(arrival.name, reason, column="blobs.name", value=str(name))
    if len(set(names)) != len(names):
        raise BadInput(arrival.name, "the manifest names a blob twice", column="blobs.name")
    month = _BILLING_MONTH.search(f"/{folder}")
    keys = tuple(f"{folder}/{name}".lstrip("/") for name in names)
    return Manifest(arrival, etag, keys, f"{month[1]}-{month[2]}" if month else None, billing_account_id=tenant.lower())


EXPORT_MANIFEST = ManifestReader("manifest.json", read_export_manifest)
