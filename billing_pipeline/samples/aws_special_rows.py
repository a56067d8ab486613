"""The rows of a Cost and Usage Report that are no ordinary usage: each kind that has bitten somebody, at least once.

Amounts are exact decimals in EUR.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from billing_pipeline.periods import BillingPeriod, days_between
from billing_pipeline.samples.aws_values import (
    AMOUNT_DECIMALS,
    LEGAL_ENTITY,
    hour_values,
    instant,
    interval,
    invoice_id,
)
from billing_pipeline.samples.catalogue import CURRENCY, World
from billing_pipeline.samples.csv_text import java_double, times
from billing_pipeline.samples.seeds import code, guid

Row = dict[str, str]
_TAX = Decimal("0.24")
_PARTNER_DISCOUNT = Decimal("0.03")
_SELLER = "Grafana Labs Sweden AB"
_MARKETPLACE_PRODUCT = code("marketplace/grafana", 25, "abcdefghijklmnopqrstuvwxyz0123456789")


def special_rows(world: World, month: BillingPeriod) -> list[Row]:
    """Return savings plan, marketplace, fee, credit and refund rows, cells by column name."""
    return [
        *_savings_plan_rows(world, month),
        *_marketplace_rows(world, month),
        _one_off(
            month, world.aws_accounts[0].account_id, "Fee", "AmazonRegistrar", "Amazon Registrar", Decimal("14.00"),
            "Registration of aegean-logistics.example: 1 year",
        ),
        _one_off(
            month, world.aws_accounts[1].account_id, "Credit", "AmazonEC2", "Amazon Elastic Compute Cloud",
            Decimal("-25.00"), "AWS Activate promotional credit",
        ),
        {
            **_one_off(
                month, world.aws_accounts[2].account_id, "Refund", "AmazonS3", "Amazon Simple Storage Service",
                Decimal("-3.4186000000"), f"Refund for {month.previous()}: S3 request overcharge",
            ),
            "bill/BillType": "Refund",
        },
    ]  # fmt: skip


def closing_rows(
    world: World, month: BillingPeriod, totals: Mapping[str, Decimal], names: Mapping[str, str]
) -> list[Row]:
    """Return, for each product code, the partner discount and the tax, both on the payer account.

    Args:
        totals: exact cost of the month's usage by product code, EUR.
        names: product name by product code.
    """
    rows = []
    for product_code, total in sorted(totals.items()):
        discount = -times(total, _PARTNER_DISCOUNT, AMOUNT_DECIMALS)
        tax = times(total + discount, _TAX, 2)
        payer, name = world.payer_account_id, names[product_code]
        text = "AWS Solution Provider Program Discount"
        rows.append(_one_off(month, payer, "SppDiscount", product_code, name, discount, text))
        taxed = _one_off(month, payer, "Tax", product_code, name, tax, f"Tax for product code {product_code}")
        rows.append({**taxed, "lineItem/TaxType": "VAT", "pricing/publicOnDemandCost": "0.0"})
    return rows


def _one_off(
    month: BillingPeriod, account_id: str, kind: str, product_code: str, name: str, cost: Decimal, description: str
) -> Row:
    """Return a row about the whole month, without usage type or rate."""
    return {
        "identity/TimeInterval": interval(month.first_day),
        "lineItem/UsageAccountId": account_id,
        "lineItem/LineItemType": kind,
        "lineItem/UsageStartDate": instant(month.first_day),
        "lineItem/UsageEndDate": instant(month.end_day),
        "lineItem/ProductCode": product_code,
        "lineItem/UsageAmount": "1.0",
        "lineItem/CurrencyCode": CURRENCY,
        "lineItem/UnblendedCost": java_double(cost),
        "lineItem/BlendedCost": java_double(cost),
        "lineItem/LineItemDescription": description,
        "lineItem/LegalEntity": LEGAL_ENTITY,
        "product/ProductName": name,
        "pricing/currency": CURRENCY,
    }


def _savings_plan_rows(world: World, month: BillingPeriod) -> list[Row]:
    """Return one covered hour a day: the plan's fee, the covered usage, and its negation."""
    account_id = world.aws_accounts[0].account_id
    on_demand, fee = Decimal("0.2284800000"), Decimal("0.1690000000")
    arn = f"arn:aws:savingsplans::{account_id}:savingsplan/{guid('savings plan')}"
    rows = []
    for day in days_between(month.first_day, month.end_day - timedelta(days=1)):
        shared = {
            **hour_values(day, 12),
            "lineItem/UsageAccountId": account_id,
            "lineItem/UsageAmount": "1.0",
            "lineItem/CurrencyCode": CURRENCY,
            "lineItem/LegalEntity": LEGAL_ENTITY,
            "pricing/currency": CURRENCY,
            "savingsPlan/SavingsPlanARN": arn,
        }
        covered = {
            **shared,
            **_cost(on_demand),
            "lineItem/LineItemType": "SavingsPlanCoveredUsage",
            "lineItem/ProductCode": "AmazonEC2",
            "lineItem/UsageType": "EUC1-BoxUsage:m6i.xlarge",
            "lineItem/Operation": "RunInstances",
            "lineItem/LineItemDescription": "m6i.xlarge Linux/UNIX covered by Compute Savings Plans",
            "product/ProductName": "Amazon Elastic Compute Cloud",
            "product/sku": code("AmazonEC2/EUC1-BoxUsage:m6i.xlarge/RunInstances", 16),
            "pricing/publicOnDemandCost": java_double(on_demand),
            "pricing/term": "OnDemand",
            "pricing/unit": "Hrs",
            "savingsPlan/SavingsPlanRate": java_double(fee),
            "savingsPlan/SavingsPlanEffectiveCost": java_double(fee),
        }
        negation = {
            **shared,
            **_cost(-on_demand),
            "lineItem/LineItemType": "SavingsPlanNegation",
            "lineItem/ProductCode": "AmazonEC2",
            "lineItem/UsageType": "EUC1-BoxUsage:m6i.xlarge",
            "lineItem/Operation": "RunInstances",
            "lineItem/LineItemDescription": "SavingsPlanNegation used by AccountId : "
            f"{account_id} and UsageSku : {covered['product/sku']}",
            "product/ProductName": "Amazon Elastic Compute Cloud",
            "product/sku": covered["product/sku"],
            "pricing/publicOnDemandCost": "0.0",
            "pricing/unit": "Hrs",
        }
        recurring = {
            **shared,
            **_cost(fee),
            "lineItem/LineItemType": "SavingsPlanRecurringFee",
            "lineItem/ProductCode": "ComputeSavingsPlans",
            "lineItem/UsageType": "ComputeSP:1yrNoUpfront",
            "lineItem/LineItemDescription": "1 year No Upfront Compute Savings Plan",
            "product/ProductName": "Savings Plans for AWS Compute usage",
            "savingsPlan/TotalCommitmentToDate": java_double(fee),
            "savingsPlan/UsedCommitment": java_double(fee),
        }
        rows += [covered, negation, recurring]
    return rows


