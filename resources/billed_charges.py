"""Snapshots of billed charges: what stood behind each line of a document when it was drafted, for ever after.

A run of drafts writes one file, `lake/billed_charges/<period>/<SHA-256 of the file>.parquet`, with the charges of the
drafts that are new or changed. It is on disk before the ledger refers to it, and never changes. What does not belong
here: which document refers to which snapshot (`billing_pipeline.ledger`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from billing_pipeline.errors import BillingError
from billing_pipeline.invoicing import Invoice
from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.billed_charges import BILLED_CHARGES
from resources.carriers import sha256_of
from resources.lake import Lake, quoted
from resources.relations import register_frames

_LINES = {
    "customer_id": pl.String(),
    "currency": pl.String(),
    "product_type": pl.String(),
    "product_id": pl.String(),
    "product_name": pl.String(),
    "unit": pl.String(),
    "line_kind": pl.String(),
    "tax_category": pl.String(),
    "invoice_id": pl.String(),
    "line_number": pl.Int32(),
    "service_period": pl.String(),
    "reference": pl.String(),
    "description": pl.String(),
}
# No SHA-256: a file of this name is one that a run did not live to finish.
_UNFINISHED = "unfinished"

# Billing period and name of a snapshot.
Snapshot = tuple[str, str]


class SnapshotMissing(BillingError):
    """The charges that a document billed are not in the lake as they were written."""


def snapshot_name(snapshot: Snapshot) -> str:
    """Return a snapshot's place relative to the lake."""
    period, sha256 = snapshot
    return f"{BILLED_CHARGES.name}/{period}/{sha256}.parquet"


@dataclass(frozen=True)
class SnapshotWriter:
    """Keeps the charges behind the drafts of one period.

    Attributes:
        connection: session with the relations `drafted_items` and `adjustment_items` that the drafts are made from.
        period: billing period of the drafts, `YYYY-MM`.
    """

    connection: duckdb.DuckDBPyConnection
    lake: Lake
    period: str

    def has(self, name: str) -> bool:
        """Tell whether a snapshot of the period is there."""
        return self.lake.locate(snapshot_name((self.period, name))).exists()

    def keep(self, documents: Sequence[Invoice]) -> str | None:
        """Write the charges behind some drafts.

        Returns:
            The snapshot's name, its SHA-256; None if the drafts have no charges.
        """
        lines = [
            (
                document.customer.id, line.charged_currency or document.currency, line.product_type, line.product_id,
                line.product_name, line.unit, line.line_kind, line.tax_category, document.invoice_id, line.line_number,
                line.service_period, line.reference, line.description,
            )
            for document in documents
            for line in document.lines
            if line.charge_count
        ]  # fmt: skip
        if not lines:
            return None
        register_frames(self.connection, [("drafted_lines", pl.DataFrame(lines, schema=_LINES, orient="row"))])
        unfinished, query = f"{self.period}/{_UNFINISHED}", load_sql("invoicing/billed_charges")
        # In the order in which the month's partitions have them, which repeats with their bytes.
        written = self.lake.write(self.connection, BILLED_CHARGES, unfinished, query)
        sha256 = sha256_of(written)
        written.replace(self.lake.root / snapshot_name((self.period, sha256)))
        return sha256


def read_snapshot(lake: Lake, snapshot: Snapshot, invoice_id: str) -> pl.DataFrame:
    """Read the charges behind one document, after checking that the snapshot is what was written.

    Returns:
        The columns of `BILLED_CHARGES`, sorted by line and charge.

    Raises:
        SnapshotMissing: there is no such file, or its bytes have changed.
    """
    path = find_snapshot(lake, snapshot)
    if sha256_of(path) != snapshot[1]:
        raise SnapshotMissing(f"the charges billed by {invoice_id} have changed since they were written: {path}")
    found = pl.scan_parquet(path, hive_partitioning=False).filter(pl.col("invoice_id") == invoice_id).collect()
    return found.sort("line_number", "charge_id")


def select_billed(lake: Lake, snapshots: Iterable[Snapshot], documents: str) -> str:
    """Return a select of the charges behind documents, whatever snapshots they are in.

    Args:
        snapshots: those that the documents refer to.
        documents: a relation with invoice_id and charges_sha256: a snapshot may also hold what was billed by a draft
            that has been replaced since.

    Raises:
        SnapshotMissing: one of them is not there.
    """
    columns = ", ".join(f'"{name}"' for name in BILLED_CHARGES.column_names)
    files = sorted(str(find_snapshot(lake, snapshot).resolve()) for snapshot in snapshots)
    if not files:
        typed = (f'cast(null as {column.type}) as "{column.name}"' for column in BILLED_CHARGES.columns)
        return f"select {', '.join(typed)} where false"
    return (
        f"select {columns} from read_parquet([{', '.join(map(quoted, files))}], filename = true,"
        f" hive_partitioning = false) as snapshots where exists (select 1 from {documents} as documents"
        " where documents.invoice_id = snapshots.invoice_id"
        " and documents.charges_sha256 = parse_filename(snapshots.filename, true))"
    )


def find_snapshot(lake: Lake, snapshot: Snapshot) -> Path:
    """Return a snapshot's file.

    Raises:
        SnapshotMissing: there is none.
    """
    path = lake.locate(snapshot_name(snapshot))
    if not path.exists():
        raise SnapshotMissing(
            f"the charges billed in {snapshot[0]} are not in the lake: {path} does not exist; drafts get it anew when"
            " their month is drafted again, approved documents from a backup"
        )
    return path


def remove_unreferenced(lake: Lake, referenced: Iterable[Snapshot]) -> list[Path]:
    """Remove the snapshots of drafts that have been replaced, and what runs that were killed have left.

    Only of periods in which the ledger knows documents: another ledger's snapshots are left alone. The caller holds the
    ledger's write lock, so that no run is between writing a snapshot and referring to it.

    Args:
        referenced: the snapshots of all documents of the ledger.

    Returns:
        The files removed.
    """
    keep = set(referenced)
    removed = []
    for period in sorted({period for period, _ in keep}):
        for path in sorted((lake.root / BILLED_CHARGES.name / period).glob("*")):
            if (period, path.stem) not in keep:
                path.unlink(missing_ok=True)
                removed.append(path)
    return removed
