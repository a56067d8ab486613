"""`Explain this amount`: from an id to the charges, the terms and the vendor rows behind it.

What does not belong here: what an id names (`resources.explained_ids`), how an explanation looks
(`billing_pipeline.cli.explain_command`).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
from sqlalchemy import Engine

from billing_pipeline.explaining.lines import document_facts, explain_line
from billing_pipeline.explaining.model import ChargeExplanation, Explanation
from billing_pipeline.invoicing import Invoice
from billing_pipeline.ledger.documents import list_invoices, load_invoice
from billing_pipeline.periods import local_day
from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES
from resources.archive import Archive
from resources.explained_charges import ChargeReader
from resources.explained_ids import Target, find_target, partition_of_charge, partition_of_sum
from resources.explained_terms import KnownRows
from resources.lake import Lake
from resources.ledger import charges_behind, open_ledger, reading
from resources.reference_files import load_reference
from resources.relations import mark_current, read_deliveries, read_partitions, register_frames
from resources.session import duckdb_session
from resources.workspace import Workspace

Item = Mapping[str, Any]

# Every version of the reference files that was ever taken into use, and to take none now.
_EVER = datetime(9999, 1, 1, tzinfo=UTC)

# The charges of a customer charge that is a sum: only what is billed is in one.
_OF_SUM = (
    "bucket = 'billed' and 'line-' || charge_group_id(delivery_id, null, invoice_number, customer_id, null, product_id,"
    " unit, charge_type, currency) = $id"
)

# How many vendor rows of a charge are read unless all are wanted.
FIRST_ROWS = 10
# It reads one delivery's files; ten million rows of them fit.
MEMORY = "1GB"


def explain(workspace: Workspace, identifier: str, line_number: str | None, every_row: bool) -> Explanation:
    """Explain what an id names.

    Args:
        identifier: see `resources.explained_ids.find_target`.
        line_number: line of a document or of a distributor's invoice, where it is not in the id.
        every_row: whether all vendor rows of every charge are read; else the first ones, and only where one charge is
            explained. Files and row numbers are always complete.

    Raises:
        NothingNamed, SeveralNamed: the id does not name one thing.
    """
    config, lake = workspace.load_config(), Lake(workspace.lake)
    engine = open_ledger(config.ledger.url, workspace.home)
    with charge_reader(workspace) as reader:
        target = find_target(reader.connection, engine, lake, identifier, line_number)
        if target.kind in ("invoice", "invoice_line"):
            return _document(reader, engine, target, every_row)
        items = _items(reader, target)
        charges = reader.explain(items, _rows_of_each(items, every_row))
        problems = tuple(problem for charge in charges for problem in _named_problems(charge))
        if target.kind == "customer_charge":
            problems = (*_sum_problems(reader, target, items), *problems)
        billed_on = _billed_on(engine, lake, items[0]) if len(items) == 1 else ()
        return Explanation(target.kind, target.named, charges=charges, billed_on=billed_on, problems=problems)


@contextmanager
def charge_reader(workspace: Workspace) -> Iterator[ChargeReader]:
    """Open a reader of priced charges over a whole workspace; it takes nothing into use and writes nothing."""
    zone, lake = workspace.load_config().organisation.zone, Lake(workspace.lake)
    with duckdb_session(memory_limit=MEMORY) as connection:
        read_deliveries(connection, lake, None)
        mark_current(connection)
        known = KnownRows(workspace.home, load_reference(workspace.home, zone, _EVER).known)
        yield ChargeReader(connection, lake, Archive(workspace.archive), known, zone)


def _items(reader: ChargeReader, target: Target) -> Sequence[Item]:
    if target.kind == "charge":
        partition = partition_of_charge(reader.lake, target.id)
        return reader.items("charge_id = $id", {"id": target.id}, [] if partition is None else [partition])
    if target.kind == "customer_charge":
        partition = partition_of_sum(reader.lake, target.id)
        days = [] if partition is None else [partition]
        read_partitions(reader.connection, "sums_of_day", CUSTOMER_CHARGES, reader.lake, days)
        return reader.items(_OF_SUM, {"id": target.id}, days)
    if target.line_number is None:
        return reader.items("delivery_id = $id", {"id": target.id}, None)
    parameters = {"id": target.id, "line": target.line_number}
    return reader.items("delivery_id = $id and line_number = $line", parameters, None)


def _sum_problems(reader: ChargeReader, target: Target, items: Sequence[Item]) -> tuple[str, ...]:
    """Compare a customer charge with the charges it is the sum of."""
    [listed] = reader.connection.execute(
        "select total_cost_price, total_sell_price, row_count from sums_of_day where line_item_id = $id",
        {"id": target.id},
    ).fetchall()
    found = tuple(sum(item[name] for item in items) for name in ("total_cost", "total_sell", "row_count"))
    names = ("cost", "price", "number of vendor rows")
    return tuple(
        f"the {name} of the customer charge is {shown}, that of its charges {own}"
        for name, shown, own in zip(names, listed, found, strict=True)
        if shown != own
    )


def _document(reader: ChargeReader, engine: Engine, target: Target, every_row: bool) -> Explanation:
    with reading(engine).connect() as connection:
        invoice = load_invoice(connection, target.id)
    number = None if target.line_number is None else int(target.line_number)
    behind = charges_behind(engine, reader.lake, target.id, number)
    items = _billed_items(reader, invoice, behind)
    charges = () if number is None else reader.explain(items, _rows_of_each(items, every_row))
    by_id = {item["charge_id"]: item for item in items}
    lines = tuple(
        explain_line(invoice, line.line_number, _billed(behind, line.line_number), by_id, charges)
        for line in invoice.lines
        if number is None or line.line_number == number
    )
    problems = (
        *(f"line {line.line_number}: {problem}" for line in lines for problem in line.problems),
        *(problem for charge in charges for problem in _named_problems(charge)),
    )
    return Explanation(target.kind, target.named, document_facts(invoice), lines, problems=problems)


def _billed_items(reader: ChargeReader, invoice: Invoice, behind: pl.DataFrame) -> Sequence[Item]:
    """Return the charges behind a document from its month's days of arrival, and from any other day if one is missing.

    A charge lies in the day on which its delivery arrived, and nearly always that delivery is of the document's month.
    """
    register_frames(reader.connection, [("wanted_ids", behind.select("charge_id").unique())])
    received = reader.connection.execute(
        "select distinct received_at from known_deliveries where billing_period = $period",
        {"period": invoice.billing_period},
    ).fetchall()
    days = sorted({local_day(received_at, reader.zone).isoformat() for (received_at,) in received})
    condition = "charge_id in (select charge_id from wanted_ids) and customer_id = $customer"
    parameters = {"customer": invoice.customer.id}
    items = reader.items(condition, parameters, days)
    if len(items) == behind["charge_id"].n_unique():
        return items
    return reader.items("charge_id in (select charge_id from wanted_ids)", {}, None)


def _billed(behind: pl.DataFrame, line_number: int) -> dict[str, Decimal]:
    rows = behind.filter(pl.col("line_number") == line_number)
    return dict(zip(rows["charge_id"].to_list(), rows["amount_precise"].to_list(), strict=True))


def _billed_on(engine: Engine, lake: Lake, item: Item) -> tuple[str, ...]:
    """Return the lines of documents that hold a charge, `<invoice_id>/<line_number>`."""
    if item["customer_id"] is None:
        return ()
    found = []
    with reading(engine).connect() as connection:
        documents = list_invoices(connection, customer=item["customer_id"])
    # Later documents may adjust it.
    for document in (one for one in documents if one.billing_period >= item["billing_period"]):
        behind = charges_behind(engine, lake, document.invoice_id).filter(pl.col("charge_id") == item["charge_id"])
        found += [f"{document.invoice_id}/{number}" for number in behind["line_number"].to_list()]
    return tuple(found)


def _rows_of_each(items: Sequence[Item], every_row: bool) -> int | None:
    if every_row:
        return None
    return FIRST_ROWS if len(items) == 1 else 0


def _named_problems(charge: ChargeExplanation) -> tuple[str, ...]:
    own = tuple(f"{charge.item['charge_id']}: {problem}" for problem in charge.problems)
    return own if charge.credited is None else (*own, *_named_problems(charge.credited))
