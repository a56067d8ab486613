"""`sql/marts/awaited.sql` and `billing_status.sql`: where each source stands in each month, and what it waits for."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.reconciliation import BILLING_STATUS, VENDOR_DIFFERENCES
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from tests.sql.inline import Row, exact, instant, make, output_types, pick, session, table_types
from tests.sql.month_status import (
    DELIVERY_TYPES,
    FILES,
    IN_DECEMBER,
    IN_NOVEMBER,
    IN_OCTOBER,
    MONTHS,
    OCTOBER,
    PAIR,
    status,
)


@pytest.mark.parametrize(
    ("changes", "facts", "as_of_day", "state"),
    [
        ({}, {}, IN_OCTOBER, "open"),
        ({"is_final": False}, {}, IN_OCTOBER, "open"),
        ({"is_final": False}, {}, IN_NOVEMBER, "collecting"),
        ({}, {"differences": ({"is_blocking": True},)}, IN_NOVEMBER, "collecting"),
        ({}, {"files": ({},)}, IN_NOVEMBER, "collecting"),
        ({}, {"accounts": ({"billing_account_id": "B", "billing_period": "2026-09"},)}, IN_NOVEMBER, "collecting"),
        ({}, {}, IN_NOVEMBER, "settled"),
        ({}, {"files": ({"kind": "quarantined"},)}, IN_NOVEMBER, "settled"),
        ({}, {"invoiced": (OCTOBER,)}, IN_NOVEMBER, "locked"),
        ({"is_final": False}, {"invoiced": (OCTOBER,), "files": ({},)}, IN_OCTOBER, "locked"),
    ],
)
def test_a_period_is_open_then_collecting_then_settled_then_locked(
    changes: Row, facts: dict[str, Any], as_of_day: date, state: str
) -> None:
    assert pick(status(changes, as_of_day=as_of_day, **facts), "state") == [state]


def test_what_concerns_another_source_or_period_says_nothing() -> None:
    others = ({"source": "azure"}, {"billing_period": "2026-09"})
    rows = status(
        {},
        invoiced=tuple({**OCTOBER, **other} for other in others),
        differences=({}, *({**other, "is_blocking": True} for other in others)),
        files=others,
    )
    assert pick(rows, "state", "waits_for") == [("settled", None)]


def test_one_delivery_that_is_not_final_keeps_the_source_from_being_settled() -> None:
    rows = status({}, {"delivery_id": "d2", "is_final": False})
    assert pick(rows, "state", "is_final") == [("collecting", False)]


def test_invoices_that_are_not_issued_are_counted_and_proforma_invoices_are_not_waited_for() -> None:
    pending = {"delivery_id": "d2", "is_final": False, "invoice_status": "pending"}
    assert pick(status({}, pending), "state", "waits_for") == [("collecting", "1 invoice(s) are not issued yet")]
    proforma = {"delivery_id": "d2", "is_final": False, "invoice_status": "proforma"}
    assert pick(status({}, proforma), "state", "is_final", "waits_for") == [("settled", True, None)]


def test_a_source_that_has_delivered_nothing_waits_for_its_delivery() -> None:
    (row,) = status(differences=())
    assert (row["state"], row["waits_for"], row["is_final"]) == ("collecting", "no delivery yet", False)
    assert (row["currency"], row["rows_total"], row["vendor_total"], row["delivery_count"]) == (None, 0, None, 0)
    assert (row["files_expected"], row["files_received"], row["last_received_at"]) == (0, 0, None)
    (row,) = status(differences=(), as_of_day=IN_OCTOBER)
    assert (row["state"], row["waits_for"]) == ("open", "the month runs until 2026-10-31; no delivery yet")


def test_a_vendor_that_charged_nothing_and_says_so_is_not_waited_for() -> None:
    assert pick(status(differences=(), totals=({},)), "state", "waits_for") == [("settled", None)]
    for other in ({"net_total": Decimal(1)}, {"is_final": False}, {"tax_total": Decimal(1)}):
        assert pick(status(differences=(), totals=({}, {"billing_account_id": "B", **other})), "state") == [
            "collecting"
        ]


def test_an_account_that_delivered_last_month_is_waited_for_unless_its_totals_are_nothing() -> None:
    before = {"billing_account_id": "B", "billing_period": "2026-09"}
    (row,) = status({}, accounts=(before,))
    assert row["waits_for"] == "account B has not delivered, as it did for 2026-09"
    older = {"billing_account_id": "C", "billing_period": "2026-08"}
    assert pick(status({}, accounts=(older,)), "state") == ["settled"]
    assert pick(status({}, accounts=(before,), totals=({"billing_account_id": "B"},)), "state") == ["settled"]


def test_invoices_of_a_distributor_are_no_accounts_that_come_again() -> None:
    before = {"billing_account_id": "INV-1", "billing_period": "2026-09"}
    assert pick(status({}, accounts=(before,), months=({"has_accounts": False},)), "state") == ["settled"]


def test_missing_chunks_and_files_that_wait_are_counted_and_named() -> None:
    waiting = {"kind": "waiting", "files_expected": 1, "files_received": 0}
    (row,) = status(
        {"file_count": 4},
        files=(
            {},
            {**waiting, "file_name": "b.csv", "reason": "its manifest has not arrived"},
            {**waiting, "file_name": "a.csv", "reason": "no checksum"},
            {**waiting, "kind": "quarantined", "file_name": "q.csv", "reason": "no header"},
        ),
    )
    assert (row["files_expected"], row["files_received"]) == (10, 6)
    assert row["waits_for"] == (
        "m.json: 1 of 3 chunks are not here; 2 file(s) waiting: a.csv, no checksum;"
        " 1 file(s) in quarantine: q.csv, no header"
    )


def test_a_file_that_holds_several_accounts_is_counted_once() -> None:
    (row,) = status({}, {"delivery_id": "d2", "billing_account_id": "B"}, {"delivery_id": "d3", "sha256": "s2"})
    assert (row["files_expected"], row["files_received"], row["delivery_count"]) == (2, 2, 3)


def test_estimates_say_when_the_vendor_usually_settles_and_are_late_after_that() -> None:
    (row,) = status({"is_final": False})
    assert row["waits_for"] == "estimates, usually final between 2026-11-06 and 2026-11-20"
    assert not row["is_late"]
    (row,) = status({"is_final": False}, as_of_day=date(2026, 11, 20))
    assert not row["is_late"]
    (row,) = status({"is_final": False}, as_of_day=date(2026, 11, 21))
    assert row["is_late"]
    assert row["waits_for"] == "still estimates, usually final by 2026-11-20"
    assert pick(status({}, as_of_day=IN_DECEMBER), "state", "is_late") == [("settled", False)]


def test_a_blocking_difference_is_named_with_its_account() -> None:
    open_difference = {"is_blocking": True, "difference": exact("1.50")}
    assert pick(status({}, differences=(open_difference,)), "waits_for") == ["account A: a difference of 1.5 EUR"]
    told = {**open_difference, "detail": "1.50 EUR more than the rows"}
    assert pick(status({}, differences=(told,)), "waits_for") == ["account A: 1.50 EUR more than the rows"]


def test_totals_are_exact_sums_over_the_accounts() -> None:
    (row,) = status(
        {},
        differences=(
            {"difference": exact("0.01")},
            {
                "billing_account_id": "B",
                "rows_total": exact("0.000000000000000001"),
                "difference": exact("-0.000000000000000001"),
            },
        ),
    )
    assert (row["vendor_total"], row["rows_total"]) == (200, exact("100.000000000000000001"))
    assert row["difference"] == exact("0.009999999999999999")


def test_one_account_without_a_vendors_total_leaves_the_total_and_the_difference_empty() -> None:
    unstated = {"billing_account_id": "B", "vendor_total": None, "difference": None}
    # Of the account with a total only rows without tax were compared.
    (row,) = status({}, differences=({"cost_total": Decimal(119)}, unstated))
    assert (row["vendor_total"], row["difference"], row["rows_total"]) == (None, None, 219)


def test_a_replaced_delivery_counts_for_nothing() -> None:
    (row,) = status({}, {"delivery_id": "old", "is_current": False, "is_final": False, "sha256": "s0"})
    assert (row["files_received"], row["delivery_count"], row["state"]) == (1, 1, "settled")


def test_currencies_are_never_added_up() -> None:
    rows = status({}, {"currency": "USD"}, differences=({}, {"currency": "USD", "rows_total": Decimal(7)}))
    assert pick(rows, "currency", "rows_total", "delivery_count") == [("EUR", 100, 1), ("USD", 7, 1)]


def test_a_total_in_a_currency_without_rows_stands_beside_the_delivery() -> None:
    rows = status({}, differences=({}, {"currency": "USD", "rows_total": Decimal(0), "is_blocking": True}))
    assert pick(rows, "currency", "state", "delivery_count") == [("EUR", "collecting", 1), ("USD", "collecting", 0)]


def test_status_tells_the_last_arrival_and_the_days_of_settlement() -> None:
    (row,) = status({}, {"delivery_id": "d2", "received_at": instant("2026-11-09")})
    assert (row["last_received_at"], row["delivery_count"]) == (instant("2026-11-09"), 2)
    assert (row["expected_settled_from"], row["expected_settled_on"]) == (date(2026, 11, 6), date(2026, 11, 20))


def test_sources_and_months_stand_side_by_side_in_one_order() -> None:
    months = ({"source": "azure"}, {}, {"billing_period": "2026-11"})
    rows = status({"source": "azure"}, {}, months=months)
    assert pick(rows, "source", "billing_period") == [("aws", "2026-10"), ("aws", "2026-11"), ("azure", "2026-10")]


def test_status_has_the_columns_and_types_of_its_contract() -> None:
    connection = session()
    for name, types in (
        ("known_deliveries", DELIVERY_TYPES),
        ("source_months", MONTHS),
        ("open_files", FILES),
        ("vendor_differences", table_types(VENDOR_DIFFERENCES)),
        ("vendor_totals", table_types(VENDOR_TOTALS)),
        ("invoiced_sources", PAIR),
        ("delivered_accounts", PAIR | {"billing_account_id": "varchar"}),
    ):
        make(connection, name, types)
    connection.execute(f"create temp table awaited as {load_sql('marts/awaited')}", {"as_of_day": IN_NOVEMBER})
    assert output_types(connection, "marts/billing_status", {"as_of_day": IN_NOVEMBER}) == table_types(BILLING_STATUS)
