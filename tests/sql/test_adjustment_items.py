"""`sql/invoicing/touched_slots.sql`, `adjustment_items.sql` and `adjustment_lines.sql`: what locked months owe."""

from decimal import Decimal
from typing import Any

import duckdb
import pytest

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.billed_charges import BILLED_CHARGES
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from tests.sql.adjustments import ADJUSTMENT_TYPES
from tests.sql.inline import Row, make, output_types, pick, select, session, table_types

SLOT: Row = {"source": "aws", "billing_account_id": "payer", "billing_period": "2026-09"}
ITEM: Row = SLOT | {
    "customer_id": "c1",
    "charge_id": "new-1",
    "delivery_id": "second",
    "currency": "EUR",
    "sub_account_id": "a1",
    "product_type": "Compute",
    "product_id": "vm",
    "product_name": "Machines",
    "unit": "Hours",
    "charge_type": "Debit",
    "charge_category": "Usage",
    "charge_nature": "usage",
    "quantity": Decimal(1),
    "total_cost": Decimal("1.00"),
    "total_sell": Decimal("1.50"),
    "tax_category": "standard",
    "bucket": "billed",
    "is_final": True,
    "row_count": 1,
}
BILLED: Row = SLOT | {
    "invoice_id": "2026-09-c1-EUR",
    "line_number": 3,
    "customer_id": "c1",
    "charge_id": "old-1",
    "delivery_id": "first",
    "currency": "EUR",
    "sub_account_id": "a1",
    "product_type": "Compute",
    "product_id": "vm",
    "product_name": "Machines",
    "unit": "Hours",
    "charge_category": "Usage",
    "charge_nature": "usage",
    "quantity": Decimal(1),
    "total_cost": Decimal("1.00"),
    "amount_precise": Decimal("1.50"),
    "tax_category": "standard",
    "is_final": True,
    "row_count": 1,
    "reference": "INV-1",
}
BILLED_TYPES = {**table_types(BILLED_CHARGES), "reference": "varchar"}
MONTH_TYPES = {"customer_id": "varchar", "billing_period": "varchar", "reference": "varchar"}
# A charge of October that a document of November has billed.
OF_DRAFTED_MONTH: Row = {"billing_period": "2026-10", "reference": "INV-9", "cause": "late_usage"}


def prepared(
    billed: list[Row], items: list[Row], customers: tuple[str, ...] = ("c1", "c2")
) -> duckdb.DuckDBPyConnection:
    connection = session()
    make(connection, "billed_before", BILLED_TYPES, *billed, defaults=BILLED)
    make(connection, "month_owners", table_types(PRICED_LINE_ITEMS), *items, defaults=ITEM)
    connection.execute("create temp view billable_items as select * from month_owners where customer_id is not null")
    make(connection, "draft_options", {"include_not_final": "boolean"}, {"include_not_final": False})
    months = [{"customer_id": name, "billing_period": "2026-09", "reference": f"INV-{name}"} for name in customers]
    make(connection, "locked_months", MONTH_TYPES, *months)
    connection.execute(f"create temp view month_items as {load_sql('invoicing/drafted_items')}")
    for name in ("touched_slots", "billed_identities", "current_identities"):
        connection.execute(f"create temp table {name} as {load_sql(f'invoicing/{name}')}")
    return connection


def adjustments(billed: list[Row], items: list[Row], *customers: str) -> list[Row]:
    connection = prepared(billed, items, customers or ("c1", "c2"))
    found = select(connection, "invoicing/adjustment_items", {"period": "2026-10"})
    return sorted(found, key=lambda row: (row["customer_id"], str(row["charge_id"])))


def test_a_delivery_sent_again_as_it_was_changes_nothing() -> None:
    assert adjustments([{}], [{}]) == []


def test_a_month_billed_from_the_current_delivery_is_not_even_looked_at() -> None:
    connection = prepared([{"charge_id": "new-1"}], [{}])
    assert connection.execute("select count(*) from touched_slots").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("billed", "items", "cause", "amount"),
    [
        ([{}], [{"quantity": Decimal(3), "total_cost": Decimal(3), "total_sell": Decimal("4.50")}], "quantity", "3"),
        ([{}], [{"total_cost": Decimal(2), "total_sell": Decimal(3)}], "price", "1.5"),
        ([{}], [{"product_id": "other"}, {}], "late_usage", "1.5"),
        ([{}, {"charge_id": "old-2", "product_id": "gone"}], [{}], "withdrawn", "-1.5"),
        ([{}], [{"customer_id": None, "bucket": "unmapped_account", "total_sell": None}], "mapping", "-1.5"),
    ],
)
def test_each_change_has_its_cause_and_its_amount(billed: list[Row], items: list[Row], cause: str, amount: str) -> None:
    (found,) = adjustments(billed, items)
    assert (found["cause"], found["amount_precise"]) == (cause, Decimal(amount))


