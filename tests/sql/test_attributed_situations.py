"""`sql/pricing/attributed_situations.sql`: whose charge it is, and which product of the catalogue."""

from datetime import date

import pytest

from tests.sql.inline import Row, instant, make, make_known, pick, select, session
from tests.sql.pricing_steps import step_types

SITUATION: Row = {
    "delivery_id": "d1",
    "source": "aws",
    "vendor": "AWS",
    "sub_account_id": "111",
    "vendor_product_id": "SKU1",
    "vendor_product_type": "Compute",
    "is_item": False,
    "term_day": date(2026, 10, 15),
    "known_at": instant("2026-11-05"),
    "seen_at": instant("2026-11-07"),
}
KNOWN: Row = {"recorded_at": instant("2026-01-01")}
ACCOUNT: Row = KNOWN | {"source": "aws", "account_id": "111", "customer_id": "c1", "valid_from": date(2026, 1, 1)}
CUSTOMER: Row = KNOWN | {"customer_id": "c1", "name": "Acme", "invoice_currency": "EUR"}
PRODUCT: Row = KNOWN | {"product_id": "p1", "name": "Our Machines", "product_type": "Servers"}
BY_SKU: Row = {"source": "aws", "sku": "SKU1"}
LATE, LATER = instant("2026-11-06"), instant("2026-11-08")


def attribute(
    *situations: Row,
    accounts: tuple[Row, ...] = (),
    customers: tuple[Row, ...] = (),
    products: tuple[Row, ...] = (),
) -> list[Row]:
    connection = session()
    numbered = [{"situation_id": number, **row} for number, row in enumerate(situations or ({},), start=1)]
    make(connection, "situations", step_types("situations"), *numbered, defaults=SITUATION)
    make_known(connection, "accounts", *accounts, defaults=ACCOUNT)
    make_known(connection, "customers", *customers, defaults=CUSTOMER)
    make_known(connection, "products", *products, defaults=PRODUCT)
    rows = sorted(select(connection, "pricing/attributed_situations"), key=lambda row: int(row["situation_id"]))
    assert pick(rows, "situation_id") == pick(numbered, "situation_id")
    return rows


def owners(*situations: Row, accounts: tuple[Row, ...] = (), customers: tuple[Row, ...] = ()) -> list[str | None]:
    return pick(attribute(*situations, accounts=accounts, customers=customers), "customer_id")


def test_a_charge_belongs_to_the_customer_its_account_is_mapped_to() -> None:
    assert pick(attribute(accounts=({},)), "customer_id", "customer_since") == [("c1", None)]


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
    assert owners({}, {"term_day": date(2026, 9, 30)}, accounts=accounts) == ["new", "old"]


def test_a_mapping_recorded_after_the_delivery_changes_no_mapping_that_was_known() -> None:
    accounts: tuple[Row, ...] = ({}, {"customer_id": "late", "recorded_at": LATE})
    assert owners(accounts=accounts) == ["c1"]


def test_a_mapping_recorded_at_the_instant_of_arrival_was_known() -> None:
    accounts: tuple[Row, ...] = ({}, {"customer_id": "same", "recorded_at": instant("2026-11-05")})
    assert owners(accounts=accounts) == ["same"]


def test_a_mapping_recorded_later_fills_a_gap_and_of_several_the_one_recorded_first() -> None:
    accounts: tuple[Row, ...] = (
        {"customer_id": "third", "recorded_at": instant("2026-11-09")},
        {"customer_id": "first", "recorded_at": LATE},
        {"customer_id": "second", "recorded_at": LATER},
    )
    assert pick(attribute(accounts=accounts), "customer_id", "customer_since") == [("first", LATE)]


def test_a_mapping_that_is_gone_today_goes_on_counting_for_what_arrived_while_it_was_there() -> None:
    withdrawn: Row = {"withdrawn_at": LATER}
    moved: Row = {"customer_id": "moved", "recorded_at": LATER}
    assert owners(accounts=(withdrawn, moved)) == ["c1"]


def test_a_mapping_withdrawn_before_the_delivery_arrived_does_not_count() -> None:
    withdrawn: Row = {"withdrawn_at": instant("2026-11-04")}
    assert owners(accounts=(withdrawn,)) == [None]
    assert owners(accounts=(withdrawn, {"customer_id": "late", "recorded_at": LATE})) == ["late"]


def test_a_mapping_that_came_and_went_before_the_charge_was_seen_fills_no_gap() -> None:
    mistake: Row = {"customer_id": "mistake", "recorded_at": LATE, "withdrawn_at": instant("2026-11-07")}
    assert owners(accounts=(mistake, {"recorded_at": LATER})) == ["c1"]


def test_two_deliveries_of_one_account_and_day_each_get_what_was_known_at_their_own_arrival() -> None:
    accounts: tuple[Row, ...] = ({}, {"customer_id": "moved", "recorded_at": LATE})
    later: Row = {"delivery_id": "d2", "known_at": instant("2026-11-09"), "seen_at": instant("2026-11-09")}
    assert owners({}, later, accounts=accounts) == ["c1", "moved"]


def test_a_situation_without_account_or_mapping_stays_and_belongs_to_nobody() -> None:
    rows = attribute({"sub_account_id": None}, {"sub_account_id": "999"}, accounts=({},))
    assert pick(rows, "customer_id", "customer_since") == [(None, None), (None, None)]


def test_no_situation_is_dropped_or_repeated_when_several_rows_fit() -> None:
    versions: tuple[Row, ...] = ({}, {"recorded_at": instant("2026-02-01")}, {"recorded_at": LATER})
    rows = attribute(*([{}] * 4), accounts=versions, customers=versions, products=(*versions, BY_SKU, BY_SKU))
    assert len(rows) == 4


