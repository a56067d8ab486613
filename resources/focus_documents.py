"""Documents as relations of a session, for the FOCUS export: heads, lines, taxes and credits, and the charges behind.

What does not belong here: what the rows of the export are (`sql/focus/`), writing them (`resources.focus_export`).
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import duckdb
import polars as pl

from billing_pipeline.configuration import WorkspaceConfig
from billing_pipeline.documents.formatting import format_amount, plain_decimal
from billing_pipeline.errors import BillingError
from billing_pipeline.invoicing import Invoice
from billing_pipeline.line_conversion import line_conversion
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.schemas.focus_export import SERVICE_CATEGORIES
from resources.billed_charges import Snapshot, SnapshotMissing, find_snapshot, select_billed
from resources.carriers import sha256_of
from resources.lake import Lake
from resources.relations import register_frames

_PRECISE = pl.Decimal(38, 24)
_PAYABLE = pl.Decimal(28, 4)
_TEXT = pl.String()
_DOCUMENTS = {
    "invoice_id": _TEXT, "invoice_number": _TEXT, "customer_id": _TEXT, "customer_name": _TEXT, "issuer_name": _TEXT,
    "currency": _TEXT, "first_day": pl.Date(), "end_day": pl.Date(), "is_credit_note": pl.Boolean(),
    "total": _PAYABLE, "charges_sha256": _TEXT,
}  # fmt: skip
_LINES = {
    "invoice_id": _TEXT, "line_number": pl.Int32(), "line_kind": _TEXT, "product_type": _TEXT, "product_id": _TEXT,
    "product_name": _TEXT, "description": _TEXT, "quantity": pl.Decimal(38, 18), "unit": _TEXT,
    "amount_precise": _PRECISE, "charged_amount": _PRECISE, "tax_category": _TEXT, "charge_count": pl.Int64(),
    "service_start": pl.Date(), "service_end": pl.Date(), "reference": _TEXT,
}  # fmt: skip
_EXTRAS = {
    "invoice_id": _TEXT, "position": pl.Int32(), "line_kind": _TEXT, "charge_category": _TEXT, "amount": _PAYABLE,
    "description": _TEXT, "service_name": _TEXT, "publisher_name": _TEXT, "tax_category": _TEXT,
}  # fmt: skip
_CONVERTED = {"invoice_id": _TEXT, "line_number": pl.Int32(), "charged_amount": _PRECISE, "amount": _PRECISE}
_AT_ONCE = 50_000


class ChargesDisagree(BillingError):
    """The charges behind a line are not those that it bills."""


def name_documents(
    connection: duckdb.DuckDBPyConnection,
    documents: Sequence[Invoice],
    snapshots: dict[str, Snapshot],
    config: WorkspaceConfig,
    lake: Lake,
) -> None:
    """Name the relations that `sql/focus/` reads: documents, their lines, taxes and credits, and the charges behind.

    Args:
        snapshots: the snapshot of charges of each document that has one, by its id.
        config: names the vendor of each source.

    Raises:
        SnapshotMissing: a snapshot is not in the lake, or its bytes have changed.
        ChargesDisagree: the charges behind a line do not add up to it.
    """
    lines = [row for document in documents for row in _lines(document)]
    extras = [row for document in documents for row in _extras(document)]
    vendors = [(source.id, source.vendor) for source in config.sources]
    register_frames(
        connection,
        [
            ("documents", _frame([_head(document, snapshots) for document in documents], _DOCUMENTS)),
            ("document_lines", _frame(lines, _LINES)),
            ("document_extras", _frame(extras, _EXTRAS)),
            ("source_vendors", _frame(vendors, {"source": _TEXT, "vendor": _TEXT})),
            ("service_categories", pl.DataFrame({"service_category": SERVICE_CATEGORIES})),
        ],
    )
    _name_billed(connection, {snapshots[one.invoice_id] for one in documents if one.invoice_id in snapshots}, lake)
    register_frames(connection, [("converted_charges", _converted(connection, documents))])


def _name_billed(connection: duckdb.DuckDBPyConnection, snapshots: Iterable[Snapshot], lake: Lake) -> None:
    """Name `billed`, the charges behind the documents, after checking that they are what was billed."""
    for snapshot in sorted(snapshots):
        path = find_snapshot(lake, snapshot)
        if sha256_of(path) != snapshot[1]:
            raise SnapshotMissing(f"the charges billed in {snapshot[0]} have changed since they were written: {path}")
    connection.execute(f"create or replace temp view billed as {select_billed(lake, snapshots, 'documents')}")
    wrong = connection.execute(
        "select l.invoice_id, l.line_number from document_lines as l left join"
        " (select invoice_id, line_number, count(*) as charges, sum(amount_precise) as amount from billed group by all)"
        " as b on l.invoice_id = b.invoice_id and l.line_number = b.line_number where l.charge_count > 0"
        " and (b.charges is distinct from l.charge_count"
        " or b.amount is distinct from coalesce(l.charged_amount, l.amount_precise))"
        " order by all limit 1"
    ).fetchone()
    if wrong is not None:
        raise ChargesDisagree(f"{wrong[0]} line {wrong[1]}: the charges behind it are not those it was made of")


def _converted(connection: duckdb.DuckDBPyConnection, documents: Sequence[Invoice]) -> pl.DataFrame:
    """Return each amount of a charge in a foreign currency with what it is in its document's."""
    foreign = {
        (document.invoice_id, line.line_number): convert
        for document in documents
        for line in document.lines
        if line.charge_count and (convert := line_conversion(line, document)) is not None
    }
    frames = [pl.DataFrame(schema=_CONVERTED)]
    if foreign:
        register_frames(
            connection,
            [("foreign_lines", _frame(list(foreign), {"invoice_id": _TEXT, "line_number": pl.Int32()}))],
        )
        found = connection.execute(
            "select distinct invoice_id, line_number, amount_precise from billed"
            " semi join foreign_lines using (invoice_id, line_number)"
        )
        while rows := found.fetchmany(_AT_ONCE):
            frames.append(_frame([(*row, foreign[row[:2]](row[2])) for row in rows], _CONVERTED))
    return pl.concat(frames)


