"""Rows of Google's reseller export: products, customers' subaccounts, and the rows that are no plain usage.

What does not belong here: lines and blocks of a file (`gcp_reseller`).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.catalogue import CURRENCY, Customer, World
from billing_pipeline.samples.csv_text import times
from billing_pipeline.samples.seeds import code, digits

Row = dict[str, object]
_HEX = "0123456789ABCDEF"
_AMOUNT_DECIMALS = 12
# What Google grants a reseller of the list price, and what the reseller set up as its repricing there.
_MARGIN = Decimal("-0.12")
_REPRICED = Decimal("1.05")

# service, sku, unit, list price in EUR, kind of quantity, region
_PRODUCTS = """
Compute Engine|N2 Instance Core running in EMEA|hour|0.0347|hours|europe-west1
Compute Engine|N2 Instance Ram running in EMEA|gibibyte hour|0.00465|hours|europe-west1
Compute Engine|Storage PD Capacity in Netherlands|gibibyte month|0.044|gb_month|europe-west4
Cloud Storage|Standard Storage Belgium|gibibyte month|0.02|gb_month|europe-west1
Cloud Storage|Regional Standard Class A Operations|count|0.000005|requests|europe-west1
BigQuery|Analysis (europe-west1)|tebibyte|6.25|gb|europe-west1
Cloud SQL|Cloud SQL for PostgreSQL: Zonal - vCPU in Frankfurt|hour|0.0535|hours|europe-west3
Networking|Network Internet Data Transfer Out from EMEA to EMEA|gibibyte|0.085|gb|europe-west1
Cloud Run|Requests|count|0.0000004|requests|europe-west1
Vertex AI|Gemini 2.5 Flash Text Input|count|0.00000026|requests|europe-west4
"""


@dataclass(frozen=True)
class GcpProduct:
    """One SKU.

    Attributes:
        rate: list price in EUR for one `unit`.
    """

    service: str
    sku: str
    unit: str
    rate: Decimal
    quantity_kind: str
    region: str

    @property
    def sku_id(self) -> str:
        """Google's id of a SKU, `0000-0000-0000` in hex."""
        text = code(f"gcp/{self.sku}", 12, _HEX)
        return "-".join((text[:4], text[4:8], text[8:]))


def gcp_products() -> tuple[GcpProduct, ...]:
    """Return every product, always in the same order."""
    found = []
    for line in _PRODUCTS.strip().splitlines():
        service, sku, unit, price, kind, region = line.split("|")
        found.append(GcpProduct(service, sku, unit, Decimal(price), kind, region))
    return tuple(found)


def billing_account(facts: str) -> str:
    """Return an id of a billing account, `0X0X0X-0X0X0X-0X0X0X` in hex."""
    text = code(f"gcp/account/{facts}", 18, _HEX)
    return "-".join((text[:6], text[6:12], text[12:]))


def subaccounts(world: World) -> list[tuple[str, str]]:
    """Return the billing subaccount of every customer that buys from Google: rows for `accounts.csv`."""
    return [(billing_account(person.customer_id), person.customer_id) for person in gcp_customers(world)]


def gcp_customers(world: World) -> tuple[Customer, ...]:
    """Return the customers that buy from Google: every third."""
    return world.customers[::3]


def instant(day: date, hour: int = 0) -> str:
    """Return an instant as BigQuery writes it in JSON."""
    return f"{day:%Y-%m-%d} {hour:02}:00:00 UTC"


def bill_values(month: BillingPeriod) -> Row:
    """Return the members of the bill, the same on every row."""
    return {
        "payer_billing_account_id": billing_account("meltemi"),
        "invoice": {"month": f"{month.first_day:%Y%m}"},
        "currency": CURRENCY,
        "currency_conversion_rate": 0.92,
        "export_time": instant(month.end_day + timedelta(days=5), 3),
        "transaction_type": "GOOGLE",
        "seller_name": "Google",
        "tags": [],
        "system_labels": [],
        "adjustment_info": None,
    }


def customer_values(customer: Customer) -> Row:
    """Return the members of a customer's subaccount and project."""
    number = digits(f"gcp/project/{customer.customer_id}", 12)
    return {
        "billing_account_id": billing_account(customer.customer_id),
        "customer_name": customer.name,
        "entitlement_name": f"accounts/C0/customers/S{number}/entitlements/S1",
        "project": {"number": number, "id": f"{customer.customer_id.lower()}-prod", "name": "Production", "labels": []},
    }


def product_values(product: GcpProduct) -> Row:
    """Return the members of a SKU and where it runs."""
    service_id = code(f"gcp/service/{product.service}", 4, _HEX)
    return {
        "cost_type": "regular",
        "service": {"id": f"{service_id}-{service_id}-{service_id}", "description": product.service},
        "sku": {"id": product.sku_id, "description": product.sku},
        "location": {"location": product.region, "country": "BE", "region": product.region, "zone": None},
    }


