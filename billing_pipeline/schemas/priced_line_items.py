"""Contract of the priced charges, and of what analysts see of them."""

from dataclasses import replace
from typing import Final

from billing_pipeline.schemas.table import Column, Table

BUCKETS: Final = (
    "billed",
    "tax",
    "marketplace_fee",
    "credit",
    "rounding",
    "partner_discount",
    "free_tier",
    "unmapped_account",
    "unpriced",
    "excluded_by_rule",
    "not_yet_final",
)

PRICED_LINE_ITEMS: Final = Table(
    "priced_line_items",
    "one charge to a customer: usage per account, product and day; distributor invoices per item",
    (
        Column("line_item_id", "VARCHAR", "Key of the priced line.", nullable=False, unique=True),
        Column("charge_id", "VARCHAR", "The charge that is priced; vendor_charges has its rows.", nullable=False),
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("delivery_id", "VARCHAR", "The delivery the charge came in.", nullable=False),
        Column("billing_account_id", "VARCHAR", "The vendor's billing account or invoice number.", nullable=False),
        Column("sub_account_id", "VARCHAR", "The vendor's account, subscription or customer id."),
        Column("sub_account_name", "VARCHAR", "Its name in the vendor's file."),
        Column("customer_id", "VARCHAR", "The customer who is charged; empty while the account is unmapped."),
        Column("product_id", "VARCHAR", "Catalogue product, else the vendor's sku or service."),
        Column("product_name", "VARCHAR", "Name of the product."),
        Column("product_type", "VARCHAR", "Type of the product, else the vendor's service category."),
        Column("description", "VARCHAR", "What the vendor says the charge is for."),
        Column("billing_period", "VARCHAR", "Calendar month the vendor bills, YYYY-MM.", nullable=False),
        Column("invoice_number", "VARCHAR", "The vendor's or distributor's invoice number."),
        Column("invoice_date", "DATE", "Issue date of the distributor's invoice."),
        Column("charge_type", "VARCHAR", "Debit or Credit.", nullable=False, values=("Debit", "Credit")),
        Column("charge_category", "VARCHAR", "FOCUS ChargeCategory."),
        Column("charge_nature", "VARCHAR", "What the vendor's row is: usage, tax, credit, ...", nullable=False),
        Column("order_channel", "VARCHAR", "Where a distributor item was ordered."),
        Column("origin", "VARCHAR", "How the distributor's invoice came about."),
        Column("invoice_status", "VARCHAR", "Status of the distributor's invoice."),
        Column("is_pay_per_use", "BOOLEAN", "Whether the product is billed by use."),
        Column("installment_number", "INTEGER", "Number of the installment, 1 is the first."),
        Column("installment_count", "INTEGER", "How many installments there are."),
        Column("line_number", "VARCHAR", "Line of the distributor's invoice."),
        Column("period_start", "DATE", "First day of the service."),
        Column("period_end", "DATE", "Usage: day after the last; distributor items: as on the distributor's invoice."),
        Column("quantity", "DECIMAL(38,18)", "Quantity in unit; positive also on credits."),
        Column("unit", "VARCHAR", "Unit of measure."),
        Column("unit_cost", "DECIMAL(38,18)", "Cost per unit of a distributor item, in currency."),
        Column("unit_sell", "DECIMAL(38,18)", "Price per unit of a distributor item, in currency."),
        Column("srp", "DECIMAL(38,18)", "Suggested retail price per unit of a distributor item, in currency."),
        Column("total_cost", "DECIMAL(38,24)", "Exact cost to the reseller, in currency.", nullable=False),
        Column("total_sell", "DECIMAL(38,24)", "Exact price to the customer, in currency; empty if unpriced."),
        Column("total_list", "DECIMAL(38,24)", "Exact list cost, in currency, if the vendor gives one."),
        Column("currency", "VARCHAR", "ISO 4217 code of the amounts.", nullable=False),
        Column("margin", "DECIMAL(38,24)", "total_sell - total_cost, in currency."),
        Column(
            "price_term", "VARCHAR", "Term that set the price: special_price, pricebook, pricing_rule, pass_through."
        ),
        Column("price_term_id", "VARCHAR", "Id of that term in its reference file."),
        Column("price_scope", "VARCHAR", "What a rule or a pricebook price is for: product, product_type, vendor."),
        Column("price_scope_id", "VARCHAR", "The product, product type or vendor it names."),
        Column(
            "price_method",
            "VARCHAR",
            "Method of the term: markup, srp, percent_of_srp, srp_discount, fixed, graduated, volume, package.",
        ),
        Column("price_percent", "DECIMAL(12,4)", "Percent of the term, or of the tier that was reached."),
        Column("price_unit_price", "DECIMAL(38,18)", "Price per unit or package of the term, in currency."),
        Column("tier_quantity", "DECIMAL(38,18)", "Quantity in unit that chose the tier of a pricebook price."),
        Column("adjustment_ids", "VARCHAR", "Global adjustments on the price, separated by `;`."),
        Column("adjustment_percent", "DECIMAL(12,4)", "Sum of their percents; negative is a discount."),
        Column("total_before_adjustment", "DECIMAL(38,24)", "Price before global adjustments, in currency."),
        Column("price_list_id", "VARCHAR", "Distributor price list that says what the item should cost."),
        Column("expected_unit_cost", "DECIMAL(38,18)", "Cost per unit after that price list, in currency."),
        Column("credited_line_item_id", "VARCHAR", "The priced line whose frozen terms a credit takes."),
        Column("tax_category", "VARCHAR", "Tax category of the product.", nullable=False),
        Column("bucket", "VARCHAR", "Where the cost goes in reconciliation.", nullable=False, values=BUCKETS),
        Column("reason", "VARCHAR", "Why the charge is not billed."),
        Column("note", "VARCHAR", "What was assumed while pricing."),
        Column("row_count", "BIGINT", "Vendor rows behind the charge.", nullable=False),
        Column("is_final", "BOOLEAN", "False while the vendor still estimates.", nullable=False),
        Column(
            "received_at",
            "TIMESTAMP WITH TIME ZONE",
            "Arrival whose knowledge priced the charge; of an invoice sent again, its first.",
            nullable=False,
        ),
    ),
    sorted_by=("customer_id", "product_id", "period_start", "charge_id"),
)

