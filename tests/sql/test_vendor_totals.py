"""Which totals of vendors count (`current_vendor_totals.sql`), and what they settle (`stated_finality.sql`)."""

from decimal import Decimal

from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from tests.sql.inline import Row, instant, make, output_types, pick, select, session, table_types

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


def current(*rows: Row) -> list[Row]:
    connection = session()
    make(connection, "every_vendor_total", table_types(VENDOR_TOTALS), *rows, defaults=TOTAL)
    return select(connection, "reconciliation/current_vendor_totals")


def finality(*totals: Row, deliveries: tuple[Row, ...] = ({},)) -> list[tuple[str, bool]]:
    connection = session()
    make(connection, "vendor_totals", table_types(VENDOR_TOTALS), *totals, defaults=TOTAL)
    types = table_types(DELIVERIES) | {"is_current": "boolean"}
    make(connection, "known_deliveries", types, *deliveries, defaults=DELIVERY)
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


def test_an_estimate_of_a_newer_file_replaces_estimates_and_never_comes_on_top_of_final_invoices() -> None:
    estimate = {**ELSEWHERE, "invoice_id": None, "is_final": False}
    assert pick(current({}, estimate), "invoice_id") == ["V-1"]
    assert pick(current({"is_final": False}, estimate), "invoice_id") == [None]
    assert pick(current({"is_final": False}, {"invoice_id": "V-2"}, estimate), "invoice_id") == ["V-1", "V-2"]


def test_a_final_total_without_number_replaces_older_files_and_no_row_beside_it() -> None:
    whole = {**ELSEWHERE, "invoice_id": None, "row_number": 2}
    assert pick(current({}, whole), "invoice_id") == [None]
    assert pick(current({}, whole, {**ELSEWHERE, "invoice_id": "V-3"}), "invoice_id") == ["V-3", None]


def test_an_invoice_that_is_not_final_gives_way_to_final_ones_of_a_newer_file() -> None:
    assert pick(current({"is_final": False}, {**ELSEWHERE, "invoice_id": "V-2"}), "invoice_id") == ["V-2"]
    both = current({"is_final": False}, {**ELSEWHERE, "invoice_id": "V-2", "is_final": False})
    assert pick(both, "invoice_id") == ["V-1", "V-2"]
    elsewhere = {**ELSEWHERE, "invoice_id": "V-2", "billing_account_id": "B"}
    assert pick(current({"is_final": False}, elsewhere), "invoice_id") == ["V-1", "V-2"]


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


def test_final_totals_settle_the_delivery_whatever_they_are() -> None:
    assert finality({}) == [("d1", True)]
    assert finality({}, {"invoice_id": "V-2", "net_total": Decimal(11)}) == [("d1", True)]


def test_a_proforma_invoice_is_settled_by_no_total() -> None:
    assert finality({}, deliveries=({"invoice_status": "proforma"},)) == [("d1", False)]


def test_totals_that_are_not_final_keep_a_final_delivery_open() -> None:
    assert finality({"is_final": False}, deliveries=({"is_final": True},)) == [("d1", False)]
    both = ({"net_total": Decimal(4)}, {"invoice_id": "V-2", "net_total": Decimal(6), "is_final": False})
    assert finality(*both, deliveries=({"is_final": True},)) == [("d1", False)]


def test_a_delivery_is_settled_only_if_each_of_its_currencies_is() -> None:
    deliveries = ({}, {"currency": "JPY"})
    assert finality({}, deliveries=deliveries) == [("d1", False)]
    assert finality({}, {"currency": "JPY"}, deliveries=deliveries) == [("d1", True)]


def test_what_no_total_speaks_of_is_not_decided() -> None:
    assert finality({"billing_account_id": "B"}) == []
    assert finality({"billing_period": "2026-09"}) == []
    assert finality({}, deliveries=({"is_current": False},)) == []