def usage_values(product: GcpProduct, amount: Decimal) -> tuple[Row, Decimal]:
    """Return the members of an amount, and what the reseller pays for it in EUR.

    Costs are doubles in the export; the reseller's margin is a credit of the row, and no customer's.
    """
    cost = times(amount, product.rate, _AMOUNT_DECIMALS)
    margin = times(cost, _MARGIN, _AMOUNT_DECIMALS)
    row: Row = {
        "cost": float(cost),
        "usage": {
            "amount": float(amount),
            "unit": product.unit,
            "amount_in_pricing_unit": float(amount),
            "pricing_unit": product.unit,
        },
        "credits": [credit("RESELLER_MARGIN", margin, Decimal(0))] if margin else [],
        "customer_cost": float(times(cost, _REPRICED, _AMOUNT_DECIMALS)),
        "cost_at_list": float(cost),
    }
    return row, _read(cost) + (_read(margin) if margin else 0)


def _read(amount: Decimal) -> Decimal:
    """Return the amount that a reader finds in the file: the shortest text of the double."""
    return Decimal(repr(float(amount)))


def credit(kind: str, amount: Decimal, customer_amount: Decimal | None) -> Row:
    """Return one element of `credits`."""
    name = kind.replace("_", " ").capitalize()
    return {
        "id": kind, "full_name": name, "type": kind, "name": name, "amount": float(amount),
        "channel_partner_amount": None, "customer_amount": None if customer_amount is None else float(customer_amount),
    }  # fmt: skip


def special_rows(world: World, month: BillingPeriod) -> list[tuple[Row, Decimal]]:
    """Return a commitment (two rows, one of zero), what it covers, free usage, a marketplace purchase, late usage, an
    adjustment, and an amount of which a double has kept only noise. With each, what it costs in EUR.
    """  # noqa: D205 one sentence
    first, second = gcp_customers(world)[:2]
    core = gcp_products()[0]
    whole: Row = {"usage_start_time": instant(month.first_day), "usage_end_time": instant(month.end_day)}
    previous: Row = {
        "usage_start_time": instant(month.first_day - timedelta(days=1)), "usage_end_time": instant(month.first_day),
    }  # fmt: skip
    plain: Row = {**whole, **customer_values(first), **product_values(core), "credits": [], "usage": None}
    commitment: Row = {
        **plain,
        "sku": {"id": "C0FF-EE00-0001", "description": "Commitment v1: N2 Cpu in EMEA for 1 Year"},
    }
    covered = [credit("COMMITTED_USAGE_DISCOUNT", Decimal("-25.81"), Decimal("-25.81"))]
    free = [credit("FREE_TIER", Decimal("-0.8"), Decimal("-0.8"))]
    purchase: Row = {"transaction_type": "THIRD_PARTY_RESELLER", "seller_name": "Elastic NV", **customer_values(second)}
    nothing: Row = {"customer_cost": None, "cost_at_list": None}
    return [
        ({**commitment, **_costs("16.26")}, Decimal("16.26")),
        ({**commitment, **_costs("0")}, Decimal(0)),
        ({**plain, **_costs("25.81"), "credits": covered}, Decimal(0)),
        ({**plain, **_costs("0.8"), "credits": free}, Decimal(0)),
        ({**plain, **purchase, **_costs("240"), "cost_at_list": None}, Decimal(240)),
        ({**plain, **previous, **_costs("1.75"), "cost_at_list": None}, Decimal("1.75")),
        ({**plain, **nothing, "cost_type": "adjustment", "cost": -3.5}, Decimal("-3.5")),
        ({**plain, **_costs("0"), "cost": 5.421e-20}, Decimal(0)),
    ]


def _costs(cost: str) -> Row:
    return {"cost": float(cost), "customer_cost": float(cost), "cost_at_list": float(cost)}


def closing_rows(month: BillingPeriod, total: Decimal) -> list[tuple[Row, Decimal]]:
    """Return rounding and tax, on the payer's account without customer; with the first the invoice is whole cents.

    Args:
        total: exact cost of all other rows, EUR.
    """
    cents = times(total, Decimal(1), 2)
    # The difference is a double like every cost: what a reader finds in the file makes up the cents to 12 decimals.
    rounding, tax = cents - total, times(cents, Decimal("0.24"), 2)
    common: Row = {
        "billing_account_id": billing_account("meltemi"), "customer_name": None, "project": None, "location": None,
        "usage_start_time": instant(month.first_day), "usage_end_time": instant(month.end_day), "usage": None,
        "credits": [], "customer_cost": None, "cost_at_list": None,
    }  # fmt: skip
    return [
        (
            {
                **common, "cost_type": cost_type, "cost": float(cost),
                "service": {"id": None, "description": "Invoice"}, "sku": {"id": cost_type, "description": description},
            },
            Decimal(repr(float(cost))),
        )
        for cost_type, description, cost in (("rounding_error", "Rounding error", rounding), ("tax", "VAT", tax))
    ]  # fmt: skip
