"""`sql/pricing/selected_terms.sql`: which term sets the price."""

from datetime import date
from decimal import Decimal

import pytest

from tests.sql.inline import Row, instant, make, make_known, output_types, pick, session
from tests.sql.pricing_steps import step_types
from tests.sql.term_selection import (
    BY_PRODUCT,
    BY_TYPE,
    BY_VENDOR,
    CUSTOMERS_BOOK,
    LATE,
    OF_TYPE,
    OF_VENDOR,
    chosen,
    terms,
)


def test_a_special_price_comes_before_every_pricebook_and_rule() -> None:
    prices: tuple[Row, ...] = ({"pricebook_id": "accounts"}, {})
    (term,) = terms(rules=(BY_VENDOR, BY_TYPE, BY_PRODUCT), prices=prices, specials=({"special_price_id": "special"},))
    assert (term["price_term"], term["price_term_id"]) == ("special_price", "special")
    assert (term["price_scope"], term["price_scope_id"]) == (None, None)


@pytest.mark.parametrize("price", [{}, OF_TYPE, OF_VENDOR], ids=["product", "type", "vendor"])
def test_the_accounts_pricebook_comes_before_the_customers_and_that_before_every_rule(price: Row) -> None:
    rules = (BY_VENDOR, BY_TYPE, BY_PRODUCT)
    assert chosen(rules=rules, prices=(price | {"pricebook_id": "accounts"}, {})) == ["accounts"]
    assert chosen(rules=rules, prices=(price,)) == ["customers"]


def test_a_price_of_a_pricebook_that_is_not_assigned_is_nobodys() -> None:
    assert chosen(rules=(BY_VENDOR,), prices=({"pricebook_id": "others"},)) == ["by_vendor"]


@pytest.mark.parametrize(
    ("prices", "scope"),
    [
        (({}, OF_TYPE, OF_VENDOR), ("product", "p1")),
        ((OF_TYPE, OF_VENDOR), ("product_type", "License")),
        ((OF_VENDOR,), ("vendor", "Vendor")),
    ],
    ids=["product", "type", "vendor"],
)
def test_in_a_pricebook_the_product_comes_before_its_type_before_its_vendor(
    prices: tuple[Row, ...], scope: tuple[str, str]
) -> None:
    for ordered in (prices, prices[::-1]):
        assert pick(terms(prices=ordered), "price_term", "price_scope", "price_scope_id") == [("pricebook", *scope)]


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ((BY_VENDOR, BY_TYPE, BY_PRODUCT), "by_product"),
        ((BY_VENDOR, BY_TYPE), "by_type"),
        ((BY_VENDOR,), "by_vendor"),
    ],
    ids=lambda value: value if isinstance(value, str) else len(value),
)
def test_a_rule_for_the_product_comes_before_its_type_before_its_vendor(rules: tuple[Row, ...], wanted: str) -> None:
    assert chosen(rules=rules) == [wanted]
    assert chosen(rules=tuple(reversed(rules))) == [wanted]


def test_a_rule_carries_its_method_percent_and_scope() -> None:
    (term,) = terms(rules=(BY_PRODUCT | {"percent": Decimal("12.3456")},))
    assert (term["price_term"], term["method"], term["percent"]) == ("pricing_rule", "markup", Decimal("12.3456"))
    assert (term["unit_price"], term["term_currency"], term["has_tiers"]) == (None, None, False)
    assert (term["price_scope"], term["price_scope_id"]) == ("product", "p1")


def test_a_situation_that_no_term_fits_is_absent() -> None:
    others: tuple[Row, ...] = (
        BY_PRODUCT | {"scope_id": "p2"},
        BY_TYPE | {"scope_id": "Compute"},
        BY_VENDOR | {"scope_id": "Other"},
        # A scope's id is of that scope only.
        BY_VENDOR | {"scope_id": "p1"},
    )
    specials: tuple[Row, ...] = ({"customer_id": "c2"}, {"product_id": "p2"})
    prices: tuple[Row, ...] = tuple(
        {name: rule[name] for name in ("scope", "scope_id") if name in rule} for rule in others
    )
    assert terms(rules=others, specials=specials, prices=prices) == []
    assert terms({"customer_id": None}, rules=(BY_VENDOR,), specials=({},), prices=({},)) == []


@pytest.mark.parametrize(
    ("day", "wanted"),
    [
        (date(2026, 10, 1), ["before"]),
        (date(2026, 10, 15), ["before"]),
        (date(2026, 10, 16), ["after"]),
        (date(2026, 12, 31), ["after"]),
        (date(2026, 9, 30), []),
        (date(2027, 1, 1), []),
    ],
)
def test_the_range_of_a_term_is_half_open(day: date, wanted: list[str]) -> None:
    ranges: tuple[Row, ...] = (
        {"valid_from": date(2026, 10, 1), "valid_to": date(2026, 10, 16)},
        {"valid_from": date(2026, 10, 16), "valid_to": date(2027, 1, 1)},
    )
    named = tuple(zip(("before", "after"), ranges, strict=True))
    situation: Row = {"term_day": day}
    assert chosen(situation, rules=tuple(row | {"rule_id": name} for name, row in named)) == wanted
    assert chosen(situation, specials=tuple(row | {"special_price_id": name} for name, row in named)) == wanted
    books = tuple({"assigned_to": "customer", "pricebook_id": name} for name, _ in named)
    assert chosen(situation, prices=tuple(row | {"pricebook_id": name} for name, row in named), books=books) == wanted


