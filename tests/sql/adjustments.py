"""`adjustment_items` as a test's relation: the charges of locked months that changed."""

from typing import Any, Final

import duckdb

from billing_pipeline.schemas.billed_charges import BILLED_CHARGES
from tests.sql.inline import make, table_types

_BILLED: Final = table_types(BILLED_CHARGES)
_RENAMED: Final = {
    "product_type": "line_product_type",
    "product_name": "line_product_name",
    "tax_category": "line_tax_category",
    "vendor_invoice_number": "invoice_number",
    "vendor_line_number": "line_number",
}
ADJUSTMENT_TYPES: Final = {
    **{_RENAMED.get(name, name): kind for name, kind in _BILLED.items() if name not in ("invoice_id", "line_number")},
    **dict.fromkeys(("line_product_id", "line_kind", "line_description", "line_reference"), "VARCHAR"),
    "service_period": "VARCHAR",
}


def make_adjustments(connection: duckdb.DuckDBPyConnection, *rows: dict[str, Any], **defaults: Any) -> None:
    """Make `adjustment_items`, empty unless rows are given."""
    make(connection, "adjustment_items", ADJUSTMENT_TYPES, *rows, defaults=defaults)
