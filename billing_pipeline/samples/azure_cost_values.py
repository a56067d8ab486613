"""Cells of Azure cost details: the bill, a customer, a product's price and amounts, and the rows that are no usage."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.azure_products import AzureProduct, azure_products
from billing_pipeline.samples.catalogue import CURRENCY, Account, Customer, World
from billing_pipeline.samples.csv_text import java_double, plain_decimal
from billing_pipeline.samples.seeds import code, digits, guid

Row = dict[str, str]


def us_date(day: date) -> str:
    """Return a day as Cost Management writes it in CSV: `10/05/2026`."""
    return f"{day:%m/%d/%Y}"


def tenant_id(customer_id: str) -> str:
    """Return the Microsoft Entra tenant of a customer."""
    return guid(f"tenant/{customer_id}")


def tenant_accounts(world: World) -> list[tuple[str, str]]:
    """Return every tenant that the file may name, with its customer: rows for `accounts.csv`."""
    return [(tenant_id(customer.customer_id), customer.customer_id) for customer in world.customers]


def bill_values(world: World, month: BillingPeriod, is_final: bool) -> Row:
    """Return the cells of the bill, and what most rows have in common."""
    last_day = us_date(month.end_day - timedelta(days=1))
    account = world.azure_billing_account_id.rsplit("/", maxsplit=1)[-1]
    return {
        "invoiceId": "G0" + digits(f"invoice/azure_costs/{month}", 8) if is_final else "",
        "billingAccountId": account,
        "billingAccountName": "Meltemi Cloud",
        "billingProfileId": code(f"profile/{account}", 16),
        "billingProfileName": "Meltemi Cloud EUR",
        "partnerTenantId": guid("tenant/meltemi"),
        "partnerName": "Meltemi Cloud",
        "billingPeriodStartDate": us_date(month.first_day),
        "billingPeriodEndDate": last_day,
        "servicePeriodStartDate": us_date(month.first_day),
        "servicePeriodEndDate": last_day,
        "billingCurrency": CURRENCY,
        "pricingCurrency": CURRENCY,
        "exchangeRatePricingToBilling": "1",
        "exchangeRateDate": us_date(month.first_day),
        "isAzureCreditEligible": "True",
        "frequency": "UsageBased",
        "PricingModel": "OnDemand",
        "publisherType": "Microsoft",
        "publisherName": "Microsoft",
        "provider": "Azure",
    }


def customer_values(customer: Customer) -> Row:
    """Return the cells of a customer's tenant."""
    return {"customerTenantId": tenant_id(customer.customer_id), "customerName": customer.name}


def subscription_values(account: Account) -> Row:
    """Return the cells of a subscription."""
    return {"SubscriptionId": account.account_id.removeprefix("/subscriptions/"), "subscriptionName": account.name}


def product_values(product: AzureProduct) -> Row:
    """Return the cells that tell which product a resource is, and its prices."""
    return {
        "serviceFamily": product.category,
        "consumedService": "Microsoft." + product.category.split(" ", maxsplit=1)[0],
        "meterId": guid(product.meter),
        "meterName": product.meter,
        "meterCategory": product.service,
        "meterRegion": product.region_name,
        "ProductId": product.sku_id + code(product.meter, 4),
        "ProductName": f"{product.service} - {product.meter} - {product.region_name}",
        "resourceLocation": product.region,
        "location": product.region_name,
        "partnerEarnedCreditRate": "0.15",
        "partnerEarnedCreditApplied": "1",
        "PayGPrice": plain_decimal(product.list_rate),
        "unitPrice": plain_decimal(product.rate),
    }


def cost_values(cost: Decimal, listed: Decimal, amount: Decimal, price: Decimal) -> Row:
    """Return the cells of an amount; small ones in scientific notation, as in the real EA sample."""
    return {
        "effectivePrice": java_double(price),
        "quantity": java_double(amount),
        "costInBillingCurrency": java_double(cost),
        "costInPricingCurrency": java_double(cost),
        "paygCostInBillingCurrency": java_double(listed),
    }


