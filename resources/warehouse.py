"""The warehouse: what analysts open. Built aside, commented, replaced in one step, readable at any moment.

Small marts are tables; the vendor's rows, and charges where they are many, are views over the lake's files. The file
is read-only: a reader who opened it for writing would leave a write-ahead log that breaks everyone else.
"""

import json
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
from filelock import FileLock

from billing_pipeline.configuration import WorkspaceConfig
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.billed_charges import BILLED_CHARGES
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.table import Table
from resources.archive import Archive
from resources.finality import with_finality
from resources.lake import Lake, quoted
from resources.published_tables import (
    WAREHOUSE_TABLES,
    WAREHOUSE_VENDOR_CHARGES,
    charges_over,
    table_queries,
    vendor_charges_query,
)
from resources.relations import current_days
from resources.settlement import Asked
from resources.unfinished_files import BUILDING, unfinished_name
from resources.warehouse_inputs import billed_charges_query, read_inputs

# Copying charges costs 4 CPU seconds and 1 GB per million, a view over the lake's files nothing; a table is quicker to
# query, and a small warehouse can be sent to somebody as one file.
LARGE_DETAIL_ROWS = 200_000


class Warehouse:
    """The published file.

    Args:
        path: place of `warehouse.duckdb`.
        lake: where the published tables come from.
        temporary: folder for DuckDB's own files.
        archive: what has arrived, also what is in no delivery yet.
    """

    def __init__(self, path: Path, lake: Lake, temporary: Path, archive: Archive) -> None:
        self.path = path
        self.lake = lake
        self.temporary = temporary
        self.archive = archive

    def publish(
        self,
        config: WorkspaceConfig,
        documents: dict[str, pl.DataFrame],
        special_prices: pl.DataFrame,
        as_of_day: date,
        period: BillingPeriod | None = None,
    ) -> dict[str, int]:
        """Build the warehouse from the lake and the ledger, and put it in place in one step.

        Args:
            documents: frames `invoices`, `invoice_lines` and `invoice_errors`.
            special_prices: the reference rows in force.
            as_of_day: the day for which periods are open or not.
            period: the only billing period whose deliveries and charges are published; None for all.

        Returns:
            Rows of each table.
        """
        with FileLock(self.path.with_suffix(".lock")):
            building = unfinished_name(self.path, BUILDING)
            building.unlink(missing_ok=True)
            try:
                counts = self._build(
                    building, config, documents, special_prices, Asked(self.archive, as_of_day, period)
                )
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
        special_prices: pl.DataFrame,
        asked: Asked,
    ) -> dict[str, int]:
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute("set memory_limit = '800MB'")
            connection.execute("set threads = 2")
            connection.execute(f"set temp_directory = {quoted(self.temporary)}")
            connection.execute(f"attach {quoted(building)} as warehouse (storage_version 'v1.4.0')")
            connection.execute(load_sql("macros"))
            read_inputs(connection, self.lake, config, documents, special_prices, asked)
            connection.execute("drop view deliveries")
            connection.execute("drop view delivery_facts")
            connection.execute("alter table vendor_differences rename to found_differences")
            connection.execute("alter table vendor_totals rename to totals_in_force")
            connection.execute("use warehouse")
            # One transaction: each of several hundred comments would otherwise be written to disk by itself.
            connection.execute("begin")
            connection.execute(load_sql("macros"))
            counts = {table.name: 0 for table in WAREHOUSE_TABLES}
            large = self._large_detail(connection, config)
            for table, query, parameters in table_queries(asked.as_of_day):
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

    def _large_detail(self, connection: duckdb.DuckDBPyConnection, config: WorkspaceConfig) -> dict[str, str]:
        """Return the selects of the tables of charges, by name, where the charges are too many to be copied."""
        found = connection.execute("select count(*) from current_line_items").fetchone()
        if found is None or found[0] < LARGE_DETAIL_ROWS:
            return {}
        files = self.lake.files(PRICED_LINE_ITEMS.name, current_days(connection, config))
        listed = ", ".join(quoted(str(Path(file).resolve())) for file in files)
        rows = with_finality(connection, f"(select * from read_parquet([{listed}], hive_partitioning = false))")
        current = f"select * from ({rows}) where delivery_id in (select delivery_id from deliveries where is_current)"
        billed = billed_charges_query(connection, self.lake, "invoices")
        return {**charges_over(current), BILLED_CHARGES.name: billed}

    def _create_vendor_charges(self, connection: duckdb.DuckDBPyConnection) -> None:
        lists = connection.execute("select parquet_files from deliveries where is_current").fetchall()
        files = sorted({str(self.lake.locate(name).resolve()) for (names,) in lists for name in json.loads(names)})
        connection.execute(f"create view vendor_charges as {vendor_charges_query(files)}")
        _comment(connection, WAREHOUSE_VENDOR_CHARGES, "view")


def _comment(connection: duckdb.DuckDBPyConnection, table: Table, kind: str) -> None:
    connection.execute(f"comment on {kind} {table.name} is {quoted('Grain: ' + table.grain + '.')}")
    for column in table.columns:
        connection.execute(f'comment on column {table.name}."{column.name}" is {quoted(column.meaning)}')
