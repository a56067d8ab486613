"""Contract of the snapshot of charges that stand behind the lines of documents, as they were billed."""

from typing import Final

from billing_pipeline.adjustments import CAUSES
from billing_pipeline.schemas.table import Column, Table

BILLED_CHARGES: Final = Table(
    "billed_charges",
    "one charge behind one line of a document, as it was billed; a charge that changed after its month was locked has a"
    " row for what was billed first and one for each adjustment",
    (
        Column("invoice_id", "VARCHAR", "The document.", nullable=False),
        Column("line_number", "INTEGER", "Line of the document, as in invoice_lines.", nullable=False),
        Column("charge_id", "VARCHAR", "The charge; priced_line_items and vendor_charges have it.", nullable=False),
        Column("customer_id", "VARCHAR", "The customer of the document.", nullable=False),
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("delivery_id", "VARCHAR", "The delivery the charge came in.", nullable=False),
        Column("billing_account_id", "VARCHAR", "The vendor's billing account or invoice number.", nullable=False),
        Column("billing_period", "VARCHAR", "Calendar month the vendor bills, YYYY-MM.", nullable=False),
        Column("sub_account_id", "VARCHAR", "The vendor's account, subscription or customer id."),
        Column("product_id", "VARCHAR", "Catalogue product, else the vendor's sku or service."),
        Column("product_name", "VARCHAR", "Name of the product, as on the document.", nullable=False),
        Column("product_type", "VARCHAR", "Type of the product, as on the document.", nullable=False),
        Column("tax_category", "VARCHAR", "Tax category of the line.", nullable=False),
        Column("charge_category", "VARCHAR", "FOCUS ChargeCategory."),
        Column("charge_nature", "VARCHAR", "What the vendor's row is: usage, marketplace_fee, ...", nullable=False),
        Column("vendor_invoice_number", "VARCHAR", "The vendor's or distributor's invoice number."),
        Column("vendor_line_number", "VARCHAR", "Line of the distributor's invoice."),
        Column("period_start", "DATE", "First day of the service."),
        Column("period_end", "DATE", "Usage: day after the last; distributor items: as on the distributor's invoice."),
        Column("quantity", "DECIMAL(38,18)", "Quantity in unit; positive also on credits."),
        Column("unit", "VARCHAR", "Unit of measure."),
        Column(
            "total_cost",
            "DECIMAL(38,24)",
            "Exact cost to the reseller, in currency; of an adjustment what it changed by.",
            nullable=False,
        ),
        Column(
            "amount_precise",
            "DECIMAL(38,24)",
            "Exact amount billed for the charge, in currency; of an adjustment what it changed by.",
            nullable=False,
        ),
        Column("currency", "VARCHAR", "ISO 4217 code of the amounts.", nullable=False),
        Column("price_term", "VARCHAR", "Kind of the term that set the price."),
        Column("price_term_id", "VARCHAR", "Id of that term in its reference file."),
        Column("is_final", "BOOLEAN", "False if the vendor still estimated when it was billed.", nullable=False),
        Column("row_count", "BIGINT", "Vendor rows behind the charge.", nullable=False),
        Column(
            "cause",
            "VARCHAR",
            "Why a charge of a locked month is adjusted; empty for a charge billed for the first time.",
            values=CAUSES,
        ),
        Column("adjusts_invoice_number", "VARCHAR", "Document of that month; its id while it has no number."),
        Column("adjusts_line_number", "INTEGER", "Line of that document, if the charge stood on one."),
    ),
)
