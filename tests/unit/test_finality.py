"""Charges and buckets as the vendor's totals make them final, or not."""

import duckdb

from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.reconciliation import USAGE_RECONCILIATION
from resources.finality import with_finality
from tests.sql.inline import Row, fetch, make, pick, session, table_types

CHARGE: Row = {
    "delivery_id": "d'1",
    "bucket": "not_yet_final",
    "is_final": False,
    "reason": "the delivery is not final",
}


def charges(is_final: bool, *changes: Row) -> list[tuple[object, ...]]:
    connection = session()
    make(connection, "charges", table_types(PRICED_LINE_ITEMS), *changes, defaults=CHARGE)
    make(
        connection,
        "stated_finality",
        {"delivery_id": "varchar", "is_final": "boolean"},
        {"delivery_id": "d'1", "is_final": is_final},
    )
    rows = fetch(connection, with_finality(connection, "charges") + " order by line_item_id")
    return pick(rows, "bucket", "is_final", "reason")


def test_estimates_are_billed_once_totals_settle_them() -> None:
    assert charges(True, {}) == [("billed", True, None)]


def test_only_the_buckets_of_finality_change() -> None:
    fee = {"line_item_id": "1", "bucket": "marketplace_fee", "reason": None}
    unpriced = {"line_item_id": "2", "bucket": "unpriced", "reason": "no price"}
    assert charges(True, fee, unpriced) == [("marketplace_fee", True, None), ("unpriced", True, "no price")]


def test_charges_of_a_final_delivery_wait_while_totals_are_estimates() -> None:
    final = {"bucket": "billed", "is_final": True, "reason": None}
    assert charges(False, final) == [("not_yet_final", False, "the vendor's totals are not final")]


def test_other_deliveries_stay_as_they_are() -> None:
    assert charges(True, {"delivery_id": "d2"}) == [("not_yet_final", False, "the delivery is not final")]


def test_without_totals_nothing_is_joined() -> None:
    connection = session()
    connection.execute("create temp table stated_finality (delivery_id varchar, is_final boolean)")
    assert with_finality(connection, "charges") == "select * from charges"


def test_the_select_outlives_the_session_as_the_view_of_a_published_file_does() -> None:
    with duckdb.connect() as connection:
        connection.execute("create temp table stated_finality as select 'd1' as delivery_id, true as is_final")
        rows = "(select * from (values ('d1', 'not_yet_final'), ('d2', 'not_yet_final')) as rows(delivery_id, bucket))"
        query = with_finality(connection, rows, has_charges=False)
    with duckdb.connect() as other:
        assert other.execute(f"{query} order by delivery_id").fetchall() == [
            ("d1", "billed"),
            ("d2", "not_yet_final"),
        ]


def test_a_bucket_keeps_its_columns() -> None:
    connection = session()
    make(connection, "buckets", table_types(USAGE_RECONCILIATION), {"delivery_id": "d1", "bucket": "billed"})
    connection.execute("create temp table stated_finality as select 'd1' as delivery_id, false as is_final")
    [row] = fetch(connection, with_finality(connection, "buckets", has_charges=False))
    assert list(row) == list(USAGE_RECONCILIATION.column_names)
    assert row["bucket"] == "not_yet_final"
