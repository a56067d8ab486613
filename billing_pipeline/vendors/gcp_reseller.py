"""Google Cloud's reseller billing detailed export, v1: a BigQuery table, extracted as Parquet or JSON Lines.

Sources: Google Cloud Channel Services, "Export Channel Services data to BigQuery" and "BigQuery export query examples";
Cloud Billing, "Structure of Detailed data export". Nested fields are flat columns here, named by their path
(`usage.amount_in_pricing_unit`); repeated ones are lists of records.

Amounts are FLOAT64 in one table and NUMERIC in another, and JSON has them as numbers or as texts: each is read by its
digits, and what a double has beyond 18 decimals is rounded and said so. What rows become is
`sql/staging/gcp_reseller.sql`.
"""

import json

from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import Arrival, Manifest, ManifestReader, leaves_the_folder
from billing_pipeline.vendors.format import Column, VendorFormat

# More shards than any month has; a number that cannot be one is not counted out.
_MOST_SHARDS = 100_000


def read_extract_job(arrival: Arrival, content: bytes) -> Manifest:
    """Read the BigQuery extract job that wrote the shards, as `bq show --format=json --job` prints it.

    BigQuery writes no manifest; its job says how many files it wrote to which pattern (BigQuery REST reference, "Job":
    `configuration.extract.destinationUris`, `statistics.extract.destinationUriFileCounts`). The shards are numbered
    from zero with twelve digits in the place of the pattern's `*`.

    Args:
        content: the job as JSON.

    Raises:
        BadInput: it is no such job, it has not ended well, or its pattern leaves the landing folder.
    """
    try:
        job = json.loads(content)
        (pattern,) = job["configuration"]["extract"]["destinationUris"]
        (count,) = map(int, job["statistics"]["extract"]["destinationUriFileCounts"])
        state, failure = job["status"]["state"], job["status"].get("errorResult")
        job_id = job["jobReference"]["jobId"]
        key = pattern.removeprefix("gs://").partition("/")[2]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(arrival.name, f"this is no BigQuery extract job with one destination: {error!r}") from error
    if state != "DONE" or failure:
        raise BadInput(arrival.name, "the extract job has not ended well", column="status.state", value=str(state))
    if not isinstance(job_id, str) or not job_id or leaves_the_folder(key):
        raise BadInput(
            arrival.name, "the job names no destination in a bucket", column="destinationUris", value=pattern
        )
    if not 1 <= count <= _MOST_SHARDS or (count > 1) > (key.count("*") == 1):
        raise BadInput(
            arrival.name, "the number of files does not fit the pattern", column="destinationUriFileCounts",
            value=str(count),
        )  # fmt: skip
    keys = tuple(key.replace("*", f"{number:012}") for number in range(count))
    return Manifest(arrival, job_id, keys, None, keys_name="destinationUris")


GCP_RESELLER = VendorFormat(
    name="gcp_reseller",
    title="a Google Cloud reseller billing export",
    columns={
        "billing_account_id": Column(),
        "payer_billing_account_id": Column(required=True, nullable=False),
        "invoice_month": Column("month", required=True, nullable=False),
        "cost_type": Column(required=True, nullable=False, values=("regular", "tax", "adjustment", "rounding_error")),
        "service_id": Column(),
        "service_description": Column(required=True),
        "sku_id": Column(required=True),
        "sku_description": Column(),
        "usage_start_time": Column("instant", required=True, nullable=False),
        "usage_end_time": Column("instant", required=True, nullable=False),
        "project_id": Column(),
        "labels": Column("records"),
        "location_location": Column(),
        "location_region": Column(),
        "resource_name": Column(),
        "resource_global_name": Column(),
        "cost": Column("amount", required=True, nullable=False, is_double=True),
        "currency": Column(required=True, nullable=False, is_currency=True),
        "usage_amount_in_pricing_unit": Column("amount", is_double=True),
        "usage_pricing_unit": Column(),
        "credits": Column(
            "records", required=True, is_double=True, amounts=("amount", "channel_partner_amount", "customer_amount")
        ),
        "adjustment_info": Column("records", aliases=("adjustmentsInfo",)),
        "customer_name": Column(required=True),
        "customer_cost": Column("amount", required=True, is_double=True),
        "cost_at_list": Column("amount", is_double=True),
        "transaction_type": Column(),
        "seller_name": Column(),
    },
    staging_sql="staging/gcp_reseller",
    # The export has no such column: an invoice is known by its month only, so the calendar decides what is final.
    invoice_id_column="invoice_id",
    carriers=("parquet", "jsonl", "jsonl.gz"),
    manifest=ManifestReader("manifest.json", read_extract_job),
)
