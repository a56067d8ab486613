"""`sql/reconciliation/unattributed_rows.sql`: vendor rows whose charge is not priced once with all its cost."""

from decimal import Decimal

import pytest

from tests.sql.inline import Row, make, pick, select, session

ROW_TYPES = {
    "charge_id": "varchar", "source": "varchar", "billing_account_id": "varchar", "billing_period": "varchar",
    "currency": "varchar", "file_name": "varchar", "row_number": "bigint", "cost": "decimal(38, 18)",
}  # fmt: skip
PRICED_TYPES = {"charge_id": "varchar", "total_cost": "decimal(38, 24)", "row_count": "bigint"}
ROW: Row = {
    "charge_id": "c1", "source": "aws", "billing_account_id": "a", "billing_period": "2026-10", "currency": "EUR",
    "file_name": "f.csv", "cost": Decimal(5),
}  # fmt: skip
PRICED: Row = {"charge_id": "c1", "total_cost": Decimal(10), "row_count": 2}


def unattributed(rows: tuple[Row, ...], *priced: Row) -> list[Row]:
    connection = session()
    numbered = [{"row_number": number, **row} for number, row in enumerate(rows, start=1)]
    make(connection, "charged_rows", ROW_TYPES, *numbered, defaults=ROW)
    make(connection, "priced_charges", PRICED_TYPES, *priced, defaults=PRICED)
    return select(connection, "reconciliation/unattributed_rows")


def test_a_charge_with_all_its_rows_and_cost_is_attributed() -> None:
    assert unattributed(({}, {}), {}) == []


@pytest.mark.parametrize(
    "priced",
    [(), ({"total_cost": Decimal("9.99")},), ({"row_count": 1},), ({}, {})],
    ids=["lost", "another cost", "another count", "twice"],
)
def test_rows_of_a_charge_that_was_lost_changed_or_doubled_are_named(priced: tuple[Row, ...]) -> None:
    found = unattributed(({}, {}, {"charge_id": "c2", "cost": Decimal(1)}), *priced, {
        "charge_id": "c2", "total_cost": Decimal(1), "row_count": 1,
    })  # fmt: skip
    assert pick(found, "row_number", "position", "cost") == [(1, 1, 5), (2, 2, 5)]


def test_three_rows_of_an_account_are_enough() -> None:
    assert pick(unattributed(({}, {}, {}, {})), "row_number") == [1, 2, 3]
