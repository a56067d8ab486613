"""`three_way.sql` and `stated_totals.sql` of `sql/reconciliation/`: deliveries, totals and buckets side by side."""

from decimal import Decimal

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.reconciliation import USAGE_RECONCILIATION
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from tests.sql.inline import Row, exact, make, pick, select, session, table_types

KEY: Row = {"source": "aws", "billing_account_id": "payer", "billing_period": "2026-10", "currency": "EUR"}
DELIVERY: Row = KEY | {
    "delivery_id": "d1", "sha256": "s1", "is_final": True, "row_count": 3, "total_cost": Decimal(10),
}  # fmt: skip
BUCKET: Row = KEY | {"delivery_id": "d1", "bucket": "billed", "amount": Decimal(10), "row_count": 3}
TOTAL: Row = KEY | {
    "invoice_id": "V1",
    "net_total": Decimal(8),
    "is_final": True,
    "file_name": "t.csv",
    "row_number": 1,
}
FORMATS = {"source": "varchar", "format": "varchar"}


def three_way(
    *deliveries: Row, buckets: tuple[Row, ...] = (), totals: tuple[Row, ...] = (), periods: list[str] | None = None
) -> list[Row]:
    connection = session()
    make(connection, "deliveries", table_types(DELIVERIES), *deliveries, defaults=DELIVERY)
    make(connection, "buckets", table_types(USAGE_RECONCILIATION), *buckets, defaults=BUCKET)
    make(connection, "vendor_totals", table_types(VENDOR_TOTALS), *totals, defaults=TOTAL)
    formats = ({"source": "aws", "format": "aws_cur"}, {"source": "dist", "format": "distributor_invoice"})
    make(connection, "source_formats", FORMATS, *formats)
    connection.execute(
        f"create table stated_totals as {load_sql('reconciliation/stated_totals')}", {"billing_periods": periods}
    )
    return select(connection, "reconciliation/three_way")


def test_an_account_has_its_rows_its_buckets_and_the_tax_among_them() -> None:
    tax: Row = {"bucket": "tax", "amount": Decimal(2), "row_count": 1}
    (found,) = three_way({}, buckets=({"amount": Decimal(8), "row_count": 2}, tax), totals=({},))
    assert (found["rows_total"], found["attributed_total"], found["tax_rows"]) == (10, 10, 2)
    assert (found["row_count"], found["attributed_rows"], found["has_rows"]) == (3, 3, True)
    assert (found["format"], found["delivery_ids"], found["contents"]) == ("aws_cur", ["d1"], ["d1 s1"])


def test_a_total_without_rows_and_a_bucket_without_delivery_stand_there_too() -> None:
    found = three_way(buckets=({"currency": "USD"},), totals=({},))
    assert pick(found, "currency", "has_rows", "attributed_total") == [("EUR", False, 0), ("USD", False, 10)]


def test_several_deliveries_of_an_account_add_up_and_one_without_total_leaves_none() -> None:
    second: Row = {"delivery_id": "d2", "sha256": "s2", "is_final": False, "vendor_net_total": exact("4")}
    (found,) = three_way({"vendor_net_total": exact("3.5")}, second)
    assert (found["rows_total"], found["file_net"], found["is_final"]) == (20, exact("7.5"), False)
    (found,) = three_way({}, second)
    assert found["file_net"] is None


def test_a_tax_beside_the_cost_counts_but_not_that_of_a_distributors_header() -> None:
    (found,) = three_way({"vendor_tax_total": exact("1.9")})
    assert found["tax_beside"] == exact("1.9")
    (found,) = three_way({"source": "dist", "vendor_tax_total": exact("1.9")})
    assert (found["tax_beside"], found["file_tax"]) == (0, exact("1.9"))


def test_a_distributors_total_belongs_to_the_account_that_is_its_number() -> None:
    (found,) = three_way(totals=({"source": "dist", "invoice_id": "N-1"},))
    assert found["billing_account_id"] == "N-1"


def test_only_totals_of_the_periods_asked_for_are_compared() -> None:
    totals: tuple[Row, ...] = ({}, {"billing_period": "2026-09"})
    assert pick(three_way(totals=totals, periods=["2026-09"]), "billing_period") == ["2026-09"]
    assert three_way(totals=totals, periods=[]) == []
    assert len(three_way(totals=totals)) == 2
