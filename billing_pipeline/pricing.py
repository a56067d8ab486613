"""Pricing: from vendor rows to priced line items, with the terms in force at the right moment.

The work is in `sql/pricing/`; this module gives it its order. Relations are looked up in the session that
is handed in, so the same steps price one day, a month under other terms, or three inline rows of a test.

Inputs, as relations of the session: `usage_rows` and `item_rows` (columns of vendor_charges), `delivery_facts`
(columns of deliveries), `reference_*` (one per reference file), `earlier_line_items` (columns of
priced_line_items, of the days before).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import duckdb

from billing_pipeline.errors import BillingError
from billing_pipeline.queries import load_sql

PRICED: Final = "priced_line_items_of_session"

_CREDIT_ITEM: Final = "line_number is not null and charge_type = 'Credit'"


class RowsNotPreserved(BillingError):
    """Pricing gained or lost vendor rows: a term or a mapping matched twice, or not at all."""


def price_charges(connection: duckdb.DuckDBPyConnection, time_zone: str) -> str:
    """Price every vendor row of the session's deliveries.

    Args:
        connection: session with the module's input relations and the macros of `sql/macros.sql`.
        time_zone: IANA name; whose day an order or an invoice belongs to.

    Returns:
        Name of a temporary view with the columns of priced_line_items, one row per charge. It holds until the next
        call; prices are made while it is read, because a day of ten million rows need not stand in memory twice.

    Raises:
        RowsNotPreserved: vendor rows in and vendor rows behind the priced charges differ.
    """
    with _one_thread(connection):
        _table(connection, "usage_sums", load_sql("pricing/usage_sums"))
    _view(connection, "usage_charges", load_sql("pricing/usage_charges"))
    _table(connection, "item_charges", load_sql("pricing/item_charges"), {"time_zone": time_zone})
    _view(connection, "dated_charges", "select * from usage_charges union all by name select * from item_charges")
    _table(connection, "term_stretches", load_sql("pricing/term_stretches"))
    _view(connection, "charges", load_sql("pricing/charges"))
    _view(connection, "attributed", load_sql("pricing/attributed_charges"))
    _price_debits(connection)
    _price_credits(connection)
    _view(connection, "priced_charges", "select * from priced_debits union all by name select * from priced_credits")
    _view(connection, PRICED, load_sql("pricing/priced_line_items"))
    _check_rows(connection)
    return PRICED


def _price_debits(connection: duckdb.DuckDBPyConnection) -> None:
    _table(
        connection,
        "situations",
        "select distinct customer_id, product_id, product_type, vendor, term_day, received_at from attributed"
        f" where customer_id is not null and charge_nature = 'usage' and not ({_CREDIT_ITEM})",
    )
    _table(connection, "selected_terms", load_sql("pricing/selected_terms"))
    _view(connection, "attributed_charges", f"select * from attributed where not ({_CREDIT_ITEM})")
    _view(connection, "priced_debits", load_sql("pricing/priced_debits"))


def _price_credits(connection: duckdb.DuckDBPyConnection) -> None:
    """Price credit notes after the debits, so that a credit finds a debit of the same day."""
    _view(connection, "attributed_credits", f"select * from attributed where {_CREDIT_ITEM}")
    columns = "source, invoice_number, line_number, product_id, sub_account_id, customer_id, received_at, currency"
    frozen = "unit_cost, unit_sell, srp, price_term, price_term_id"
    _table(
        connection,
        "known_debits",
        f"select line_item_id, {columns}, {frozen}, price_method, price_percent from earlier_line_items"
        f" where line_number is not null and charge_type = 'Debit'"
        f" union select 'line-' || charge_id, {columns}, {frozen}, method, percent from priced_debits"
        f" where line_number is not null",
    )
    _table(connection, "priced_credits", load_sql("pricing/priced_credits"))


def _check_rows(connection: duckdb.DuckDBPyConnection) -> None:
    counts = connection.execute(
        "select (select count(*) from usage_rows) + (select count(*) from item_rows),"
        " (select count(*) from usage_sums) + (select count(*) from item_charges),"
        f" coalesce(sum(row_count), 0), count(*) from {PRICED}"
    ).fetchone()
    assert counts is not None
    rows_in, charges, rows_priced, charges_priced = counts
    if rows_in != rows_priced or charges != charges_priced:
        raise RowsNotPreserved(
            f"{rows_in} vendor rows came in as {charges} charges, {rows_priced} stand behind {charges_priced} priced"
            " charges: a term or a mapping matched more than once"
        )


@contextmanager
def _one_thread(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let one thread do the work.

    Measured: summing ten million rows to two million charges takes two threads twice the CPU time and memory,
    because each of them keeps nearly every charge.
    """
    found = connection.execute("select current_setting('threads')").fetchone()
    assert found is not None
    connection.execute("set threads = 1")
    try:
        yield
    finally:
        connection.execute(f"set threads = {int(found[0])}")


def _table(
    connection: duckdb.DuckDBPyConnection, name: str, query: str, parameters: dict[str, object] | None = None
) -> None:
    connection.execute(f"create or replace temp table {name} as {query}", parameters)


def _view(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    connection.execute(f"create or replace temp view {name} as {query}")
