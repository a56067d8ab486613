"""Reference files that fit the samples: every customer, account, product and term that their charges need.

One account stays unassigned, so that an unmapped charge can be seen; everything else has a price.
"""

import csv
import io
from collections.abc import Sequence
from datetime import date

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.accounts import accounts_by_source
from billing_pipeline.samples.aws_products import aws_products
from billing_pipeline.samples.catalogue import CURRENCY, World
from billing_pipeline.samples.licences import LICENCES
from billing_pipeline.samples.sources import AWS, DISTRIBUTOR
from billing_pipeline.schemas.reference import REFERENCE_FILES

Row = dict[str, str]
_YEARS_BEFORE = 2
_PRICEBOOK = "standard"
_TAX_RATES = (("vat-gr", "ΦΠΑ 24 %", "GR", "24"),)
# The sample's reseller is in Greece: customers elsewhere in the EU account for the tax themselves, others have none.
_HOME = "GR"
_EU = "AT BE BG CY CZ DE DK EE ES FI FR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"


def reference_csv(world: World, month: BillingPeriod) -> dict[str, bytes]:
    """Return every reference file's content by its name without suffix.

    Args:
        world: customers and accounts of the sources that grow with the sample.
        month: rows are valid and recorded since the first day of the year two years earlier.
    """
    since = date(month.first_day.year - _YEARS_BEFORE, 1, 1)
    rows = {
        "customers": _customers(world),
        "accounts": _accounts(world),
        "products": _products(),
        "pricing_rules": _pricing_rules(),
        "pricebooks": [{"pricebook_id": _PRICEBOOK, "name": "Standard", "currency": CURRENCY}],
        "special_prices": _special_prices(world),
        "tax_rates": [
            {"tax_id": tax_id, "name": name, "country": country, "percent": percent, "tax_category": "standard"}
            for tax_id, name, country, percent in _TAX_RATES
        ],
    }
    dates = {"valid_from": f"{since:%Y-%m-%d}", "recorded_at": f"{since:%Y-%m-%d}T00:00:00Z"}
    return {
        file.name: _as_csv(
            [column.name for column in file.columns], [{**dates, **row} for row in rows.get(file.name, [])]
        )
        for file in REFERENCE_FILES
    }


def _as_csv(columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _tax_category(country: str) -> str:
    if country == _HOME:
        return "standard"
    return "reverse_charge" if country in _EU.split() else "zero"


def _customers(world: World) -> list[Row]:
    return [
        {
            "customer_id": customer.customer_id,
            "name": customer.name,
            "invoice_currency": CURRENCY,
            "pricebook_id": _PRICEBOOK,
            "email": customer.email,
            "contact": "Accounts payable",
            "address": f"{customer.city} {customer.postal_code}",
            "country": customer.country,
            "postal_code": customer.postal_code,
            "tax_category": _tax_category(customer.country),
            "payment_terms_days": "30",
            "enabled_currencies": CURRENCY,
        }
        for customer in world.customers
    ]


def _accounts(world: World) -> list[Row]:
    return [
        {"source": source, "account_id": account_id, "customer_id": customer_id}
        for source, accounts in accounts_by_source(world).items()
        for account_id, customer_id in accounts
    ]


def _products() -> list[Row]:
    licences = [
        {
            "product_id": licence.product_id,
            "name": licence.name,
            "product_type": licence.product_type,
            "source": DISTRIBUTOR,
            "sku": licence.product_id,
            "unit": licence.unit,
            "pay_per_use": "true" if licence.is_pay_per_use else "false",
            "tax_category": "standard",
        }
        for licence in LICENCES.values()
    ]
    machines = [
        {
            "product_id": f"aws-{product.region}-{product.usage_type.split(':')[-1]}",
            "name": f"AWS {product.usage_type.split(':')[-1]}, {product.location}",
            "product_type": "Virtual machines",
            "source": AWS,
            "sku": product.sku,
            "unit": product.unit,
            "pay_per_use": "true",
            "tax_category": "standard",
        }
        for product in aws_products()
        if product.family == "Compute Instance"
    ]
    return [*licences, *machines]


def _pricing_rules() -> list[Row]:
    rules = (
        ("aws", "vendor", "AWS", "markup", "12.5"),
        ("azure", "vendor", "Microsoft", "markup", "10"),
        ("google", "vendor", "Google Cloud", "markup", "9"),
        ("m365", "product_type", "Microsoft 365", "srp", ""),
        ("power-platform", "product_type", "Power Platform", "srp", ""),
        ("security", "product_type", "Security", "markup", "18"),
        ("licences", "product_type", "Licences", "markup", "15"),
        ("reservations", "product_type", "Azure reservations", "markup", "6"),
        ("azure-plan", "product_type", "Azure plan", "markup", "8"),
        ("backup", "product_type", "Backup", "markup", "35"),
        ("domains", "product_type", "Domains", "markup", "40"),
        ("copilot", "product", "CFQ7TTC0MM8R-0001", "markup", "9.5"),
    )
    return [
        {"rule_id": rule_id, "scope": scope, "scope_id": scope_id, "method": method, "percent": percent}
        for rule_id, scope, scope_id, method, percent in rules
    ]


def _special_prices(world: World) -> list[Row]:
    """Return the terms of one large customer: cheaper seats, and a share of SRP for Power BI."""
    customer_id = world.customers[0].customer_id
    return [
        {
            "special_price_id": "sp-1", "customer_id": customer_id, "product_id": "CFQ7TTC0LCHC-0002",
            "method": "markup", "percent": "10",
        },
        {
            "special_price_id": "sp-2", "customer_id": customer_id, "product_id": "CFQ7TTC0J203-0004",
            "method": "percent_of_srp", "percent": "95",
        },
    ]  # fmt: skip
