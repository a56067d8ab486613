"""A plain row of a new-commerce reconciliation: ten seats for a month."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

from tests.vendor_files import convert_bytes

NCE = {
    "PartnerId": "0e195b37-4574-4539-bc42-0e539b9684c0",
    "CustomerId": "196e2273-9651-43a3-ba7e-7cbcd918fc40",
    "CustomerName": "Acme",
    "CustomerDomainName": "acme.onmicrosoft.example",
    "InvoiceNumber": "G002297372",
    "OrderId": "0ET2qaZvJGfF9wgSKnWzR5JLmhp10lOc1",
    "OrderDate": "10/3/2026",
    "ProductId": "CFQ7TTC0LDPB",
    "SkuId": "0001",
    "AvailabilityId": "CFQ7TTC0K18P",
    "SkuName": "Microsoft 365 Business Basic",
    "ProductName": "Microsoft 365 Business Basic",
    "ChargeType": "new",
    "UnitPrice": "4.76",
    "Quantity": "10",
    "Subtotal": "47.60",
    "TaxTotal": "11.42",
    "Total": "59.02",
    "Currency": "EUR",
    "PriceAdjustmentDescription": "",
    "PublisherName": "Microsoft",
    "SubscriptionDescription": "Microsoft 365 Business Basic",
    "SubscriptionId": "307628f1-d9d2-f09c-ea1f-4183f0cae308",
    "ChargeStartDate": "10/3/2026",
    "ChargeEndDate": "11/2/2026",
    "EffectiveUnitPrice": "4.76",
    "UnitType": "Licenses",
    "BillableQuantity": "10",
    "BillingFrequency": "Monthly",
    "PCToBCExchangeRate": "1",
    "MeterDescription": "",
    "ReservationOrderId": "",
    "CreditReasonCode": "",
    "SubscriptionStartDate": "10/3/2026",
    "ProductQualifiers": "",
}
METER = {
    "ProductId": "DZH318Z0BNZ5",
    "SkuId": "006G",
    "ProductName": "Tables",
    "UnitType": "1 GB/Month",
    "Subtotal": "1.88",
    "EffectiveUnitPrice": "0.03825",
    "BillableQuantity": "53.5",
    "PCToBCExchangeRate": "0.923",
    "MeterDescription": "Tables - LRS Data Stored (GB/Month)",
    "SubscriptionDescription": "Azure plan",
    "PriceAdjustmentDescription": '["15.0% Partner earned credit for services managed"]',
    "BillingFrequency": "",
}


def nce_csv(*changes: Mapping[str, str]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(NCE), lineterminator="\n")
    writer.writeheader()
    writer.writerows({**NCE, **change} for change in changes)
    return buffer.getvalue()


def nce_rows(folder: Path, *changes: Mapping[str, str]) -> list[dict[str, object]]:
    """Canonical rows of a CSV of rows that differ from the plain one as said."""
    return convert_bytes("ms_nce", folder, nce_csv(*changes).encode()).to_dicts()


def json_lines(*rows: Mapping[str, object]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
