"""The AWS Cost and Usage Report, legacy: CSV.gz or Parquet in chunks.

Source: AWS CUR data dictionary. CSV headers are `lineItem/UnblendedCost`, the Parquet ones
`line_item_unblended_cost`; both reduce to the same name. CUR 2.0 shares most of the snake_case names
but keeps products, discounts and tags in maps: those columns tell it apart.
"""

from billing_pipeline.manifests import ManifestReader, read_manifest
from billing_pipeline.vendors.format import Column, VendorFormat

AWS_CUR = VendorFormat(
    name="aws_cur",
    title="an AWS Cost and Usage Report (legacy)",
    columns={
        # (LineItemId, TimeInterval) is unique within one delivery, LineItemId alone is not.
        "identity_line_item_id": Column(required=True, nullable=False),
        "identity_time_interval": Column(required=True, nullable=False, repeats=True),
        "bill_invoice_id": Column(repeats=True),
        "bill_invoicing_entity": Column(repeats=True),
        "bill_billing_entity": Column(required=True, repeats=True),
        "bill_bill_type": Column(repeats=True),
        "bill_payer_account_id": Column(required=True, nullable=False, repeats=True),
        "bill_billing_period_start_date": Column("instant", required=True, nullable=False),
        "bill_billing_period_end_date": Column("instant", required=True, nullable=False),
        "line_item_usage_account_id": Column(required=True, repeats=True),
        "line_item_line_item_type": Column(required=True, nullable=False, repeats=True),
        "line_item_usage_start_date": Column("instant", required=True, nullable=False),
        "line_item_usage_end_date": Column("instant", required=True, nullable=False),
        "line_item_product_code": Column(required=True, repeats=True),
        "line_item_usage_type": Column(repeats=True),
        "line_item_operation": Column(repeats=True),
        "line_item_usage_amount": Column("amount", required=True),
        "line_item_currency_code": Column(required=True, nullable=False, is_currency=True),
        "line_item_unblended_cost": Column("amount", required=True, nullable=False),
        "line_item_line_item_description": Column(repeats=True),
        "line_item_resource_id": Column(),
        "product_product_name": Column(repeats=True),
        "product_product_family": Column(repeats=True),
        "product_region": Column(repeats=True),
        "product_region_code": Column(repeats=True),
        "product_sku": Column(repeats=True),
        "pricing_rate_code": Column(repeats=True),
        "pricing_public_on_demand_cost": Column("amount"),
        "pricing_unit": Column(repeats=True),
    },
    staging_sql="staging/aws_cur",
    invoice_id_column="bill_invoice_id",
    row_key=("identity_line_item_id", "identity_time_interval"),
    tag_prefix="resourceTags/",
    foreign_columns=frozenset({"product", "resourcetags", "discount", "costcategory", "billpayeraccountname"}),
    manifest=ManifestReader("manifest.json", read_manifest),
)
