"""The files of a generated month in the vendors' own formats, one writer each, from rows that say what they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from tests.vendor_files import csv_text
from tests.vendors.aws_dbr import rows as dbr
from tests.vendors.azure_costs import azure_files
from tests.vendors.ms_nce.nce_rows import nce_csv
from tests.workspaces import aws_manifest

# An account that has a customer.
KNOWN = "0011"
# The billing account of each source with totals.
ACCOUNTS = {
    "cloud": "0042",
    "aws": "000111111111",
    "azure": "0042",
    "licences": "0e195b37-4574-4539-bc42-0e539b9684c0",
}


@dataclass(frozen=True)
class Charge:
    """A row of a vendor's file: its cost, what it is, whose it is, and on which of the vendor's invoices."""

    cost: Decimal
    nature: str = "usage"
    account: str = KNOWN
    invoice: str = "V1"
    tax: Decimal = Decimal(0)
    expected: Decimal | None = None


def _next_month(period: str) -> str:
    year, number = int(period[:4]), int(period[5:])
    return f"{year + number // 12:04}-{number % 12 + 1:02}"


def _focus(period: str, rows: list[Charge], _: Decimal) -> dict[str, str]:
    kinds = {
        "tax": {"ChargeCategory": "Tax", "ChargeDescription": "VAT"},
        "rounding": {"ChargeCategory": "Adjustment", "ChargeDescription": "Rounding of the invoice"},
        "marketplace_fee": {"ChargeDescription": "AWS Marketplace Tool", "PublisherName": "Somebody Ltd"},
    }
    changes = [
        {
            "BilledCost": f"{one.cost:f}", "SubAccountId": one.account, "InvoiceId": one.invoice,
            "BillingPeriodStart": f"{period}-01 00:00:00", "BillingPeriodEnd": f"{_next_month(period)}-01 00:00:00",
            "ChargePeriodStart": f"{period}-02 00:00:00", "ChargePeriodEnd": f"{period}-02 01:00:00",
            **kinds.get(one.nature, {}),
        }
        for one in rows
    ]  # fmt: skip
    return {f"{period}.csv": csv_text("focus", *changes)}


def _cur(period: str, rows: list[Charge], _: Decimal) -> dict[str, str]:
    kinds = {
        "tax": {"lineItem/LineItemType": "Tax"},
        "rounding": {"lineItem/LineItemType": "Rounding"},
        "marketplace_fee": {"bill/BillingEntity": "AWS Marketplace"},
    }
    start, end = f"{period}-01T00:00:00.000Z", f"{_next_month(period)}-01T00:00:00.000Z"
    changes = [
        {
            "identity/LineItemId": f"row{number}", "lineItem/UnblendedCost": f"{one.cost:f}",
            "lineItem/UsageAccountId": one.account, "bill/InvoiceId": one.invoice,
            "bill/BillingPeriodStartDate": start, "bill/BillingPeriodEndDate": end,
            "lineItem/UsageStartDate": start, "lineItem/UsageEndDate": f"{period}-01T01:00:00.000Z",
            **kinds.get(one.nature, {}),
        }
        for number, one in enumerate(rows)
    ]  # fmt: skip
    first, second = period.replace("-", ""), _next_month(period).replace("-", "")
    folder = f"{first}01-{second}01"
    chunks = {f"{folder}/A/c-1.csv": changes[:2], f"{folder}/A/c-2.csv": changes[2:]}
    manifest = aws_manifest("A", [f"b/{name}" for name in chunks], f"{first}01")
    return {
        **{name: csv_text("aws_cur", *part) for name, part in chunks.items()},
        f"{folder}/A/c-Manifest.json": manifest,
    }


def _dbr(period: str, rows: list[Charge], control: Decimal) -> dict[str, str]:
    kinds = {
        "tax": dbr.TAX,
        "marketplace_fee": {"ItemDescription": "AWS Marketplace hourly software usage"},
    }
    changes = [
        {
            **kinds.get(one.nature, {}), "UnBlendedCost": f"{one.cost:f}", "LinkedAccountId": one.account,
            "InvoiceID": "77", "RecordId": str(number),
            **({} if one.nature == "tax" else
               {"UsageStartDate": f"{period}-01 00:00:00", "UsageEndDate": f"{period}-01 01:00:00"}),
        }
        for number, one in enumerate(rows, start=1)
    ]  # fmt: skip
    total = sum((one.cost for one in rows), control)
    controls = [dbr.control("StatementTotal", f"{total:f}")]
    if control:
        controls.insert(0, dbr.control("Rounding", f"{control:f}", InvoiceID="77"))
    return {dbr.NAME.replace("2026-10", period): dbr.text_of(*changes, *controls)}


def _azure(period: str, rows: list[Charge], _: Decimal) -> dict[str, str]:
    kinds = {
        "tax": {"chargeType": "Tax"},
        "rounding": {"chargeType": "RoundingAdjustment"},
        "marketplace_fee": {"publisherType": "Marketplace"},
    }
    year, number = period.split("-")
    days = {"billingPeriodStartDate": "01", "servicePeriodStartDate": "01", "date": "02"}
    dates = {name: f"{number}/{day}/{year}" for name, day in days.items()}
    dates |= dict.fromkeys(("billingPeriodEndDate", "servicePeriodEndDate"), f"{number}/28/{year}")
    plain = {**azure_files.PARTNER, **dates, "exchangeRatePricingToBilling": "0.5", "costInPricingCurrency": "0"}
    changes = [
        {
            "costInBillingCurrency": f"{one.cost:f}", "customerTenantId": one.account, "invoiceId": one.invoice,
            "costInPricingCurrency": f"{(one.expected or one.cost) * 2:f}", **kinds.get(one.nature, {}),
        }
        for one in rows
    ]  # fmt: skip
    return {f"{period}.csv": azure_files.text_of(plain, *changes)}


def _nce(period: str, rows: list[Charge], _: Decimal) -> dict[str, str]:
    year, number = period.split("-")
    day = f"{int(number)}/3/{year}"
    dates = dict.fromkeys(("OrderDate", "ChargeStartDate", "SubscriptionStartDate", "ChargeEndDate"), day)
    changes = [
        {
            **dates, "Subtotal": f"{one.cost:f}", "TaxTotal": f"{one.tax:f}", "Total": f"{one.cost + one.tax:f}",
            "CustomerId": one.account, "InvoiceNumber": one.invoice,
            # One seat: its price at the stated rate is what it costs, or what it should.
            "BillableQuantity": "1", "Quantity": "1", "EffectiveUnitPrice": f"{one.expected or one.cost:f}",
        }
        for one in rows
    ]  # fmt: skip
    return {f"{period}.csv": nce_csv(*changes)}


def _invoice(period: str, rows: list[Charge], _: Decimal) -> dict[str, str]:
    net = sum((one.cost for one in rows), Decimal(0))
    changes = [
        {
            "invoice_number": f"N-{period}", "invoice_date": f"{period}-05", "issued_at": f"{period}-05T10:00:00+02:00",
            "net_total": f"{net:f}", "tax_total": "1.90", "line_number": str(number), "customer_id": one.account,
            "start_date": f"{period}-05", "end_date": f"{period}-28", "quantity": "1", "unit_cost": f"{one.cost:f}",
            "list_price": "",
        }
        for number, one in enumerate(rows, start=1)
    ]  # fmt: skip
    return {f"{period}.csv": csv_text("distributor_invoice", *changes)}


WRITERS: Mapping[str, Callable[[str, list[Charge], Decimal], dict[str, str]]] = {
    "cloud": _focus,
    "aws": _cur,
    "report": _dbr,
    "azure": _azure,
    "licences": _nce,
    "dist": _invoice,
}
