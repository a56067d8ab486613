"""A month as pricing sees it, priced through the pipeline's own steps in a session that many examples share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb
import polars as pl

from billing_pipeline.pricing import price_charges
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.reference import REFERENCE_FILES_BY_NAME
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from resources.relations import register_frames
from tests.sql.inline import Row, fetch, instant

RECEIVED_AT = instant("2026-11-05")
# A file that counts as arrived on a day is seen a little later, when the run of that day lands it.
SEEN_AT = instant("2026-11-05 12:00")
FACT: Row = {
    "delivery_id": "d1",
    "source": "aws",
    "format": "focus",
    "vendor": "AWS",
    "billing_account_id": "payer",
    "billing_period": "2026-10",
    "received_at": RECEIVED_AT,
    "seen_at": SEEN_AT,
    "is_final": True,
}
_INSTANT = pl.Datetime("us", "UTC")
_FACT_TYPES: dict[str, Any] = dict.fromkeys(FACT, pl.String) | {
    "received_at": _INSTANT,
    "seen_at": _INSTANT,
    "is_final": pl.Boolean,
}
_CANONICAL = {column.name: column.polars_type for column in VENDOR_CHARGES.columns}
Reference = Mapping[str, Sequence[Row]]


@dataclass(frozen=True)
class Month:
    """Everything that pricing reads.

    Attributes:
        usage: rows of usage feeds.
        items: rows of distributor invoices.
        facts: one per delivery.
        reference: rows of reference files by file; `withdrawn_at` where they were taken away.
    """

    usage: tuple[Row, ...] = ()
    items: tuple[Row, ...] = ()
    facts: tuple[Row, ...] = (FACT,)
    reference: Reference = field(default_factory=dict)


def price(
    connection: duckdb.DuckDBPyConnection,
    month: Month,
    earlier: pl.DataFrame | None = None,
    invoiced_through: Mapping[str, str] | None = None,
) -> list[Row]:
    """Price a month and return its lines in order of charge.

    Args:
        connection: a session with the macros.
        earlier: priced lines of other days, which credit notes may credit.
        invoiced_through: the distributor by feed; the session keeps the lines in `priced_line_items_of_session`.
    """
    frames = [
        ("usage_rows", pl.DataFrame(list(month.usage), schema=_CANONICAL)),
        ("item_rows", pl.DataFrame(list(month.items), schema=_CANONICAL)),
        ("delivery_facts", pl.DataFrame(list(month.facts), schema=_FACT_TYPES)),
        ("earlier_line_items", PRICED_LINE_ITEMS.empty_frame() if earlier is None else earlier),
    ]
    for name, file in REFERENCE_FILES_BY_NAME.items():
        rows = [{"source_row": number, **row} for number, row in enumerate(month.reference.get(name, ()), start=1)]
        known = pl.DataFrame(rows, schema=file.known_types)
        frames.append((f"known_{name}", known))
        frames.append((f"reference_{name}", known.filter(pl.col("withdrawn_at").is_null()).select(*file.frame_types)))
    register_frames(connection, frames)
    priced = price_charges(connection, "Europe/Athens", invoiced_through or {})
    return fetch(connection, f"select * from {priced} order by charge_id")


def history(versions: Sequence[tuple[datetime, Reference]]) -> dict[str, list[Row]]:
    """Return the rows that a sequence of versions of the reference files leaves behind, as the archive knows them.

    Args:
        versions: when each version was there, oldest first, and its rows, none of which says `recorded_at` itself.

    Returns:
        By file, each row once for every time it came, with the instants at which it came and went.
    """
    known: dict[str, list[Row]] = {}
    for at, version in versions:
        for name in {*known, *version}:
            present = [row for row in known.setdefault(name, []) if row["withdrawn_at"] is None]
            wanted = list(version.get(name, ()))
            for row in present:
                content = {cell: row[cell] for cell in row if cell not in ("recorded_at", "withdrawn_at")}
                if content in wanted:
                    wanted.remove(content)
                else:
                    row["withdrawn_at"] = at
            known[name] += [{**row, "recorded_at": at, "withdrawn_at": None} for row in wanted]
    return {name: [dict(row) for row in rows] for name, rows in known.items()}
