"""The AWS detailed billing report with resources and tags: one CSV a month, inside a zip.

Sources: the published sample of this report, and AWS's own parser of it (awslabs/aws-detailed-billing-parser): the
file is `<account>-aws-billing-detailed-line-items-with-resources-and-tags-YYYY-MM.csv`, StatementTotal, InvoiceTotal,
Rounding and AccountTotal are no line items, and an account without consolidated billing has `Cost` in place of
`UnBlendedCost`. The report has no currency and no column for its month.
"""

import re

from billing_pipeline.vendors.aws_dbr_totals import CHARGES, ROUNDING, TOTALS, settle
from billing_pipeline.vendors.control_rows import ControlRows
from billing_pipeline.vendors.format import Column, VendorFormat

AWS_DBR = VendorFormat(
    name="aws_dbr",
    title="an AWS detailed billing report with resources and tags",
    columns={
        "invoice_id": Column(required=True, repeats=True),
        "payer_account_id": Column(required=True),
        "linked_account_id": Column(required=True),
        # An unknown type could be a charge or a total: nobody may guess which.
        "record_type": Column(required=True, nullable=False, values=(*CHARGES, *TOTALS, ROUNDING)),
        "record_id": Column(required=True),
        "product_name": Column(required=True, repeats=True),
        "rate_id": Column(),
        "usage_type": Column(required=True, repeats=True),
        "operation": Column(),
        "availability_zone": Column(repeats=True),
        "item_description": Column(required=True, repeats=True),
        "usage_start_date": Column("instant", required=True),
        "usage_end_date": Column("instant", required=True),
        "usage_quantity": Column("amount", required=True),
        "un_blended_cost": Column("amount", required=True, nullable=False, aliases=("Cost",)),
        "resource_id": Column(),
        "currency": Column(required=True, nullable=False, is_currency=True),
    },
    staging_sql="staging/aws_dbr",
    invoice_id_column="invoice_id",
    row_key=("record_id",),
    carriers=("zip", "csv", "csv.gz", "csv.zst"),
    whole_tag_prefixes=("user:", "aws:"),
    # The monthly report and the cost allocation report share half of the columns, but are sums of these rows.
    foreign_columns=frozenset({"totalcost", "costbeforetax", "currencycode"}),
    control_rows=ControlRows(
        month_in_name=re.compile(r"(?<!\d)(\d{4}-(?:0[1-9]|1[0-2]))(?=\.)", re.ASCII),
        cost_column="un_blended_cost",
        period_sql="staging/aws_dbr_period",
        faults_sql="staging/aws_dbr_faults",
        sums_sql="staging/aws_dbr_sums",
        settle=settle,
    ),
)
