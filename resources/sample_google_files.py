"""Write the sample world's Google files: the reseller export as BigQuery extracts it.

What does not belong here: what the files say (`billing_pipeline.samples`), the other vendors (`sample_files`).
"""

from pathlib import Path

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples import gcp_reseller
from billing_pipeline.samples.catalogue import build_world, customer_count
from billing_pipeline.samples.sources import GCP_RESELLER
from resources.sample_chunks import chunk_count, final_day, received_folder, write_gzip


def write_gcp_reseller(home: Path, month: BillingPeriod, rows: int = 2_000, seed: int = 1) -> list[Path]:
    """Write one month of Google's reseller export: JSON Lines in shards and the job that extracted them.

    Args:
        home: the workspace folder; the source is `gcp`.
        month: the invoice month.
        rows: rows, at least 40.
        seed: another seed writes other files.

    Returns:
        The files written: the shards, then the job as `manifest.json`.
    """
    report = gcp_reseller.GcpResellerExport(build_world(customer_count(rows)), month, rows, seed)
    folder = received_folder(home, GCP_RESELLER, final_day(month)) / gcp_reseller.folder(month)
    folder.mkdir(parents=True, exist_ok=True)
    count = chunk_count(rows)
    shards = [folder / gcp_reseller.shard_name(number) for number in range(count)]
    write_gzip(shards, report.header, report.blocks(), -(-rows // count))
    path = folder / "manifest.json"
    path.write_bytes(gcp_reseller.extract_job(month, rows, seed, count))
    return [*shards, path]