def _marketplace_rows(world: World, month: BillingPeriod) -> list[Row]:
    """Return one marketplace product: a monthly fee and a metered day, both invoiced by its seller."""
    seller = {
        "bill/InvoiceId": invoice_id(world, month, _SELLER),
        "bill/InvoicingEntity": _SELLER,
        "bill/BillingEntity": "AWS Marketplace",
        "lineItem/LegalEntity": _SELLER,
    }
    name = "Grafana Cloud observability platform with Grafana, metrics, logs, and traces"
    account_id = world.aws_accounts[3].account_id
    fee = _one_off(
        month, account_id, "Fee", _MARKETPLACE_PRODUCT, name, Decimal("275.00"), "AWS Marketplace monthly contract fee"
    )
    metered = _one_off(
        month, account_id, "Usage", _MARKETPLACE_PRODUCT, name, Decimal("41.73"), "AWS Marketplace metered usage"
    )
    return [
        {**fee, **seller, "bill/BillType": "Purchase"},
        {
            **metered,
            **seller,
            **hour_values(month.first_day + timedelta(days=14), 9),
            "lineItem/UsageType": "EUC1-MP:grafana_usage-Units",
            "lineItem/UsageAmount": "4173.0",
            "lineItem/UnblendedRate": "0.01",
            "pricing/unit": "Units",
        },
    ]


def _cost(cost: Decimal) -> Row:
    return {"lineItem/UnblendedCost": java_double(cost), "lineItem/BlendedCost": java_double(cost)}
