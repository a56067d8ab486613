"""What the published tables are made from: everything current in the lake, and the ledger's documents."""

import duckdb
import polars as pl

from billing_pipeline.configuration import WorkspaceConfig
from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES, EXCLUDED_CHARGES
from billing_pipeline.schemas.deliveries import QUARANTINE
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.reconciliation import ACCEPTED_DIFFERENCES, USAGE_RECONCILIATION
from resources.billed_charges import select_billed
from resources.finality import decide_finality, with_finality
from resources.lake import Lake
from resources.relations import current_days, mark_current, read_deliveries, read_partitions, register_frames
from resources.settlement import Asked, name_awaited, name_months
from resources.vendor_differences import name_differences

# What `marts/margin_leaks` gathers, beside what it finds itself.
_FINDINGS = ("unpassed_fees", "uninvoiced_charges", "expired_special_prices")


def read_inputs(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    config: WorkspaceConfig,
    documents: dict[str, pl.DataFrame],
    special_prices: pl.DataFrame,
    asked: Asked,
) -> None:
    """Name the session's relations: everything current in the lake, and the ledger's documents.

    Args:
        documents: frames `invoices`, `invoice_lines`, `invoice_errors`, and `accepted_differences` if there are any.
        special_prices: the reference rows in force.
        asked: the day for which periods are open or not, and the only billing period that is read, if it is only one.
    """
    read_deliveries(connection, lake, None)
    mark_current(connection)
    decide_finality(connection, lake)
    name_months(connection, config, lake, asked)
    periods = None if asked.period is None else [asked.period.text]
    if periods is not None:
        connection.execute(
            "delete from known_deliveries where not list_contains($periods, billing_period)", {"periods": periods}
        )
    days = current_days(connection, config)
    for name, table in (("all_line_items", PRICED_LINE_ITEMS), ("all_charges", CUSTOMER_CHARGES)):
        read_partitions(connection, name, table, lake, days)
    read_partitions(connection, "all_excluded", EXCLUDED_CHARGES, lake, days)
    read_partitions(connection, "all_buckets", USAGE_RECONCILIATION, lake, days)
    read_partitions(connection, "all_quarantine", QUARANTINE, lake, None)
    for name, rows in (
        ("line_items", with_finality(connection, "all_line_items")),
        ("buckets", with_finality(connection, "all_buckets", has_charges=False)),
        ("charges", "select * from all_charges"),
        ("excluded", "select * from all_excluded"),
    ):
        connection.execute(
            f"create or replace temp view current_{name} as select * from ({rows}) where delivery_id in"
            " (select delivery_id from known_deliveries where is_current)"
        )
    documents = {ACCEPTED_DIFFERENCES.name: ACCEPTED_DIFFERENCES.empty_frame(), **documents}
    register_frames(connection, ((f"ledger_{name}", frame) for name, frame in documents.items()))
    connection.execute(
        f"create or replace temp view all_billed_charges as {billed_charges_query(connection, lake, 'ledger_invoices')}"
    )
    connection.execute(
        "create or replace temp view billed_fees as select * from all_billed_charges"
        " where charge_nature = 'marketplace_fee' and invoice_id in"
        " (select invoice_id from ledger_invoices where status <> 'void');"
        "create or replace temp view invoiced_sources as select distinct source, billing_period"
        " from all_billed_charges;"
    )
    connection.execute(
        "create or replace temp view current_deliveries as select * from known_deliveries where is_current"
    )
    connection.execute(
        "create or replace temp view buckets as select * from current_buckets;"
        "create or replace temp view deliveries as select * from current_deliveries"
    )
    register_frames(connection, [("special_prices", special_prices)])
    for name in _FINDINGS:
        connection.execute(f"create or replace temp view {name} as {load_sql(f'marts/{name}')}")
    accepted = documents.get(ACCEPTED_DIFFERENCES.name)
    name_differences(connection, lake, config.sources, accepted, periods, "current_line_items")
    name_awaited(connection, asked.as_of_day)


def billed_charges_query(connection: duckdb.DuckDBPyConnection, lake: Lake, documents: str) -> str:
    """Return the select of the charges behind the ledger's documents.

    Args:
        documents: name of the relation of documents.
    """
    snapshots = connection.execute(
        "select distinct billing_period, charges_sha256 from ledger_invoices where charges_sha256 is not null"
    ).fetchall()
    return select_billed(lake, snapshots, documents)