# What analysts see: unit prices of usage too, and percentages; both are for display and made when they are looked at.
_SHOWN: Final = {
    "unit_cost": "Cost per unit in currency; for usage total / quantity to 10 places, for display.",
    "unit_sell": "Price per unit in currency; for usage total / quantity to 10 places, for display.",
    "srp": "Suggested retail price per unit in currency, before any discount; for usage as the unit prices.",
}
SHOWN_COLUMNS: Final = (
    *(replace(column, meaning=_SHOWN.get(column.name, column.meaning)) for column in PRICED_LINE_ITEMS.columns),
    Column(
        "cost_discount_percent",
        "DECIMAL(38,8)",
        "Distributor's or vendor's discount: what the cost is below list cost.",
    ),
    Column("sell_discount_percent", "DECIMAL(38,8)", "Customer's discount: what the price is below list cost."),
    Column("margin_percent", "DECIMAL(38,8)", "Margin in percent of total_sell."),
    Column("derived_markup_percent", "DECIMAL(38,8)", "Margin in percent of total_cost."),
)
SHOWN_LINE_ITEMS: Final = Table(PRICED_LINE_ITEMS.name, PRICED_LINE_ITEMS.grain, SHOWN_COLUMNS)

UNBILLED_CHARGES: Final = Table(
    "unbilled_charges",
    "one charge that no customer pays, with its reason",
    SHOWN_COLUMNS,
)

UNIT_COST_DIFFERENCES: Final = Table(
    "unit_cost_differences",
    "one item of a distributor invoice whose unit cost is not what the distributor's price list says",
    (
        Column("line_item_id", "VARCHAR", "Key of the priced line.", nullable=False, unique=True),
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("invoice_number", "VARCHAR", "The distributor's invoice number."),
        Column("invoice_date", "DATE", "Issue date of the invoice."),
        Column("line_number", "VARCHAR", "Line of the invoice."),
        Column("customer_id", "VARCHAR", "The customer who is charged."),
        Column("product_id", "VARCHAR", "Product of the catalogue or of the distributor."),
        Column("product_name", "VARCHAR", "Its name."),
        Column("price_list_id", "VARCHAR", "The price list in force on the day of the invoice.", nullable=False),
        Column("srp", "DECIMAL(38,18)", "List price per unit on the invoice, in currency."),
        Column(
            "unit_cost", "DECIMAL(38,18)", "Invoiced cost per unit, in currency; what is billed on.", nullable=False
        ),
        Column("expected_unit_cost", "DECIMAL(38,18)", "Cost per unit after the price list.", nullable=False),
        Column("unit_difference", "DECIMAL(38,18)", "Invoiced less expected, per unit.", nullable=False),
        Column("quantity", "DECIMAL(38,18)", "Quantity in unit."),
        Column("total_difference", "DECIMAL(38,24)", "Difference x quantity; positive: charged too much."),
        Column("currency", "VARCHAR", "ISO 4217 code of the amounts.", nullable=False),
        Column("billing_period", "VARCHAR", "Calendar month of the invoice, YYYY-MM.", nullable=False),
    ),
)
