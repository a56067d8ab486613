"""The charges behind documents with the vendors' files and rows they came from, for the detailed CSV.

What does not belong here: how they are written (`billing_pipeline.documents.detailed_csv`).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
from sqlalchemy import Engine

from billing_pipeline.invoicing import Invoice
from resources.charge_rows import charge_files
from resources.lake import Lake
from resources.ledger import charges_behind
from resources.relations import register_frames
from resources.session import duckdb_session

# What is needed to find a charge's rows, under the names of priced_line_items.
_WANTED = (
    "charge_id", "delivery_id", "sub_account_id", "period_start", "charge_nature", "charge_category", "unit",
    "currency", "vendor_line_number",
)  # fmt: skip
# Deliveries are read once for so many charges: documents of a month mostly share them.
_CHARGES_AT_ONCE = 200_000
_MEMORY = "1GB"


def charges_with_files(
    engine: Engine, lake: Lake, invoices: Sequence[Invoice]
) -> Iterator[tuple[Invoice, list[dict[str, Any]]]]:
    """Read the charges behind documents, as they were billed, with their files.

    Args:
        engine: the ledger.
        lake: where the snapshots of billed charges and the vendors' rows are.

    Yields:
        Each document with its charges, sorted by line: columns of `BILLED_CHARGES`, and `files`, a list of
        (file_name, file_sha256, sorted row numbers), empty where the delivery is no longer in the lake.

    Raises:
        SnapshotMissing: a document's snapshot is not in the lake, or is not what was written.
    """
    batch: list[tuple[Invoice, pl.DataFrame]] = []
    for invoice in invoices:
        batch.append((invoice, charges_behind(engine, lake, invoice.invoice_id)))
        if sum(frame.height for _, frame in batch) >= _CHARGES_AT_ONCE:
            yield from _with_files(lake, batch)
            batch = []
    yield from _with_files(lake, batch)


class DocumentCharges:
    """Gives the charges behind one document after the other, reading what they share only once.

    Args:
        engine: the ledger.
        lake: where the snapshots of billed charges and the vendors' rows are.
        invoices: the documents, in the order in which they will be asked for.
    """

    def __init__(self, engine: Engine, lake: Lake, invoices: Sequence[Invoice]) -> None:
        self._found = charges_with_files(engine, lake, invoices)

    def __call__(self, invoice: Invoice) -> list[dict[str, Any]]:
        """Return the charges behind a document; those of documents passed over are gone."""
        return next(charges for found, charges in self._found if found.invoice_id == invoice.invoice_id)


def _with_files(
    lake: Lake, batch: Sequence[tuple[Invoice, pl.DataFrame]]
) -> Iterator[tuple[Invoice, list[dict[str, Any]]]]:
    if not batch:
        return
    files: dict[str, list[tuple[str, str, list[int]]]] = {}
    wanted = pl.concat([frame.select(_WANTED) for _, frame in batch]).unique()
    if wanted.height:
        with duckdb_session(memory_limit=_MEMORY) as connection:
            register_frames(connection, [("billed", wanted.rename({"vendor_line_number": "line_number"}))])
            for row in charge_files(connection, lake, "billed").iter_rows(named=True):
                found = (row["file_name"], row["file_sha256"], row["row_numbers"])
                files.setdefault(row["charge_id"], []).append(found)
    for invoice, frame in batch:
        yield invoice, [{**row, "files": files.get(row["charge_id"], [])} for row in frame.iter_rows(named=True)]
