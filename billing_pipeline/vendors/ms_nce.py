"""Microsoft new-commerce reconciliation: one row per charge of an invoice of the Cloud Solution Provider program.

Sources: Microsoft Partner Center documentation, "Learn how to read the new commerce invoice reconciliation file", and
its developer documentation, "Billed invoice reconciliation API v2", "Get invoice's unbilled reconciliation line
items", "Get invoice line items". Three carriers: CSV (PascalCase headers, dates M/D/YYYY), JSON Lines of the Graph
export with a manifest, and the Partner Center API's pages (camelCase, ISO 8601 with seven decimals of a second), also
those of legacy commerce.

Every column is read by name; what rows become is `sql/staging/ms_nce.sql`.
"""

from billing_pipeline.vendors.format import Column, VendorFormat
from billing_pipeline.vendors.microsoft_legacy import as_new_commerce
from billing_pipeline.vendors.microsoft_manifest import EXPORT_MANIFEST

# What the API calls items that are charges of neither reconciliation.
OTHER_LINE_ITEMS = {
    "Invoice": "this is an invoice, not a line item",
    "InvoiceSummary": "this is an invoice summary, not a line item",
}

MS_NCE = VendorFormat(
    name="ms_nce",
    title="a Microsoft new-commerce reconciliation",
    columns={
        "partner_id": Column(required=True, nullable=False),
        "partner_name": Column(),
        "customer_id": Column(required=True),
        "customer_name": Column(),
        "customer_domain_name": Column(),
        "invoice_number": Column(),
        "order_id": Column(),
        "order_date": Column("instant", month_first=True, has_ticks=True),
        "product_id": Column(required=True),
        "sku_id": Column(),
        "availability_id": Column(),
        "sku_name": Column(),
        "product_name": Column(repeats=True),
        "charge_type": Column(required=True, repeats=True),
        "quantity": Column("amount", is_double=True),
        # Two decimals in every published file: it is the money, and is never rounded.
        "subtotal": Column("amount", required=True, nullable=False),
        "tax_total": Column("amount"),
        "currency": Column(required=True, nullable=False, is_currency=True),
        "price_adjustment_description": Column(repeats=True),
        "publisher_name": Column(aliases=("providerName",)),
        "subscription_description": Column(),
        "subscription_id": Column(),
        "charge_start_date": Column("instant", month_first=True, has_ticks=True),
        "charge_end_date": Column("instant", month_first=True, has_ticks=True),
        "effective_unit_price": Column("amount", is_double=True),
        "unit_type": Column(),
        "billable_quantity": Column("amount", is_double=True),
        "billing_frequency": Column(repeats=True),
        "pc_to_bc_exchange_rate": Column("amount", is_double=True),
        "meter_description": Column(),
        "reservation_order_id": Column(),
        "credit_reason_code": Column(),
        "subscription_start_date": Column("instant", month_first=True, has_ticks=True),
        "product_qualifiers": Column(repeats=True),
        "attributes_object_type": Column(
            refused={**OTHER_LINE_ITEMS, "DailyRatedUsageLineItem": "this is a line item of daily rated usage"}
        ),
    },
    staging_sql="staging/ms_nce",
    invoice_id_column="invoice_number",
    carriers=("csv", "csv.gz", "csv.zst", "json", "jsonl", "jsonl.gz"),
    foreign_columns=frozenset({"billingpretaxtotal"}),
    manifest=EXPORT_MANIFEST,
    whole_members=frozenset({"productqualifiers", "priceadjustmentdescription"}),
    month_columns=("charge_start_date", "subscription_start_date", "order_date"),
    unbilled_without_invoice_id=True,
    is_invoiced_per_currency=True,
    translate_pages=as_new_commerce,
)
