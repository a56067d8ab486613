"""Write the sample distributor's invoices in every carrier, and the templates of the interchange format.

What does not belong here: what the files say (`billing_pipeline.samples`), the vendors (`sample_files`).
"""

from datetime import date
from pathlib import Path

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.catalogue import World
from billing_pipeline.samples.distributor_invoice import as_csv, as_json, as_xlsx
from billing_pipeline.samples.distributor_items import DistributorInvoice, distributor_invoices
from billing_pipeline.samples.sources import DISTRIBUTOR
from billing_pipeline.samples.templates import template_invoices
from resources.sample_chunks import received_folder

_JSON_DAY, _XLSX_DAY = 9, 15


def write_distributor(home: Path, world: World, month: BillingPeriod, seed: int) -> list[Path]:
    """Write each day's invoices into the folder of the day on which they were issued.

    Args:
        home: the workspace folder; the source is `dist`.
        world: customers who buy.
        month: the billing period.
        seed: another seed writes other files.

    Returns:
        A file for each day: CSV, JSON or XLSX.
    """
    by_day: dict[date, list[DistributorInvoice]] = {}
    for invoice in distributor_invoices(world, month, seed):
        by_day.setdefault(invoice.invoice_date, []).append(invoice)
    paths = []
    for day, invoices in by_day.items():
        place = received_folder(home, DISTRIBUTOR, day)
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
