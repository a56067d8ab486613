"""Publishing: the lake and the ledger of a workspace become its warehouse."""

from datetime import date

from billing_pipeline.periods import BillingPeriod
from resources.invoice_runs import Books
from resources.lake import Lake
from resources.ledger import invoices_frames, open_ledger, remove_old_snapshots
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
    warehouse = Warehouse(workspace.warehouse, Lake(workspace.lake), temporary)
    return publish_books(warehouse, Books(config, warehouse.lake, engine), as_of_day)


def publish_books(
    warehouse: Warehouse, books: Books, as_of_day: date, period: BillingPeriod | None = None
) -> dict[str, int]:
    """Build a warehouse as `publish_warehouse` does, from any lake and ledger.

    Args:
        period: the only billing period to publish; None for all.
    """
    counts = warehouse.publish(books.config, invoices_frames(books.engine), as_of_day, period)
    # The warehouse before this one may have shown them; this one does not.
    remove_old_snapshots(books.engine, warehouse.lake)
    return counts
