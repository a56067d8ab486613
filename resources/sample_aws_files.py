"""Write the sample world's AWS files: both Cost and Usage Reports and the detailed billing report.

What does not belong here: what the files say (`billing_pipeline.samples`), the other vendors (`sample_files`).
"""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples import aws_cur, aws_cur2, aws_dbr, aws_manifest
from billing_pipeline.samples.catalogue import World, build_world, customer_count
from billing_pipeline.samples.sources import AWS, AWS_CUR2, AWS_DBR
from resources.sample_chunks import FINAL_ON_DAY, chunk_count, final_day, received_folder, write_gzip


def write_aws_cur(home: Path, world: World, month: BillingPeriod, rows: int, seed: int) -> list[Path]:
    """Write one month of a Cost and Usage Report (legacy), as AWS lays it out.

    Args:
        home: the workspace folder; the source is `aws`.
        world: accounts that use something.
        month: the billing period.
        rows: data rows, at least 400.
        seed: another seed writes other files.

    Returns:
        The chunks, the manifest beside them and its copy in the period's root.
    """
    assembly = aws_manifest.assembly_id(month, rows, seed)
    root = received_folder(home, AWS, final_day(month)) / aws_manifest.REPORT / aws_manifest.period_folder(month)
    report = aws_cur.AwsCostAndUsageReport(world, month, rows, seed)
    chunks = chunk_count(rows)
    (root / assembly).mkdir(parents=True, exist_ok=True)
    paths = [root / assembly / aws_manifest.chunk_name(number) for number in range(1, chunks + 1)]
    write_gzip(paths, report.header, report.blocks(), -(-rows // chunks))
    content = aws_manifest.manifest(world, month, assembly, chunks)
    for place in (root / assembly, root):
        path = place / f"{aws_manifest.REPORT}-Manifest.json"
        path.write_bytes(content)
        paths.append(path)
    return paths


def write_aws_cur2(home: Path, month: BillingPeriod, rows: int = 2_000, seed: int = 1, day: int = 8) -> list[Path]:
    """Write one month of a Cost and Usage Report 2.0: `data` and `metadata` folders, as Data Exports lay them out.

    Args:
        home: the workspace folder; the source is `aws-cur2`.
        month: the billing period.
        rows: data rows, at least 400.
        seed: another seed writes other files.
        day: of the month after, on which the files arrive; before the 8th there is no invoice id yet.

    Returns:
        The files written: the chunks, then the manifest.
    """
    arrived = month.end_day.replace(day=day)
    export = received_folder(home, AWS_CUR2, arrived) / aws_cur2.EXPORT
    data, metadata = (export / name / aws_cur2.partition(month) for name in ("data", "metadata"))
    data.mkdir(parents=True, exist_ok=True)
    metadata.mkdir(parents=True, exist_ok=True)
    report = aws_cur2.AwsCur2Report(build_world(customer_count(rows), AWS_CUR2), month, rows, seed, day >= FINAL_ON_DAY)
    count = chunk_count(rows)
    chunks = [data / aws_cur2.chunk_name(number) for number in range(1, count + 1)]
    write_gzip(chunks, report.header, report.blocks(), -(-rows // count))
    path = metadata / f"{aws_cur2.EXPORT}-Manifest.json"
    path.write_bytes(aws_cur2.manifest(month, aws_cur2.execution_id(month, rows, seed), count))
    return [*chunks, path]


def write_aws_dbr(home: Path, month: BillingPeriod, rows: int = 2_000, seed: int = 1, day: int = 8) -> Path:
    """Write one month of a detailed billing report, a CSV inside a zip, with its totals.

    Args:
        home: the workspace folder; the source is `aws-dbr`, whose currency must be stated: EUR.
        month: the billing period.
        rows: charges, at least 400; the totals come on top.
        seed: another seed writes another file.
        day: of the month after, on which the file arrives; before the 8th everything is `Estimated`.

    Returns:
        The zip.
    """
    world = build_world(customer_count(rows), AWS_DBR)
    report = aws_dbr.AwsDetailedBillingReport(world, month, rows, seed, day >= FINAL_ON_DAY)
    folder = received_folder(home, AWS_DBR, month.end_day.replace(day=day))
    folder.mkdir(parents=True, exist_ok=True)
    name = aws_dbr.file_name(world, month)
    path = folder / f"{name}.zip"
    # A ZipInfo made from a name alone has a fixed date: the same rows give the same bytes.
    member = ZipInfo(name)
    member.compress_type = ZIP_DEFLATED
    with ZipFile(path, "w") as archive, archive.open(member, "w", force_zip64=True) as stream:
        stream.write(report.header)
        for block in report.blocks():
            stream.write(block.text)
    return path
