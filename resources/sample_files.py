"""Write the sample world's vendor files, reference files and billing.toml into a workspace.

What does not belong here: what the files say (`billing_pipeline.samples`).
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Self

from isal import isal_zlib

from billing_pipeline.errors import BillingError
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples import aws_cur, aws_manifest, focus
from billing_pipeline.samples.blocks import Block
from billing_pipeline.samples.catalogue import World, build_world, customer_count
from billing_pipeline.samples.distributor_invoice import as_csv, as_json, as_xlsx
from billing_pipeline.samples.distributor_items import DistributorInvoice, distributor_invoices
from billing_pipeline.samples.reference_rows import reference_csv
from billing_pipeline.samples.templates import template_invoices

AWS, AZURE, DISTRIBUTOR = "aws", "azure", "dist"
FEWEST_ROWS = 500
ROWS_PER_CHUNK = 1_000_000
# Final AWS and FOCUS files come on this day of the month after; usually five to fifteen business days are needed.
_FINAL_ON_DAY = 8
_JSON_DAY, _XLSX_DAY = 9, 15
# isal's fastest level: vendors' files are read far more often than these are written.
_LEVEL = 1
_GZIP = 31


class TooFewRows(BillingError):
    """A sample with fewer rows than its fixed rows need."""


def write_samples(home: Path, month: BillingPeriod, rows: int = 20_000, seed: int = 1) -> list[Path]:
    """Write one month of vendor files into the landing folders of the sources `aws`, `azure` and `dist`.

    Nothing is held in memory but a few blocks of rows. The same arguments write the same bytes.

    Args:
        home: the workspace folder.
        month: the billing period.
        rows: data rows of AWS (80 %) and Azure (20 %) together; the distributor's 40 or so come on top.
        seed: another seed writes other files.

    Returns:
        The files written, in the order of writing.

    Raises:
        TooFewRows: fewer than 500 rows.
    """
    if rows < FEWEST_ROWS:
        raise TooFewRows(f"a sample has at least {FEWEST_ROWS} rows, not {rows}")
    world = build_world(customer_count(rows))
    aws_rows = rows * 4 // 5
    landing = home / "landing"
    final = month.end_day.replace(day=_FINAL_ON_DAY)
    return [
        *_write_aws(_received(landing / AWS, final), world, month, aws_rows, seed),
        _write_azure(_received(landing / AZURE, final), world, month, rows - aws_rows, seed),
        *_write_distributor(landing / DISTRIBUTOR, world, month, seed),
    ]


def write_sample_reference(home: Path, month: BillingPeriod, rows: int = 20_000) -> list[Path]:
    """Overwrite every `reference/*.csv` with a set that fits the samples of a month.

    Args:
        home: the workspace folder.
        month: terms are valid and recorded since two years before it.
        rows: as for `write_samples`: larger samples have more customers.

    Returns:
        The files written.
    """
    folder = home / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    world = build_world(customer_count(rows))
    paths = []
    for name, content in reference_csv(world, month, AWS, AZURE, DISTRIBUTOR).items():
        path = folder / f"{name}.csv"
        path.write_bytes(content)
        paths.append(path)
    return paths


def sample_billing_toml(time_zone: str = "Europe/Athens") -> str:
    """Return a billing.toml with the sample's organisation and its three sources.

    Args:
        time_zone: IANA name of the organisation's zone.
    """
    return f'''\
[organisation]
id = "meltemi"
name = "Meltemi Cloud A.E."
time_zone = "{time_zone}"
currency = "EUR"
country = "GR"
charges_start_on = 2020-01-01
standard_edition_since = 2019-06-01
show_invoice_numbers = true
invoice_link = "https://shop.meltemi.example/invoices/{{invoice_number}}"
address = "Leoforos Syngrou 112, 11741 Athina"
email = "billing@meltemi.example"
phone = "+30 210 000 0000"
tax_id = "EL000000000"
payment_terms_days = 30
invoice_series = "INV"

[[sources]]
id = "{AWS}"
format = "aws_cur"
vendor = "AWS"
settles_after_business_days = [5, 15]

[[sources]]
id = "{AZURE}"
format = "focus"
vendor = "Microsoft"
settles_after_business_days = [5, 15]

[[sources]]
id = "{DISTRIBUTOR}"
format = "distributor_invoice"
vendor = "Aegean Cloud Distribution"
settles_after_business_days = [0, 5]
'''


def write_invoice_templates(folder: Path) -> list[Path]:
    """Write the distributor invoice's template in each carrier.

    Args:
        folder: for example `docs/templates`; made when missing.

    Returns:
        The three files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    invoices = template_invoices()
    written = []
    for suffix, content in (("csv", as_csv(invoices)), ("json", as_json(invoices)), ("xlsx", as_xlsx(invoices))):
        path = folder / f"distributor_invoice.{suffix}"
        path.write_bytes(content)
        written.append(path)
    return written


