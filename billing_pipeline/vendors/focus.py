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
        "billing_account_id": Column(required=True, nullable=False),
        "billing_account_name": Column(),
        "billing_currency": Column(required=True, nullable=False, is_currency=True),
        "billing_period_start": Column("instant", required=True, nullable=False),
        "billing_period_end": Column("instant", required=True, nullable=False),
        # The standard closes this list; it decides whether money is usage, tax or credit.
        "charge_category": Column(
            required=True, nullable=False, values=("Usage", "Purchase", "Tax", "Credit", "Adjustment")
        ),
        "charge_class": Column(),
        "charge_description": Column(searched=True),
        "charge_frequency": Column(),
        "charge_period_start": Column("instant", required=True, nullable=False),
        "charge_period_end": Column("instant", required=True, nullable=False),
        "contracted_cost": Column("amount"),
        "effective_cost": Column("amount"),
        "host_provider_name": Column(),
        "invoice_id": Column(),
        "invoice_issuer_name": Column(),
        "list_cost": Column("amount"),
        "pricing_quantity": Column("amount"),
        "pricing_unit": Column(),
        "provider_name": Column(),
        "publisher_name": Column(),
        "region_id": Column(),
        "resource_id": Column(),
        "service_category": Column(),
        "service_name": Column(),
        "service_provider_name": Column(),
        "sku_id": Column(),
        "sku_price_id": Column(),
        "sub_account_id": Column(),
        "sub_account_name": Column(),
        "tags": Column(),
    },
    staging_sql="staging/focus",
    invoice_id_column="invoice_id",
)
