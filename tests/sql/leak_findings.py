"""A session with everything `sql/marts/margin_leaks.sql` and the findings beside it read."""

import duckdb

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.billed_charges import BILLED_CHARGES
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from tests.sql.inline import Row, make, make_reference, session, table_types

FINDINGS = ("unit_cost_differences", "unpassed_fees", "uninvoiced_charges", "expired_special_prices")
OF_MONTH: Row = {"customer_id": "c1", "billing_period": "2026-10"}


def finding_session(
    *items: Row,
    special_price: Row | None = None,
    special_prices: tuple[Row, ...] = (),
    fees: tuple[Row, ...] = (),
    error: Row | None = None,
    document: Row | None = None,
) -> duckdb.DuckDBPyConnection:
    """Return a session with priced charges and whatever else is given, and the findings as relations.

    Args:
        items: rows of priced_line_items.
        special_price: a row of special_prices for product p1 of c1, `special_prices` several.
        fees: rows of billed_charges.
        error: why c1 got no document of October 2026.
        document: one that c1 has of it.
    """
    connection = session()
    make(connection, "current_line_items", table_types(PRICED_LINE_ITEMS), *items)
    make(connection, "billed_fees", table_types(BILLED_CHARGES), *fees)
    since: Row = {"customer_id": "c1", "product_id": "p1", "valid_from": "2026-01-01", "currency": "EUR"}
    known = "2026-01-01T00:00:00Z"
    rows = [*special_prices, *([special_price] if special_price else [])]
    make_reference(connection, "special_prices", *({**since, "recorded_at": known, **row} for row in rows))
    connection.execute("create temp view special_prices as select * from reference_special_prices")
    texts = dict.fromkeys(("customer_id", "billing_period", "reason", "status", "document_type"), "varchar")
    make(connection, "ledger_invoice_errors", texts, *([error] if error else []), defaults=OF_MONTH)
    issued: Row = {**OF_MONTH, "status": "open", "document_type": "invoice"}
    make(connection, "ledger_invoices", texts, *([document] if document is not None else []), defaults=issued)
    for name in FINDINGS:
        connection.execute(f"create temp view {name} as {load_sql(f'marts/{name}')}")
    return connection
