"""Pricing: from vendor rows to priced line items, with the terms in force at the right moment.

The work is in `sql/pricing/`; this module gives it its order. Relations are looked up in the session that
is handed in, so the same steps price one day, a month under other terms, or three inline rows of a test.

Inputs, as relations of the session: `usage_rows` and `item_rows` (columns of vendor_charges), `delivery_facts`
(columns of deliveries), `reference_*` (one per reference file, as it is now), `known_*` (one per reference file, every
row it ever held, with `recorded_at` and `withdrawn_at`), `earlier_line_items` (columns of priced_line_items, of the
days before).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import duckdb

from billing_pipeline.errors import BillingError
from billing_pipeline.queries import load_sql, one_thread

PRICED: Final = "priced_line_items_of_session"

# Up to here the steps' outcomes are kept as tables: to plan a statement over many views takes longer than to run it.
_FEW_CHARGES: Final = 20_000

_BILLED_BY_THE_VENDOR: Final[Mapping[str, str]] = MappingProxyType({})

_CREDIT_ITEM: Final = "line_number is not null and charge_type = 'Credit'"
# Everything with a range of days that decides whose a charge is or what it costs the customer.
_DATED_TERMS: Final = ("accounts", "special_prices", "pricebook_prices", "pricing_rules", "global_adjustments")
_DEBIT_FACTS: Final = (
    "source, invoice_number, line_number, product_id, sub_account_id, customer_id, received_at, currency, quantity,"
    " unit_cost, unit_sell, srp, total_sell, price_term, price_term_id, price_scope, price_scope_id, price_unit_price,"
    " tier_quantity, adjustment_ids, adjustment_percent"
)


class RowsNotPreserved(BillingError):
    """Pricing gained or lost vendor rows: a term or a mapping matched twice, or not at all."""


def price_charges(
    connection: duckdb.DuckDBPyConnection, time_zone: str, invoiced_through: Mapping[str, str] = _BILLED_BY_THE_VENDOR
) -> str:
    """Price every vendor row of the session's deliveries.

    Args:
        connection: session with the module's input relations and the macros of `sql/macros.sql`.
        time_zone: IANA name; whose day an order or an invoice belongs to.
        invoiced_through: the distributor's source by the id of each feed whose cost its invoices bill; no charge of
            such a feed is billed a second time.

    Returns:
        Name of a temporary view with the columns of priced_line_items, one row per charge. It holds until the next
        call; prices are made while it is read, because a day of ten million rows need not stand in memory twice. What
        is made of it is to be checked with `check_rows`.
    """
    with one_thread(connection):
        _table(connection, "unordered_sums", load_sql("pricing/usage_sums"))
    _view(connection, "usage_sums", "select * from unordered_sums")
    _view(connection, "usage_charges", load_sql("pricing/usage_charges"))
    _table(connection, "item_charges", load_sql("pricing/item_charges"), {"time_zone": time_zone})
    _view(connection, "dated_charges", "select * from usage_charges union all by name select * from item_charges")
    are_few = _count(connection, "dated_charges") <= _FEW_CHARGES
    _select_terms(connection)
    _put_in_order(connection)
    _stage(connection, "attributed", load_sql("pricing/attributed_charges"), are_few)
    _price_debits(connection, are_few)
    _price_credits(connection)
    _view(connection, "priced_charges", "select * from priced_debits union all by name select * from priced_credits")
    _table(
        connection,
        "feeds_invoiced_through",
        "select unnest(cast($feeds as varchar[])) as source, unnest(cast($distributors as varchar[])) as distributor",
        {"feeds": [*invoiced_through], "distributors": [*invoiced_through.values()]},
    )
    _stage(connection, PRICED, load_sql("pricing/priced_line_items"), are_few)
    return PRICED


def is_in_order(connection: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether one thread that keeps the order (`one_thread`) reads what was priced in the order of its contract.

    Much usage is put in order early; distributor items come behind it, and few charges are quicker to sort.
    """
    return _count(connection, "item_charges") == 0 and _count(connection, "usage_sums") > _FEW_CHARGES


