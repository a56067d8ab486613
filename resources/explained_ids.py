"""What an id names: a document or a line of one, a distributor's invoice or an item of one, a charge or a sum of them.

What does not belong here: reading what stands behind it (`resources.explanations`).
"""

from dataclasses import dataclass
from typing import Literal

import duckdb
from sqlalchemy import Engine, or_, select

from billing_pipeline.errors import BillingError
from billing_pipeline.ledger.tables import invoice_lines, invoices
from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.table import Table
from resources.lake import Lake, quoted
from resources.ledger import reading

_LINE_ITEM = "line-"
_CHARGES = ("use-", "item-")
_SUM = "line-sum-"

TargetKind = Literal["invoice", "invoice_line", "distributor_invoice", "distributor_item", "charge", "customer_charge"]


class NothingNamed(BillingError):
    """No document, line or charge has this id."""


class SeveralNamed(BillingError):
    """The id fits several things; the message lists how to name each."""


@dataclass(frozen=True)
class Target:
    """What is to be explained.

    Attributes:
        kind: what it is.
        id: document id, delivery id of a distributor's invoice, charge id, or the line_item_id of a customer charge
            that is a sum of charges.
        line_number: line of the document or of the distributor's invoice, as text; None for the whole.
        named: an id that names this and nothing else.
    """

    kind: TargetKind
    id: str
    line_number: str | None
    named: str


def find_target(
    connection: duckdb.DuckDBPyConnection, engine: Engine, lake: Lake, identifier: str, line_number: str | None
) -> Target:
    """Return the one thing an id names.

    Args:
        connection: session with `known_deliveries` (`resources.relations.mark_current`).
        identifier: document id or number, distributor's invoice number, both also as `<that>/<line>`; a distributor's
            invoice number after its source and a slash; line_item_id or charge_id.
        line_number: line of the document or of the distributor's invoice, where it is not in the id.

    Raises:
        NothingNamed: there is nothing of this id, or no such line in it.
        SeveralNamed: there are several.
    """
    found = _documents(engine, identifier, line_number)
    found += _distributor_invoices(connection, lake, identifier, line_number)
    head, _, last = identifier.rpartition("/")
    if line_number is None and head and last:
        found += _documents(engine, head, last)
        found += _distributor_invoices(connection, lake, head, last)
    if line_number is None:
        found += _charge(lake, identifier)
    if not found:
        raise NothingNamed(_not_found(engine, identifier, line_number))
    if len(found) > 1:
        listed = "\n".join(f"  {target.named}    {_spoken(target)}" for target in found)
        raise SeveralNamed(f"{identifier!r} names {len(found)} things; name one of them:\n{listed}")
    return found[0]


def partition_of_charge(lake: Lake, charge_id: str) -> str | None:
    """Return the day of arrival in which a charge lies, the newest first, or None."""
    return _partition_with(lake, PRICED_LINE_ITEMS, "charge_id", charge_id)


def partition_of_sum(lake: Lake, line_item_id: str) -> str | None:
    """Return the day of arrival in which a customer charge lies, the newest first, or None."""
    return _partition_with(lake, CUSTOMER_CHARGES, "line_item_id", line_item_id)


def _partition_with(lake: Lake, table: Table, column: str, key: str) -> str | None:
    with duckdb.connect() as connection:
        for partition in reversed(lake.partitions(table.name)):
            listed = ", ".join(quoted(file) for file in lake.files(table.name, [partition]))
            # A delivery's charges lie in one partition only, so the first that is found is the only one.
            found = connection.execute(
                f"select 1 from read_parquet([{listed}], hive_partitioning = false) where {column} = $key limit 1",
                {"key": key},
            ).fetchone()
            if found is not None:
                return partition
    return None


def _documents(engine: Engine, identifier: str, line_number: str | None) -> list[Target]:
    with reading(engine).connect() as connection:
        ids = select(invoices.c.invoice_id).where(
            or_(invoices.c.invoice_id == identifier, invoices.c.invoice_number == identifier)
        )
        names = sorted(connection.scalars(ids))
        if line_number is None:
            return [Target("invoice", name, None, name) for name in names]
        if not (line_number.isascii() and line_number.isdigit()):
            return []
        lines = select(invoice_lines.c.invoice_id).where(
            invoice_lines.c.invoice_id.in_(names), invoice_lines.c.line_number == int(line_number)
        )
        number = str(int(line_number))
        return [Target("invoice_line", name, number, f"{name}/{number}") for name in sorted(connection.scalars(lines))]


def _distributor_invoices(
    connection: duckdb.DuckDBPyConnection, lake: Lake, identifier: str, line_number: str | None
) -> list[Target]:
    found = connection.execute(
        "select distinct delivery_id, slot from known_deliveries"
        " where format = 'distributor_invoice' and is_current and $id in (billing_account_id, slot) order by all",
        {"id": identifier},
    ).fetchall()
    if line_number is None:
        return [Target("distributor_invoice", delivery_id, None, slot) for delivery_id, slot in found]
    files = lake.files(PRICED_LINE_ITEMS.name) if found else []
    listed = ", ".join(quoted(file) for file in files)
    present = {
        delivery_id
        for (delivery_id,) in (
            connection.execute(
                f"select delivery_id from read_parquet([{listed}], hive_partitioning = false)"
                " where list_contains($ids, delivery_id) and line_number = $line",
                {"ids": [delivery_id for delivery_id, _ in found], "line": line_number},
            ).fetchall()
            if files
            else []
        )
    }
    return [
        Target("distributor_item", delivery_id, line_number, f"{slot}/{line_number}")
        for delivery_id, slot in found
        if delivery_id in present
    ]


def _charge(lake: Lake, identifier: str) -> list[Target]:
    if identifier.startswith(_SUM):
        is_there = partition_of_sum(lake, identifier) is not None
        return [Target("customer_charge", identifier, None, identifier)] if is_there else []
    charge_id = identifier.removeprefix(_LINE_ITEM)
    if not charge_id.startswith(_CHARGES) or partition_of_charge(lake, charge_id) is None:
        return []
    return [Target("charge", charge_id, None, identifier)]


def _not_found(engine: Engine, identifier: str, line_number: str | None) -> str:
    """Say what is missing: the line of a document that is there, or the whole."""
    head, _, last = identifier.rpartition("/")
    for name, line in ((identifier, line_number), (head, last)):
        if line is not None and name and _documents(engine, name, None):
            with reading(engine).connect() as connection:
                lines = sorted(
                    connection.scalars(
                        select(invoice_lines.c.line_number).where(
                            invoice_lines.c.invoice_id == _documents(engine, name, None)[0].id
                        )
                    )
                )
            there = f"lines {lines[0]} to {lines[-1]}" if lines else "no line"
            return f"document {name} has {there}, not {line!r}"
    shown = identifier if line_number is None else f"{identifier} line {line_number}"
    return (
        f"nothing has the id {shown!r}: no document or line of one (`billing invoices list`), no invoice of a"
        " distributor or item of one, no line_item_id of priced_line_items or customer_charges and no charge_id"
    )


def _spoken(target: Target) -> str:
    names = {
        "invoice": "a document",
        "invoice_line": "line of a document",
        "distributor_invoice": "a distributor's invoice",
        "distributor_item": "item of a distributor's invoice",
        "charge": "a charge",
        "customer_charge": "a customer charge",
    }
    return names[target.kind]
