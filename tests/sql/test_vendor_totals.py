"""Which totals of vendors count (`current_vendor_totals.sql`), and what they settle (`stated_finality.sql`)."""

from decimal import Decimal

import pytest

from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.reconciliation import USAGE_RECONCILIATION
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from tests.sql.inline import Row, exact, instant, make, output_types, pick, select, session, table_types

TOTAL: Row = {
    "source": "aws",
    "billing_account_id": "A",
    "billing_period": "2026-10",
    "invoice_id": "V-1",
    "currency": "USD",
    "net_total": Decimal(10),
    "is_final": True,
    "received_at": instant("2026-11-03"),
    "landed_at": instant("2026-11-03"),
    "seen_at": instant("2026-11-03"),
    "file_name": "invoice_totals.csv",
    "file_sha256": "s1",
    "row_number": 1,
}
LATER: Row = {"received_at": instant("2026-11-09"), "file_sha256": "s2"}
ELSEWHERE: Row = {**LATER, "file_name": "received=2026-11-09/invoice_totals.csv"}
DELIVERY: Row = {
    "delivery_id": "d1",
    "source": "aws",
    "billing_account_id": "A",
    "billing_period": "2026-10",
    "currency": "USD",
    "is_final": False,
    "is_current": True,
}
BUCKET: Row = {"delivery_id": "d1", "currency": "USD", "bucket": "not_yet_final", "amount": Decimal(10)}


def current(*rows: Row) -> list[Row]:
    connection = session()
    make(connection, "every_vendor_total", table_types(VENDOR_TOTALS), *rows, defaults=TOTAL)
    return select(connection, "reconciliation/current_vendor_totals")


def finality(
    *totals: Row, deliveries: tuple[Row, ...] = ({},), buckets: tuple[Row, ...] = ({},)
) -> list[tuple[str, bool]]:
    connection = session()
    make(connection, "vendor_totals", table_types(VENDOR_TOTALS), *totals, defaults=TOTAL)
    types = table_types(DELIVERIES) | {"is_current": "boolean"}
    make(connection, "known_deliveries", types, *deliveries, defaults=DELIVERY)
    make(connection, "every_bucket", table_types(USAGE_RECONCILIATION), *buckets, defaults=BUCKET)
    units = ({"currency": code, "half_unit": exact(half)} for code, half in (("USD", "0.005"), ("JPY", "0.5")))
    make(connection, "currency_units", {"currency": "varchar", "half_unit": "decimal(38, 18)"}, *units)
    return pick(select(connection, "reconciliation/stated_finality"), "delivery_id", "is_final")


def test_of_an_invoice_that_two_files_name_the_newest_arrival_counts() -> None:
    rows = current({}, {**ELSEWHERE, "net_total": Decimal(11)})
    assert pick(rows, "net_total") == [11]
    assert pick(current({**ELSEWHERE, "net_total": Decimal(11)}, {}), "net_total") == [11]


def test_invoices_that_only_an_older_file_names_still_count() -> None:
    rows = current({}, {**ELSEWHERE, "invoice_id": "V-2"})
    assert pick(rows, "invoice_id") == ["V-1", "V-2"]


def test_a_file_overwritten_in_place_takes_back_what_it_said_of_the_account_and_month() -> None:
    rows = current({"invoice_id": "V-l"}, {"billing_account_id": "B"}, LATER)
    assert pick(rows, "billing_account_id", "invoice_id") == [("A", "V-1"), ("B", "V-1")]


def test_an_estimate_without_number_gives_way_to_any_newer_file_on_its_account_and_month() -> None:
    assert pick(current({"invoice_id": None}, ELSEWHERE), "invoice_id") == ["V-1"]
    assert pick(current({"invoice_id": None}, {**ELSEWHERE, "billing_period": "2026-11"}), "invoice_id") == [
        None,
        "V-1",
    ]
    assert pick(current({}, {**ELSEWHERE, "invoice_id": None}), "invoice_id") == ["V-1", None]


def test_arrivals_of_one_instant_are_told_apart_by_their_modification_time() -> None:
    later = {"landed_at": instant("2026-11-04"), "file_sha256": "s0", "net_total": Decimal(11)}
    assert pick(current({}, later), "net_total") == [11]
    assert pick(current(later, {}), "net_total") == [11]


def test_sources_months_and_currencies_have_totals_of_their_own() -> None:
    others = [{"source": "azure"}, {"billing_period": "2026-09"}, {"currency": "EUR"}]
    assert len(current({}, *({**ELSEWHERE, **other} for other in others))) == 4


def test_totals_in_force_have_the_columns_and_types_of_the_table() -> None:
    connection = session()
    make(connection, "every_vendor_total", table_types(VENDOR_TOTALS))
    assert output_types(connection, "reconciliation/current_vendor_totals") == table_types(VENDOR_TOTALS)


@pytest.mark.parametrize(
    ("net", "rows", "is_final"),
    [("10", "10", True), ("10", "10.005", True), ("10", "10.0051", False), ("10", "9.99", False), ("-1", "-1", True)],
)
def test_final_totals_settle_the_delivery_with_which_they_agree(net: str, rows: str, is_final: bool) -> None:
    assert finality({"net_total": exact(net)}, buckets=({"amount": exact(rows)},)) == [("d1", is_final)]


def test_tax_rows_are_no_part_of_a_net_total() -> None:
    tax = {"bucket": "tax", "amount": Decimal(2)}
    assert finality({}, buckets=({}, tax)) == [("d1", True)]
    assert finality({"net_total": Decimal(12)}, buckets=({}, tax)) == [("d1", False)]


def test_totals_that_are_not_final_keep_a_final_delivery_open() -> None:
    assert finality({"is_final": False}, deliveries=({"is_final": True},)) == [("d1", False)]
    both = ({"net_total": Decimal(4)}, {"invoice_id": "V-2", "net_total": Decimal(6), "is_final": False})
    assert finality(*both, deliveries=({"is_final": True},)) == [("d1", False)]


def test_several_invoices_of_an_account_and_month_add_up() -> None:
    both = ({"net_total": Decimal(4)}, {"invoice_id": "V-2", "net_total": Decimal(6)})
    assert finality(*both) == [("d1", True)]


def test_final_totals_that_disagree_leave_a_final_delivery_final() -> None:
    assert finality({"net_total": Decimal(11)}, deliveries=({"is_final": True},)) == [("d1", True)]


def test_a_delivery_is_settled_only_if_each_of_its_currencies_is() -> None:
    deliveries = ({}, {"currency": "JPY"})
    buckets = ({}, {"currency": "JPY", "amount": Decimal(100)})
    assert finality({}, deliveries=deliveries, buckets=buckets) == [("d1", False)]
    yen = {"currency": "JPY", "net_total": Decimal(100)}
    assert finality({}, yen, deliveries=deliveries, buckets=buckets) == [("d1", True)]


def test_what_no_total_speaks_of_is_not_decided() -> None:
    assert finality({"billing_account_id": "B"}) == []
    assert finality({"billing_period": "2026-09"}) == []
    assert finality({}, deliveries=({"is_current": False},)) == []


def test_a_delivery_that_is_not_reconciled_yet_is_not_settled() -> None:
    assert finality({}, buckets=()) == [("d1", False)]
    nothing = {"net_total": Decimal(0)}
    assert finality(nothing, buckets=()) == [("d1", False)]
