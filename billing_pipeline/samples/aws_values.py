"""Cells that many rows of a Cost and Usage Report share: the bill, the hour, a product's price and amounts."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.aws_products import AwsProduct
from billing_pipeline.samples.catalogue import CURRENCY, World
from billing_pipeline.samples.csv_text import java_double, times
from billing_pipeline.samples.seeds import digits

LEGAL_ENTITY = "Amazon Web Services EMEA SARL"
AMOUNT_DECIMALS = 10
# The offer term and price dimension that AWS uses for on-demand rates everywhere.
_ON_DEMAND = "JRTCKXETXF.6YS6EN2CT7"


def instant(day: date, hour: int = 0) -> str:
    """Return an hour of a day (24 is the next midnight) as `lineItem/Usage*Date` writes it."""
    return f"{_at(day, hour):%Y-%m-%dT%H:%M:%S}.000Z"


def interval(day: date, first_hour: int = 0, hours: int = 24) -> str:
    """Return `identity/TimeInterval` for some hours of a day."""
    return f"{_at(day, first_hour):%Y-%m-%dT%H:%M:%SZ}/{_at(day, first_hour + hours):%Y-%m-%dT%H:%M:%SZ}"


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(), UTC) + timedelta(hours=hour)


def invoice_id(world: World, month: BillingPeriod, issuer: str = "AWS") -> str:
    """Return the number of a vendor's invoice for a month."""
    return "2" + digits(f"{world.seed_prefix}invoice/{issuer}/{month}", 9)


def bill_values(world: World, month: BillingPeriod, is_final: bool) -> dict[str, str]:
    """Return the `bill/*` cells of ordinary rows."""
    return {
        "bill/InvoiceId": invoice_id(world, month) if is_final else "",
        "bill/InvoicingEntity": LEGAL_ENTITY,
        "bill/BillingEntity": "AWS",
        "bill/BillType": "Anniversary",
        "bill/PayerAccountId": world.payer_account_id,
        "bill/BillingPeriodStartDate": instant(month.first_day),
        "bill/BillingPeriodEndDate": instant(month.end_day),
    }


def hour_values(day: date, hour: int) -> dict[str, str]:
    """Return the cells that tell which hour a row is about."""
    return {
        "identity/TimeInterval": interval(day, hour, 1),
        "lineItem/UsageStartDate": instant(day, hour),
        "lineItem/UsageEndDate": instant(day, hour + 1),
    }


def price_values(product: AwsProduct, amount: Decimal) -> dict[str, str]:
    """Return the cells from the usage amount to the savings plan, for on-demand usage.

    Args:
        amount: in the product's unit.
    """
    rate = java_double(product.rate)
    cost = java_double(times(amount, product.rate, AMOUNT_DECIMALS))
    return {
        "lineItem/UsageAmount": java_double(amount),
        "lineItem/CurrencyCode": CURRENCY,
        "lineItem/UnblendedRate": rate,
        "lineItem/UnblendedCost": cost,
        "lineItem/BlendedRate": rate,
        "lineItem/BlendedCost": cost,
        "lineItem/LineItemDescription": product.description,
        "lineItem/LegalEntity": LEGAL_ENTITY,
        "product/ProductName": product.product_name,
        "product/location": product.location,
        "product/operation": product.operation.split(":", maxsplit=1)[0],
        "product/productFamily": product.family,
        "product/region": product.region,
        "product/servicecode": "AWSDataTransfer" if product.family == "Data Transfer" else product.product_code,
        "product/sku": product.sku,
        "product/usagetype": product.usage_type,
        "pricing/RateCode": f"{product.sku}.{_ON_DEMAND}",
        "pricing/RateId": digits(f"rate/{product.sku}", 11),
        "pricing/currency": CURRENCY,
        "pricing/publicOnDemandCost": java_double(times(amount, product.public_rate, AMOUNT_DECIMALS)),
        "pricing/publicOnDemandRate": java_double(product.public_rate),
        "pricing/term": "OnDemand",
        "pricing/unit": product.unit,
        "reservation/SubscriptionId": digits(f"subscription/{product.sku}", 9),
    }
