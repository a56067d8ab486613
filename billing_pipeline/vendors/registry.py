"""Every format by its name in `billing.toml`, and which format a header belongs to."""

from collections.abc import Mapping, Sequence

from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.aws_cur import AWS_CUR
from billing_pipeline.vendors.aws_cur2 import AWS_CUR2
from billing_pipeline.vendors.aws_dbr import AWS_DBR
from billing_pipeline.vendors.azure_costs import AZURE_COSTS
from billing_pipeline.vendors.distributor_invoice import DISTRIBUTOR_INVOICE
from billing_pipeline.vendors.focus import FOCUS
from billing_pipeline.vendors.format import VendorFormat
from billing_pipeline.vendors.gcp_reseller import GCP_RESELLER
from billing_pipeline.vendors.ms_daily import MS_DAILY
from billing_pipeline.vendors.ms_nce import MS_NCE

FORMATS: Mapping[str, VendorFormat] = {
    vendor_format.name: vendor_format
    for vendor_format in (
        FOCUS,
        AWS_CUR,
        AWS_CUR2,
        AWS_DBR,
        DISTRIBUTOR_INVOICE,
        AZURE_COSTS,
        MS_NCE,
        MS_DAILY,
        GCP_RESELLER,
    )
}


def recognise(header: Sequence[str]) -> VendorFormat | None:
    """Return the format a header belongs to, or None when it belongs to none we know."""
    best = max(FORMATS.values(), key=lambda vendor_format: vendor_format.share_of_required(header))
    return best if best.recognise(header) else None


def require_format(expected: str, header: Sequence[str], file: str) -> VendorFormat:
    """Return the format a source expects, having checked that the file is one.

    Args:
        expected: the source's format name.
        header: the file's own column names.
        file: name for the error.

    Raises:
        BadInput: the header belongs to another format, or to none.
    """
    vendor_format = FORMATS[expected]
    found = recognise(header)
    # Siblings share columns: a header that fits both equally well is the one the source says it is.
    if found and vendor_format.share_of_required(header) == found.share_of_required(header):
        return vendor_format
    if found is None:
        shown = ", ".join(header[:5]) + (", ..." if len(header) > 5 else "")  # noqa: PLR2004
        raise BadInput(file, f"unknown format: the source expects {vendor_format.title}, the header is {shown[:200]!r}")
    if found is not vendor_format:
        raise BadInput(file, f"this is {found.title}, the source expects {vendor_format.title}")
    return vendor_format
