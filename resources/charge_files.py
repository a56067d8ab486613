"""The files that a day's customer charges are made into: workbook, CSV and Parquet, in exports/customer_charges/."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb

from billing_pipeline.charges.request import FORMATS, View
from billing_pipeline.configuration import Organisation
from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES
from resources.exports import TITLE, ListOrigin, export_charges
from resources.lake import Lake
from resources.relations import read_partitions

_ALL_CHARGES = View()
# As the files in it (`exports.READERS`).
_READERS = 0o750


def write_day_files(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    organisation: Organisation,
    exports: Path,
    day: str,
    view: View = _ALL_CHARGES,
) -> list[Path]:
    """Write the files of one day of arrival, or remove them when the day has no charges any more.

    Args:
        organisation: whether invoice numbers are shown, and where they link to.
        exports: the folder of files made for people.
        day: partition key, `YYYY-MM-DD`.
        view: columns, rows and order of the files, and which formats there are; all three if it does not say.

    Returns:
        The files, none for a day without charges.
    """
    request = view.request()
    request = replace(request, formats=request.formats or FORMATS)
    folder = exports / "customer_charges" / day
    read_partitions(connection, "charges_of_day", CUSTOMER_CHARGES, lake, [day])
    found = connection.execute("select count(*) from charges_of_day").fetchone()
    if not found or found[0] == 0:
        shutil.rmtree(folder, ignore_errors=True)
        return []
    exports.mkdir(parents=True, exist_ok=True)
    for private in (folder.parent, folder):
        private.mkdir(_READERS, exist_ok=True)
    summary = export_charges(
        connection,
        "select * from charges_of_day",
        request,
        folder,
        show_invoice_numbers=organisation.show_invoice_numbers,
        invoice_link=organisation.invoice_link,
        origin=ListOrigin.of_days(organisation.name, [date.fromisoformat(day)]),
    )
    # An earlier run may have made other formats: they would show other charges than these.
    for path in {folder / f"{TITLE}.{name}" for name in FORMATS} - set(summary.files):
        path.unlink(missing_ok=True)
    return list(summary.files)
