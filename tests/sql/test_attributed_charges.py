"""`sql/pricing/attributed_charges.sql`: whose charge it is, and which product."""

from datetime import date

import pytest

from tests.sql.inline import Row, instant, make, make_reference, pick, select, session

COLUMNS = {
    "charge_id": "varchar",
    "source": "varchar",
    "sub_account_id": "varchar",
    "term_day": "date",
    "received_at": "timestamp with time zone",
    "line_number": "varchar",
    "vendor_product_id": "varchar",
    "vendor_product_name": "varchar",
    "vendor_product_type": "varchar",
    "is_pay_per_use": "boolean",
}
CHARGE: Row = {
    "charge_id": "k1",
    "source": "aws",
    "sub_account_id": "111",
    "term_day": date(2026, 10, 15),
    "received_at": instant("2026-11-05"),
    "vendor_product_id": "SKU1",
    "vendor_product_name": "Machines",
    "vendor_product_type": "Compute",
}
ACCOUNT: Row = {
    "source": "aws",
    "account_id": "111",
    "customer_id": "c1",
    "valid_from": date(2026, 1, 1),
    "recorded_at": instant("2026-01-01"),
}
PRODUCT: Row = {
    "product_id": "p1",
    "name": "Our Machines",
    "product_type": "Servers",
    "recorded_at": instant("2026-01-01"),
}


def attribute(
    *charges: Row, accounts: tuple[Row, ...] = (), customers: tuple[str, ...] = (), products: tuple[Row, ...] = ()
) -> list[Row]:
    connection = session()
    make(connection, "charges", COLUMNS, *(charges or ({},)), defaults=CHARGE)
    make_reference(connection, "accounts", *accounts, defaults=ACCOUNT)
    make_reference(connection, "customers", *({"customer_id": name, "name": name} for name in customers))
    make_reference(connection, "products", *products, defaults=PRODUCT)
    return sorted(select(connection, "pricing/attributed_charges"), key=lambda row: str(row["charge_id"]))


def owners(*charges: Row, accounts: tuple[Row, ...], customers: tuple[str, ...] = ()) -> list[str | None]:
    return pick(attribute(*charges, accounts=accounts, customers=customers), "customer_id")


def test_a_charge_belongs_to_the_customer_its_account_is_mapped_to() -> None:
    assert owners(accounts=({},)) == ["c1"]


@pytest.mark.parametrize("other", [{"source": "azure"}, {"account_id": "112"}, {"account_id": "0111"}], ids=str)
def test_a_mapping_of_another_source_or_account_is_none_of_the_charges(other: Row) -> None:
    assert owners(accounts=(other,)) == [None]


@pytest.mark.parametrize(
    ("day", "customer"),
    [
        (date(2026, 10, 1), "before"),
        (date(2026, 10, 14), "before"),
        (date(2026, 10, 15), "after"),
        (date(2026, 9, 30), None),
        (date(2027, 1, 1), None),
    ],
)
def test_the_range_of_a_mapping_is_half_open(day: date, customer: str | None) -> None:
    accounts: tuple[Row, ...] = (
        {"customer_id": "before", "valid_from": date(2026, 10, 1), "valid_to": date(2026, 10, 15)},
        {"customer_id": "after", "valid_from": date(2026, 10, 15), "valid_to": date(2027, 1, 1)},
    )
    assert owners({"term_day": day}, accounts=accounts) == [customer]


def test_a_mapping_recorded_later_supersedes_an_earlier_one_where_both_were_known() -> None:
    accounts: tuple[Row, ...] = (
        {"customer_id": "new", "valid_from": date(2026, 10, 1), "recorded_at": instant("2026-10-02")},
        {"customer_id": "old"},
    )
    assert owners({}, {"charge_id": "k2", "term_day": date(2026, 9, 30)}, accounts=accounts) == ["new", "old"]


def test_a_mapping_recorded_after_the_delivery_changes_no_mapping_that_was_known() -> None:
    accounts: tuple[Row, ...] = ({}, {"customer_id": "late", "recorded_at": instant("2026-11-06")})
    assert owners(accounts=accounts) == ["c1"]


def test_a_mapping_recorded_at_the_instant_of_arrival_was_known() -> None:
    accounts: tuple[Row, ...] = ({}, {"customer_id": "same", "recorded_at": instant("2026-11-05")})
    assert owners(accounts=accounts) == ["same"]


