"""The distributor invoice: our own interchange format, one row per item, header values repeated.

Distributors have no common format; `docs/distributor-invoice.md` describes this one for those who
write it. Since it is ours, unknown columns are an error.
"""

from billing_pipeline.vendors.format import Column, VendorFormat

# Quantity and prices: 9 decimals each, so that their product always fits 18 without rounding.
PRICE_DECIMALS = 9

DISTRIBUTOR_INVOICE = VendorFormat(
    name="distributor_invoice",
    title="a distributor invoice",
    columns={
        "invoice_number": Column(required=True, nullable=False),
        "invoice_date": Column("date", required=True, nullable=False),
        "issued_at": Column("instant", required=True, needs_zone=True),
        "type": Column(required=True, nullable=False, values=("debit", "credit")),
        "status": Column(required=True, nullable=False, values=("issued", "pending", "proforma")),
        "order_channel": Column(
            required=True,
            nullable=False,
            values=("reseller_storefront", "distributor_storefront", "distributor_bss"),
        ),
        "origin": Column(required=True, nullable=False, values=("billing_service", "manual", "renewal", "api")),
        "currency": Column(required=True, nullable=False, is_currency=True),
        "credits_invoice_number": Column(),
        "net_total": Column("amount", required=True, nullable=False),
        "tax_total": Column("amount"),
        "line_number": Column(required=True, nullable=False),
        "customer_id": Column(required=True),
        "customer_name": Column(),
        "product_id": Column(required=True, nullable=False),
        "product_name": Column(),
        "product_type": Column(),
        "pay_per_use": Column("boolean"),
        "description": Column(),
        "installment_number": Column("integer"),
        "installment_count": Column("integer"),
        "start_date": Column("date"),
        "end_date": Column("date"),
        "quantity": Column("amount", required=True, nullable=False, decimals=PRICE_DECIMALS),
        "unit": Column(),
        "list_price": Column("amount", decimals=PRICE_DECIMALS),
        "unit_cost": Column("amount", required=True, nullable=False, decimals=PRICE_DECIMALS),
        "order_id": Column(),
        "ordered_at": Column("instant", needs_zone=True),
        "credits_line_number": Column(),
    },
    staging_sql="staging/distributor_invoice",
    invoice_id_column="invoice_number",
    row_key=("invoice_number", "line_number"),
    carriers=("csv", "csv.gz", "csv.zst", "json", "xlsx"),
    only_known_columns=True,
)

# Columns that belong to the invoice, not to the item: all items of one invoice repeat the same value.
HEADER_COLUMNS = (
    "invoice_date", "issued_at", "type", "status", "order_channel", "origin", "currency",
    "credits_invoice_number", "net_total", "tax_total",
)  # fmt: skip
