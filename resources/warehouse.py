"""The warehouse: what analysts open. Built aside, commented, replaced in one step, readable at any moment.

Small marts are tables; the vendor's rows, and charges where they are many, are views over the lake's files. The file
is read-only: a reader who opened it for writing would leave a write-ahead log that breaks everyone else.
"""

import json
import os
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl
from filelock import FileLock

from billing_pipeline.configuration import WorkspaceConfig
from billing_pipeline.periods import BillingPeriod, add_business_days, local_day
from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.billed_charges import BILLED_CHARGES
from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES, EXCLUDED_CHARGES
from billing_pipeline.schemas.deliveries import DELIVERIES, QUARANTINE
from billing_pipeline.schemas.invoices import INVOICE_ERRORS, INVOICE_LINES, INVOICES
from billing_pipeline.schemas.priced_line_items import (
    PRICED_LINE_ITEMS,
    SHOWN_LINE_ITEMS,
    UNBILLED_CHARGES,
    UNIT_COST_DIFFERENCES,
)
from billing_pipeline.schemas.reconciliation import BILLING_STATUS, MARGIN_LEAKS, USAGE_RECONCILIATION
from billing_pipeline.schemas.table import Column, Table
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from resources.billed_charges import select_billed
from resources.lake import Lake, quoted
from resources.relations import mark_current, read_deliveries, read_partitions, register_frames

_CHARGE_ID = Column(
    "charge_id",
    "VARCHAR",
    "The charge the row belongs to: many usage rows share one, a distributor item has its own; see priced_line_items.",
    nullable=False,
)
_IS_CURRENT = Column("is_current", "BOOLEAN", "False once a newer delivery has replaced this one.", nullable=False)

WAREHOUSE_DELIVERIES = Table(DELIVERIES.name, DELIVERIES.grain, (*DELIVERIES.columns, _IS_CURRENT))
WAREHOUSE_VENDOR_CHARGES = Table(
    VENDOR_CHARGES.name, "one vendor row of a current delivery", (_CHARGE_ID, *VENDOR_CHARGES.columns)
)
WAREHOUSE_TABLES = (
    WAREHOUSE_DELIVERIES,
    QUARANTINE,
    WAREHOUSE_VENDOR_CHARGES,
    USAGE_RECONCILIATION,
    BILLING_STATUS,
    SHOWN_LINE_ITEMS,
    UNBILLED_CHARGES,
    CUSTOMER_CHARGES,
    EXCLUDED_CHARGES,
    INVOICES,
    INVOICE_LINES,
    BILLED_CHARGES,
    INVOICE_ERRORS,
    UNIT_COST_DIFFERENCES,
    MARGIN_LEAKS,
)

# Copying charges costs 4 CPU seconds and 1 GB per million, a view over the lake's files nothing; a table is quicker to
# query, and a small warehouse can be sent to somebody as one file.
LARGE_DETAIL_ROWS = 200_000

# A charge to a customer: priced, estimates included; what is excluded, unmapped or unpriced is not one.
IS_PRICED = "customer_id is not null and total_sell is not null and bucket <> 'excluded_by_rule'"
IS_UNBILLED = "bucket not in ('billed', 'not_yet_final')"

_VENDOR_CHARGES_VIEW = """
    select
        case
            when x_line_number is not null then item_charge_id(delivery_id, x_line_number)
            else usage_charge_id(
                delivery_id, sub_account_id, sku_id, service_name, service_category,
                cast(charge_period_start as date), charge_category, charge_class, x_charge_nature,
                pricing_unit, billing_currency
            )
        end as charge_id,
        {columns}
    from {relation}
    where delivery_id in (select delivery_id from deliveries where is_current)
"""


