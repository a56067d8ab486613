"""Write the sample world's Microsoft files: FOCUS, cost details, new-commerce reconciliation, daily rated usage.

What does not belong here: what the files say (`billing_pipeline.samples`), the other vendors (`sample_files`).
"""

import gzip
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples import azure_costs, azure_export, focus
from billing_pipeline.samples.catalogue import World, build_world, customer_count
from billing_pipeline.samples.microsoft_columns import DAILY_COLUMNS, NCE_COLUMNS
from billing_pipeline.samples.microsoft_files import (
    Record,
    blob_name,
    csv_blocks,
    invoice_number,
    json_blocks,
    manifest,
)
from billing_pipeline.samples.ms_daily import DailyRatedUsage
from billing_pipeline.samples.ms_nce import NewCommerceReconciliation
from billing_pipeline.samples.sources import AZURE, AZURE_COSTS, MS_DAILY, MS_NCE
from resources.sample_chunks import chunk_count, final_day, received_folder, write_gzip

_BLOBS = 2


def write_focus(home: Path, world: World, month: BillingPeriod, rows: int, seed: int) -> Path:
    """Write one month of a FOCUS file in a single part.

    Args:
        home: the workspace folder; the source is `azure`.
        world: subscriptions that use something.
        month: the billing period.
        rows: data rows, at least 40.
        seed: another seed writes another file.

    Returns:
        The file.
    """
    report = focus.FocusReport(world, month, rows, seed)
    folder = received_folder(home, AZURE, final_day(month))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"focus-cost-{month}.csv.gz"
    write_gzip([path], report.header, report.blocks(), rows)
    return path


def write_azure_costs(home: Path, month: BillingPeriod, rows: int = 2_000, seed: int = 1) -> list[Path]:
    """Write one month of a partner's Azure cost details: parts and manifest, as Cost Management exports them.

    Args:
        home: the workspace folder; the source is `azure-costs`.
        month: the billing period.
        rows: data rows, at least 40.
        seed: another seed writes other files.

    Returns:
        The files written: the parts, then the manifest.
    """
    world = build_world(customer_count(rows), AZURE_COSTS)
    run = azure_export.run_id(month, rows, seed)
    arrived = received_folder(home, AZURE_COSTS, final_day(month))
    folder = arrived / azure_export.EXPORT / azure_export.period_folder(month)
    (folder / run).mkdir(parents=True, exist_ok=True)
    report = azure_costs.AzureCostDetails(world, month, rows, seed)
    count = chunk_count(rows)
    parts = [folder / run / azure_export.part_name(number) for number in range(1, count + 1)]
    part_rows = write_gzip(parts, report.header, report.blocks(), -(-rows // count))
    sizes = [part.stat().st_size for part in parts]
    path = folder / run / "manifest.json"
    path.write_bytes(azure_export.manifest(world, month, run, list(zip(sizes, part_rows, strict=True))))
    return [*parts, path]


def write_ms_nce(
    home: Path, month: BillingPeriod, rows: int = 1_000, seed: int = 1, is_final: bool = True
) -> list[Path]:
    """Write one month of a partner's new-commerce reconciliation as Partner Center offers it: one CSV per invoice.

    Args:
        home: the workspace folder; the source is `ms-nce`.
        month: the billing period.
        rows: data rows, at least 40.
        seed: another seed writes another file.
        is_final: whether the invoice exists; unbilled rows come on the month's last day.

    Returns:
        The file written.
    """
    folder = received_folder(home, MS_NCE, _arrival(month, is_final))
    folder.mkdir(parents=True, exist_ok=True)
    report = NewCommerceReconciliation(build_world(customer_count(rows)), month, rows, seed, is_final)
    path = folder / f"{invoice_number(MS_NCE, month) if is_final else 'unbilled'}_recon.csv"
    with path.open("wb") as stream:
        stream.write(",".join(NCE_COLUMNS).encode() + b"\n")
        for block in csv_blocks(report.records(), NCE_COLUMNS, "Subtotal"):
            stream.write(block.text)
    return [path]


def write_ms_daily(
    home: Path, month: BillingPeriod, rows: int = 2_000, seed: int = 1, is_final: bool = True
) -> list[Path]:
    """Write one month of a partner's daily rated usage as Microsoft Graph exports it: JSON Lines blobs and a manifest.

    Args:
        home: the workspace folder; the source is `ms-daily`.
        month, rows, seed, is_final: as for `write_ms_nce`.

    Returns:
        The files written: two blobs, then the manifest.
    """
    folder = received_folder(home, MS_DAILY, _arrival(month, is_final)) / str(month)
    folder.mkdir(parents=True, exist_ok=True)
    records = DailyRatedUsage(build_world(customer_count(rows)), month, rows, seed, is_final).records()
    names = [blob_name(month, seed, number) for number in range(_BLOBS)]
    for name in names:
        _write_blob(folder / name, islice(records, -(-rows // _BLOBS)))
    path = folder / "manifest.json"
    path.write_bytes(manifest(MS_DAILY, month, seed, names, "billedusage", is_final))
    return [*(folder / name for name in names), path]


def _write_blob(path: Path, records: Iterator[Record]) -> None:
    # No name and no time in the header: the same rows give the same bytes.
    with path.open("wb") as file, gzip.GzipFile("", "wb", 1, file, mtime=0) as stream:
        for block in json_blocks(records, DAILY_COLUMNS, "BillingPreTaxTotal"):
            stream.write(block.text)


def _arrival(month: BillingPeriod, is_final: bool) -> date:
    return final_day(month) if is_final else month.end_day - timedelta(days=1)
