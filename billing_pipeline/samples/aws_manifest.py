"""The manifest of a Cost and Usage Report: which chunks make up which assembly."""

import json

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.aws_columns import COLUMNS
from billing_pipeline.samples.catalogue import World
from billing_pipeline.samples.seeds import code, guid

REPORT = "meltemi-cur-hourly"
BUCKET = "meltemi-billing-reports"
PREFIX = "cur"


def period_folder(month: BillingPeriod) -> str:
    """Return the folder AWS makes for a month: `20261001-20261101`."""
    return f"{month.first_day:%Y%m%d}-{month.end_day:%Y%m%d}"


def assembly_id(month: BillingPeriod, rows: int, seed: int) -> str:
    """Return the id of one assembly; another seed or number of rows is another assembly."""
    return guid(f"assembly/{month}/{rows}/{seed}")


def chunk_name(number: int) -> str:
    """Return the file name of a chunk, the first is 1."""
    return f"{REPORT}-{number}.csv.gz"


def manifest(world: World, month: BillingPeriod, assembly: str, chunks: int) -> bytes:
    """Return `<report>-Manifest.json` as AWS writes it.

    Args:
        assembly: id of the assembly that the chunks belong to.
        chunks: how many chunks it has.
    """
    folder = f"{PREFIX}/{REPORT}/{period_folder(month)}/{assembly}"
    document = {
        "assemblyId": assembly,
        "account": world.payer_account_id,
        "columns": [_column(name) for name in COLUMNS],
        "charset": "UTF-8",
        "compression": "GZIP",
        "contentType": "text/csv",
        "reportId": code(f"report/{world.payer_account_id}", 30, "0123456789abcdef"),
        "reportName": REPORT,
        "billingPeriod": {
            "start": f"{month.first_day:%Y%m%d}T000000.000Z",
            "end": f"{month.end_day:%Y%m%d}T000000.000Z",
        },
        "bucket": BUCKET,
        "reportKeys": [f"{folder}/{chunk_name(number)}" for number in range(1, chunks + 1)],
        "additionalArtifactKeys": [],
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def _column(name: str) -> dict[str, str]:
    category, _, rest = name.partition("/")
    return {"category": category, "name": rest}