def _frame(rows: Sequence[tuple[Any, ...]], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


def _head(document: Invoice, snapshots: dict[str, Snapshot]) -> tuple[Any, ...]:
    period = BillingPeriod(document.billing_period)
    snapshot = snapshots.get(document.invoice_id)
    return (
        document.invoice_id, document.invoice_number, document.customer.id, document.customer.name,
        document.organisation.name, document.currency, period.first_day, period.end_day,
        document.document_type == "credit_note", document.total, snapshot and snapshot[1],
    )  # fmt: skip


def _lines(document: Invoice) -> list[tuple[Any, ...]]:
    rows = []
    for line in document.lines:
        service = BillingPeriod(line.service_period or document.billing_period)
        rows.append((
            document.invoice_id, line.line_number, line.line_kind, line.product_type, line.product_id,
            line.product_name, line.description, line.quantity, line.unit, line.amount_precise, line.charged_amount,
            line.tax_category, line.charge_count, service.first_day, service.end_day, line.reference,
        ))  # fmt: skip
    return rows


def _extras(document: Invoice) -> list[tuple[Any, ...]]:
    """Return the taxes and the credits applied, in the document's order."""
    rows: list[tuple[Any, ...]] = []
    for tax in document.taxes:
        text = f"{tax.name}: {plain_decimal(tax.percent)} % of {format_amount(tax.base, document.currency)}"
        rows.append((len(rows), "tax", "Tax", tax.amount, text, "Tax", None, tax.tax_category))
    for use in document.credits:
        amount = Decimal(0) - use.amount
        rows.append(
            (len(rows), "credit_applied", "Credit", amount, f"Credit {use.credit_id}", "Credits", use.vendor, None)
        )
    return [(document.invoice_id, *row) for row in rows]
