"""`sql/pricing/item_charges.sql`: distributor-invoice items as charges."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from tests.sql.inline import Row, instant, make, output_types, pick, select, session, table_types

ITEM: Row = {
    "delivery_id": "dist/INV-1/2026-10/abc",
    "source": "dist",
    "sub_account_id": "c1",
    "sub_account_name": "Acme",
    "sku_id": "p1",
    "service_name": "Office",
    "service_category": "License",
    "charge_category": "Purchase",
    "x_charge_nature": "usage",
    "pricing_quantity": Decimal(2),
    "pricing_unit": "Month",
    "billed_cost": Decimal(20),
    "list_cost": Decimal(24),
    "billing_currency": "EUR",
    "invoice_id": "INV-1",
    "x_invoice_date": date(2026, 10, 20),
    "x_issued_at": instant("2026-10-20 08:00"),
    "x_invoice_type": "debit",
    "x_invoice_status": "issued",
    "x_order_channel": "distributor_storefront",
    "x_origin": "api",
    "x_line_number": "1",
    "x_unit_cost": Decimal(10),
    "x_list_price": Decimal(12),
}
FACT: Row = {
    "delivery_id": "dist/INV-1/2026-10/abc",
    "source": "dist",
    "vendor": "Distributor",
    "billing_account_id": "INV-1",
    "billing_period": "2026-10",
    "received_at": instant("2026-10-21 06:00"),
    "seen_at": instant("2026-10-21 07:00"),
    "is_final": True,
}


def item_charges(*items: Row, time_zone: str = "Europe/Athens") -> list[Row]:
    connection = session()
    make(connection, "item_rows", table_types(VENDOR_CHARGES), *items, defaults=ITEM)
    make(connection, "delivery_facts", table_types(DELIVERIES), FACT)
    return select(connection, "pricing/item_charges", {"time_zone": time_zone})


def test_each_item_is_one_charge_with_its_own_key_also_when_two_look_alike() -> None:
    charges = item_charges({"x_line_number": "1"}, {"x_line_number": "2"})
    assert len(set(pick(charges, "charge_id"))) == 2
    assert pick(charges, "row_count") == [1, 1]


def test_a_charge_carries_what_its_item_says() -> None:
    (charge,) = item_charges({"x_start_date": date(2026, 10, 1), "x_installment_number": 3, "x_is_pay_per_use": True})
    assert (charge["invoice_number"], charge["line_number"], charge["vendor"]) == ("INV-1", "1", "Distributor")
    assert (charge["quantity"], charge["file_unit_cost"], charge["file_list_price"]) == (2, 10, 12)
    assert (charge["cost"], charge["list_cost"]) == (20, 24)
    assert (charge["period_start"], charge["period_end"]) == (date(2026, 10, 1), None)
    assert (charge["installment_number"], charge["is_pay_per_use"]) == (3, True)
    assert (charge["vendor_product_id"], charge["vendor_product_type"]) == ("p1", "License")


@pytest.mark.parametrize("channel", ["distributor_storefront", "distributor_bss"])
def test_terms_are_those_of_the_invoice_when_the_order_did_not_come_through_the_resellers_storefront(
    channel: str,
) -> None:
    (charge,) = item_charges({"x_order_channel": channel, "x_ordered_at": instant("2026-10-10 09:00")})
    assert charge["term_day"] == date(2026, 10, 20)
    assert charge["note"] is None


def test_terms_are_those_of_the_order_when_it_came_through_the_resellers_storefront() -> None:
    (charge,) = item_charges({"x_order_channel": "reseller_storefront", "x_ordered_at": instant("2026-10-10 09:00")})
    assert charge["term_day"] == date(2026, 10, 10)
    assert charge["note"] is None


def test_a_storefront_order_without_its_instant_takes_the_invoices_terms_and_says_so() -> None:
    (charge,) = item_charges({"x_order_channel": "reseller_storefront", "x_ordered_at": None})
    assert charge["term_day"] == date(2026, 10, 20)
    assert "no instant of the order" in charge["note"]


def test_what_counts_is_what_was_known_when_the_invoice_arrived_for_a_storefront_order_when_it_was_ordered() -> None:
    ordered: Row = {"x_ordered_at": instant("2026-10-10 09:00")}
    (through_distributor,) = item_charges(ordered)
    (in_storefront,) = item_charges(ordered | {"x_order_channel": "reseller_storefront"})
    assert through_distributor["known_at"] == through_distributor["received_at"] == FACT["received_at"]
    assert (in_storefront["known_at"], in_storefront["received_at"]) == (ordered["x_ordered_at"], FACT["received_at"])
    assert through_distributor["seen_at"] == in_storefront["seen_at"] == FACT["seen_at"]


@pytest.mark.parametrize("ordered_at", [None, instant("2026-10-22")])
def test_a_storefront_order_without_instant_or_after_its_invoice_knows_what_was_known_at_arrival(
    ordered_at: datetime | None,
) -> None:
    (charge,) = item_charges({"x_order_channel": "reseller_storefront", "x_ordered_at": ordered_at})
    assert charge["known_at"] == FACT["received_at"]


def test_the_distributors_own_terms_are_those_of_the_invoice_whatever_the_channel() -> None:
    ordered: Row = {"x_order_channel": "reseller_storefront", "x_ordered_at": instant("2026-10-10 09:00")}
    assert pick(item_charges(ordered), "term_day", "invoice_day") == [(date(2026, 10, 10), date(2026, 10, 20))]
    late: Row = {"x_issued_at": instant("2026-10-19 21:30"), "x_invoice_date": date(2026, 10, 19)}
    assert pick(item_charges(late), "invoice_day") == [date(2026, 10, 20)]
    assert pick(item_charges({"x_issued_at": None}), "invoice_day") == [date(2026, 10, 20)]


@pytest.mark.parametrize(
    ("time_zone", "day"),
    [("Europe/Athens", date(2026, 10, 16)), ("UTC", date(2026, 10, 15)), ("America/Los_Angeles", date(2026, 10, 15))],
)
def test_the_day_of_an_order_is_the_day_in_the_organisations_time_zone(time_zone: str, day: date) -> None:
    item = {"x_order_channel": "reseller_storefront", "x_ordered_at": instant("2026-10-15 21:30")}
    assert pick(item_charges(item, time_zone=time_zone), "term_day") == [day]


def test_the_day_of_an_invoice_is_the_day_of_its_instant_in_the_organisations_time_zone() -> None:
    item = {"x_issued_at": instant("2026-10-19 21:30"), "x_invoice_date": date(2026, 10, 19)}
    assert pick(item_charges(item), "term_day", "invoice_date") == [(date(2026, 10, 20), date(2026, 10, 19))]


def test_an_invoice_without_an_instant_takes_the_terms_of_its_date() -> None:
    assert pick(item_charges({"x_issued_at": None}), "term_day") == [date(2026, 10, 20)]


def test_an_item_of_a_credit_invoice_is_a_credit_with_a_negative_cost() -> None:
    (charge,) = item_charges(
        {"x_invoice_type": "credit", "billed_cost": Decimal(-20), "x_credits_invoice_number": "INV-0"}
    )
    assert (charge["charge_type"], charge["cost"], charge["file_unit_cost"]) == ("Credit", -20, 10)
    assert charge["credits_invoice_number"] == "INV-0"


def test_an_item_without_description_is_described_by_its_product() -> None:
    assert pick(item_charges({"charge_description": None}), "description") == ["Office"]
    assert pick(item_charges({"charge_description": "Seat"}), "description") == ["Seat"]


def test_no_item_is_dropped_or_repeated_whatever_the_order_of_rows() -> None:
    items = [{"x_line_number": str(number)} for number in range(5)]
    numbers = pick(item_charges(*items), "line_number")
    assert sorted(numbers) == sorted(pick(item_charges(*items[::-1]), "line_number")) == ["0", "1", "2", "3", "4"]


def test_item_charges_stack_on_usage_charges_without_losing_decimals() -> None:
    connection = session()
    for name in ("item_rows", "usage_rows"):
        make(connection, name, table_types(VENDOR_CHARGES))
    make(connection, "delivery_facts", table_types(DELIVERIES))
    items = output_types(connection, "pricing/item_charges", {"time_zone": "UTC"})
    connection.execute(f"create temp view usage_sums as {load_sql('pricing/usage_sums')}")
    assert items == output_types(connection, "pricing/usage_charges")
