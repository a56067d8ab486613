"""The day's `invoice_totals.csv` files, from the archive into the lake's `vendor_totals`."""

from collections.abc import Iterable
from pathlib import Path

import duckdb
import polars as pl

from billing_pipeline.deliveries import FileSet, Refused
from billing_pipeline.errors import BadInput
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from billing_pipeline.vendor_totals import read_totals
from resources.archive import Archive
from resources.checksum_files import read_list
from resources.lake import Lake

# Day of arrival, source, name and hash of a file.
TakenTotals = tuple[str, str, str, str]


def totals_frame(file_sets: Iterable[FileSet], archive: Archive, refused: list[Refused]) -> pl.DataFrame:
    """Read files of totals.

    Args:
        file_sets: each is one file, with the checksums it needs.
        refused: gets the files that cannot be read whole.

    Returns:
        A frame with the columns of `vendor_totals`, in its order.
    """
    rows: list[dict[str, object]] = []
    for file_set in file_sets:
        (file,) = file_set.files
        try:
            stated = read_totals(file.name, read_list(file, archive, "a file of totals"))
        except BadInput as error:
            refused.append(Refused(file, error))
            continue
        facts = {
            "source": file_set.source,
            "received_at": file_set.received_at,
            "landed_at": file_set.modified_at,
            "seen_at": file_set.seen_at,
            "file_name": file.name,
            "file_sha256": file.sha256,
        }
        rows += [facts | row for row in stated]
    frame = pl.DataFrame(rows, schema=VENDOR_TOTALS.empty_frame().schema)
    return frame.sort(VENDOR_TOTALS.sorted_by, nulls_last=True)


def taken_totals(lake: Lake) -> set[TakenTotals]:
    """Return every file of totals that the lake holds, with the day of arrival on which it does."""
    files = lake.files(VENDOR_TOTALS.name)
    if not files:
        return set()
    query = (
        "select distinct filename, source, file_name, file_sha256"
        " from read_parquet($files, filename = true, hive_partitioning = false)"
    )
    with duckdb.connect() as connection:
        found = connection.execute(query, {"files": files}).fetchall()
    return {(Path(file).stem, *others) for file, *others in found}
