"""Azure cost details of Microsoft Cost Management: partner (MPA, also MCA) and Enterprise Agreement column sets.

Sources: Microsoft Learn, "Understand cost details fields", "Microsoft Partner Agreement cost and usage details file
schema", "Enterprise Agreement cost and usage details file schema", "Create and manage exported data". Headers come in
camelCase and PascalCase and under older names (`Cost`, `Currency`, `Product`). The partner set names the customer's
tenant and the invoice; the EA set knows neither.

Every column is read by name; what rows become is `sql/staging/azure_costs.sql`.
"""

import json
import re
from collections.abc import Mapping

from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import Arrival, Manifest, ManifestReader, leaves_the_folder
from billing_pipeline.vendors.format import Column, VendorFormat

_AMORTISED = (
    "this is an amortised cost file: it spreads purchases over their term and leaves them out as billed;"
    " export the actual cost"
)
_MONTH = re.compile(r"(\d{4}-\d{2})-\d{2}", re.ASCII)


def read_export_manifest(arrival: Arrival, content: bytes) -> Manifest:
    """Read the manifest of a Cost Management export: `manifest.json`, or `_manifest.json` of older versions.

    The older version (2021-01-01) has neither `exportConfig` nor `runInfo`: its assembly is known by its own hash, and
    it names no month. `dataRowCount` may be null (2024-04-01, microsoft/finops-toolkit issue 2173): not checked then.

    Args:
        content: JSON with `blobs[] {blobName, byteCount, dataRowCount}` and, where it has them, their totals.

    Raises:
        BadInput: it is no such JSON, contradicts itself, names a chunk outside the landing folder, or is of another
            dataset than actual cost.
    """
    try:
        document = json.loads(content)
        keys = [blob["blobName"] for blob in document["blobs"]]
        sizes = [_count(arrival, blob, "byteCount") for blob in document["blobs"]]
        rows = [_count(arrival, blob, "dataRowCount") for blob in document["blobs"]]
        config, run = document.get("exportConfig") or {}, document.get("runInfo") or {}
        dataset, run_id = config.get("type"), run.get("runId")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(arrival.name, f"the manifest cannot be read: {error!r}") from error
    if not keys:
        raise BadInput(arrival.name, "the manifest names no chunk", column="blobs")
    for key in keys:
        if not isinstance(key, str) or leaves_the_folder(key):
            raise BadInput(
                arrival.name,
                "the manifest names a chunk that would leave the landing folder",
                column="blobs.blobName",
                value=str(key),
            )
    if len(set(keys)) != len(keys):
        raise BadInput(arrival.name, "the manifest names a chunk twice", column="blobs.blobName")
    if dataset not in (None, "ActualCost", "Usage"):
        reason = _AMORTISED if dataset == "AmortizedCost" else "the manifest is of another dataset than actual cost"
        raise BadInput(arrival.name, reason, column="exportConfig.type", value=str(dataset))
    _require_total(arrival, document, "blobCount", [1] * len(keys))
    _require_total(arrival, document, "byteCount", sizes)
    _require_total(arrival, document, "dataRowCount", rows)
    return Manifest(
        arrival,
        run_id if isinstance(run_id, str) and run_id else arrival.sha256,
        tuple(keys),
        _billing_period(arrival, run),
        {key: size for key, size in zip(keys, sizes, strict=True) if size is not None},
        {key: count for key, count in zip(keys, rows, strict=True) if count is not None},
    )


def _count(arrival: Arrival, stated: Mapping[str, object], name: str) -> int | None:
    value = stated.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise BadInput(arrival.name, "the manifest's number cannot be read", column=name, value=str(value))
    return value


def _require_total(arrival: Arrival, document: Mapping[str, object], name: str, parts: list[int | None]) -> None:
    total = _count(arrival, document, name)
    known = [part for part in parts if part is not None]
    if total is not None and len(known) == len(parts) and total != sum(known):
        reason = f"the manifest contradicts itself: its chunks add up to {sum(known)}"
        raise BadInput(arrival.name, reason, column=name, value=str(total))


def _billing_period(arrival: Arrival, run: Mapping[str, object]) -> str | None:
    """Return the month of a run, None where it says none or spans several (an export of a custom range)."""
    months = []
    for name in ("startDate", "endDate"):
        stated = run.get(name)
        if stated is None:
            return None
        match = _MONTH.match(str(stated))
        if match is None:
            raise BadInput(
                arrival.name, "the manifest's dates cannot be read", column=f"runInfo.{name}", value=str(stated)
            )
        months.append(match[1])
    return months[0] if months[0] == months[1] else None


AZURE_COSTS = VendorFormat(
    name="azure_costs",
    title="an Azure cost details file",
    columns={
        "invoice_id": Column(),
        "previous_invoice_id": Column(),
        "billing_account_id": Column(required=True, nullable=False),
        "billing_account_name": Column(),
        "billing_period_start_date": Column("instant", required=True, nullable=False, month_first=True),
        "billing_period_end_date": Column("instant", required=True, nullable=False, month_first=True),
        "service_period_end_date": Column("instant", month_first=True),
        "date": Column("instant", required=True, nullable=False, month_first=True),
        "customer_tenant_id": Column(),
        "customer_name": Column(),
        "subscription_id": Column(required=True),
        "subscription_name": Column(),
        "service_family": Column(),
        "product_id": Column(),
        "product_name": Column(aliases=("Product",)),
        "product_order_name": Column(),
        "consumed_service": Column(),
        "meter_id": Column(required=True),
        "meter_category": Column(required=True),
        "meter_name": Column(repeats=True),
        "meter_region": Column(),
        "part_number": Column(),
        "plan_name": Column(),
        "publisher_type": Column(required=True),
        "publisher_name": Column(),
        "resource_id": Column(),
        "resource_location": Column(),
        "quantity": Column("amount", required=True, is_double=True),
        "unit_of_measure": Column(),
        # Only the amortised dataset has these; it would bill a reservation's term beside its purchase.
        "charge_type": Column(
            required=True, nullable=False, refused=dict.fromkeys(("UnusedReservation", "UnusedSavingsPlan"), _AMORTISED)
        ),
        "frequency": Column(),
        "pricing_model": Column(),
        "billing_currency": Column(
            required=True, nullable=False, is_currency=True, aliases=("BillingCurrencyCode", "Currency")
        ),
        "pricing_currency": Column(),
        "cost_in_billing_currency": Column("amount", required=True, nullable=False, is_double=True, aliases=("Cost",)),
        "cost_in_pricing_currency": Column("amount", is_double=True),
        "payg_cost_in_billing_currency": Column("amount", is_double=True),
        "pay_g_price": Column("amount", is_double=True),
        "exchange_rate_pricing_to_billing": Column("amount", is_double=True),
        "reservation_name": Column(),
        "benefit_name": Column(),
        "tags": Column(),
    },
    staging_sql="staging/azure_costs",
    invoice_id_column="invoice_id",
    carriers=("csv", "csv.gz", "parquet"),
    # FOCUS exports, and the two reconciliation formats of Partner Center, share many names.
    foreign_columns=frozenset(
        {"chargecategory", "billedcost", "billingpretaxtotal", "pctobcexchangerate", "entitlementid", "subtotal"}
    ),
    manifest=ManifestReader("manifest.json", read_export_manifest),
)