def check_rows(connection: duckdb.DuckDBPyConnection, priced: str) -> None:
    """Check that every vendor row that came in stands behind exactly one priced charge.

    Args:
        connection: session that priced.
        priced: what became of `PRICED`: a relation with its columns.

    Raises:
        RowsNotPreserved: vendor rows in and vendor rows behind the priced charges differ.
    """
    counts = connection.execute(
        "select (select count(*) from usage_rows) + (select count(*) from item_rows),"
        " (select count(*) from usage_sums) + (select count(*) from item_charges),"
        f" coalesce(sum(row_count), 0), count(*) from {priced}"
    ).fetchone()
    assert counts is not None
    rows_in, charges, rows_priced, charges_priced = counts
    if rows_in != rows_priced or charges != charges_priced:
        raise RowsNotPreserved(
            f"{rows_in} vendor rows came in as {charges} charges, {rows_priced} stand behind {charges_priced} priced"
            " charges: a term or a mapping matched more than once"
        )


def _select_terms(connection: duckdb.DuckDBPyConnection) -> None:
    """Find customer, product and terms of every situation in which charges are: far fewer than charges."""
    ranges = " union all ".join(f"select valid_from, valid_to from known_{name}" for name in _DATED_TERMS)
    _view(connection, "term_ranges", ranges)
    _table(connection, "term_stretches", load_sql("pricing/term_stretches"))
    _table(connection, "situations", load_sql("pricing/situations"))
    _table(connection, "attributed_situations", load_sql("pricing/attributed_situations"))
    _table(connection, "assigned_pricebooks", load_sql("pricing/assigned_pricebooks"))
    _view(connection, "term_scopes", load_sql("pricing/term_scopes"))
    _table(connection, "selected_terms", load_sql("pricing/selected_terms"))
    _table(connection, "selected_adjustments", load_sql("pricing/selected_adjustments"))


def _put_in_order(connection: duckdb.DuckDBPyConnection) -> None:
    """Put the sums of usage in the order of what is made of them, and hold their texts once."""
    _table(connection, "usage_kinds", load_sql("pricing/usage_kinds"))
    _table(connection, "ordered_sums", load_sql("pricing/ordered_sums"))
    _view(connection, "usage_sums", load_sql("pricing/sums_in_order"))
    connection.execute("drop table unordered_sums")


def _price_debits(connection: duckdb.DuckDBPyConnection, are_few: bool) -> None:
    _view(connection, "attributed_charges", f"select * from attributed where not ({_CREDIT_ITEM})")
    _table(connection, "tier_rows", load_sql("pricing/tier_rows"))
    _table(connection, "graduated_slices", load_sql("pricing/graduated_slices"))
    _table(connection, "tiered_charges", load_sql("pricing/tiered_charges"))
    _table(connection, "tiered_prices", load_sql("pricing/tiered_prices"))
    _table(connection, "expected_unit_costs", load_sql("pricing/expected_unit_costs"))
    _stage(connection, "priced_debits", load_sql("pricing/priced_debits"), are_few)


def _price_credits(connection: duckdb.DuckDBPyConnection) -> None:
    """Price credit notes after the debits, so that a credit finds a debit of the same day."""
    _view(connection, "attributed_credits", f"select * from attributed where {_CREDIT_ITEM}")
    _table(
        connection,
        "known_debits",
        f"select line_item_id, {_DEBIT_FACTS}, price_method, price_percent from earlier_line_items"
        f" where line_number is not null and charge_type = 'Debit'"
        f" union select 'line-' || charge_id, {_DEBIT_FACTS}, method, percent from priced_debits"
        f" where line_number is not null",
    )
    _table(connection, "priced_credits", load_sql("pricing/priced_credits"))


def _stage(connection: duckdb.DuckDBPyConnection, name: str, query: str, is_table: bool) -> None:
    """Name the outcome of a step: worked out at once, or whenever it is read."""
    if is_table:
        _table(connection, f"{name}_rows", query)
        query = f"select * from {name}_rows"
    _view(connection, name, query)


def _table(
    connection: duckdb.DuckDBPyConnection, name: str, query: str, parameters: dict[str, object] | None = None
) -> None:
    connection.execute(f"create or replace temp table {name} as {query}", parameters)


def _view(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    connection.execute(f"create or replace temp view {name} as {query}")


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    found = connection.execute(f"select count(*) from {relation}").fetchone()
    assert found is not None
    return int(found[0])
