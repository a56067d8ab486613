"""Publishing: the lake and the ledger of a workspace become its warehouse."""

from datetime import date

import polars as pl
from sqlalchemy import select

from billing_pipeline.ledger.tables import invoice_line_charges
from resources.lake import Lake
from resources.ledger import invoices_frames, open_ledger, reading
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
    documents = invoices_frames(engine)
    with reading(engine).connect() as connection:
        charges = connection.execute(select(invoice_line_charges)).all()
    schema = {"invoice_id": pl.String, "line_number": pl.Int32, "charge_id": pl.String}
    documents["invoice_line_charges"] = pl.DataFrame([tuple(row) for row in charges], schema=schema, orient="row")
    temporary = workspace.home / ".duckdb"
    temporary.mkdir(parents=True, exist_ok=True)
    return Warehouse(workspace.warehouse, Lake(workspace.lake), temporary).publish(config, documents, as_of_day)
