"""A billing month priced under other terms, beside what it is priced at: nothing of the workspace is touched."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl

from billing_pipeline.configuration import WorkspaceConfig
from billing_pipeline.errors import BillingError
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.pricing import check_rows, price_charges
from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from resources.invoice_runs import read_month
from resources.lake import Lake
from resources.reference_files import load_whatif_reference, reference_frames
from resources.relations import read_earlier_items, read_partitions, read_vendor_rows, register_frames
from resources.session import duckdb_session
from resources.workspace import Workspace


class NothingPriced(BillingError):
    """There is no priced charge of the month to compare with."""


def compare_terms(workspace: Workspace, period: BillingPeriod, terms: Path, by_product: bool = False) -> pl.DataFrame:
    """Price a month's current deliveries under the terms in force with some reference files replaced.

    Args:
        terms: folder with the reference files that replace those of the same name.
        by_product: a row for each customer and product instead of each customer.

    Returns:
        The rows of `sql/marts/price_changes.sql`: prices and margins as the lake holds them, and as they would be.

    Raises:
        ReferenceInvalid: the terms have problems.
        NothingPriced: no charge of the month has been priced yet.
    """
    config = workspace.load_config()
    reference = load_whatif_reference(workspace.home, config.organisation.zone, terms)
    with (
        TemporaryDirectory(prefix="billing_whatif_") as folder,
        duckdb_session(memory_limit="3GB", temp_directory=Path(folder)) as connection,
    ):
        register_frames(connection, reference_frames(reference))
        _read_before(connection, config, Lake(workspace.lake), period)
        _price_after(connection, config, Lake(workspace.lake), Lake(Path(folder) / "lake"), period)
        changes: pl.DataFrame = connection.sql(load_sql("marts/price_changes"), params={"by_product": by_product}).pl()
        return changes


def _read_before(
    connection: duckdb.DuckDBPyConnection, config: WorkspaceConfig, lake: Lake, period: BillingPeriod
) -> None:
    """Name `line_items_before`: the month's priced charges as they are."""
    read_month(connection, config, lake, period)
    connection.execute("create or replace temp view line_items_before as select * from period_items")
    found = connection.execute("select count(*) from line_items_before").fetchone()
    if not found or not found[0]:
        raise NothingPriced(f"no charge of {period} has been priced; `billing run --month {period}` does it")


def _price_after(
    connection: duckdb.DuckDBPyConnection, config: WorkspaceConfig, lake: Lake, scratch: Lake, period: BillingPeriod
) -> None:
    """Name `line_items_after`: the same charges under the session's terms, priced into a scratch lake."""
    # A credit takes the terms of the version of an invoice that was known when it came, so that changes its price too.
    connection.execute(
        "create or replace temp table current_ids as select delivery_id from deliveries_of_month;"
        "create or replace temp table repriced as select * from every_delivery where billing_period = $period"
        " and unchanged_since is null"
        " and (format = 'distributor_invoice' or delivery_id in (select delivery_id from current_ids));",
        {"period": period.text},
    )
    connection.execute("create or replace temp view deliveries as select * from repriced")
    read_vendor_rows(connection, lake, are_whole_files=False)
    # No partition is a month: all days. What is not priced here keeps its frozen terms.
    read_earlier_items(connection, lake, period.text)
    connection.execute(
        "create or replace temp table frozen_items as select * from earlier_line_items where line_number is not null"
        " and delivery_id not in (select delivery_id from deliveries);"
        "create or replace temp view earlier_line_items as select * from frozen_items"
    )
    priced = price_charges(connection, config.organisation.time_zone, config.invoiced_through)
    check = partial(check_rows, connection)
    scratch.write(connection, PRICED_LINE_ITEMS, period.text, priced, check=check)
    read_partitions(connection, "priced_after", PRICED_LINE_ITEMS, scratch, [period.text])
    connection.execute(
        "create or replace temp view line_items_after as select * from priced_after"
        " where delivery_id in (select delivery_id from current_ids)"
    )
