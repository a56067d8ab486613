"""Small vendor files for tests, and their conversion."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl

from billing_pipeline.configuration import Source
from resources.conversion import Converted, LandedFile, convert, sha256_of
from resources.session import duckdb_session

INVOICE = {
    "invoice_number": "N1",
    "invoice_date": "2026-10-05",
    "issued_at": "2026-10-05T10:00:00+02:00",
    "type": "debit",
    "status": "issued",
    "order_channel": "distributor_storefront",
    "origin": "api",
    "currency": "EUR",
    "credits_invoice_number": "",
    "net_total": "20.00",
    "tax_total": "0",
    "line_number": "1",
    "customer_id": "007",
    "customer_name": "Acme",
    "product_id": "p1",
    "product_name": "Product",
    "product_type": "License",
    "pay_per_use": "false",
    "description": "Product, a month",
    "installment_number": "",
    "installment_count": "",
    "start_date": "2026-10-05",
    "end_date": "2026-11-05",
    "quantity": "2",
    "unit": "Month",
    "list_price": "12.50",
    "unit_cost": "10.00",
    "order_id": "",
    "ordered_at": "",
    "credits_line_number": "",
}
AWS = {
    "identity/LineItemId": "abc",
    "identity/TimeInterval": "2026-10-01T00:00:00Z/2026-10-02T00:00:00Z",
    "bill/InvoiceId": "",
    "bill/BillingEntity": "AWS",
    "bill/BillType": "Anniversary",
    "bill/PayerAccountId": "000111111111",
    "bill/BillingPeriodStartDate": "2026-10-01T00:00:00.000Z",
    "bill/BillingPeriodEndDate": "2026-11-01T00:00:00.000Z",
    "lineItem/UsageAccountId": "012345678901",
    "lineItem/LineItemType": "Usage",
    "lineItem/UsageStartDate": "2026-10-01T00:00:00.000Z",
    "lineItem/UsageEndDate": "2026-10-01T01:00:00.000Z",
    "lineItem/ProductCode": "AmazonS3",
    "lineItem/UsageType": "EU-Requests",
    "lineItem/Operation": "GetObject",
    "lineItem/UsageAmount": "3.0",
    "lineItem/CurrencyCode": "USD",
    "lineItem/UnblendedCost": "1.2E-6",
    "lineItem/LineItemDescription": "$0.0000004 per GET",
    "product/ProductName": "Amazon Simple Storage Service",
    "product/productFamily": "API Request",
    "product/sku": "0012",
    "pricing/publicOnDemandCost": "2.4E-6",
    "pricing/unit": "Requests",
}
FOCUS = {
    "BilledCost": "1.50",
    "BillingAccountId": "0042",
    "BillingAccountName": "Payer",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-10-01 00:00:00",
    "BillingPeriodEnd": "2026-11-01 00:00:00",
    "ChargeCategory": "Usage",
    "ChargeClass": "NULL",
    "ChargeDescription": "Compute hours",
    "ChargePeriodStart": "2026-10-02 00:00:00",
    "ChargePeriodEnd": "2026-10-02 01:00:00",
    "ContractedCost": "NULL",
    "EffectiveCost": "1.40",
    "ListCost": "2.00",
    "PricingQuantity": "1",
    "PricingUnit": "Hours",
    "ProviderName": "AWS",
    "PublisherName": "Amazon Web Services, Inc.",
    "ServiceName": "Compute",
    "SkuId": "0007",
    "SubAccountId": "00123",
    "Tags": '{"b": "1", "a": "2"}',
}
ROWS: Mapping[str, Mapping[str, str]] = {"distributor_invoice": INVOICE, "aws_cur": AWS, "focus": FOCUS}


def csv_text(vendor_format: str, *changes: Mapping[str, str]) -> str:
    """A file of one row per set of changes to the format's plain row."""
    rows = [{**ROWS[vendor_format], **change} for change in changes]
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def convert_file(vendor_format: str, path: Path, target: Path, *, currency: str | None = None) -> Converted:
    """Convert one file as the pipeline does."""
    source = Source(id="src", format=vendor_format, vendor="Vendor", currency=currency)
    file = LandedFile(path.name, path, sha256_of(path))
    with duckdb_session(memory_limit="1GB", threads=1) as connection:
        return convert(connection, source, file, file.sha256, target)


def convert_bytes(vendor_format: str, folder: Path, content: bytes, name: str = "in.csv") -> pl.DataFrame:
    """Convert a file of these bytes and return its canonical rows."""
    path = folder / name
    path.write_bytes(content)
    return pl.read_parquet(convert_file(vendor_format, path, folder / "out.parquet").path)


def rows_of(vendor_format: str, folder: Path, *changes: Mapping[str, str]) -> list[dict[str, object]]:
    """Convert a CSV of rows that differ from the plain one as said, and return its canonical rows."""
    return convert_bytes(vendor_format, folder, csv_text(vendor_format, *changes).encode()).to_dicts()


def total(connection: duckdb.DuckDBPyConnection, path: Path, where: str = "true") -> object:
    """The exact sum of billed_cost in a converted file."""
    found = connection.execute(
        f"select sum(billed_cost) from read_parquet($path) where {where}", {"path": str(path)}
    ).fetchone()
    return found[0] if found else None