def special_rows(world: World, month: BillingPeriod) -> list[Row]:
    """Return a reservation and usage it covers, a marketplace purchase and a refund of the month before."""
    first, second = world.azure_subscriptions[:2]
    people = {customer.customer_id: customer for customer in world.customers}
    owner, other = people[first.customer_id or ""], people[second.customer_id or ""]
    machine = azure_products()[0]
    reservation_name = "VM_RI_" + us_date(month.first_day).replace("/", "-")
    # A reservation belongs to the tenant: it has no subscription, no resource, no meter and no pay-as-you-go price.
    reservation = {
        **customer_values(owner),
        **cost_values(Decimal("734.40"), Decimal(0), Decimal(1), Decimal("734.40")),
        "date": us_date(month.first_day + timedelta(days=4)),
        "servicePeriodStartDate": us_date(month.first_day + timedelta(days=4)),
        "servicePeriodEndDate": us_date(month.first_day + timedelta(days=368)),
        "chargeType": "Purchase",
        "frequency": "OneTime",
        "PricingModel": "Reservation",
        "term": "12",
        "unitOfMeasure": "1",
        "serviceFamily": "Compute",
        "meterCategory": "Virtual Machines",
        "productOrderId": guid("reservation/order"),
        "productOrderName": "Reserved VM Instance, Standard_D4s_v5, EU West, 1 Year",
        "ProductId": "DZH318Z0" + code("reservation", 4) + "0001",
        "ProductName": "Reserved VM Instance, Standard_D4s_v5, EU West, 1 Year",
        "reservationId": guid("reservation"),
        "reservationName": reservation_name,
    }
    covered = {
        **customer_values(owner),
        **subscription_values(first),
        **product_values(machine),
        **cost_values(Decimal(0), Decimal("5.5296"), Decimal(24), Decimal(0)),
        "date": us_date(month.first_day + timedelta(days=5)),
        "chargeType": "Usage",
        "PricingModel": "Reservation",
        "unitOfMeasure": machine.unit,
        "reservationId": guid("reservation"),
        "reservationName": reservation_name,
        "benefitId": guid("reservation"),
        "benefitName": reservation_name,
    }
    marketplace = {
        **customer_values(other),
        **subscription_values(second),
        **cost_values(Decimal("180.00"), Decimal("180.00"), Decimal(1), Decimal("180.00")),
        "date": us_date(month.first_day + timedelta(days=9)),
        "chargeType": "Purchase",
        "frequency": "Recurring",
        "unitOfMeasure": "1/Month",
        "serviceFamily": "Azure Marketplace Services",
        "meterCategory": "Unassigned",
        "ProductId": "DZH318Z0" + code("marketplace", 4) + "0002",
        "ProductName": "Barracuda CloudGen Firewall - PAYG",
        "publisherType": "Marketplace",
        "publisherId": "barracudanetworks",
        "publisherName": "Barracuda Networks, Inc.",
    }
    refund = {
        **reservation,
        **cost_values(Decimal("-367.20"), Decimal(0), Decimal(-1), Decimal("367.20")),
        "previousInvoiceId": "G0" + digits(f"invoice/azure_costs/{month.previous()}", 8),
        "date": us_date(month.first_day + timedelta(days=12)),
        "chargeType": "Refund",
        "reservationName": reservation_name + "_returned",
        "reservationId": guid("reservation/returned"),
    }
    return [reservation, covered, marketplace, refund]


def rounding_row(month: BillingPeriod, total: Decimal) -> Row:
    """Return the row that makes the invoice whole cents.

    Args:
        total: exact cost of all other rows, EUR.
    """
    rounding = total.quantize(Decimal("0.01"), ROUND_HALF_UP) - total
    return {
        "date": us_date(month.end_day - timedelta(days=1)),
        "chargeType": "RoundingAdjustment",
        "frequency": "OneTime",
        "meterCategory": "Unassigned",
        "ProductName": "Rounding Adjustment",
        "quantity": "1",
        "costInBillingCurrency": java_double(rounding),
        "costInPricingCurrency": java_double(rounding),
        "paygCostInBillingCurrency": "0",
    }