def test_an_account_that_moved_is_taken_back_from_one_customer_and_billed_to_the_other() -> None:
    found = adjustments([{}], [{"customer_id": "c2", "total_sell": Decimal(2)}])
    assert pick(found, "customer_id", "cause", "amount_precise", "line_reference") == [
        ("c1", "mapping", Decimal("-1.5"), "INV-c1 line 3"),
        ("c2", "mapping", Decimal(2), "INV-c2"),
    ]


def test_the_new_holder_without_a_document_of_the_month_is_left_to_that_month() -> None:
    assert pick(adjustments([{}], [{"customer_id": "c2"}], "c1"), "customer_id") == ["c1"]


def test_what_another_document_has_adjusted_is_not_adjusted_again() -> None:
    adjusted = {"charge_id": "new-1", "quantity": Decimal(2), "amount_precise": Decimal(3), "cause": "quantity"}
    adjusted |= {"total_cost": Decimal(2)}
    now = {"quantity": Decimal(3), "total_cost": Decimal(3), "total_sell": Decimal("4.50")}
    assert adjustments([{}, adjusted], [now]) == []
    (found,) = adjustments([{}, adjusted], [now | {"total_sell": Decimal(5)}])
    assert (found["cause"], found["amount_precise"], found["adjusts_line_number"]) == ("price", Decimal("0.5"), 3)


def test_a_cost_that_changes_under_the_same_price_is_kept_for_plans_on_cost() -> None:
    (found,) = adjustments([{}], [{"total_cost": Decimal(4)}])
    assert (found["cause"], found["amount_precise"], found["total_cost"]) == ("price", Decimal(0), Decimal(3))


def test_a_charge_that_was_withdrawn_and_comes_back_is_late_usage() -> None:
    back = {"charge_id": "old-1", "amount_precise": Decimal("-1.5"), "quantity": Decimal(-1), "cause": "withdrawn"}
    back |= {"total_cost": Decimal(-1)}
    (found,) = adjustments([{}, back], [{}])
    assert (found["cause"], found["amount_precise"]) == ("late_usage", Decimal("1.5"))


def test_items_of_a_distributors_invoice_are_found_again_by_their_line() -> None:
    line = {"line_number": "7", "product_id": "renamed", "total_sell": Decimal(2)}
    (found,) = adjustments([{"vendor_line_number": "7"}], [line])
    assert (found["cause"], found["amount_precise"]) == ("price", Decimal("0.5"))


def test_what_other_documents_billed_of_the_drafted_month_is_taken_off_its_draft() -> None:
    (found,) = adjustments([OF_DRAFTED_MONTH], [], "c1")
    assert pick([found], "cause", "amount_precise", "service_period", "line_reference") == [
        ("billed_elsewhere", Decimal("-1.5"), "2026-10", "INV-9")
    ]


def test_lines_gather_the_charges_of_one_cause_and_keep_what_comes_to_nothing() -> None:
    moved = [{"period_start": "2026-09-02"}, {"period_start": "2026-09-03", "charge_id": "new-3"}]
    connection = prepared([{"period_start": "2026-09-01", "quantity": Decimal(1)}], moved)
    connection.execute(
        f"create temp table adjustment_items as {load_sql('invoicing/adjustment_items')}", {"period": "2026-10"}
    )
    found = sorted(select(connection, "invoicing/adjustment_lines"), key=lambda row: row["charge_count"])
    assert pick(found, "amount_precise", "charge_count", "reference") == [
        (Decimal("-1.5"), 1, "INV-c1 line 3"),
        (Decimal(3), 2, "INV-c1"),
    ]
    connection.execute("update adjustment_items set amount_precise = case charge_id when 'new-3' then 1 else -1 end")
    assert pick(select(connection, "invoicing/adjustment_lines"), "amount_precise", "charge_count").count((0, 2)) == 1


def test_the_columns_are_those_that_the_snapshot_reads() -> None:
    found: dict[str, Any] = output_types(prepared([], []), "invoicing/adjustment_items", {"period": "2026-10"})
    assert set(found) == set(ADJUSTMENT_TYPES)
