"""Microsoft daily rated usage: what Azure metered per resource and day, rated at the partner's prices.

Sources: Microsoft Partner Center documentation, "Learn how to read daily rated usage reconciliation files", and its
developer documentation, "Billed and unbilled daily rated usage reconciliation API v2", "Get invoice billed commercial
consumption line items". The same carriers as new-commerce reconciliation; the API's names differ in places
(`unitOfMeasure` for Unit, `rateOfPartnerEarnedCredit` for PartnerEarnedCreditPercentage).

Every column is read by name; what rows become is `sql/staging/ms_daily.sql`.
"""

from billing_pipeline.vendors.format import Column, VendorFormat
from billing_pipeline.vendors.microsoft_manifest import EXPORT_MANIFEST
from billing_pipeline.vendors.ms_nce import OTHER_LINE_ITEMS

_LEGACY = "this is a line item of Microsoft's legacy commerce, which a source of format ms_nce reads"

MS_DAILY = VendorFormat(
    name="ms_daily",
    title="Microsoft daily rated usage",
    columns={
        "partner_id": Column(required=True, nullable=False),
        "partner_name": Column(),
        "customer_id": Column(required=True),
        "customer_name": Column(),
        "invoice_number": Column(),
        "product_id": Column(required=True),
        "sku_id": Column(),
        "availability_id": Column(),
        "sku_name": Column(),
        "product_name": Column(),
        "publisher_name": Column(),
        "subscription_id": Column(),
        "charge_start_date": Column("instant", required=True, month_first=True, has_ticks=True),
        "usage_date": Column("instant", required=True, nullable=False, month_first=True, has_ticks=True),
        "meter_type": Column(),
        "meter_category": Column(),
        "meter_id": Column(required=True),
        "meter_sub_category": Column(),
        "meter_name": Column(repeats=True),
        "unit": Column(aliases=("unitOfMeasure",)),
        "resource_location": Column(),
        "consumed_service": Column(),
        "resource_uri": Column(),
        "charge_type": Column(repeats=True),
        "quantity": Column("amount", required=True, is_double=True),
        "unit_type": Column(),
        "billing_pre_tax_total": Column("amount", required=True, nullable=False, is_double=True),
        "billing_currency": Column(required=True, nullable=False, is_currency=True),
        "tags": Column(repeats=True),
        "entitlement_id": Column(),
        "entitlement_description": Column(),
        "partner_earned_credit_percentage": Column("amount", aliases=("rateOfPartnerEarnedCredit",)),
        "credit_percentage": Column("amount"),
        "credit_type": Column(),
        "attributes_object_type": Column(
            refused={
                **OTHER_LINE_ITEMS,
                **dict.fromkeys(("LicenseBasedLineItem", "UsageBasedLineItem", "DailyUsageLineItem"), _LEGACY),
                "OneTimeInvoiceLineItem": "this is a line item of new-commerce reconciliation",
            }
        ),
    },
    staging_sql="staging/ms_daily",
    invoice_id_column="invoice_number",
    carriers=("csv", "csv.gz", "csv.zst", "json", "jsonl", "jsonl.gz"),
    foreign_columns=frozenset({"subtotal", "taxtotal"}),
    manifest=EXPORT_MANIFEST,
    whole_members=frozenset({"tags", "additionalinfo"}),
    month_columns=("charge_start_date", "usage_date"),
    unbilled_without_invoice_id=True,
    is_invoiced_per_currency=True,
)
