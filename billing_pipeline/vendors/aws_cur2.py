"""The AWS Cost and Usage Report 2.0, a Data Export: CSV.gz or Parquet, in chunks.

Source: AWS Data Exports user guide, "Cost and Usage Report (CUR) 2.0" (table dictionary) and "Migrating from CUR to
Data Exports CUR 2.0". The columns are those of the legacy report in snake_case; product attributes beyond the fixed
ones, tags, cost categories and discounts are maps: map<string, string> in Parquet, JSON text in CSV. Who queries single
keys of a map gets them as columns, so no map is required; the columns that say what a row is are.
"""

from billing_pipeline.manifests import ManifestReader
from billing_pipeline.vendors.aws_export_manifest import read_export_manifest
from billing_pipeline.vendors.format import Column, VendorFormat

AWS_CUR2 = VendorFormat(
    name="aws_cur2",
    title="an AWS Cost and Usage Report 2.0",
    columns={
        # As in the legacy report: unique together within one delivery, the first alone is not.
        "identity_line_item_id": Column(required=True, nullable=False),
        "identity_time_interval": Column(required=True, nullable=False),
        "bill_invoice_id": Column(repeats=True),
        "bill_invoicing_entity": Column(repeats=True),
        "bill_billing_entity": Column(required=True, repeats=True),
        "bill_payer_account_id": Column(required=True, nullable=False, repeats=True),
        "bill_payer_account_name": Column(repeats=True),
        "bill_billing_period_start_date": Column("instant", required=True, nullable=False),
        "bill_billing_period_end_date": Column("instant", required=True, nullable=False),
        "line_item_usage_account_id": Column(required=True, repeats=True),
        "line_item_usage_account_name": Column(repeats=True),
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
        "product": Column("map"),
        "product_product_name": Column(repeats=True),
        "product_product_family": Column(repeats=True),
        "product_region_code": Column(repeats=True),
        "product_sku": Column(repeats=True),
        "pricing_rate_code": Column(repeats=True),
        "pricing_public_on_demand_cost": Column("amount"),
        "pricing_unit": Column(repeats=True),
        "resource_tags": Column("map"),
    },
    staging_sql="staging/aws_cur2",
    invoice_id_column="bill_invoice_id",
    row_key=("identity_line_item_id", "identity_time_interval"),
    # "Migrating from CUR": the legacy CSV alone groups its headers by a slash; its servicename is no column of 2.0.
    foreign_columns=frozenset({"productservicename"}),
    foreign_text="/",
    manifest=ManifestReader("manifest.json", read_export_manifest),
)