def test_a_mapping_recorded_later_fills_a_gap_and_of_several_the_one_recorded_first() -> None:
    accounts: tuple[Row, ...] = (
        {"customer_id": "third", "recorded_at": instant("2026-11-08")},
        {"customer_id": "first", "recorded_at": instant("2026-11-06")},
        {"customer_id": "second", "recorded_at": instant("2026-11-07")},
    )
    assert owners(accounts=accounts) == ["first"]


def test_two_deliveries_of_one_account_and_day_each_get_what_was_known_at_their_own_arrival() -> None:
    accounts: tuple[Row, ...] = ({}, {"customer_id": "moved", "recorded_at": instant("2026-11-06")})
    later: Row = {"charge_id": "k2", "received_at": instant("2026-11-09")}
    assert owners({}, later, accounts=accounts) == ["c1", "moved"]


def test_a_charge_without_account_or_mapping_stays_and_belongs_to_nobody() -> None:
    rows = attribute({"sub_account_id": None}, {"charge_id": "k2", "sub_account_id": "999"}, accounts=({},))
    assert pick(rows, "charge_id", "customer_id") == [("k1", None), ("k2", None)]


def test_no_charge_is_repeated_when_several_mappings_fit() -> None:
    accounts: tuple[Row, ...] = ({}, {"recorded_at": instant("2026-02-01")}, {"recorded_at": instant("2026-12-01")})
    charges = [{"charge_id": f"k{number}"} for number in range(4)]
    assert len(attribute(*charges, accounts=accounts)) == 4


def test_a_distributors_item_may_name_our_own_customer_a_vendors_account_may_not() -> None:
    item: Row = {"charge_id": "item", "line_number": "1", "sub_account_id": "c9"}
    usage: Row = {"charge_id": "usage", "sub_account_id": "c9"}
    assert owners(item, usage, accounts=(), customers=("c9",)) == ["c9", None]


def test_a_mapping_comes_before_a_customer_of_the_same_id() -> None:
    item: Row = {"line_number": "1", "sub_account_id": "c9"}
    assert owners(item, accounts=({"account_id": "c9", "customer_id": "c1"},), customers=("c9",)) == ["c1"]


def test_a_vendors_sku_becomes_our_product_with_our_name_and_type() -> None:
    (row,) = attribute(products=({"source": "aws", "sku": "SKU1", "tax_category": "reduced", "pay_per_use": False},))
    assert (row["product_id"], row["product_name"], row["product_type"]) == ("p1", "Our Machines", "Servers")
    assert (row["tax_category"], row["pay_per_use"]) == ("reduced", False)


@pytest.mark.parametrize(
    "other", [{"source": "azure", "sku": "SKU1"}, {"source": "aws", "sku": "SKU2"}, {"sku": "SKU1"}], ids=str
)
def test_a_sku_of_another_source_is_another_product(other: Row) -> None:
    (row,) = attribute(products=(other,))
    assert row["product_id"] == "SKU1"


def test_a_product_in_no_catalogue_row_keeps_the_vendors_names() -> None:
    (row,) = attribute()
    assert (row["product_id"], row["product_name"], row["product_type"]) == ("SKU1", "Machines", "Compute")
    assert row["tax_category"] == "standard"


def test_a_product_named_by_our_own_id_is_found_without_a_sku() -> None:
    (row,) = attribute({"vendor_product_id": "p1", "vendor_product_name": "Theirs"}, products=({},))
    assert (row["product_id"], row["product_name"]) == ("p1", "Our Machines")


def test_a_charge_without_any_product_stays() -> None:
    (row,) = attribute(
        {"vendor_product_id": None, "vendor_product_name": None, "vendor_product_type": None}, products=({},)
    )
    assert (row["product_id"], row["product_name"], row["product_type"]) == (None, None, None)


@pytest.mark.parametrize(
    ("charge", "pay_per_use"),
    [
        ({}, True),
        ({"line_number": "1"}, False),
        ({"line_number": "1", "is_pay_per_use": True}, True),
        ({"is_pay_per_use": False}, False),
    ],
    ids=str,
)
def test_usage_is_pay_per_use_and_an_item_only_if_its_file_says_so(charge: Row, pay_per_use: bool) -> None:
    assert pick(attribute(charge), "pay_per_use") == [pay_per_use]
