"""Rows of a detailed billing report, written in the test."""

import csv
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from resources.conversion import Converted
from tests.vendor_files import convert_file

NAME = "000111111111-aws-billing-detailed-line-items-with-resources-and-tags-2026-10.csv"
PLAIN = {
    "InvoiceID": "Estimated",
    "PayerAccountId": "000111111111",
    "LinkedAccountId": "012345678901",
    "RecordType": "LineItem",
    "RecordId": "1",
    "ProductName": "Amazon Elastic Compute Cloud",
    "RateId": "0042",
    "SubscriptionId": "38802707",
    "PricingPlanId": "489936",
    "UsageType": "EUC1-BoxUsage:t3.medium",
    "Operation": "RunInstances",
    "AvailabilityZone": "eu-central-1a",
    "ReservedInstance": "N",
    "ItemDescription": "$0.0500 per On Demand Linux t3.medium Instance Hour",
    "UsageStartDate": "2026-10-01 00:00:00",
    "UsageEndDate": "2026-10-01 01:00:00",
    "UsageQuantity": "1.00000000",
    "BlendedRate": "0.0500000000",
    "BlendedCost": "0.05000000",
    "UnBlendedRate": "0.0500000000",
    "UnBlendedCost": "0.05000000",
    "ResourceId": "i-0a",
    "user:Name": "",
}
TAX = {
    "UsageType": "",
    "Operation": "",
    "RateId": "",
    "AvailabilityZone": "",
    "ItemDescription": "Tax for product code AmazonEC2",
    "UsageStartDate": "",
    "UsageEndDate": "",
    "UsageQuantity": "",
    "UnBlendedCost": "0.01000000",
    "RecordId": "",
}
_BLANK = dict.fromkeys(PLAIN, "")


def control(record_type: str, cost: str, **cells: str) -> dict[str, str]:
    """A row of a total: it names the payer and its cost, and little else."""
    plain = {"PayerAccountId": PLAIN["PayerAccountId"], "RecordType": record_type, "UnBlendedCost": cost}
    return {**_BLANK, **plain, **cells}


def text_of(*changes: Mapping[str, str]) -> str:
    """A file of one row per set of changes to the plain row; every row has a record id of its own."""
    rows = [{**PLAIN, "RecordId": str(number), **change} for number, change in enumerate(changes, start=1)]
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, fieldnames=list(dict.fromkeys(name for row in rows for name in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def zipped(*members: tuple[str, bytes]) -> bytes:
    """A zip of these members, the same bytes every time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def convert_dbr(folder: Path, content: str | bytes, name: str = NAME, *, currency: str | None = "USD") -> Converted:
    """Convert a file of this content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return convert_file("aws_dbr", path, folder / "out.parquet", currency=currency)


def rows_of(folder: Path, *changes: Mapping[str, str], name: str = NAME) -> list[dict[str, object]]:
    """The canonical rows of such a file."""
    return pl.read_parquet(convert_dbr(folder, text_of(*changes), name).path).to_dicts()
