"""Contracts of the customer charges and of what the inclusion rules leave out.

Every vendor row of a delivery is behind exactly one row of the two tables (`row_count`).
"""

from typing import Final

from billing_pipeline.schemas.table import Column, Table

CUSTOMER_CHARGES: Final = Table(
    "customer_charges",
    "one item of an issued distributor invoice and end customer; of a final feed one product and customer",
    (
        Column(
            "line_item_id",
            "VARCHAR",
            "Key: the priced line of an item; of a feed a hash of what makes the row one.",
            nullable=False,
            unique=True,
        ),
        Column(
            "invoice_number", "VARCHAR", "The distributor's or vendor's invoice number; empty if the feed has none."
        ),
        Column("invoice_date", "DATE", "Issue date; of a feed as in invoice_totals.csv, empty without one."),
        Column("type", "VARCHAR", "Debit or Credit.", nullable=False, values=("Debit", "Credit")),
        Column("customer", "VARCHAR", "End customer's name.", nullable=False),
        Column(
            "description",
            "VARCHAR",
            "Item, or product and installment number; of a feed its text, or the product's name where texts differ.",
        ),
        Column("start_date", "DATE", "Begin of the item's billing cycle; of a feed the first day of use."),
        Column(
            "end_date",
            "DATE",
            "End of the item's billing cycle, the first day after it; of a feed the day after the last day of use.",
        ),
        Column(
            "unit_cost_price",
            "DECIMAL(38,18)",
            "Reseller's cost per unit in currency; negative on credits; of a feed total / quantity to 10 places.",
        ),
        Column(
            "unit_sell_price",
            "DECIMAL(38,18)",
            "Customer's price per unit in currency; negative on credits; of a feed total / quantity to 10 places.",
        ),
        Column("quantity", "DECIMAL(38,18)", "Quantity in unit; empty if the feed states none for a part."),
        Column("unit", "VARCHAR", "Unit of measure: Month, Year, ..."),
        Column(
            "total_cost_price",
            "DECIMAL(38,24)",
            "Exact cost in currency: unit_cost_price x quantity, of a feed as billed.",
            nullable=False,
        ),
        Column(
            "total_sell_price",
            "DECIMAL(38,24)",
            "Exact price in currency; of an item unit_sell_price x quantity.",
            nullable=False,
        ),
        Column("product_type", "VARCHAR", "Type of the product."),
        Column("product_name", "VARCHAR", "Name of the product."),
        Column("currency", "VARCHAR", "ISO 4217 code of the prices.", nullable=False),
        Column("customer_id", "VARCHAR", "The end customer.", nullable=False),
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("charge_id", "VARCHAR", "The charge behind an item; empty for feeds, where several are."),
        Column("price_term", "VARCHAR", "Kind of the term that set the price; empty where several did."),
        Column("price_term_id", "VARCHAR", "Id of that term; empty where several set the price."),
        Column(
            "billing_period",
            "VARCHAR",
            "Month of the distributor's invoice date, or the month that the vendor bills, YYYY-MM.",
            nullable=False,
        ),
        Column("delivery_id", "VARCHAR", "The delivery it came in.", nullable=False),
        Column("line_number", "VARCHAR", "Line of the invoice; null where the charge is no line of one."),
        Column("product_id", "VARCHAR", "Catalogue product, else the vendor's sku or service."),
        Column("row_count", "BIGINT", "Vendor rows behind it.", nullable=False),
    ),
    sorted_by=("invoice_number", "line_item_id"),
)

# The inclusion rules; what is left out for what its row is (a tax, a fee) bears the name of its bucket.
EXCLUSION_REASONS: Final = (
    "invoice_pending",
    "invoice_proforma",
    "invoiced_through_distributor",
    "vendor_invoice_not_issued",
    "before_standard_edition",
    "before_charges_start",
    "unmapped_customer",
    "no_markup_and_no_srp",
    "tax",
    "marketplace_fee",
    "credit",
    "rounding",
    "partner_discount",
    "free_tier",
)

EXCLUDED_CHARGES: Final = Table(
    "excluded_charges",
    "one distributor-invoice item left out of the customer charges; of a feed one product, account and rule",
    (
        Column(
            "line_item_id",
            "VARCHAR",
            "Key: the priced line of an item; of a feed a hash of what makes the row one.",
            nullable=False,
            unique=True,
        ),
        Column("line_number", "VARCHAR", "Line of the distributor's invoice; empty for feeds."),
        Column("invoice_number", "VARCHAR", "The distributor's or vendor's invoice number; empty while there is none."),
        Column(
            "reason",
            "VARCHAR",
            "The rule that left it out.",
            nullable=False,
            values=EXCLUSION_REASONS,
        ),
        Column("detail", "VARCHAR", "The reason in words.", nullable=False),
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("delivery_id", "VARCHAR", "The delivery it came in.", nullable=False),
        Column("customer_id", "VARCHAR", "The end customer, if known."),
        Column("sub_account_id", "VARCHAR", "The customer's id or the account in the file."),
        Column("sub_account_name", "VARCHAR", "Its name in the file."),
        Column("product_id", "VARCHAR", "The product."),
        Column("product_name", "VARCHAR", "Name of the product."),
        Column("invoice_date", "DATE", "Issue date, if known."),
        Column("type", "VARCHAR", "Debit or Credit.", nullable=False, values=("Debit", "Credit")),
        Column("total_cost", "DECIMAL(38,24)", "Cost to the reseller, in currency.", nullable=False),
        Column("currency", "VARCHAR", "ISO 4217 code of the cost.", nullable=False),
        Column(
            "billing_period",
            "VARCHAR",
            "Month of the distributor's invoice date, or the month that the vendor bills, YYYY-MM.",
            nullable=False,
        ),
        Column("row_count", "BIGINT", "Vendor rows behind it.", nullable=False),
    ),
    sorted_by=("invoice_number", "line_item_id"),
)
