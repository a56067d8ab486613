"""The files that a day's customer charges are made into: workbook, CSV and Parquet, in exports/customer_charges/."""

import shutil
from pathlib import Path

import duckdb

from billing_pipeline.configuration import Organisation
from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES
from resources.exports import ExportRequest, export_charges
from resources.lake import Lake
from resources.relations import read_partitions

_FORMATS = ("xlsx", "csv", "parquet")


def write_day_files(
    connection: duckdb.DuckDBPyConnection, lake: Lake, organisation: Organisation, exports: Path, day: str
) -> list[Path]:
    """Write the files of one day of arrival, or remove them when the day has no charges any more.

    Args:
        organisation: whether invoice numbers are shown, and where they link to.
        exports: the folder of files made for people.
        day: partition key, `YYYY-MM-DD`.

    Returns:
        The files, none for a day without charges.
    """
    folder = exports / "customer_charges" / day
    read_partitions(connection, "charges_of_day", CUSTOMER_CHARGES, lake, [day])
    found = connection.execute("select count(*) from charges_of_day").fetchone()
    if not found or found[0] == 0:
        shutil.rmtree(folder, ignore_errors=True)
        return []
    folder.mkdir(parents=True, exist_ok=True)
    summary = export_charges(
        connection,
        "select * from charges_of_day",
        ExportRequest.parse(formats=_FORMATS),
        folder,
        show_invoice_numbers=organisation.show_invoice_numbers,
        invoice_link=organisation.invoice_link,
    )
    return list(summary.files)
