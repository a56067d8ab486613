"""The tables of the warehouse: what is published under which name, and the query that fills each.

The queries read the relations that `resources/warehouse_inputs.py` names. How the file is built, and when a table
becomes a view over the lake, is the business of `resources/warehouse.py`.
"""

from collections.abc import Sequence
from datetime import date

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.billed_charges import BILLED_CHARGES
from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES, EXCLUDED_CHARGES
from billing_pipeline.schemas.deliveries import DELIVERIES, QUARANTINE
from billing_pipeline.schemas.invoices import INVOICE_ERRORS, INVOICE_LINES, INVOICES
from billing_pipeline.schemas.margins import MARGINS
from billing_pipeline.schemas.priced_line_items import SHOWN_LINE_ITEMS, UNBILLED_CHARGES, UNIT_COST_DIFFERENCES
from billing_pipeline.schemas.reconciliation import (
    ACCEPTED_DIFFERENCES,
    BILLING_STATUS,
    MARGIN_LEAKS,
    USAGE_RECONCILIATION,
    VENDOR_DIFFERENCES,
)
from billing_pipeline.schemas.table import Column, Table
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from resources.charge_ids import CHARGE_ID_OF_ROW
from resources.lake import quoted

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
_IS_IN_FORCE = Column(
    "is_current",
    "BOOLEAN",
    "False once a newer file speaks of the same invoice, or of the estimated month.",
    nullable=False,
)
WAREHOUSE_VENDOR_TOTALS = Table(VENDOR_TOTALS.name, VENDOR_TOTALS.grain, (*VENDOR_TOTALS.columns, _IS_IN_FORCE))
WAREHOUSE_TABLES = (
    WAREHOUSE_DELIVERIES,
    QUARANTINE,
    WAREHOUSE_VENDOR_TOTALS,
    WAREHOUSE_VENDOR_CHARGES,
    USAGE_RECONCILIATION,
    VENDOR_DIFFERENCES,
    ACCEPTED_DIFFERENCES,
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
    MARGINS,
)

# A charge to a customer: priced, estimates included; what is excluded, unmapped or unpriced is not one.
IS_PRICED = "customer_id is not null and total_sell is not null and bucket <> 'excluded_by_rule'"
IS_UNBILLED = "bucket not in ('billed', 'not_yet_final')"

_VENDOR_CHARGES_VIEW = """
    select
        {charge_id} as charge_id,
        {columns}
    from {relation}
    where delivery_id in (select delivery_id from deliveries where is_current)
"""

_VENDOR_TOTALS = """
    select
        every_vendor_total.*,
        (source, file_name, file_sha256, row_number) in (
            select (source, file_name, file_sha256, row_number) from totals_in_force
        ) as is_current
    from every_vendor_total
    order by received_at, source, file_name, file_sha256, row_number
"""


def table_queries(as_of_day: date) -> Sequence[tuple[Table, str, dict[str, object]]]:
    """Return the tables in the order in which they are made, each with its query and the values bound to it.

    Args:
        as_of_day: the day for which periods are open or not.
    """
    shown = load_sql("marts/shown_line_items")
    return (
        (WAREHOUSE_DELIVERIES, "select * from known_deliveries order by received_at, delivery_id, currency", {}),
        (QUARANTINE, "select * from all_quarantine order by seen_at, source, file_name, reason", {}),
        (WAREHOUSE_VENDOR_TOTALS, _VENDOR_TOTALS, {}),
        (USAGE_RECONCILIATION, "select * from current_buckets order by all", {}),
        # The state of a period reads this table.
        (
            VENDOR_DIFFERENCES,
            "select * from found_differences order by source, billing_account_id, billing_period, currency",
            {},
        ),
        (ACCEPTED_DIFFERENCES, "select * from ledger_accepted_differences order by sequence", {}),
        (BILLING_STATUS, load_sql("marts/billing_status"), {"as_of_day": as_of_day}),
        (
            SHOWN_LINE_ITEMS,
            f"select * from ({shown}) where {IS_PRICED} order by billing_period, customer_id, product_id, line_item_id",
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
        (MARGINS, load_sql("marts/margins"), {}),
    )


def charges_over(current_line_items: str) -> dict[str, str]:
    """Return the queries of the tables of priced charges over another relation, by name of the table.

    Args:
        current_line_items: the select that stands for the relation of that name.
    """
    shown = f"with current_line_items as ({current_line_items}) select * from ({load_sql('marts/shown_line_items')})"
    return {
        SHOWN_LINE_ITEMS.name: f"{shown} where {IS_PRICED}",
        UNBILLED_CHARGES.name: f"{shown} where {IS_UNBILLED}",
    }


def vendor_charges_query(files: Sequence[str]) -> str:
    """Return the select of the vendors' rows, as the published file's own tables and macros let it be written.

    Args:
        files: paths of the Parquet files of current deliveries; none gives a relation without rows.
    """
    columns = ", ".join(f'"{name}"' for name in VENDOR_CHARGES.column_names)
    if files:
        listed = ", ".join(quoted(file) for file in files)
        relation = f"read_parquet([{listed}], hive_partitioning = false)"
    else:
        typed = ", ".join(f'cast(null as {column.type}) as "{column.name}"' for column in VENDOR_CHARGES.columns)
        relation = f"(select {typed} where false)"
    return _VENDOR_CHARGES_VIEW.format(charge_id=CHARGE_ID_OF_ROW, columns=columns, relation=relation)
