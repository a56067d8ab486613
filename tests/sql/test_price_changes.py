"""`sql/marts/price_changes.sql`: a month's prices before and after a change of terms."""

from decimal import Decimal

from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from tests.sql.inline import Row, exact, make, make_reference, output_types, pick, select, session, table_types

ITEM: Row = {
    "line_item_id": "l1",
    "customer_id": "c1",
    "product_id": "p1",
    "product_name": "Machines",
    "currency": "EUR",
    "bucket": "billed",
    "total_cost": Decimal(10),
    "total_sell": Decimal(15),
    "margin": Decimal(5),
}
UNPRICED: Row = {"total_sell": None, "margin": None, "bucket": "unpriced"}
SIDES = ("sell_before", "sell_after", "change", "change_percent")


def changes(before: list[Row], after: list[Row], by_product: bool = False) -> list[Row]:
    connection = session()
    make_reference(connection, "customers", {"customer_id": "c1", "name": "Acme"})
    for name, rows in (("line_items_before", before), ("line_items_after", after)):
        make(connection, name, table_types(PRICED_LINE_ITEMS), *rows, defaults=ITEM)
    return select(connection, "marts/price_changes", {"by_product": by_product})


def test_a_customer_has_its_prices_before_and_after_and_the_change_of_them() -> None:
    after: Row = {"total_sell": Decimal(12), "margin": Decimal(2)}
    (customer, total) = changes([{}, {"line_item_id": "l2"}], [after, {"line_item_id": "l2"}])
    assert pick([customer], "customer_id", "customer_name", "currency", *SIDES) == [
        ("c1", "Acme", "EUR", Decimal(30), Decimal(27), Decimal(-3), Decimal(-10))
    ]
    assert pick([customer], "margin_before", "margin_after", "charges") == [(Decimal(10), Decimal(7), 2)]
    assert pick([total], "is_total", "customer_id", "currency", *SIDES) == [
        (True, None, "EUR", Decimal(30), Decimal(27), Decimal(-3), Decimal(-10))
    ]


def test_each_currency_has_its_own_row_and_its_own_total() -> None:
    rows: list[Row] = [{}, {"line_item_id": "l2", "currency": "USD", "total_sell": Decimal(7)}]
    found = changes(rows, rows)
    assert pick(found, "is_total", "customer_id", "currency", "sell_after") == [
        (False, "c1", "EUR", Decimal(15)),
        (False, "c1", "USD", Decimal(7)),
        (True, None, "EUR", Decimal(15)),
        (True, None, "USD", Decimal(7)),
    ]


def test_what_becomes_priced_or_unpriced_is_counted_and_never_a_change_in_percent_of_nothing() -> None:
    found = changes(
        [{}, {"line_item_id": "l2", "customer_id": "c2", **UNPRICED}],
        [UNPRICED, {"line_item_id": "l2", "customer_id": "c2"}],
    )
    assert pick(found[:2], "customer_id", "newly_priced", "newly_unpriced", *SIDES) == [
        ("c1", 0, 1, Decimal(15), Decimal(0), Decimal(-15), Decimal(-100)),
        ("c2", 1, 0, Decimal(0), Decimal(15), Decimal(15), None),
    ]
    assert pick(found[2:], "newly_priced", "newly_unpriced", "change") == [(1, 1, Decimal(0))]


def test_a_charge_that_changes_its_customer_leaves_one_row_and_enters_the_other() -> None:
    found = changes([{}], [{"customer_id": "c2"}])
    assert pick(found, "customer_id", "change", "newly_priced", "newly_unpriced") == [
        ("c1", Decimal(-15), 0, 0),
        ("c2", Decimal(15), 0, 0),
        (None, Decimal(0), 0, 0),
    ]


def test_a_pending_invoice_and_an_unmapped_account_are_no_prices() -> None:
    rows: list[Row] = [{"bucket": "excluded_by_rule"}, {"line_item_id": "l2", "customer_id": None}]
    assert changes(rows, rows) == []


def test_a_cheaper_credit_is_a_positive_change_in_percent_too() -> None:
    credit: Row = {"total_sell": Decimal(-10), "margin": Decimal(-2)}
    found = changes([credit], [{**credit, "total_sell": Decimal(-8)}])
    assert pick(found[:1], "change", "change_percent") == [(Decimal(2), Decimal(20))]


def test_products_are_rows_of_their_own_if_asked_for_and_add_up_to_the_same_total() -> None:
    rows: list[Row] = [{}, {"line_item_id": "l2", "product_id": "p2", "product_name": "Disks"}]
    found = changes(rows, rows, by_product=True)
    assert pick(found, "customer_id", "product_id", "product_name", "sell_after") == [
        ("c1", "p1", "Machines", Decimal(15)),
        ("c1", "p2", "Disks", Decimal(15)),
        (None, None, None, Decimal(30)),
    ]


def test_a_product_without_id_is_no_total() -> None:
    found = changes([{"product_id": None}], [{"product_id": None}], by_product=True)
    assert pick(found, "is_total", "customer_id") == [(False, "c1"), (True, None)]


def test_amounts_stay_exact_and_percentages_are_no_floats() -> None:
    tiny = exact("0.000000000000000000000001")
    (customer, _) = changes([{}], [{"total_sell": Decimal(15) + tiny}])
    assert customer["change"] == tiny
    connection = session()
    make_reference(connection, "customers")
    for name in ("line_items_before", "line_items_after"):
        make(connection, name, table_types(PRICED_LINE_ITEMS))
    kinds = set(output_types(connection, "marts/price_changes", {"by_product": False}).values())
    assert kinds == {"BOOLEAN", "VARCHAR", "BIGINT", "DECIMAL(38,24)", "DECIMAL(38,8)"}
