"""Layout of a Cost Management export: its folders, its parts and their manifest.

Layout: Microsoft Learn, "Create and manage exported data"; the keys of the manifest as in
microsoft/finops-toolkit issue 527.
"""

import json
from collections.abc import Sequence
from datetime import timedelta

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.catalogue import World
from billing_pipeline.samples.seeds import guid

EXPORT = "meltemi-actual-cost"
DIRECTORY = "costs"


def run_id(month: BillingPeriod, rows: int, seed: int) -> str:
    """Return the id of one run of the export; another seed or number of rows is another run."""
    return guid(f"azure_costs/run/{month}/{rows}/{seed}")


def period_folder(month: BillingPeriod) -> str:
    """Return the folder Cost Management makes for a month: `20261001-20261031`."""
    return f"{month.first_day:%Y%m%d}-{month.end_day - timedelta(days=1):%Y%m%d}"


def part_name(number: int) -> str:
    """Return the file name of a part, the first is 1."""
    return f"part_0_{number:04}.csv.gz"


def manifest(world: World, month: BillingPeriod, run: str, parts: Sequence[tuple[int, int]]) -> bytes:
    """Return `manifest.json` as a Cost Management export writes it beside its parts.

    Args:
        run: id of the run, which is the folder's name.
        parts: bytes and data rows of each part.
    """
    account = world.azure_billing_account_id.rsplit("/", maxsplit=1)[-1]
    scope = f"/providers/Microsoft.Billing/billingAccounts/{account}"
    last_day = month.end_day - timedelta(days=1)
    document = {
        "manifestVersion": "2024-04-01",
        "byteCount": sum(size for size, _ in parts),
        "blobCount": len(parts),
        "dataRowCount": sum(rows for _, rows in parts),
        "exportConfig": {
            "exportName": EXPORT,
            "resourceId": f"{scope}/providers/Microsoft.CostManagement/exports/{EXPORT}",
            "dataVersion": "2023-12-01-preview",
            "apiVersion": "2023-07-01-preview",
            "type": "ActualCost",
            "timeFrame": "TheLastMonth",
            "granularity": "Daily",
        },
        "deliveryConfig": {
            "partitionData": True,
            "dataOverwriteBehavior": "OverwritePreviousReport",
            "fileFormat": "Csv",
            "compressionMode": "gzip",
            "containerUri": "/subscriptions/" + guid("azure_costs/storage"),
            "rootFolderPath": DIRECTORY,
        },
        "runInfo": {
            "executionType": "Scheduled",
            "submittedTime": f"{month.end_day + timedelta(days=4):%Y-%m-%d}T04:12:33.1830000Z",
            "runId": run,
            "startDate": f"{month.first_day:%Y-%m-%d}T00:00:00",
            "endDate": f"{last_day:%Y-%m-%d}T00:00:00",
        },
        "blobs": [
            {
                "blobName": f"{DIRECTORY}/{EXPORT}/{period_folder(month)}/{run}/{part_name(number)}",
                "byteCount": size,
                "dataRowCount": rows,
            }
            for number, (size, rows) in enumerate(parts, start=1)
        ],
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
