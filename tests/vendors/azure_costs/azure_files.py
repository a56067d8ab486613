"""Plain rows of both column sets of Azure cost details, and files made of them."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

from tests.vendor_files import convert_bytes

PARTNER = {
    "invoiceId": "G012345678",
    "previousInvoiceId": "",
    "billingAccountId": "0042",
    "billingAccountName": "Payer",
    "customerTenantId": "tenant-1",
    "customerName": "Acme",
    "billingPeriodEndDate": "10/31/2026",
    "billingPeriodStartDate": "10/01/2026",
    "servicePeriodEndDate": "10/31/2026",
    "servicePeriodStartDate": "10/01/2026",
    "date": "10/02/2026",
    "serviceFamily": "Compute",
    "meterId": "meter-1",
    "meterName": "D4s v5",
    "meterCategory": "Virtual Machines",
    "meterRegion": "EU West",
    "ProductId": "0012",
    "ProductName": "Virtual Machines - D4s v5 - EU West",
    "SubscriptionId": "sub-1",
    "subscriptionName": "Azure plan",
    "publisherType": "Microsoft",
    "publisherName": "Microsoft",
    "ResourceId": "/subscriptions/sub-1/vm",
    "resourceLocation": "westeurope",
    "quantity": "2.0",
    "unitOfMeasure": "1 Hour",
    "chargeType": "Usage",
    "billingCurrency": "EUR",
    "pricingCurrency": "USD",
    "costInBillingCurrency": "1.7E-5",
    "paygCostInBillingCurrency": "2E-5",
    "exchangeRatePricingToBilling": "0.9",
    "tags": '{"env": "prod"}',
    "partnerEarnedCreditApplied": "1",
    "PayGPrice": "0.0000111",
    "frequency": "UsageBased",
    "PricingModel": "OnDemand",
    "reservationName": "",
    "benefitName": "",
}
EA = {
    "SubscriptionId": "sub-1",
    "SubscriptionName": "Production",
    "ResourceLocation": "CentralUS",
    "Date": "9/2/2026",
    "ProductName": "Queues v2 - Class 2 Operations",
    "MeterCategory": "Storage",
    "MeterId": "meter-1",
    "MeterName": "Class 2 Operations",
    "MeterRegion": "Iowa",
    "UnitOfMeasure": "10K",
    "Quantity": "3",
    "CostInBillingCurrency": "5.64902E-05",
    "ConsumedService": "Microsoft.Storage",
    "ResourceId": "/subscriptions/sub-1/queue",
    "Tags": '"tagA": "a","tagB": "b"',
    "PublisherType": "Azure",
    "ChargeType": "Usage",
    "Frequency": "UsageBased",
    "PricingModel": "OnDemand",
    "BillingAccountId": "012345",
    "BillingCurrencyCode": "CAD",
    "BillingPeriodStartDate": "9/1/2026",
    "BillingPeriodEndDate": "9/30/2026",
    "PartNumber": "ABC-1234",
    "PayGPrice": "0.4",
    "ServiceFamily": "Storage",
}


def text_of(plain: Mapping[str, str], *changes: Mapping[str, str]) -> str:
    """A CSV file of one row per set of changes to the plain row."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, fieldnames=list(plain), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({**plain, **change} for change in changes)
    return buffer.getvalue()


def rows(folder: Path, plain: Mapping[str, str], *changes: Mapping[str, str]) -> list[dict[str, object]]:
    """Convert such a file and return its canonical rows."""
    return convert_bytes("azure_costs", folder, text_of(plain, *changes).encode()).to_dicts()


def manifest(*parts: tuple[str, int, int | None], **members: object) -> str:
    """A manifest of parts, each with name, bytes and rows, as a Cost Management export writes it."""
    document = {
        "byteCount": sum(size for _, size, _ in parts),
        "blobCount": len(parts),
        "exportConfig": {"type": "ActualCost"},
        "runInfo": {"runId": "run-1", "startDate": "2026-10-01T00:00:00", "endDate": "2026-10-31T00:00:00Z"},
        "blobs": [{"blobName": name, "byteCount": size, "dataRowCount": count} for name, size, count in parts],
    }
    return json.dumps({**document, **members})
