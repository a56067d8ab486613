"""FOCUS 1.0 to 1.4, the FinOps Open Cost and Usage Specification.

Source: the "Cost and Usage" dataset of each version (focus.finops.org). InvoiceId exists from 1.2;
1.4 replaces ProviderName and PublisherName by ServiceProviderName and HostProviderName, 1.3 has both.
Only what billing cannot do without is required: the real FOCUS 1.0 sample has `NULL` in columns the
standard calls mandatory (ContractedCost of its Oracle rows).
"""

from billing_pipeline.vendors.format import Column, VendorFormat

FOCUS = VendorFormat(
    name="focus",
    title="a FOCUS file",
    columns={
        "billed_cost": Column("amount", required=True, nullable=False),
        "billing_account_id": Column(required=True, nullable=False, repeats=True),
        "billing_account_name": Column(repeats=True),
        "billing_currency": Column(required=True, nullable=False, is_currency=True),
        "billing_period_start": Column("instant", required=True, nullable=False),
        "billing_period_end": Column("instant", required=True, nullable=False),
        # The standard closes this list; it decides whether money is usage, tax or credit.
        "charge_category": Column(
            required=True, nullable=False, values=("Usage", "Purchase", "Tax", "Credit", "Adjustment")
        ),
        "charge_class": Column(repeats=True),
        "charge_description": Column(repeats=True),
        "charge_frequency": Column(repeats=True),
        "charge_period_start": Column("instant", required=True, nullable=False),
        "charge_period_end": Column("instant", required=True, nullable=False),
        "contracted_cost": Column("amount"),
        "effective_cost": Column("amount"),
        "host_provider_name": Column(repeats=True),
        "invoice_id": Column(repeats=True),
        "invoice_issuer_name": Column(repeats=True),
        "list_cost": Column("amount"),
        "pricing_quantity": Column("amount"),
        "pricing_unit": Column(repeats=True),
        "provider_name": Column(repeats=True),
        "publisher_name": Column(repeats=True),
        "region_id": Column(repeats=True),
        "resource_id": Column(),
        "service_category": Column(repeats=True),
        "service_name": Column(repeats=True),
        "service_provider_name": Column(repeats=True),
        "sku_id": Column(repeats=True),
        "sku_price_id": Column(repeats=True),
        "sub_account_id": Column(repeats=True),
        "sub_account_name": Column(repeats=True),
        "tags": Column(),
    },
    staging_sql="staging/focus",
    invoice_id_column="invoice_id",
)