@pytest.mark.parametrize(("day", "wanted"), [(date(2026, 10, 15), ["special"]), (date(2026, 10, 16), ["by_product"])])
def test_an_expired_special_price_gives_way_to_the_rule(day: date, wanted: list[str]) -> None:
    specials: tuple[Row, ...] = ({"special_price_id": "special", "valid_to": date(2026, 10, 16)},)
    assert chosen({"term_day": day}, rules=(BY_PRODUCT,), specials=specials) == wanted


def test_a_special_price_without_currency_is_in_the_customers_invoice_currency() -> None:
    fixed: Row = {"special_price_id": "s", "method": "fixed", "percent": None, "unit_price": Decimal(9)}
    assert pick(terms(specials=(fixed,)), "unit_price", "term_currency") == [(Decimal(9), "EUR")]
    assert pick(terms(specials=(fixed | {"currency": "USD"},)), "term_currency") == ["USD"]


def test_a_price_of_a_pricebook_is_in_the_pricebooks_currency() -> None:
    fixed: Row = {"method": "fixed", "percent": None, "unit_price": Decimal(9)}
    assert pick(terms(prices=(fixed,), books=(CUSTOMERS_BOOK | {"currency": "USD"},)), "term_currency") == ["USD"]


@pytest.mark.parametrize("absent", ["product_id", "product_type"])
def test_a_charge_without_product_or_type_is_still_of_its_vendor(absent: str) -> None:
    rules = (BY_VENDOR, BY_TYPE | {"scope_id": ""}, BY_PRODUCT | {"scope_id": ""})
    assert chosen({absent: None}, rules=rules) == ["by_vendor"]


def test_every_situation_has_at_most_one_term() -> None:
    situations: list[Row] = [
        {"customer_id": customer, "product_id": product, "term_day": date(2026, 10, day)}
        for customer in ("c1", "c2")
        for product in ("p1", "p2", None)
        for day in (14, 15, 16)
    ]
    rules = tuple(
        rule | {"recorded_at": instant(f"2026-0{month}-01")}
        for rule in (BY_VENDOR, BY_TYPE, BY_PRODUCT)
        for month in (1, 2)
    )
    found = terms(*situations, rules=rules, specials=({"special_price_id": "s"},), prices=({}, OF_TYPE, OF_VENDOR))
    assert len(found) == len(situations)


def test_a_fixed_price_keeps_all_its_decimals_beside_rules_that_have_none() -> None:
    smallest = Decimal("0.000000000000000001")
    fixed: Row = {"method": "fixed", "unit_price": smallest}
    assert pick(terms(rules=(BY_PRODUCT,), specials=(fixed | {"currency": "EUR"},)), "unit_price") == [smallest]
    assert pick(terms(rules=(BY_PRODUCT,), prices=(fixed,)), "unit_price") == [smallest]


@pytest.mark.parametrize(
    ("price", "has_tiers"),
    [
        ({}, False),
        ({"from_quantity": Decimal(0)}, False),
        ({"from_quantity": Decimal(1)}, True),
        ({"to_quantity": Decimal(10)}, True),
        ({"method": "graduated"}, True),
        ({"method": "volume"}, True),
        ({"method": "package"}, True),
    ],
    ids=str,
)
def test_a_price_has_tiers_by_its_method_or_where_a_quantity_bounds_it(price: Row, has_tiers: bool) -> None:
    assert pick(terms(prices=(price,)), "has_tiers") == [has_tiers]


def test_percent_and_price_of_a_term_are_decimals() -> None:
    connection = session()
    for name in ("term_scopes", "assigned_pricebooks"):
        make(connection, name, step_types(name))
    for name in ("pricing_rules", "special_prices", "pricebook_prices"):
        make_known(connection, name)
    types = output_types(connection, "pricing/selected_terms")
    assert (types["percent"], types["unit_price"]) == ("DECIMAL(12,4)", "DECIMAL(38,18)")
    assert not {"DOUBLE", "FLOAT"} & set(types.values())


def test_the_order_of_terms_changes_nothing() -> None:
    months = (1, 3, 2)
    rules = tuple(
        rule | {"recorded_at": instant(f"2026-0{month}-01"), "source_row": 10 * number + month}
        for number, rule in enumerate((BY_VENDOR, BY_TYPE, BY_PRODUCT), start=1)
        for month in months
    )
    prices: tuple[Row, ...] = tuple(
        scope | {"recorded_at": LATE, "source_row": number, "percent": Decimal(number)}
        for number, scope in enumerate((OF_VENDOR, OF_TYPE, {}), start=1)
    )
    situations: list[Row] = [{}, {"product_id": "p2"}, {"product_type": None}, {"known_at": LATE}]
    wanted = terms(*situations, rules=rules, prices=prices)
    assert terms(*situations, rules=rules[::-1], prices=prices[::-1]) == wanted
