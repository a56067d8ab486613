"""Publishing: the lake and the ledger of a workspace become its warehouse, and what only its predecessor read goes."""

from collections.abc import Mapping
from datetime import date

import polars as pl
from filelock import FileLock

from billing_pipeline.periods import BillingPeriod
from resources.archive import Archive
from resources.converted_files import remove_unlisted
from resources.invoice_runs import Books
from resources.lake import Lake
from resources.ledger import invoices_frames, open_ledger, remove_old_snapshots
from resources.reference_rows import rows_in_force
from resources.unfinished_work import LAST_ASSETS, UnfinishedWork
from resources.warehouse import Warehouse
from resources.workspace import Workspace


def publish_warehouse(workspace: Workspace, as_of_day: date) -> dict[str, int]:
    """Build the warehouse anew and put it in place in one step.

    Args:
        as_of_day: the day for which periods are open or not.

    Returns:
        Rows of each table.
    """
    config = workspace.load_config()
    engine = open_ledger(config.ledger.url, workspace.home)
    temporary = workspace.home / ".duckdb"
    temporary.mkdir(parents=True, exist_ok=True)
    warehouse = Warehouse(workspace.warehouse, Lake(workspace.lake), temporary, Archive(workspace.archive))
    work = UnfinishedWork(workspace.home)
    # One after the other from reading the ledger on: whoever reads it last publishes last.
    with FileLock(temporary / "publishing.lock"):
        changes = work.changes()
        special_prices = rows_in_force(workspace.home, config.organisation.zone, "special_prices")
        counts = publish_books(warehouse, Books(config, warehouse.lake, engine), special_prices, as_of_day)
        remove_unlisted(warehouse.lake, work.days(*LAST_ASSETS))
        work.finish_changes(changes)
    return counts


def publish_changes(workspace: Workspace, as_of_day: date) -> None:
    """Build the warehouse anew if anything has changed since it was published, by this process or by one that died."""
    if UnfinishedWork(workspace.home).changes():
        publish_warehouse(workspace, as_of_day)


def publish_books(
    warehouse: Warehouse,
    books: Books,
    special_prices: pl.DataFrame,
    as_of_day: date,
    period: BillingPeriod | None = None,
) -> dict[str, int]:
    """Build a warehouse as `publish_warehouse` does, from any lake and ledger.

    Args:
        special_prices: the reference rows in force, for what their end costs.
        period: the only billing period to publish; None for all.
    """
    documents = invoices_frames(books.engine)
    if period is not None:
        documents = _of_period(documents, period)
    counts = warehouse.publish(books.config, documents, special_prices, as_of_day, period)
    # The warehouse before this one may have shown them; this one does not.
    remove_old_snapshots(books.engine, warehouse.lake)
    return counts


def _of_period(documents: Mapping[str, pl.DataFrame], period: BillingPeriod) -> dict[str, pl.DataFrame]:
    invoices, errors = (
        documents[name].filter(pl.col("billing_period") == period.text) for name in ("invoices", "invoice_errors")
    )
    lines = documents["invoice_lines"].join(invoices, on="invoice_id", how="semi")
    return {**documents, "invoices": invoices, "invoice_lines": lines, "invoice_errors": errors}
