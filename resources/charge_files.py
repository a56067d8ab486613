"""The files that a day's customer charges are made into: workbook, CSV and Parquet, in exports/customer_charges/."""

import shutil

import duckdb

from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES
from resources.exports import ExportRequest, export_charges
from resources.lake import Lake
from resources.relations import read_partitions
from resources.workspace import Workspace

_FORMATS = ("xlsx", "csv", "parquet")


def write_day_files(connection: duckdb.DuckDBPyConnection, workspace: Workspace, lake: Lake, day: str) -> list[str]:
    """Write the files of one day of arrival, or remove them when the day has no charges any more.

    Args:
        day: partition key, `YYYY-MM-DD`.

    Returns:
        Paths of the files, empty for a day without charges.
    """
    folder = workspace.exports / "customer_charges" / day
    read_partitions(connection, "charges_of_day", CUSTOMER_CHARGES, lake, [day])
    found = connection.execute("select count(*) from charges_of_day").fetchone()
    if not found or found[0] == 0:
        shutil.rmtree(folder, ignore_errors=True)
        return []
    folder.mkdir(parents=True, exist_ok=True)
    organisation = workspace.load_config().organisation
    summary = export_charges(
        connection,
        "select * from charges_of_day",
        ExportRequest.parse(formats=_FORMATS),
        folder,
        show_invoice_numbers=organisation.show_invoice_numbers,
        invoice_link=organisation.invoice_link,
    )
    return [str(file) for file in summary.files]
