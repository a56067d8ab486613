"""`sql/reconciliation/unexplained_differences.sql`: deliveries whose buckets do not add up."""

from decimal import Decimal

import pytest

from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.reconciliation import USAGE_RECONCILIATION
from tests.sql.inline import Row, exact, make, pick, select, session, table_types

FACTS: Row = {
    "source": "aws",
    "delivery_id": "d1",
    "billing_account_id": "payer",
    "billing_period": "2026-10",
    "currency": "EUR",
}
BUCKET: Row = FACTS | {"bucket": "billed", "amount": Decimal(10), "row_count": 3}
DELIVERY: Row = FACTS | {"total_cost": Decimal(10), "row_count": 3}


def differences(buckets: list[Row], deliveries: list[Row]) -> list[Row]:
    connection = session()
    make(connection, "buckets", table_types(USAGE_RECONCILIATION), *buckets, defaults=BUCKET)
    make(connection, "deliveries", table_types(DELIVERIES), *deliveries, defaults=DELIVERY)
    return select(connection, "reconciliation/unexplained_differences")


def test_a_delivery_whose_buckets_add_up_is_no_difference() -> None:
    assert differences([{}], [{}]) == []
    parts: list[Row] = [
        {"amount": exact("9.9"), "row_count": 2},
        {"bucket": "tax", "amount": exact("0.1"), "row_count": 1},
    ]
    assert differences(parts, [{}]) == []


@pytest.mark.parametrize(
    "bucket",
    [
        {"amount": exact("10.000000000000000001")},
        {"amount": exact("9.999999999999999999999999")},
        {"row_count": 2},
        {"row_count": 4},
    ],
    ids=str,
)
def test_the_last_decimal_and_a_single_row_are_a_difference(bucket: Row) -> None:
    (found,) = differences([bucket], [{}])
    assert (found["delivery_id"], found["source"], found["billing_account_id"]) == ("d1", "aws", "payer")
    assert (found["rows_amount"], found["rows_count"]) == (10, 3)
    assert (found["bucket_amount"], found["bucket_rows"]) == (bucket.get("amount", 10), bucket.get("row_count", 3))


def test_a_delivery_without_any_bucket_is_a_difference() -> None:
    assert pick(differences([], [{}]), "rows_amount", "bucket_amount", "bucket_rows") == [(10, 0, 0)]


def test_a_bucket_in_a_currency_the_delivery_does_not_have_is_a_difference() -> None:
    found = differences([{}, {"currency": "USD", "amount": Decimal(5)}], [{}])
    assert pick(found, "source", "billing_period", "currency", "rows_amount", "bucket_amount") == [
        ("aws", "2026-10", "USD", 0, 5)
    ]


def test_amounts_of_two_currencies_or_deliveries_never_make_up_for_each_other() -> None:
    swapped = differences(
        [{"amount": Decimal(11)}, {"currency": "USD", "amount": Decimal(9)}, {"delivery_id": "d2"}],
        [{}, {"currency": "USD"}, {"delivery_id": "d2"}],
    )
    assert pick(swapped, "delivery_id", "currency") == [("d1", "EUR"), ("d1", "USD")]


def test_nothing_arrived_is_no_difference() -> None:
    assert differences([], []) == []
