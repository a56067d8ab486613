"""`sql/marts/billing_status.sql`: where each source stands in each billing period."""

from datetime import date
from decimal import Decimal

import pytest

from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.reconciliation import BILLING_STATUS
from tests.sql.inline import Row, exact, instant, make, output_types, pick, select, session, table_types

DELIVERY_TYPES = table_types(DELIVERIES) | {"is_current": "boolean"}
PAIR = {"source": "varchar", "billing_period": "varchar"}
SETTLEMENT = PAIR | {"expected_settled_on": "date"}
OCTOBER: Row = {"source": "aws", "billing_period": "2026-10"}
DELIVERY: Row = OCTOBER | {
    "delivery_id": "d1",
    "received_at": instant("2026-11-05"),
    "is_final": True,
    "is_current": True,
    "total_cost": Decimal(100),
    "vendor_net_total": Decimal(100),
    "currency": "EUR",
}
IN_OCTOBER, IN_NOVEMBER = date(2026, 10, 31), date(2026, 11, 1)


def status(
    *deliveries: Row, invoiced: tuple[Row, ...] = (), differences: tuple[Row, ...] = (), as_of_day: date = IN_NOVEMBER
) -> list[Row]:
    connection = session()
    make(connection, "known_deliveries", DELIVERY_TYPES, *deliveries, defaults=DELIVERY)
    settled = [{**OCTOBER, "source": source, "expected_settled_on": date(2026, 11, 20)} for source in ("aws", "azure")]
    make(connection, "settlement_days", SETTLEMENT, *settled)
    make(connection, "invoiced_sources", PAIR, *invoiced)
    make(connection, "differences", PAIR, *differences)
    return select(connection, "marts/billing_status", {"as_of_day": as_of_day})


@pytest.mark.parametrize(
    ("changes", "invoiced", "differences", "as_of_day", "state"),
    [
        ({}, (), (), IN_OCTOBER, "open"),
        ({"is_final": False}, (), (), IN_OCTOBER, "open"),
        ({"is_final": False}, (), (), IN_NOVEMBER, "collecting"),
        ({}, (), (OCTOBER,), IN_NOVEMBER, "collecting"),
        ({}, (), (), IN_NOVEMBER, "settled"),
        ({}, (OCTOBER,), (), IN_NOVEMBER, "locked"),
        ({"is_final": False}, (OCTOBER,), (OCTOBER,), IN_OCTOBER, "locked"),
    ],
)
def test_a_period_is_open_then_collecting_then_settled_then_locked(
    changes: Row, invoiced: tuple[Row, ...], differences: tuple[Row, ...], as_of_day: date, state: str
) -> None:
    rows = status(changes, invoiced=invoiced, differences=differences, as_of_day=as_of_day)
    assert pick(rows, "state") == [state]


def test_a_difference_or_invoice_of_another_source_or_period_says_nothing() -> None:
    others = ({**OCTOBER, "source": "azure"}, {**OCTOBER, "billing_period": "2026-09"})
    assert pick(status({}, invoiced=others, differences=others), "state") == ["settled"]


def test_one_delivery_that_is_not_final_keeps_the_source_from_being_settled() -> None:
    assert pick(status({}, {"delivery_id": "d2", "is_final": False}), "state", "is_final") == [("collecting", False)]


def test_totals_are_exact_sums_and_the_difference_is_the_vendors_minus_the_rows() -> None:
    rows = status(
        {"vendor_net_total": exact("100.01")}, {"delivery_id": "d2", "total_cost": exact("0.000000000000000001")}
    )
    (row,) = rows
    assert row["vendor_total"] == exact("200.01")
    assert row["rows_total"] == exact("100.000000000000000001")
    assert row["difference"] == exact("100.009999999999999999")


def test_one_delivery_without_a_vendors_total_leaves_the_total_and_the_difference_empty() -> None:
    (row,) = status({}, {"delivery_id": "d2", "vendor_net_total": None})
    assert (row["vendor_total"], row["difference"], row["rows_total"]) == (None, None, 200)


def test_a_replaced_delivery_counts_for_nothing() -> None:
    (row,) = status({}, {"delivery_id": "old", "is_current": False, "is_final": False})
    assert (row["rows_total"], row["delivery_count"], row["state"]) == (100, 1, "settled")


def test_currencies_are_never_added_up() -> None:
    rows = status({}, {"currency": "USD", "total_cost": Decimal(7)})
    assert pick(rows, "currency", "rows_total", "delivery_count") == [("EUR", 100, 1), ("USD", 7, 1)]


def test_a_difference_found_in_several_deliveries_is_no_second_row() -> None:
    assert len(status({}, {"delivery_id": "d2"}, differences=(OCTOBER, OCTOBER))) == 1


def test_status_tells_the_last_arrival_and_the_day_of_settlement() -> None:
    (row,) = status({}, {"delivery_id": "d2", "received_at": instant("2026-11-09")})
    assert (row["last_received_at"], row["delivery_count"]) == (instant("2026-11-09"), 2)
    assert row["expected_settled_on"] == date(2026, 11, 20)


def test_sources_stand_side_by_side_in_one_order() -> None:
    assert pick(status({"source": "azure"}, {}), "source") == ["aws", "azure"]


def test_status_has_the_columns_and_types_of_its_contract() -> None:
    connection = session()
    for name, types in (
        ("known_deliveries", DELIVERY_TYPES),
        ("settlement_days", SETTLEMENT),
        ("invoiced_sources", PAIR),
        ("differences", PAIR),
    ):
        make(connection, name, types)
    assert output_types(connection, "marts/billing_status", {"as_of_day": IN_NOVEMBER}) == table_types(BILLING_STATUS)
