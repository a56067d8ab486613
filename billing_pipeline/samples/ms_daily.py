"""Microsoft daily rated usage as a partner gets it: every meter of every resource and day.

What does not belong here: files and their names (`resources.sample_files`), how rows are written (`microsoft_files`).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from random import Random

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.azure_products import AzureProduct, azure_products
from billing_pipeline.samples.catalogue import CURRENCY, Customer, World
from billing_pipeline.samples.csv_text import EXACT
from billing_pipeline.samples.microsoft_files import Record, invoice_number, partner_id, subscription_id, tenant_id
from billing_pipeline.samples.quantities import quantity
from billing_pipeline.samples.resource_names import azure_resource
from billing_pipeline.samples.seeds import code, digits, guid, seeded
from billing_pipeline.samples.sources import MS_DAILY

FEWEST_ROWS = 40
_DOLLARS = Decimal("0.921828914")
_EARNED = Decimal("0.15")
# Microsoft shows amounts as doubles with 15 digits: small ones have more than 18 decimals.
_FIFTEEN_DIGITS = Context(prec=15, rounding=ROUND_HALF_EVEN)
_TAGS = ('"env": "prod","CostCenter": "1234"', "", '{"owner": "Ελένη", "Project": "Shop, phase 2"}')


def entitlement_id(customer_id: str) -> str:
    """Return the Azure subscription of a customer."""
    return subscription_id(MS_DAILY, customer_id, "entitlement")


class DailyRatedUsage:
    """One month's rows, made one after the other in constant memory.

    Args:
        world: whose customers use something.
        month: the billing period; usage is spread over its days.
        rows: rows in all, special ones included.
        seed: another seed gives another file.
        is_final: whether the invoice exists; else the rows are unbilled.

    Raises:
        ValueError: fewer rows than the special ones need.
    """

    def __init__(self, world: World, month: BillingPeriod, rows: int, seed: int, is_final: bool = True) -> None:
        if rows < FEWEST_ROWS:
            raise ValueError(f"daily rated usage has at least {FEWEST_ROWS} rows, not {rows}")
        self._world, self._month, self._rows, self._seed = world, month, rows, seed
        self._invoice = invoice_number(MS_DAILY, month) if is_final else ""
        self._products = azure_products()

    def records(self) -> Iterator[Record]:
        """Yield the rows: special ones first, then by day."""
        special = list(self._special())
        yield from special
        chance = seeded("ms_daily/rows", self._seed, self._month)
        days = (self._month.end_day - self._month.first_day).days
        count = self._rows - len(special)
        for number in range(count):
            day = self._month.first_day + timedelta(days=number * days // count)
            customer = chance.choice(self._world.customers)
            yield self._usage(customer, chance.choice(self._products), day, chance)

    def _special(self) -> Iterator[Record]:
        chance = seeded("ms_daily/special", self._seed, self._month)
        customer, product = self._world.customers[0], self._products[0]
        # Usage of the month before that was reported late: billed now, with the dates of its own cycle.
        late = self._month.first_day - timedelta(days=1)
        yield self._usage(customer, product, late, chance, ChargeStartDate=late.replace(day=1), ChargeEndDate=late)
        day = self._month.first_day
        yield self._usage(customer, product, day, chance, PartnerEarnedCreditPercentage=Decimal(0))
        yield self._usage(
            customer, product, day, chance, CreditPercentage=Decimal(100), CreditType="Azure Credit Applied",
            BillingPreTaxTotal=Decimal(0),
        )  # fmt: skip
        yield self._usage(
            customer, product, day, chance, Quantity=Decimal("0.000001"),
            BillingPreTaxTotal=Decimal("1.23456789012345E-8"),
        )  # fmt: skip
        # Old answers of the API leave the customer empty; the subscription still says whose it is.
        yield self._usage(customer, product, day, chance, CustomerId="", CustomerName="", CustomerDomainName="")

    def _usage(
        self, customer: Customer, product: AzureProduct, day: date, chance: Random, **changes: str | Decimal | date
    ) -> Record:
        amount = quantity(product.quantity_kind, chance).quantize(Decimal("0.000001"))
        subscription = entitlement_id(customer.customer_id)
        resource, _ = azure_resource(product, f"/subscriptions/{subscription}", chance.randrange(40))
        pricing = _FIFTEEN_DIGITS.multiply(product.rate, amount)
        return {
            "PartnerId": partner_id(MS_DAILY),
            "PartnerName": "Meltemi Cloud A.E.",
            "CustomerId": tenant_id(MS_DAILY, customer.customer_id),
            "CustomerName": customer.name,
            "CustomerDomainName": f"{customer.customer_id.lower()}.onmicrosoft.example",
            "CustomerCountry": customer.country,
            "MpnId": digits("microsoft/mpn", 7),
            "Tier2MpnId": "-1",
            "InvoiceNumber": self._invoice,
            "ProductId": product.sku_id,
            "SkuId": code(product.meter, 4),
            "AvailabilityId": "DZH318Z0" + code(product.service, 4),
            "SkuName": f"{product.meter} - {product.region_name}",
            "ProductName": product.service,
            "PublisherName": "Microsoft",
            "PublisherId": "NA",
            "SubscriptionDescription": "Azure plan",
            "SubscriptionId": subscription_id(MS_DAILY, customer.customer_id, "azure plan"),
            "ChargeStartDate": self._month.first_day,
            "ChargeEndDate": self._month.end_day - timedelta(days=1),
            "UsageDate": day,
            "MeterType": product.unit,
            "MeterCategory": product.service,
            "MeterId": guid(f"microsoft/meter/{product.meter}/{product.region}"),
            "MeterSubCategory": product.category,
            "MeterName": product.meter,
            "MeterRegion": product.region_name,
            "Unit": product.unit,
            "ResourceLocation": product.region,
            "ConsumedService": "Microsoft.Compute",
            "ResourceGroup": "production",
            "ResourceURI": resource,
            "ChargeType": "new",
            "UnitPrice": product.list_rate,
            "Quantity": amount,
            "UnitType": product.unit,
            "BillingPreTaxTotal": _FIFTEEN_DIGITS.multiply(pricing, _DOLLARS),
            "BillingCurrency": CURRENCY,
            "PricingPreTaxTotal": pricing,
            "PricingCurrency": "USD",
            "Tags": _TAGS[chance.randrange(len(_TAGS))],
            "EffectiveUnitPrice": product.rate,
            "PCToBCExchangeRate": _DOLLARS,
            "PCToBCExchangeRateDate": self._month.end_day - timedelta(days=1),
            "EntitlementId": subscription,
            "EntitlementDescription": f"Azure plan ({customer.customer_id})",
            "PartnerEarnedCreditPercentage": EXACT.plus(_EARNED),
            "CreditPercentage": Decimal(0),
            **changes,
        }
