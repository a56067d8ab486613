"""A plain row of daily rated usage: a machine's day."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from tests.vendor_files import convert_bytes

DAILY = {
    "PartnerId": "0e195b37-4574-4539-bc42-0e539b9684c0",
    "PartnerName": "Fabrikam",
    "CustomerId": "196e2273-9651-43a3-ba7e-7cbcd918fc40",
    "CustomerName": "Contoso",
    "Tier2MpnId": "-1",
    "InvoiceNumber": "G002297372",
    "ProductId": "DZH318Z0BNZ5",
    "SkuId": "006G",
    "AvailabilityId": "DZH318Z08B80",
    "SkuName": "D4s v5 - EU West",
    "ProductName": "Virtual Machines Dsv5 Series",
    "PublisherName": "Microsoft",
    "SubscriptionId": "plan-1",
    "ChargeStartDate": "10/1/2026",
    "ChargeEndDate": "10/31/2026",
    "UsageDate": "10/5/2026",
    "MeterType": "1 Hour",
    "MeterCategory": "Virtual Machines",
    "MeterId": "0c7e1d5f",
    "MeterName": "D4s v5",
    "Unit": "1 Hour",
    "ResourceLocation": "EUWEST",
    "ConsumedService": "Microsoft.Compute",
    "ResourceURI": "/subscriptions/31cdf47f/vm1",
    "ChargeType": "new",
    "Quantity": "24",
    "UnitType": "1 Hour",
    "BillingPreTaxTotal": "3.4",
    "BillingCurrency": "EUR",
    "Tags": "",
    "EntitlementId": "31cdf47f-b249-4edd-9319-637862d8c0b4",
    "EntitlementDescription": "Production",
    "PartnerEarnedCreditPercentage": "15",
    "CreditPercentage": "0",
    "CreditType": "",
}


def daily_csv(*changes: Mapping[str, str]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(DAILY), lineterminator="\n")
    writer.writeheader()
    writer.writerows({**DAILY, **change} for change in changes)
    return buffer.getvalue()


def daily_rows(folder: Path, *changes: Mapping[str, str]) -> list[dict[str, object]]:
    """Canonical rows of a CSV of rows that differ from the plain one as said."""
    return convert_bytes("ms_daily", folder, daily_csv(*changes).encode()).to_dicts()
