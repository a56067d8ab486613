"""A table of customer charges as tests write it: one plain charge, and what is different about the others."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import duckdb

from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES

CHARGE: Mapping[str, object] = {
    "invoice_number": "D-1",
    "invoice_date": date(2026, 10, 5),
    "type": "Debit",
    "customer": "Acme",
    "description": "Microsoft 365",
    "start_date": date(2026, 10, 1),
    "end_date": date(2026, 11, 1),
    "unit_cost_price": Decimal(100),
    "unit_sell_price": Decimal("150.5"),
    "quantity": Decimal(2),
    "unit": "Month",
    "total_cost_price": Decimal(200),
    "total_sell_price": Decimal(301),
    "product_type": "License",
    "product_name": "Microsoft 365",
    "currency": "EUR",
    "customer_id": "C-1",
    "source": "dist",
    "billing_period": "2026-10",
}


def table_of_charges(connection: duckdb.DuckDBPyConnection, *changes: Mapping[str, object]) -> None:
    """Make `charges`, a row per set of changes to the plain charge; line_item_id counts them."""
    columns = ", ".join(f"{column.name} {column.type}" for column in CUSTOMER_CHARGES.columns)
    connection.execute(f"create or replace table charges ({columns})")
    names = [column.name for column in CUSTOMER_CHARGES.columns]
    rows = [
        [{**CHARGE, "line_item_id": f"line-{number:04}", **change}.get(name) for name in names]
        for number, change in enumerate(changes)
    ]
    if rows:
        connection.executemany(f"insert into charges values ({', '.join('?' * len(names))})", rows)
