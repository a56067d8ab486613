"""`sql/reconciliation/usage_reconciliation.sql`: where every cent of a delivery went."""

from decimal import Decimal

from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.reconciliation import USAGE_RECONCILIATION
from tests.sql.inline import Row, exact, make, output_types, pick, select, session, table_types

ITEM: Row = {
    "source": "aws",
    "delivery_id": "d1",
    "billing_account_id": "payer",
    "billing_period": "2026-10",
    "currency": "EUR",
    "bucket": "billed",
    "total_cost": Decimal(10),
    "total_sell": Decimal(15),
    "row_count": 3,
}


def buckets(*items: Row) -> list[Row]:
    connection = session()
    make(connection, "line_items", table_types(PRICED_LINE_ITEMS), *items, defaults=ITEM)
    return select(connection, "reconciliation/usage_reconciliation")


def test_a_bucket_holds_the_vendors_cost_and_rows_not_the_customers_price() -> None:
    assert pick(buckets({}, {"total_cost": exact("-0.000000000000000001")}), "amount", "row_count") == [
        (exact("9.999999999999999999"), 6)
    ]


def test_buckets_are_kept_apart_by_delivery_account_period_and_currency() -> None:
    rows = buckets({}, {"bucket": "tax"}, {"delivery_id": "d2"}, {"currency": "USD"}, {"billing_account_id": "other"})
    assert len(rows) == 5
    assert sum(row["row_count"] for row in rows) == 15


def test_buckets_of_a_delivery_add_up_to_its_charges() -> None:
    items: list[Row] = [
        {"bucket": bucket, "total_cost": exact(f"0.{number}")}
        for number, bucket in enumerate(("billed", "tax", "billed", "credit"), 1)
    ]
    rows = buckets(*items)
    assert sorted(pick(rows, "bucket", "amount")) == [
        ("billed", exact("0.4")),
        ("credit", exact("0.4")),
        ("tax", exact("0.2")),
    ]


def test_buckets_have_the_columns_and_types_of_their_contract() -> None:
    connection = session()
    make(connection, "line_items", table_types(PRICED_LINE_ITEMS))
    assert output_types(connection, "reconciliation/usage_reconciliation") == table_types(USAGE_RECONCILIATION)
