"""One charge and what prices it, for the tests of `sql/pricing/priced_debits.sql`."""

from collections.abc import Iterable
from decimal import Decimal

from tests.sql.inline import Row, make, select, session
from tests.sql.pricing_steps import step_types

INPUTS = ("attributed_charges", "selected_terms", "tiered_prices", "selected_adjustments", "expected_unit_costs")
USAGE: Row = {
    "charge_id": "k1",
    "situation_id": 1,
    "customer_id": "c1",
    "charge_nature": "usage",
    "quantity": Decimal(3),
    "cost": Decimal("10.00"),
    "list_cost": Decimal("12.00"),
    "currency": "EUR",
}
ITEM: Row = {
    "charge_id": "k1",
    "situation_id": 1,
    "customer_id": "c1",
    "charge_nature": "usage",
    "line_number": "1",
    "quantity": Decimal(3),
    "file_unit_cost": Decimal("10.00"),
    "file_list_price": Decimal("12.00"),
    "cost": Decimal("30.00"),
    "list_cost": Decimal("36.00"),
    "currency": "EUR",
}
TERM: Row = {"situation_id": 1, "price_term": "pricing_rule", "price_term_id": "r1", "has_tiers": False}
MARKUP: Row = TERM | {"method": "markup", "percent": Decimal(50)}
SRP: Row = TERM | {"method": "srp"}
SHARE: Row = TERM | {"method": "percent_of_srp", "percent": Decimal(80)}
DISCOUNT: Row = TERM | {"method": "srp_discount", "percent": Decimal(25)}
FIXED: Row = TERM | {"method": "fixed", "unit_price": Decimal("11.50"), "term_currency": "EUR"}


def prices(
    charges: Iterable[Row],
    *terms: Row,
    tiers: Iterable[Row] = (),
    adjustments: Iterable[Row] = (),
    expected: Iterable[Row] = (),
) -> list[Row]:
    """Return what charges come to, in the order of their keys."""
    connection = session()
    for name, rows in zip(INPUTS, (charges, terms, tiers, adjustments, expected), strict=True):
        make(connection, name, step_types(name), *rows)
    return sorted(select(connection, "pricing/priced_debits"), key=lambda row: str(row["charge_id"]))


def price(charge: Row, *terms: Row, tier: Row | None = None, adjustment: Row | None = None) -> Row:
    """Return what one charge comes to.

    Args:
        tier: columns of tiered_prices.
        adjustment: columns of selected_adjustments.
    """
    (row,) = prices(
        [charge],
        *terms,
        tiers=[] if tier is None else [{"charge_id": charge["charge_id"], **tier}],
        adjustments=[] if adjustment is None else [{"situation_id": charge["situation_id"], **adjustment}],
    )
    return row