class Warehouse:
    """The published file.

    Args:
        path: place of `warehouse.duckdb`.
        lake: where the published tables come from.
        temporary: folder for DuckDB's own files.
    """

    def __init__(self, path: Path, lake: Lake, temporary: Path) -> None:
        self.path = path
        self.lake = lake
        self.temporary = temporary

    def publish(
        self,
        config: WorkspaceConfig,
        documents: dict[str, pl.DataFrame],
        as_of_day: date,
        period: BillingPeriod | None = None,
    ) -> dict[str, int]:
        """Build the warehouse from the lake and the ledger, and put it in place in one step.

        Args:
            documents: frames `invoices`, `invoice_lines` and `invoice_errors`.
            as_of_day: the day for which periods are open or not.
            period: the only billing period whose deliveries and charges are published; None for all.

        Returns:
            Rows of each table.
        """
        with FileLock(self.path.with_suffix(".lock")):
            building = self.path.with_name(f"{self.path.name}.{os.getpid()}.building")
            building.unlink(missing_ok=True)
            try:
                counts = self._build(building, config, documents, as_of_day, period)
                building.chmod(0o444)
                building.replace(self.path)
            finally:
                building.unlink(missing_ok=True)
                building.with_name(building.name + ".wal").unlink(missing_ok=True)
        return counts

    def _build(
        self,
        building: Path,
        config: WorkspaceConfig,
        documents: dict[str, pl.DataFrame],
        as_of_day: date,
        period: BillingPeriod | None,
    ) -> dict[str, int]:
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute("set memory_limit = '800MB'")
            connection.execute("set threads = 2")
            connection.execute(f"set temp_directory = {quoted(self.temporary)}")
            connection.execute(f"attach {quoted(building)} as warehouse (storage_version 'v1.4.0')")
            connection.execute(load_sql("macros"))
            self._read_inputs(connection, config, documents, period)
            connection.execute("drop view deliveries")
            connection.execute("drop view delivery_facts")
            connection.execute("use warehouse")
            # One transaction: each of several hundred comments would otherwise be written to disk by itself.
            connection.execute("begin")
            connection.execute(load_sql("macros"))
            counts = {table.name: 0 for table in WAREHOUSE_TABLES}
            large = self._large_detail(connection, config)
            for table, query, parameters in self._queries(as_of_day):
                kind = "view" if table.name in large else "table"
                columns = ", ".join(
                    f'cast("{column.name}" as {column.type}) as "{column.name}"' for column in table.columns
                )
                select = f"select {columns} from ({large.get(table.name, query)})"
                connection.execute(f"create {kind} {table.name} as {select}", parameters)
                _comment(connection, table, kind)
            self._create_vendor_charges(connection)
            connection.execute("commit")
            for table in WAREHOUSE_TABLES:
                found = connection.execute(f"select count(*) from {table.name}").fetchone()
                counts[table.name] = found[0] if found else 0
            connection.execute("use memory")
            connection.execute("detach warehouse")
        return counts

    def _read_inputs(
        self,
        connection: duckdb.DuckDBPyConnection,
        config: WorkspaceConfig,
        documents: dict[str, pl.DataFrame],
        period: BillingPeriod | None,
    ) -> None:
        """Name the session's relations: everything current in the lake, and the ledger's documents."""
        read_deliveries(connection, self.lake, None)
        mark_current(connection)
        if period is not None:
            connection.execute("delete from known_deliveries where billing_period <> $period", {"period": period.text})
        days = current_days(connection, config)
        for name, table in (("all_line_items", PRICED_LINE_ITEMS), ("all_charges", CUSTOMER_CHARGES)):
            read_partitions(connection, name, table, self.lake, days)
        read_partitions(connection, "all_excluded", EXCLUDED_CHARGES, self.lake, days)
        read_partitions(connection, "all_buckets", USAGE_RECONCILIATION, self.lake, days)
        read_partitions(connection, "all_quarantine", QUARANTINE, self.lake, None)
        for name in ("line_items", "charges", "excluded", "buckets"):
            connection.execute(
                f"create or replace temp view current_{name} as select * from all_{name} where delivery_id in"
                " (select delivery_id from known_deliveries where is_current)"
            )
        register_frames(connection, ((f"ledger_{name}", frame) for name, frame in documents.items()))
        register_frames(connection, [("settlement_days", _settlement_days(connection, config))])
        connection.execute(
            f"create or replace temp view all_billed_charges as {self._billed_charges(connection, 'ledger_invoices')}"
        )
        connection.execute(
            "create or replace temp view invoiced_charges as select charge_id from all_billed_charges"
            " where charge_nature = 'marketplace_fee';"
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
        connection.execute(
            f"create or replace temp table differences as {load_sql('reconciliation/unexplained_differences')}"
        )

    def _billed_charges(self, connection: duckdb.DuckDBPyConnection, documents: str) -> str:
        """Return the select of the charges behind the ledger's documents, as a relation names them."""
        snapshots = connection.execute(
            "select distinct billing_period, charges_sha256 from ledger_invoices where charges_sha256 is not null"
        ).fetchall()
        return select_billed(self.lake, snapshots, documents)

    def _queries(self, as_of_day: date) -> Sequence[tuple[Table, str, dict[str, object]]]:
        shown = load_sql("marts/shown_line_items")
        return (
            (WAREHOUSE_DELIVERIES, "select * from known_deliveries order by received_at, delivery_id, currency", {}),
            (QUARANTINE, "select * from all_quarantine order by seen_at, source, file_name, reason", {}),
            (USAGE_RECONCILIATION, "select * from current_buckets order by all", {}),
            (BILLING_STATUS, load_sql("marts/billing_status"), {"as_of_day": as_of_day}),
            (
                SHOWN_LINE_ITEMS,
                f"select * from ({shown}) where {IS_PRICED}"
                " order by billing_period, customer_id, product_id, line_item_id",
                {},
            ),
            (
                UNBILLED_CHARGES,
                f"select * from ({shown}) where {IS_UNBILLED} order by billing_period, bucket, line_item_id",
                {},
            ),
            (CUSTOMER_CHARGES, "select * from current_charges order by invoice_number desc, line_item_id", {}),
            (EXCLUDED_CHARGES, "select * from current_excluded order by invoice_number, line_item_id", {}),
            (INVOICES, "select * from ledger_invoices order by billing_period, invoice_id", {}),
            (INVOICE_LINES, "select * from ledger_invoice_lines order by invoice_id, line_number", {}),
            (BILLED_CHARGES, "select * from all_billed_charges order by invoice_id, line_number, charge_id", {}),
            (INVOICE_ERRORS, "select * from ledger_invoice_errors order by all", {}),
            (UNIT_COST_DIFFERENCES, load_sql("marts/unit_cost_differences"), {}),
            (MARGIN_LEAKS, load_sql("marts/margin_leaks"), {}),
        )

    def _large_detail(self, connection: duckdb.DuckDBPyConnection, config: WorkspaceConfig) -> dict[str, str]:
        """Return the selects of the tables of charges, by name, where the charges are too many to be copied."""
        found = connection.execute("select count(*) from current_line_items").fetchone()
        if found is None or found[0] < LARGE_DETAIL_ROWS:
            return {}
        files = self.lake.files(PRICED_LINE_ITEMS.name, current_days(connection, config))
        listed = ", ".join(quoted(str(Path(file).resolve())) for file in files)
        current = (
            f"select * from read_parquet([{listed}], hive_partitioning = false)"
            " where delivery_id in (select delivery_id from deliveries where is_current)"
        )
        shown = f"with current_line_items as ({current}) select * from ({load_sql('marts/shown_line_items')})"
        return {
            SHOWN_LINE_ITEMS.name: f"{shown} where {IS_PRICED}",
            UNBILLED_CHARGES.name: f"{shown} where {IS_UNBILLED}",
            BILLED_CHARGES.name: self._billed_charges(connection, "invoices"),
        }

    def _create_vendor_charges(self, connection: duckdb.DuckDBPyConnection) -> None:
        lists = connection.execute("select parquet_files from deliveries where is_current").fetchall()
        files = sorted({str(self.lake.locate(name).resolve()) for (names,) in lists for name in json.loads(names)})
        columns = ", ".join(f'"{name}"' for name in VENDOR_CHARGES.column_names)
        if files:
            listed = ", ".join(quoted(file) for file in files)
            relation = f"read_parquet([{listed}], hive_partitioning = false)"
        else:
            typed = ", ".join(f'cast(null as {column.type}) as "{column.name}"' for column in VENDOR_CHARGES.columns)
            relation = f"(select {typed} where false)"
        query = _VENDOR_CHARGES_VIEW.format(columns=columns, relation=relation)
        connection.execute(f"create view vendor_charges as {query}")
        _comment(connection, WAREHOUSE_VENDOR_CHARGES, "view")


def current_days(connection: duckdb.DuckDBPyConnection, config: WorkspaceConfig) -> list[str]:
    """Return the partitions in which the session's current deliveries lie."""
    found = connection.execute("select distinct received_at from known_deliveries where is_current").fetchall()
    zone = config.organisation.zone
    return sorted({local_day(_instant(received_at), zone).isoformat() for (received_at,) in found})


def _instant(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value


def _settlement_days(connection: duckdb.DuckDBPyConnection, config: WorkspaceConfig) -> pl.DataFrame:
    pairs = connection.execute("select distinct source, billing_period from known_deliveries order by all").fetchall()
    known = {source.id: source for source in config.sources}
    rows = [
        {
            "source": source,
            "billing_period": period,
            "expected_settled_on": add_business_days(
                BillingPeriod(period).end_day,
                known[source].settles_after_business_days[1] if source in known else 0,
            ),
        }
        for source, period in pairs
    ]
    schema = {"source": pl.String, "billing_period": pl.String, "expected_settled_on": pl.Date}
    return pl.DataFrame(rows, schema=schema)


def _comment(connection: duckdb.DuckDBPyConnection, table: Table, kind: str) -> None:
    connection.execute(f"comment on {kind} {table.name} is {quoted('Grain: ' + table.grain + '.')}")
    for column in table.columns:
        connection.execute(f'comment on column {table.name}."{column.name}" is {quoted(column.meaning)}')
