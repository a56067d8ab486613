"""A Microsoft new-commerce reconciliation as a partner gets it: seats, metered Azure, and the rows that bite.

What does not belong here: files and their names (`resources.sample_files`), how rows are written (`microsoft_files`).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.azure_products import AzureProduct, azure_products
from billing_pipeline.samples.catalogue import CURRENCY, Customer, World
from billing_pipeline.samples.csv_text import EXACT
from billing_pipeline.samples.licences import LICENCES, Licence
from billing_pipeline.samples.microsoft_files import (
    Record,
    invoice_number,
    partner_id,
    round_down,
    subscription_id,
    tenant_id,
)
from billing_pipeline.samples.quantities import quantity
from billing_pipeline.samples.seeds import code, digits, guid, seeded
from billing_pipeline.samples.sources import MS_NCE

FEWEST_ROWS = 40
_TAX = Decimal("0.24")
_DOLLARS = Decimal("0.921828914")
_EARNED = '["15.0% Partner earned credit for services managed"]'


class NewCommerceReconciliation:
    """One month's rows, made one after the other in constant memory.

    Args:
        world: whose customers buy.
        month: the billing period.
        rows: rows in all, special ones included.
        seed: another seed gives another file.
        is_final: whether the invoice exists; else the rows are unbilled.

    Raises:
        ValueError: fewer rows than the special ones need.
    """

    def __init__(self, world: World, month: BillingPeriod, rows: int, seed: int, is_final: bool = True) -> None:
        if rows < FEWEST_ROWS:
            raise ValueError(f"a reconciliation has at least {FEWEST_ROWS} rows, not {rows}")
        self._world, self._month, self._rows, self._seed = world, month, rows, seed
        self._invoice = invoice_number(MS_NCE, month) if is_final else ""
        self._licences = [licence for licence in LICENCES.values() if licence.product_id.startswith("CFQ")]
        self._meters = azure_products()

    def records(self) -> Iterator[Record]:
        """Yield the rows: special ones first, then half seats, half meters."""
        special = list(self._special())
        yield from special
        chance = seeded("ms_nce/rows", self._seed, self._month)
        monthly = [licence for licence in self._licences if licence.unit == "Month"]
        for number in range(self._rows - len(special)):
            customer = chance.choice(self._world.customers)
            if number % 2:
                yield self._meter(customer, chance.choice(self._meters), chance)
            else:
                day = self._month.first_day + timedelta(days=chance.randrange(27))
                yield self._seats(customer, chance.choice(monthly), chance.randint(1, 12), day)

    def _special(self) -> Iterator[Record]:
        first, second = self._world.customers[0], self._world.customers[1]
        licence = self._licences[0]
        day = self._month.first_day + timedelta(days=9)
        # A quantity changed from 10 to 14: out with the old, in with the new, one ChargeType.
        yield self._seats(first, licence, -10, day, ChargeType="addQuantity")
        yield self._seats(first, licence, 14, day, ChargeType="addQuantity")
        yield self._seats(second, licence, -8, day, ChargeType="removeQuantity")
        yield self._seats(second, licence, 5, day, ChargeType="removeQuantity")
        # Cancelled for a refund: the charge was of the month before.
        yield self._seats(second, licence, -3, self._month.first_day - timedelta(days=4), ChargeType="cancelImmediate")
        annual = next(item for item in self._licences if item.unit == "Year")
        ends = day.replace(year=day.year + 1) - timedelta(days=1)
        yield self._seats(first, annual, 20, day, ChargeEndDate=ends, BillingFrequency="Annual")
        yield self._seats(first, licence, 25, day, ProductQualifiers='["Trial"]', EffectiveUnitPrice=Decimal(0))
        yield self._seats(
            first, licence, -1, day, ChargeType="customerCredit", CreditReasonCode="Service Level Agreement"
        )
        # Nobody's row: shown as unmapped, never billed to somebody else.
        yield self._seats(first, licence, 1, day, CustomerId="", CustomerName="", CustomerDomainName="")
        yield self._seats(
            first, licence, 1, day, ProductId="DZH318Z0BQ3P", SkuId="001F", AvailabilityId="DZH318Z0DR0H",
            ProductName="Reserved VM Instance, D2s v5, EU West, 1 Year", SkuName="Reserved VM Instance",
            ReservationOrderId=guid("microsoft/reservation"), BillingFrequency="OneTime",
        )  # fmt: skip

    def _seats(
        self, customer: Customer, licence: Licence, seats: int, day: date, **changes: str | Decimal | date
    ) -> Record:
        price = changes.get("EffectiveUnitPrice", licence.unit_cost)
        assert isinstance(price, Decimal)
        product_id, _, sku_id = licence.product_id.partition("-")
        return {
            **self._common(customer, day, round_down(price) * seats),
            "ProductId": product_id,
            "SkuId": sku_id,
            "AvailabilityId": "CFQ7TTC0" + code(licence.product_id, 4),
            "SkuName": licence.name,
            "ProductName": licence.name,
            "ChargeType": "new" if seats > 0 else "removeQuantity",
            "UnitPrice": licence.unit_cost,
            "Quantity": Decimal(abs(seats)),
            "SubscriptionDescription": licence.name,
            "SubscriptionId": subscription_id(MS_NCE, customer.customer_id, licence.product_id),
            "ChargeEndDate": day + timedelta(days=29),
            "TermAndBillingCycle": "One-Year commitment for monthly/yearly billing",
            "EffectiveUnitPrice": licence.unit_cost,
            "UnitType": "Licenses",
            "BillableQuantity": Decimal(seats),
            "BillingFrequency": "Monthly",
            "PricingCurrency": CURRENCY,
            "PCToBCExchangeRate": Decimal(1),
            **changes,
        }

    def _meter(self, customer: Customer, product: AzureProduct, chance: Random) -> Record:
        amount = quantity(product.quantity_kind, chance).quantize(Decimal("0.000001"))
        price = product.rate
        cost = round_down(EXACT.multiply(round_down(EXACT.multiply(price, amount)), _DOLLARS))
        first = self._month.first_day
        return {
            **self._common(customer, first, cost),
            "ProductId": product.sku_id,
            "SkuId": code(product.meter, 4),
            "AvailabilityId": "DZH318Z0" + code(product.service, 4),
            "SkuName": f"{product.service} - {product.meter} - {product.region_name}",
            "ProductName": product.service,
            "ChargeType": "new",
            "UnitPrice": product.list_rate,
            "Quantity": Decimal(1),
            "PriceAdjustmentDescription": _EARNED,
            "SubscriptionDescription": "Azure plan",
            "SubscriptionId": subscription_id(MS_NCE, customer.customer_id, "azure plan"),
            "ChargeEndDate": self._month.end_day - timedelta(days=1),
            "EffectiveUnitPrice": price,
            "UnitType": product.unit,
            "BillableQuantity": amount,
            "PricingCurrency": "USD",
            "PCToBCExchangeRate": _DOLLARS,
            "MeterDescription": f"{product.service} - {product.meter} ({product.unit}) - {product.region_name}",
        }

    def _common(self, customer: Customer, day: date, cost: Decimal) -> Record:
        tax = round_down(cost * _TAX)
        return {
            "PartnerId": partner_id(MS_NCE),
            "CustomerId": tenant_id(MS_NCE, customer.customer_id),
            "CustomerName": customer.name,
            "CustomerDomainName": f"{customer.customer_id.lower()}.onmicrosoft.example",
            "CustomerCountry": customer.country,
            "InvoiceNumber": self._invoice,
            "MpnId": digits("microsoft/mpn", 7),
            "ResellerMpnId": "0",
            "OrderId": code(f"microsoft/order/{customer.customer_id}/{day}", 16),
            "OrderDate": day,
            "Subtotal": cost,
            "TaxTotal": tax,
            "Total": cost + tax,
            "Currency": CURRENCY,
            "PublisherName": "Microsoft",
            "PublisherId": "NA",
            "ChargeStartDate": day,
            "PCToBCExchangeRateDate": self._month.end_day - timedelta(days=1),
            "SubscriptionStartDate": day,
            "SubscriptionEndDate": day + timedelta(days=364),
        }
