"""Contracts of the customer charges and of what the inclusion rules leave out."""

from typing import Final

from billing_pipeline.schemas.table import Column, Table

CUSTOMER_CHARGES: Final = Table(
    "customer_charges",
    "one item of an issued distributor invoice and end customer",
    (
        Column("line_item_id", "VARCHAR", "Key: the priced line.", nullable=False, unique=True),
        Column("invoice_number", "VARCHAR", "The distributor's invoice number.", nullable=False),
        Column("invoice_date", "DATE", "Issue date.", nullable=False),
        Column("type", "VARCHAR", "Debit or Credit.", nullable=False, values=("Debit", "Credit")),
        Column("customer", "VARCHAR", "End customer's name.", nullable=False),
        Column("description", "VARCHAR", "Item, or product and installment number."),
        Column("start_date", "DATE", "Begin of the item's billing cycle."),
        Column("end_date", "DATE", "End of the item's billing cycle."),
        Column("unit_cost_price", "DECIMAL(38,18)", "Reseller's cost per unit in currency; negative on credits."),
        Column("unit_sell_price", "DECIMAL(38,18)", "Customer's price per unit in currency; negative on credits."),
        Column("quantity", "DECIMAL(38,18)", "Quantity in unit, positive.", nullable=False),
        Column("unit", "VARCHAR", "Unit of measure: Month, Year, ..."),
        Column("total_cost_price", "DECIMAL(38,24)", "unit_cost_price x quantity, exact, in currency.", nullable=False),
        Column("total_sell_price", "DECIMAL(38,24)", "unit_sell_price x quantity, exact, in currency.", nullable=False),
        Column("product_type", "VARCHAR", "Type of the product."),
        Column("product_name", "VARCHAR", "Name of the product."),
        Column("currency", "VARCHAR", "ISO 4217 code of the prices.", nullable=False),
        Column("customer_id", "VARCHAR", "The end customer.", nullable=False),
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("charge_id", "VARCHAR", "The charge behind the item.", nullable=False),
        Column("price_term", "VARCHAR", "Kind of the term that set the price."),
        Column("price_term_id", "VARCHAR", "Id of that term."),
        Column("billing_period", "VARCHAR", "Month of the invoice date, YYYY-MM.", nullable=False),
        Column("delivery_id", "VARCHAR", "The delivery the item came in.", nullable=False),
    ),
    sorted_by=("invoice_number", "line_item_id"),
)

EXCLUDED_CHARGES: Final = Table(
    "excluded_charges",
    "one distributor-invoice item left out of the customer charges",
    (
        Column("line_item_id", "VARCHAR", "Key: the priced line.", nullable=False, unique=True),
        Column("line_number", "VARCHAR", "Line of the distributor's invoice.", nullable=False),
        Column("invoice_number", "VARCHAR", "The distributor's invoice number.", nullable=False),
        Column(
            "reason",
            "VARCHAR",
            "The rule that left it out.",
            nullable=False,
            values=(
                "invoice_pending",
                "invoice_proforma",
                "before_standard_edition",
                "before_charges_start",
                "unmapped_customer",
                "no_markup_and_no_srp",
            ),
        ),
        Column("detail", "VARCHAR", "The reason in words.", nullable=False),
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("delivery_id", "VARCHAR", "The delivery the item came in.", nullable=False),
        Column("customer_id", "VARCHAR", "The end customer, if known."),
        Column("sub_account_id", "VARCHAR", "The customer's id in the file."),
        Column("sub_account_name", "VARCHAR", "The customer's name in the file."),
        Column("product_id", "VARCHAR", "The product."),
        Column("invoice_date", "DATE", "Issue date."),
        Column("total_cost", "DECIMAL(38,24)", "Cost to the reseller, in currency.", nullable=False),
        Column("currency", "VARCHAR", "ISO 4217 code of the cost.", nullable=False),
        Column("billing_period", "VARCHAR", "Month of the invoice date, YYYY-MM.", nullable=False),
    ),
    sorted_by=("invoice_number", "line_item_id"),
)
