"""`sql/pricing/usage_sums.sql` and `usage_charges.sql`: vendor rows summed to the charge grain."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from tests.sql.inline import Row, instant, make, output_types, pick, select, session, table_types

ROW: Row = {
    "delivery_id": "d1",
    "source": "aws",
    "sub_account_id": "111",
    "sub_account_name": "Acme",
    "sku_id": "SKU1",
    "service_name": "Machines",
    "service_category": "Compute",
    "charge_period_start": instant("2026-10-01 00:00"),
    "charge_category": "Usage",
    "charge_description": "An hour",
    "x_charge_nature": "usage",
    "pricing_unit": "Hours",
    "billing_currency": "EUR",
    "pricing_quantity": Decimal(1),
    "billed_cost": Decimal("0.10"),
    "list_cost": Decimal("0.20"),
}
FACT: Row = {
    "delivery_id": "d1",
    "source": "aws",
    "vendor": "AWS",
    "billing_account_id": "payer",
    "billing_period": "2026-10",
    "received_at": instant("2026-11-05 06:00"),
    "seen_at": instant("2026-11-05 07:00"),
    "is_final": True,
}


def usage_charges(*rows: Row, facts: tuple[Row, ...] = (FACT,)) -> list[Row]:
    connection = session()
    make(connection, "usage_rows", table_types(VENDOR_CHARGES), *rows, defaults=ROW)
    make(connection, "delivery_facts", table_types(DELIVERIES), *facts)
    connection.execute(f"create temp view usage_sums as {load_sql('pricing/usage_sums')}")
    return select(connection, "pricing/usage_charges")


def test_rows_of_one_account_product_and_day_are_one_charge_with_exact_sums() -> None:
    (charge,) = usage_charges(
        {"pricing_quantity": Decimal("0.000000000000000001"), "billed_cost": Decimal("0.000000000000000001")},
        {"pricing_quantity": Decimal("2"), "billed_cost": Decimal("-0.3"), "list_cost": Decimal("0.5")},
    )
    assert charge["quantity"] == Decimal("2.000000000000000001")
    assert charge["cost"] == Decimal("-0.299999999999999999")
    assert charge["list_cost"] == Decimal("0.7")
    assert charge["row_count"] == 2


def test_a_charge_carries_its_delivery_and_its_day() -> None:
    (charge,) = usage_charges({})
    assert (charge["source"], charge["vendor"], charge["billing_account_id"]) == ("aws", "AWS", "payer")
    assert (charge["billing_period"], charge["is_final"]) == ("2026-10", True)
    assert charge["term_day"] == charge["period_start"] == date(2026, 10, 1)
    assert charge["period_end"] == date(2026, 10, 2)
    assert charge["invoice_date"] is None
    assert charge["line_number"] is None
    assert charge["invoice_day"] is None


def test_what_counts_is_what_was_known_when_the_delivery_arrived() -> None:
    (charge,) = usage_charges({})
    assert charge["known_at"] == charge["received_at"] == FACT["received_at"]
    assert charge["seen_at"] == FACT["seen_at"]


@pytest.mark.parametrize(
    "other",
    [
        {"sub_account_id": "222"},
        {"sub_account_id": None},
        {"sku_id": "SKU2"},
        {"sku_id": None},
        {"service_name": "Discs"},
        {"service_category": None},
        {"charge_period_start": instant("2026-10-02 00:00")},
        {"charge_category": "Purchase"},
        {"charge_class": "Correction"},
        {"x_charge_nature": "tax"},
        {"pricing_unit": "GB"},
        {"billing_currency": "USD"},
    ],
    ids=str,
)
def test_rows_that_differ_in_a_fact_of_the_grain_are_two_charges_with_keys_of_their_own(other: dict[str, Any]) -> None:
    charges = usage_charges({}, other)
    assert len(set(pick(charges, "charge_id"))) == 2


@pytest.mark.parametrize(
    "same", [{"row_number": 9}, {"resource_id": "i-1"}, {"tags": "{}"}, {"region_id": "eu"}], ids=str
)
def test_what_is_no_fact_of_the_grain_splits_no_charge(same: dict[str, Any]) -> None:
    assert pick(usage_charges({}, same), "row_count") == [2]


def test_the_day_of_a_charge_is_the_utc_day() -> None:
    charges = usage_charges(
        {"charge_period_start": instant("2026-10-01 23:59")}, {"charge_period_start": instant("2026-10-02 00:00")}
    )
    assert sorted(pick(charges, "period_start")) == [date(2026, 10, 1), date(2026, 10, 2)]


def test_one_row_without_list_cost_leaves_the_charge_without_so_that_nothing_is_sold_at_half_an_srp() -> None:
    (charge,) = usage_charges({}, {"list_cost": None})
    assert charge["list_cost"] is None
    assert charge["cost"] == Decimal("0.20")


def test_one_row_without_quantity_leaves_the_charge_without_so_that_a_fixed_price_forgets_no_row() -> None:
    (charge,) = usage_charges({}, {"pricing_quantity": None})
    assert charge["quantity"] is None
    assert charge["row_count"] == 2


def test_a_row_without_sku_is_of_the_product_that_is_its_service() -> None:
    (charge,) = usage_charges({"sku_id": None})
    assert charge["vendor_product_id"] == "Machines"
    assert charge["vendor_product_name"] == "Machines"


def test_only_the_category_credit_makes_a_credit_a_negative_cost_does_not() -> None:
    charges = usage_charges({"billed_cost": Decimal(-1)}, {"charge_category": "Credit", "x_charge_nature": "credit"})
    assert sorted(pick(charges, "charge_category", "charge_type")) == [("Credit", "Credit"), ("Usage", "Debit")]


def test_names_are_the_same_whatever_the_order_of_the_rows() -> None:
    rows: tuple[Row, Row] = (
        {"charge_description": "b", "invoice_id": "2"},
        {"charge_description": "a", "invoice_id": "1"},
    )
    assert usage_charges(*rows) == usage_charges(*reversed(rows))


def test_deliveries_do_not_mix() -> None:
    facts = (FACT, FACT | {"delivery_id": "d2", "is_final": False})
    charges = usage_charges({}, {"delivery_id": "d2"}, facts=facts)
    assert sorted(pick(charges, "delivery_id", "is_final", "row_count")) == [("d1", True, 1), ("d2", False, 1)]


def test_no_rows_make_no_charges() -> None:
    assert usage_charges() == []


def test_amounts_of_usage_charges_are_decimals_of_18_places() -> None:
    connection = session()
    make(connection, "usage_rows", table_types(VENDOR_CHARGES))
    make(connection, "delivery_facts", table_types(DELIVERIES))
    connection.execute(f"create temp view usage_sums as {load_sql('pricing/usage_sums')}")
    types = output_types(connection, "pricing/usage_charges")
    assert {types[name] for name in ("quantity", "cost", "list_cost")} == {"DECIMAL(38,18)"}
    assert not {"DOUBLE", "FLOAT"} & set(types.values())