def _received(source_folder: Path, day: date) -> Path:
    return source_folder / f"received={day:%Y-%m-%d}"


def _write_aws(folder: Path, world: World, month: BillingPeriod, rows: int, seed: int) -> list[Path]:
    """Write chunks, the manifest beside them and its copy in the period's root, as AWS lays them out."""
    assembly = aws_manifest.assembly_id(month, rows, seed)
    root = folder / aws_manifest.REPORT / aws_manifest.period_folder(month)
    report = aws_cur.AwsCostAndUsageReport(world, month, rows, seed)
    chunks = -(-rows // ROWS_PER_CHUNK)
    (root / assembly).mkdir(parents=True, exist_ok=True)
    paths = [root / assembly / aws_manifest.chunk_name(number) for number in range(1, chunks + 1)]
    _write_gzip(paths, report.header, report.blocks(), -(-rows // chunks))
    content = aws_manifest.manifest(world, month, assembly, chunks)
    for place in (root / assembly, root):
        path = place / f"{aws_manifest.REPORT}-Manifest.json"
        path.write_bytes(content)
        paths.append(path)
    return paths


def _write_azure(folder: Path, world: World, month: BillingPeriod, rows: int, seed: int) -> Path:
    report = focus.FocusReport(world, month, rows, seed)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"focus-cost-{month}.csv.gz"
    _write_gzip([path], report.header, report.blocks(), rows)
    return path


def _write_distributor(folder: Path, world: World, month: BillingPeriod, seed: int) -> list[Path]:
    """Write each day's invoices into the folder of the day on which they were issued."""
    by_day: dict[date, list[DistributorInvoice]] = {}
    for invoice in distributor_invoices(world, month, seed):
        by_day.setdefault(invoice.invoice_date, []).append(invoice)
    paths = []
    for day, invoices in by_day.items():
        place = _received(folder, day)
        place.mkdir(parents=True, exist_ok=True)
        name = f"invoices-{day:%Y-%m-%d}"
        if day.day == _JSON_DAY:
            path, content = place / f"{name}.json", as_json(invoices)
        elif day.day == _XLSX_DAY:
            path, content = place / f"{name}.xlsx", as_xlsx(invoices)
        else:
            path, content = place / f"{name}.csv", as_csv(invoices)
        path.write_bytes(content)
        paths.append(path)
    return paths


def _write_gzip(paths: list[Path], header: bytes, blocks: Iterable[Block], rows_per_file: int) -> None:
    """Write blocks into gzip files that each begin with the header; the next file begins at its share of the rows.

    Compression runs in a thread of its own, one block behind the generator: isal releases the interpreter.
    """
    written_rows, number = 0, 0
    with ThreadPoolExecutor(max_workers=1) as pool, ExitStack() as open_files:
        target = open_files.enter_context(_GzipFile(paths[0]))
        pending = pool.submit(target.write, header)
        for block in blocks:
            pending.result()
            if written_rows >= rows_per_file * (number + 1):
                number += 1
                open_files.close()
                target = open_files.enter_context(_GzipFile(paths[number]))
                target.write(header)
            pending = pool.submit(target.write, block.text)
            written_rows += block.rows
        pending.result()


class _GzipFile:
    """A gzip file without time or name in its header, so that the same rows give the same bytes."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._compressor = isal_zlib.compressobj(_LEVEL, wbits=_GZIP)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.write(self._compressor.flush())
        self._file.close()

    def write(self, content: bytes) -> None:
        """Compress and append."""
        self._file.write(self._compressor.compress(content))
