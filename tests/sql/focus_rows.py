"""Documents as the relations that `sql/focus/` reads, and the rows that come of them."""

from typing import Any

import duckdb

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.billed_charges import BILLED_CHARGES
from billing_pipeline.schemas.focus_export import SERVICE_CATEGORIES
from tests.sql.inline import Row, make, select, session, table_types

_PRECISE, _PAYABLE = "decimal(38, 24)", "decimal(28, 4)"
_TYPES: dict[str, dict[str, str]] = {
    "documents": {
        **dict.fromkeys(("invoice_id", "invoice_number", "customer_id", "customer_name", "issuer_name"), "varchar"),
        "currency": "varchar",
        "first_day": "date",
        "end_day": "date",
        "is_credit_note": "boolean",
        "total": _PAYABLE,
    },
    "document_lines": {
        **dict.fromkeys(("invoice_id", "line_kind", "product_type", "product_id", "product_name"), "varchar"),
        **dict.fromkeys(("description", "unit", "tax_category", "reference"), "varchar"),
        "line_number": "integer",
        "quantity": "decimal(38, 18)",
        "amount_precise": _PRECISE,
        "charge_count": "bigint",
        "service_start": "date",
        "service_end": "date",
    },
    "document_extras": {
        **dict.fromkeys(("invoice_id", "line_kind", "charge_category", "description", "service_name"), "varchar"),
        **dict.fromkeys(("publisher_name", "tax_category"), "varchar"),
        "position": "integer",
        "amount": _PAYABLE,
    },
    "converted_charges": {
        "invoice_id": "varchar", "line_number": "integer", "charged_amount": _PRECISE, "amount": _PRECISE,
    },
    "source_vendors": {"source": "varchar", "vendor": "varchar"},
    "service_categories": {"service_category": "varchar"},
}  # fmt: skip
_DEFAULTS: dict[str, Row] = {
    "documents": {
        "invoice_id": "d1",
        "invoice_number": "INV-1",
        "customer_id": "c1",
        "customer_name": "Acme",
        "issuer_name": "Contoso",
        "currency": "EUR",
        "first_day": "2026-10-01",
        "end_day": "2026-11-01",
        "is_credit_note": False,
        "total": "10.00",
    },
    "document_lines": {
        "invoice_id": "d1",
        "line_number": 1,
        "line_kind": "usage",
        "product_type": "Compute",
        "product_id": "vm",
        "product_name": "Machines",
        "description": "Hours of machines",
        "unit": "Hours",
        "amount_precise": "10",
        "tax_category": "standard",
        "charge_count": 1,
        "service_start": "2026-10-01",
        "service_end": "2026-11-01",
    },
    "document_extras": {"invoice_id": "d1", "position": 0},
    "source_vendors": {"source": "aws", "vendor": "AWS"},
}
CHARGE: Row = {
    "invoice_id": "d1",
    "line_number": 1,
    "charge_id": "use-1",
    "source": "aws",
    "sub_account_id": "12",
    "charge_category": "Usage",
    "period_start": "2026-10-03",
    "period_end": "2026-10-04",
    "quantity": "5",
    "unit": "Hours",
    "total_cost": "8",
    "amount_precise": "10",
}


def focus_session(charges: tuple[Row, ...] = ({},), **relations: tuple[Row, ...]) -> duckdb.DuckDBPyConnection:
    """Return a session with documents; what is not given is one of 10.00 EUR with one line of one charge."""
    connection = session()
    given: dict[str, Any] = {"documents": ({},), "document_lines": ({},), "source_vendors": ({},), **relations}
    given["service_categories"] = tuple({"service_category": name} for name in SERVICE_CATEGORIES)
    for name, types in _TYPES.items():
        make(connection, name, types, *given.get(name, ()), defaults=_DEFAULTS.get(name))
    make(connection, "billed", table_types(BILLED_CHARGES), *charges, defaults=CHARGE)
    for stage in ("line_charges", "document_rows"):
        connection.execute(f"create temp view {stage} as {load_sql(f'focus/{stage}')}")
    return connection


def own_charges(charges: tuple[Row, ...] = ({},), **relations: tuple[Row, ...]) -> list[Row]:
    """Return the rows of the export, in the order of the document."""
    found = select(focus_session(charges, **relations), "focus/own_charges")
    return sorted(found, key=lambda row: (row["document_id"], row["part"], row["position"], row["x_charge_id"] or ""))
