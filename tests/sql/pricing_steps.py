"""The relations that pricing makes on its way, with the types they really have."""

from functools import cache

from billing_pipeline.pricing import price_charges
from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.reference import REFERENCE_FILES_BY_NAME
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from tests.sql.inline import make, make_known, make_reference, session, table_types


@cache
def every_step() -> dict[str, dict[str, str]]:
    """Return the relations of a session that has priced nothing, each with its columns and their types."""
    connection = session()
    for name, table in (
        ("usage_rows", VENDOR_CHARGES),
        ("item_rows", VENDOR_CHARGES),
        ("delivery_facts", DELIVERIES),
        ("earlier_line_items", PRICED_LINE_ITEMS),
    ):
        make(connection, name, table_types(table))
    for name in REFERENCE_FILES_BY_NAME:
        make_reference(connection, name)
        make_known(connection, name)
    price_charges(connection, "UTC")
    columns = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() where not internal order by column_index"
    ).fetchall()
    steps: dict[str, dict[str, str]] = {}
    for relation, column, kind in columns:
        steps.setdefault(str(relation), {})[str(column)] = str(kind)
    return steps


def step_types(relation: str) -> dict[str, str]:
    """Return the columns of one of pricing's relations with their types, for a test to fill."""
    return every_step()[relation]
