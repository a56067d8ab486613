"""Contract of the margins: what is earned on whom and on what."""

from typing import Final

from billing_pipeline.schemas.table import Column, Table

MARGINS: Final = Table(
    "margins",
    "billing period, customer, product type and currency of the priced charges",
    (
        Column("billing_period", "VARCHAR", "Calendar month the vendor bills, YYYY-MM.", nullable=False),
        Column("customer_id", "VARCHAR", "The customer.", nullable=False),
        Column("product_type", "VARCHAR", "Type of the products; Other where a charge has none.", nullable=False),
        Column("currency", "VARCHAR", "ISO 4217 code of the amounts.", nullable=False),
        Column("charge_count", "BIGINT", "Priced charges, estimates included.", nullable=False),
        Column("total_cost", "DECIMAL(38,24)", "Exact cost to the reseller, in currency.", nullable=False),
        Column("total_sell", "DECIMAL(38,24)", "Exact price to the customer, in currency.", nullable=False),
        Column("margin", "DECIMAL(38,24)", "total_sell - total_cost, in currency.", nullable=False),
        Column("margin_percent", "DECIMAL(38,8)", "Margin in percent of total_sell; empty without a price."),
    ),
    sorted_by=("billing_period", "customer_id", "product_type", "currency"),
)
