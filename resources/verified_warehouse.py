"""Whether the warehouse can be read, and shows the ledger's documents and the lake's deliveries. Only reads."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl

from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.invoices import INVOICE_LINES, INVOICES
from billing_pipeline.verification import Problem, Verified, first_line
from resources.published_tables import WAREHOUSE_TABLES
from resources.verified_archive import Watch

_STALE = "`billing run` publishes it anew"
_MOST_NAMED = 20
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {"memory_limit": "250MB", "threads": 1}


def verify_warehouse(
    path: Path,
    documents: Mapping[str, pl.DataFrame],
    deliveries: set[tuple[str, str, int, Decimal]],
    watch: Watch,
) -> Verified:
    """Read every table of the warehouse, and compare its documents and deliveries.

    Args:
        path: the published file.
        documents: frames `invoices` and `invoice_lines` of the ledger; none where there is no ledger.
        deliveries: delivery, currency, rows and cost of every delivery of the lake.
    """
    watch("warehouse")
    name = path.name
    if not path.exists():
        is_due = bool(deliveries) or any(frame.height for frame in documents.values())
        missing = [Problem(name, f"it does not exist; {_STALE}")] if is_due else []
        return Verified("warehouse", 0, "tables", tuple(missing))
    try:
        with duckdb.connect(str(path), read_only=True, config=_SETTINGS) as connection:
            connection.execute("set TimeZone = 'UTC'")
            problems = _unreadable(connection, name)
            if not problems:
                problems = _other_documents(connection, documents) + _other_deliveries(connection, deliveries)
    except duckdb.Error as error:
        problems = [Problem(name, f"it cannot be read: {first_line(error)}; {_STALE}")]
    return Verified("warehouse", len(WAREHOUSE_TABLES), "tables", tuple(problems))


def _unreadable(connection: duckdb.DuckDBPyConnection, name: str) -> list[Problem]:
    problems = []
    for table in WAREHOUSE_TABLES:
        try:
            connection.execute(f"select count(*) from {table.name}").fetchall()
        except duckdb.Error as error:
            problems.append(Problem(f"{name}, {table.name}", f"it cannot be read: {first_line(error)}; {_STALE}"))
    return problems


def _other_documents(connection: duckdb.DuckDBPyConnection, documents: Mapping[str, pl.DataFrame]) -> list[Problem]:
    problems: list[Problem] = []
    for table in (INVOICES, INVOICE_LINES):
        columns = ", ".join(f'"{column}"' for column in table.column_names)
        shown = connection.sql(f"select {columns} from {table.name}").pl()
        kept = documents.get(table.name)
        kept = shown.clear() if kept is None else kept.select(shown.columns).cast(dict(shown.schema))
        every = list(shown.columns)
        ahead = kept.join(shown, on=every, how="anti", nulls_equal=True)
        behind = shown.join(kept, on=every, how="anti", nulls_equal=True)
        names = sorted({*ahead["invoice_id"], *behind["invoice_id"]})
        text = f"the warehouse's {table.name} differ from the ledger's; {_STALE}"
        problems += [Problem(one, text) for one in names[:_MOST_NAMED]]
        problems += [Problem(f"{len(names) - _MOST_NAMED} more documents", text)] * (len(names) > _MOST_NAMED)
    return problems


def _other_deliveries(
    connection: duckdb.DuckDBPyConnection, deliveries: set[tuple[str, str, int, Decimal]]
) -> list[Problem]:
    columns = "delivery_id, currency, row_count, total_cost"
    shown = set(connection.execute(f"select {columns} from {DELIVERIES.name}").fetchall())
    names = sorted({row[0] for row in shown ^ deliveries})
    text = f"the warehouse's deliveries differ from the lake's; {_STALE}"
    more = [Problem(f"{len(names) - _MOST_NAMED} more deliveries", text)] * (len(names) > _MOST_NAMED)
    return [*(Problem(one, text) for one in names[:_MOST_NAMED]), *more]
