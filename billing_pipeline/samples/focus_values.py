"""Cells of a FOCUS row: the bill, the day, a product's price and amounts, and the rows that are no usage."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.azure_products import AzureProduct
from billing_pipeline.samples.catalogue import CURRENCY, Account, World
from billing_pipeline.samples.csv_text import plain_decimal, times
from billing_pipeline.samples.seeds import code, digits, guid

Row = dict[str, str]
AMOUNT_DECIMALS = 12
_TAX = Decimal("0.24")


def instant(day: date) -> str:
    """Return the first instant of a day, UTC, in the format that FOCUS demands."""
    return f"{day:%Y-%m-%d}T00:00:00Z"


def bill_values(world: World, month: BillingPeriod, is_final: bool) -> Row:
    """Return the cells of the bill and its issuer, the same on every row."""
    return {
        "BillingAccountId": world.azure_billing_account_id,
        "BillingAccountName": "Meltemi Cloud",
        "BillingAccountType": "Billing Account",
        "BillingCurrency": CURRENCY,
        "BillingPeriodStart": instant(month.first_day),
        "BillingPeriodEnd": instant(month.end_day),
        "InvoiceId": "E0" + digits(f"invoice/Microsoft/{month}", 8) if is_final else "",
        "InvoiceIssuerName": "Microsoft",
        "ProviderName": "Microsoft",
        "PublisherName": "Microsoft",
    }


def cost_values(billed: Decimal, listed: Decimal | None = None) -> Row:
    """Return the four cost cells.

    Args:
        billed: what the reseller pays, EUR; effective and contracted cost equal it.
        listed: list cost, EUR; `billed` when absent.
    """
    paid = plain_decimal(billed)
    return {
        "BilledCost": paid,
        "EffectiveCost": paid,
        "ContractedCost": paid,
        "ListCost": paid if listed is None else plain_decimal(listed),
    }


def usage_values(product: AzureProduct, amount: Decimal) -> Row:
    """Return the cells of one product and quantity.

    Args:
        amount: in the product's unit.
    """
    listed = times(amount, product.list_rate, AMOUNT_DECIMALS)
    return {
        **cost_values(times(amount, product.rate, AMOUNT_DECIMALS), listed),
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "ChargeDescription": f"{product.service} - {product.meter} - {product.region_name}",
        "ConsumedQuantity": plain_decimal(amount),
        "ConsumedUnit": "Hours" if product.quantity_kind == "hours" else "Units",
        "ContractedUnitPrice": plain_decimal(product.rate),
        "ListUnitPrice": plain_decimal(product.list_rate),
        "PricingCategory": "Standard",
        "PricingQuantity": plain_decimal(amount),
        "PricingUnit": product.unit,
        "RegionId": product.region,
        "RegionName": product.region_name,
    }


def product_values(product: AzureProduct) -> Row:
    """Return the cells that tell which service and SKU a resource is."""
    return {
        "ServiceCategory": product.category,
        "ServiceName": product.service,
        "ServiceSubcategory": f"Other ({product.category})",
        "SkuId": product.sku_id,
        "SkuMeter": product.meter,
        "SkuPriceDetails": f'{{"x_SkuMeterId": "{guid(product.meter)}"}}',
        "SkuPriceId": product.sku_price_id,
    }


def account_values(account: Account) -> Row:
    """Return the cells of a subscription."""
    return {
        "SubAccountId": account.account_id,
        "SubAccountName": account.name,
        "SubAccountType": "Subscription",
    }


def special_rows(world: World, month: BillingPeriod) -> list[Row]:
    """Return a reservation, a marketplace purchase, a credit and a correction of the month before."""
    whole = {"ChargePeriodStart": instant(month.first_day), "ChargePeriodEnd": instant(month.end_day)}
    first, second = world.azure_subscriptions[:2]
    reservation = {
        **whole,
        **account_values(first),
        **cost_values(Decimal("61.2000"), Decimal("72.0000")),
        "ChargeCategory": "Purchase",
        "ChargeFrequency": "Recurring",
        "ChargeDescription": "Reserved VM Instance, Standard_D4s_v5, West Europe, 1 Year",
        "PricingCategory": "Committed",
        "PricingQuantity": "1",
        "PricingUnit": "1/Month",
        "ServiceCategory": "Compute",
        "ServiceName": "Virtual Machines",
        "SkuId": "DZH318Z0" + code("reservation", 4),
    }
    marketplace = {
        **whole,
        **account_values(second),
        **cost_values(Decimal("180.00")),
        "ChargeCategory": "Purchase",
        "ChargeFrequency": "Recurring",
        "ChargeDescription": "Barracuda CloudGen Firewall - PAYG",
        "PricingCategory": "Standard",
        "PricingQuantity": "1",
        "PricingUnit": "1",
        "PublisherName": "Barracuda Networks, Inc.",
        "ServiceCategory": "Other",
        "ServiceName": "SaaS",
        "SkuId": "barracudanetworks.waf",
    }
    credit = {
        **whole,
        **account_values(first),
        **cost_values(Decimal("-15.00")),
        "ChargeCategory": "Credit",
        "ChargeFrequency": "One-Time",
        "ChargeDescription": "Azure support goodwill credit",
        "ServiceCategory": "Other",
        "ServiceName": "Azure credit",
    }
    correction = {
        **account_values(second),
        **cost_values(Decimal("-2.315400000000"), Decimal("-2.724")),
        "ChargePeriodStart": instant(month.previous().first_day),
        "ChargePeriodEnd": instant(month.first_day),
        "ChargeCategory": "Usage",
        "ChargeClass": "Correction",
        "ChargeFrequency": "Usage-Based",
        "ChargeDescription": f"Log Analytics ingestion, correction for {month.previous()}",
        "PricingCategory": "Standard",
        "PricingQuantity": "-0.9110367893",
        "PricingUnit": "1 GB",
        "ServiceCategory": "Analytics",
        "ServiceName": "Log Analytics",
        "SkuId": "DZH318Z0" + code("Log Analytics/Analytics Logs Data Ingestion", 4),
    }
    return [reservation, marketplace, credit, correction]


def closing_rows(month: BillingPeriod, total: Decimal) -> list[Row]:
    """Return tax and rounding, on the billing account alone; with them the invoice is whole cents.

    Args:
        total: exact cost of all other rows, EUR.
    """
    whole = {"ChargePeriodStart": instant(month.first_day), "ChargePeriodEnd": instant(month.end_day)}
    cent = Decimal("0.01")
    rounded = total.quantize(cent, ROUND_HALF_UP)
    rounding = {
        **whole,
        **cost_values(rounded - total),
        "ChargeCategory": "Adjustment",
        "ChargeFrequency": "One-Time",
        "ChargeDescription": "Rounding adjustment",
        "ServiceCategory": "Other",
        "ServiceName": "Rounding",
    }
    tax = {
        **whole,
        **cost_values(times(rounded, _TAX, 2)),
        "ChargeCategory": "Tax",
        "ChargeFrequency": "One-Time",
        "ChargeDescription": "VAT 24 %",
        "ServiceCategory": "Other",
        "ServiceName": "Tax",
    }
    return [rounding, tax]
