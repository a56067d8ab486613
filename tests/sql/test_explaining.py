"""`sql/explaining/`: the vendor rows behind charges, their files, and the quantities before them."""

from datetime import date
from decimal import Decimal

import pytest

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from tests.sql.inline import Row, exact, instant, make, pick, select, session, table_types

ROW: Row = {
    "delivery_id": "d1",
    "source": "aws",
    "x_file_name": "report.csv",
    "x_file_sha256": "aa",
    "sub_account_id": "111",
    "sku_id": "SKU1",
    "service_name": "Machines",
    "charge_period_start": instant("2026-10-01 00:00"),
    "charge_category": "Usage",
    "x_charge_nature": "usage",
    "pricing_unit": "Hours",
    "billing_currency": "EUR",
    "billed_cost": exact("0.10"),
}
ITEM_ROW: Row = {**ROW, "x_line_number": "7", "charge_category": "Purchase"}


def charges_of(*rows: Row) -> dict[int, Row]:
    """The charges that pricing makes of vendor rows, by the number of each charge's first row."""
    connection = session()
    make(connection, "vendor_rows", table_types(VENDOR_CHARGES), *rows, defaults=ROW)
    found = connection.execute(
        "select min(row_number), case when x_line_number is not null then item_charge_id(delivery_id, x_line_number)"
        " else usage_charge_id(delivery_id, sub_account_id, sku_id, service_name, service_category,"
        " cast(charge_period_start as date), charge_category, charge_class, x_charge_nature, pricing_unit,"
        " billing_currency) end as charge_id, delivery_id, sub_account_id, cast(charge_period_start as date),"
        " x_charge_nature, charge_category, pricing_unit, billing_currency, x_line_number"
        " from vendor_rows group by all"
    ).fetchall()
    names = (
        "charge_id", "delivery_id", "sub_account_id", "period_start", "charge_nature", "charge_category", "unit",
        "currency", "line_number",
    )  # fmt: skip
    return {number: dict(zip(names, cells, strict=True)) for number, *cells in found}


def rows_behind(wanted: list[int], *rows: Row, file: str = "charge_rows") -> list[Row]:
    """What a file of `sql/explaining/` finds behind the charges of some rows, named by their numbers."""
    charges = charges_of(*rows)
    connection = session()
    make(connection, "delivery_rows", table_types(VENDOR_CHARGES), *rows, defaults=ROW)
    make(connection, "wanted_charges", table_types(PRICED_LINE_ITEMS), *(charges[number] for number in wanted))
    if file != "charge_rows":
        connection.execute(f"create temp table charge_rows as {load_sql('explaining/charge_rows')}")
    return select(connection, f"explaining/{file}")


@pytest.mark.parametrize(
    "change",
    [
        {"sub_account_id": "222"},
        {"sub_account_id": None},
        {"sku_id": "SKU2"},
        {"service_name": None},
        {"service_category": "Compute"},
        {"charge_period_start": instant("2026-10-02 00:00")},
        {"charge_category": "Purchase"},
        {"charge_class": "Correction"},
        {"x_charge_nature": "tax"},
        {"pricing_unit": None},
        {"billing_currency": "USD"},
        {"delivery_id": "d2"},
    ],
)
def test_a_row_that_differs_in_the_grain_is_behind_another_charge(change: Row) -> None:
    rows = ({"row_number": 1}, {"row_number": 2, **change})
    assert pick(rows_behind([1], *rows), "row_number") == [1]
    assert pick(rows_behind([2], *rows), "row_number") == [2]


def test_rows_of_one_charge_are_found_whatever_else_they_say() -> None:
    rows = (
        {"row_number": 3, "resource_id": "i-1"},
        {"row_number": 8, "charge_period_start": instant("2026-10-01 23:00"), "x_file_name": "part-2.csv"},
        {"row_number": 9, "sku_id": "SKU2"},
    )
    assert sorted(pick(rows_behind([3], *rows), "file_name", "row_number")) == [("part-2.csv", 8), ("report.csv", 3)]


def test_an_item_is_found_by_its_line_number() -> None:
    rows = ({**ITEM_ROW, "row_number": 1}, {**ITEM_ROW, "row_number": 2, "x_line_number": "8"})
    assert pick(rows_behind([2], *rows), "row_number") == [2]


def test_several_charges_are_found_in_one_pass_each_with_its_own_rows() -> None:
    rows = tuple({"row_number": number, "sku_id": f"SKU{number % 2}"} for number in range(1, 7))
    found = rows_behind([1, 2], *rows)
    by_charge = {
        charge_id: sorted(pick([row for row in found if row["charge_id"] == charge_id], "row_number"))
        for charge_id in pick(found, "charge_id")
    }
    assert sorted(by_charge.values()) == [[1, 3, 5], [2, 4, 6]]


def test_a_file_counts_and_sums_its_rows_exactly() -> None:
    rows = (
        {"row_number": 12, "billed_cost": exact("0.000000000000000001")},
        {"row_number": 5, "billed_cost": exact("0.1")},
        {"row_number": 1, "x_file_name": "part-2.csv", "x_file_sha256": "bb", "billed_cost": exact("-3")},
    )
    found = rows_behind([1], *rows, file="charge_files")
    assert pick(found, "file_name", "file_sha256", "row_count", "billed_cost", "row_numbers") == [
        ("part-2.csv", "bb", 1, Decimal(-3), [1]),
        ("report.csv", "aa", 2, exact("0.100000000000000001"), [5, 12]),
    ]


def test_what_all_rows_of_a_charge_share_is_told_once() -> None:
    rows = (
        {"row_number": 1, "sku_id": None},
        {"row_number": 2, "sku_id": None},
        {**ITEM_ROW, "row_number": 3, "x_issued_at": instant("2026-10-05"), "x_order_id": "O-1"},
    )
    found = rows_behind([1, 3], *rows, file="first_rows")
    assert sorted(pick(found, "vendor_product_id", "order_id", "issued_at")) == [
        ("Machines", None, None),
        ("SKU1", "O-1", instant("2026-10-05")),
    ]


def test_the_quantity_before_a_charge_is_that_of_the_customers_earlier_charges_of_the_same_price() -> None:
    plain: Row = {
        "delivery_id": "d1",
        "customer_id": "acme",
        "product_id": "vm",
        "unit": "Hours",
        "currency": "EUR",
        "price_method": "graduated",
        "price_term_id": "book",
        "quantity": exact("10"),
    }
    connection = session()
    make(
        connection,
        "delivery_items",
        table_types(PRICED_LINE_ITEMS),
        {"charge_id": "c", "period_start": date(2026, 10, 3)},
        {"charge_id": "b", "period_start": date(2026, 10, 2)},
        {"charge_id": "a", "period_start": date(2026, 10, 2), "quantity": exact("2.5")},
        {"charge_id": "other-customer", "period_start": date(2026, 10, 1), "customer_id": "beta"},
        {"charge_id": "other-price", "period_start": date(2026, 10, 1), "price_term_id": "other"},
        {"charge_id": "item", "period_start": date(2026, 10, 1), "line_number": "1"},
        {"charge_id": "flat", "period_start": date(2026, 10, 1), "price_method": "markup"},
        defaults=plain,
    )
    found = dict(pick(select(connection, "explaining/quantities_before"), "charge_id", "quantity_before"))
    assert found == {
        "a": Decimal(0), "b": exact("2.5"), "c": exact("12.5"), "other-customer": Decimal(0), "other-price": Decimal(0),
    }  # fmt: skip
