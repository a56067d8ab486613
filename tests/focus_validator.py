"""The rules of FOCUS 1.2 that a file of it must keep, as far as the export has their columns.

Written from the pages of the columns at focus.finops.org, not from the export: what is allowed, what may be empty when,
and how numbers and instants look.
"""

import csv
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from iso4217 import Currency

NEVER_EMPTY = (
    "BilledCost", "BillingAccountId", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory",
    "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName",
    "ListCost", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
)  # fmt: skip
ALLOWED = {
    "ChargeCategory": {"Usage", "Purchase", "Tax", "Credit", "Adjustment"},
    "ChargeClass": {"", "Correction"},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "ServiceCategory": {
        "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools",
        "Multicloud", "Identity", "Integration", "Internet of Things", "Management and Governance", "Media",
        "Migration", "Mobile", "Networking", "Security", "Storage", "Web", "Other",
    },
}  # fmt: skip
NUMBERS = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost", "PricingQuantity")
INSTANTS = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
# Of a charge that is used or bought; they may be missing on a correction.
PRICED = ("PricingQuantity", "PricingUnit", "SkuId", "SkuPriceId")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
COLUMN = re.compile(r"(x_)?([A-Z][a-z0-9]*)+")


def rows_of_file(content: bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV file by column."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def violations(row: Mapping[str, str]) -> list[str]:
    """Return which rules a row breaks."""
    found = [f"{name} is no name of a column" for name in row if not COLUMN.fullmatch(name)]
    found += [f"{name} is empty" for name in NEVER_EMPTY if row[name] == ""]
    found += [f"{name} may not be {row[name]!r}" for name, values in ALLOWED.items() if row[name] not in values]
    found += [f"{name} is no number" for name in NUMBERS if row[name] and not NUMBER.fullmatch(row[name])]
    instants = {name: _instant(row[name]) for name in INSTANTS}
    found += [f"{name} is no instant in UTC" for name, value in instants.items() if value is None]
    for kind in ("BillingPeriod", "ChargePeriod"):
        start, end = instants[f"{kind}Start"], instants[f"{kind}End"]
        if start and end and start >= end:
            found.append(f"{kind} ends before it starts")
    try:
        Currency(row["BillingCurrency"])
    except ValueError:
        found.append("BillingCurrency is not in ISO 4217")
    return found + _empty_when_it_must_not_be(row)


def _instant(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _empty_when_it_must_not_be(row: Mapping[str, str]) -> list[str]:
    found = []
    if row["ChargeCategory"] == "Tax":
        found += [f"{name} on a tax" for name in PRICED if row[name]]
    if row["ChargeCategory"] in ("Usage", "Purchase") and not row["ChargeClass"]:
        found += [f"{name} is empty on a charge" for name in PRICED if not row[name]]
    if row["ChargeCategory"] == "Purchase" and row["ChargeFrequency"] == "Usage-Based":
        found.append("a purchase is not usage-based")
    if row["ChargeCategory"] == "Credit" and len({row[name] for name in NUMBERS[:4]}) > 1:
        found.append("costs of a credit differ")
    return found