def test_a_distributors_item_may_name_our_own_customer_a_vendors_account_may_not() -> None:
    item: Row = {"is_item": True, "sub_account_id": "c9"}
    usage: Row = {"sub_account_id": "c9"}
    assert owners(item, usage, customers=({"customer_id": "c9"},)) == ["c9", None]


def test_a_customer_recorded_after_his_item_arrived_fills_the_gap() -> None:
    item: Row = {"is_item": True, "sub_account_id": "c9"}
    rows = attribute(item, customers=({"customer_id": "c9", "recorded_at": LATE},))
    assert pick(rows, "customer_id", "customer_since") == [("c9", LATE)]


def test_a_mapping_comes_before_a_customer_of_the_same_id() -> None:
    item: Row = {"is_item": True, "sub_account_id": "c9"}
    mapping: Row = {"account_id": "c9", "customer_id": "c1"}
    assert owners(item, accounts=(mapping,), customers=({"customer_id": "c9"},)) == ["c1"]


def test_a_mapping_recorded_later_takes_no_item_from_the_customer_it_names() -> None:
    item: Row = {"is_item": True, "sub_account_id": "c9"}
    late: Row = {"account_id": "c9", "customer_id": "c1", "recorded_at": LATE}
    assert owners(item, accounts=(late,), customers=({"customer_id": "c9"},)) == ["c9"]
    assert owners(item, accounts=(late,), customers=({"customer_id": "c9", "recorded_at": LATER},)) == ["c1"]


def test_the_customers_currency_is_the_one_that_was_known() -> None:
    changed: Row = {"invoice_currency": "USD", "recorded_at": LATE}
    rows = attribute(accounts=({},), customers=({"withdrawn_at": LATE}, changed))
    assert pick(rows, "customer_currency", "customer_since") == [("EUR", None)]
    assert pick(attribute(accounts=({},), customers=(changed,)), "customer_currency") == ["USD"]
    assert pick(attribute(accounts=({},)), "customer_id", "customer_currency") == [("c1", None)]


def test_a_vendors_sku_becomes_our_product_with_our_type() -> None:
    rows = attribute(products=(BY_SKU,))
    assert pick(rows, "product_id", "product_type", "product_since") == [("p1", "Servers", None)]


@pytest.mark.parametrize(
    "other", [{"source": "azure", "sku": "SKU1"}, {"source": "aws", "sku": "SKU2"}, {"sku": "SKU1"}], ids=str
)
def test_a_sku_of_another_source_is_another_product(other: Row) -> None:
    assert pick(attribute(products=(other,)), "product_id") == ["SKU1"]


def test_a_product_in_no_catalogue_row_keeps_the_vendors_names() -> None:
    assert pick(attribute(), "product_id", "product_type", "product_since") == [("SKU1", "Compute", None)]


def test_a_product_named_by_our_own_id_is_found_without_a_sku() -> None:
    rows = attribute({"vendor_product_id": "p1"}, products=({},))
    assert pick(rows, "product_id", "product_type") == [("p1", "Servers")]


def test_a_sku_comes_before_a_product_id_that_looks_the_same() -> None:
    products = (BY_SKU, {"product_id": "SKU1", "product_type": "Other", "recorded_at": instant("2026-06-01")})
    assert pick(attribute(products=products), "product_id", "product_type") == [("p1", "Servers")]


def test_a_charge_without_any_product_stays() -> None:
    rows = attribute({"vendor_product_id": None, "vendor_product_type": None}, products=({},))
    assert pick(rows, "product_id", "product_type") == [(None, None)]


def test_a_product_recorded_later_is_the_charges_product_and_says_since_when() -> None:
    rows = attribute(products=(BY_SKU | {"recorded_at": LATE},))
    assert pick(rows, "product_id", "product_type", "product_since") == [("p1", "Servers", LATE)]


def test_a_product_recorded_before_the_charge_had_a_customer_came_late_for_nothing() -> None:
    products = (BY_SKU | {"recorded_at": LATE},)
    for mapped_at, since in ((instant("2026-11-05 12:00"), LATE), (LATE, None), (LATER, None)):
        rows = attribute(accounts=({"recorded_at": mapped_at},), products=products)
        assert pick(rows, "product_id", "product_since") == [("p1", since)]


def test_a_product_that_changed_its_type_later_keeps_the_one_that_was_known() -> None:
    changed = BY_SKU | {"product_type": "Changed", "recorded_at": LATE}
    rows = attribute(products=(BY_SKU | {"withdrawn_at": LATE}, changed))
    assert pick(rows, "product_type", "product_since") == [("Servers", None)]


def test_the_order_of_rows_changes_nothing() -> None:
    accounts: tuple[Row, ...] = tuple(
        {"customer_id": name, "recorded_at": instant(f"2026-0{month}-01"), "source_row": month}
        for month, name in enumerate(("c1", "c2", "c3", "c4"), start=1)
    )
    products: tuple[Row, ...] = tuple(
        BY_SKU | {"product_id": f"p{month}", "recorded_at": instant(f"2026-0{month}-01"), "source_row": month}
        for month in (1, 2, 3)
    )
    situations: list[Row] = [{"situation_id": number, "sub_account_id": str(number * 111)} for number in (1, 2)]
    wanted = attribute(*situations, accounts=accounts, products=products)
    assert attribute(*situations, accounts=accounts[::-1], products=products[::-1]) == wanted
