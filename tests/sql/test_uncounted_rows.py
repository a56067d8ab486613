"""`sql/charges/uncounted_rows.sql`: deliveries whose rows or cost are not all behind a charge or an excluded one."""

import pytest

from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES, EXCLUDED_CHARGES
from billing_pipeline.schemas.deliveries import DELIVERIES
from tests.sql.inline import Row, exact, make, pick, select, session, table_types

COST = exact("0.000000000000000001")
DELIVERY: Row = {"delivery_id": "d1", "currency": "EUR", "row_count": 10, "total_cost": 3 * COST}
LISTED: Row = {"delivery_id": "d1", "currency": "EUR", "row_count": 7, "total_cost_price": 2 * COST}
LEFT_OUT: Row = {"delivery_id": "d1", "currency": "EUR", "row_count": 3, "total_cost": COST}


def uncounted(delivered: list[Row], listed: list[Row], left_out: list[Row]) -> list[Row]:
    connection = session()
    make(connection, "deliveries", table_types(DELIVERIES), *delivered, defaults=DELIVERY)
    make(connection, "listed_charges", table_types(CUSTOMER_CHARGES), *listed, defaults=LISTED)
    make(connection, "left_out_charges", table_types(EXCLUDED_CHARGES), *left_out, defaults=LEFT_OUT)
    return select(connection, "charges/uncounted_rows")


def test_a_delivery_whose_rows_are_all_listed_or_left_out_is_not_reported() -> None:
    assert uncounted([{}], [{}], [{}]) == []
    other = {"currency": "USD"}
    assert uncounted([{}, other], [{}, other], [{}, other]) == []


@pytest.mark.parametrize(
    ("listed", "left_out", "counted"),
    [
        ([{}], [], (7, 2 * COST)),
        ([{}], [{}, {"row_count": 1, "total_cost": 0}], (11, 3 * COST)),
        ([{"row_count": 6}], [{}], (9, 3 * COST)),
        ([{"total_cost_price": exact("0.000000000000000002000001")}], [{}], (10, exact("0.000000000000000003000001"))),
        ([], [], (0, 0)),
    ],
    ids=str,
)
def test_a_row_or_the_smallest_part_of_a_cent_that_is_missing_or_too_many_is_reported(
    listed: list[Row], left_out: list[Row], counted: tuple[object, ...]
) -> None:
    found = uncounted([{}], listed, left_out)
    assert pick(found, "delivery_id", "delivered_rows", "counted_rows", "counted_cost") == [("d1", 10, *counted)]


def test_a_charge_of_a_delivery_that_did_not_come_is_reported() -> None:
    assert pick(uncounted([], [{}], []), "delivery_id", "delivered_rows", "counted_rows") == [("d1", 0, 7)]


def test_a_currency_in_which_nothing_was_delivered_is_reported() -> None:
    found = uncounted([{}], [{}], [{}, {"currency": "USD", "row_count": 0}])
    assert pick(found, "currency", "counted_cost") == [("USD", COST)]
