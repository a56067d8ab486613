"""Contract of the FOCUS 1.2 export: the reseller's own charges as customers' cost tools read them.

Source: the "Cost and Usage" dataset of FOCUS 1.2 (focus.finops.org). All of its mandatory columns are there, and those
recommended or conditional ones that a reseller can fill; what FOCUS has no column for begins with `x_`, as it demands.
No column tells what the reseller paid or which term made the price: customers read this file.
"""

from typing import Final

from billing_pipeline.schemas.table import Column, Table

AMOUNT: Final = "DECIMAL(38,18)"
INSTANT: Final = "TIMESTAMP WITH TIME ZONE"

CHARGE_CATEGORIES: Final = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
# The standard closes this list; a product type of any other name is `Other`.
SERVICE_CATEGORIES: Final = (
    "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools",
    "Identity", "Integration", "Internet of Things", "Management and Governance", "Media", "Migration", "Mobile",
    "Multicloud", "Networking", "Other", "Security", "Storage", "Web",
)  # fmt: skip

FOCUS_EXPORT: Final = Table(
    "focus_export",
    "one charge, tax, credit or rounding of a document",
    (
        Column("billed_cost", AMOUNT, "What the customer is charged, in BillingCurrency.", nullable=False),
        Column("billing_account_id", "VARCHAR", "The customer's id at the reseller.", nullable=False),
        Column("billing_account_name", "VARCHAR", "The customer's name."),
        Column("billing_currency", "VARCHAR", "Currency of the document, ISO 4217.", nullable=False),
        Column("billing_period_end", INSTANT, "First instant after the document's month, UTC.", nullable=False),
        Column("billing_period_start", INSTANT, "First instant of the document's month, UTC.", nullable=False),
        Column(
            "charge_category",
            "VARCHAR",
            "Usage, Purchase, Tax, Credit or Adjustment.",
            nullable=False,
            values=CHARGE_CATEGORIES,
        ),
        Column(
            "charge_class",
            "VARCHAR",
            "Correction on what corrects a document issued earlier, else empty.",
            values=("Correction",),
        ),
        Column("charge_description", "VARCHAR", "The text of the document's line."),
        Column(
            "charge_frequency",
            "VARCHAR",
            "How often the charge comes.",
            nullable=False,
            values=("One-Time", "Recurring", "Usage-Based"),
        ),
        Column("charge_period_end", INSTANT, "First instant after the service, UTC.", nullable=False),
        Column("charge_period_start", INSTANT, "First instant of the service, UTC.", nullable=False),
        Column("contracted_cost", AMOUNT, "Equals BilledCost.", nullable=False),
        Column("effective_cost", AMOUNT, "Equals BilledCost: nothing is amortised.", nullable=False),
        Column("invoice_id", "VARCHAR", "Number of the document; empty on drafts."),
        Column("invoice_issuer_name", "VARCHAR", "The reseller.", nullable=False),
        Column("list_cost", AMOUNT, "Equals BilledCost: list prices are not disclosed.", nullable=False),
        Column("pricing_quantity", AMOUNT, "Quantity in PricingUnit; negative where money is returned."),
        Column("pricing_unit", "VARCHAR", "Unit of PricingQuantity; Charge where nothing is counted."),
        Column("provider_name", "VARCHAR", "Who sells the service: the reseller.", nullable=False),
        Column(
            "publisher_name", "VARCHAR", "Who makes it: the vendor of the source, else the reseller.", nullable=False
        ),
        Column(
            "service_category",
            "VARCHAR",
            "The product type where it is one of the standard's categories, else Other.",
            nullable=False,
            values=SERVICE_CATEGORIES,
        ),
        Column("service_name", "VARCHAR", "The product's name.", nullable=False),
        Column("sku_id", "VARCHAR", "The product; empty on taxes, credits and roundings."),
        Column("sku_price_id", "VARCHAR", "Equals SkuId."),
        Column("sub_account_id", "VARCHAR", "The vendor's account, subscription or tenant."),
        Column("x_charge_id", "VARCHAR", "The charge behind the line, for questions to the reseller."),
        Column("x_invoice_line_number", "INTEGER", "Line of the document; empty on taxes, credits and roundings."),
        Column(
            "x_line_kind",
            "VARCHAR",
            "Kind of the line: usage, subscription, marketplace, support, custom, credit, adjustment; or tax,"
            " credit_applied, rounding.",
            nullable=False,
        ),
        Column("x_product_type", "VARCHAR", "The reseller's product type."),
        Column("x_reference", "VARCHAR", "Document and line that a correction refers to."),
        Column("x_tax_category", "VARCHAR", "Tax category of the line or the tax."),
    ),
    sorted_by=("billing_account_id", "billing_currency", "invoice_id", "x_invoice_line_number", "x_charge_id"),
)


def focus_name(name: str) -> str:
    """Return a column's name as the standard writes it: `BilledCost`, and `x_ChargeId` for one that FOCUS lacks."""
    prefix, words = ("x_", name[2:]) if name.startswith("x_") else ("", name)
    return prefix + "".join(word.capitalize() for word in words.split("_"))
