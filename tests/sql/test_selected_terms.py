"""`sql/pricing/selected_terms.sql`: which term sets the price."""

from datetime import date
from decimal import Decimal

import pytest

from tests.sql.inline import Row, instant, make, make_reference, output_types, pick, select, session

COLUMNS = {
    "customer_id": "varchar",
    "product_id": "varchar",
    "product_type": "varchar",
    "vendor": "varchar",
    "term_day": "date",
    "received_at": "timestamp with time zone",
}
SITUATION: Row = {
    "customer_id": "c1",
    "product_id": "p1",
    "product_type": "License",
    "vendor": "Vendor",
    "term_day": date(2026, 10, 15),
    "received_at": instant("2026-11-05"),
}
TERM: Row = {
    "percent": Decimal(10),
    "method": "markup",
    "valid_from": date(2026, 1, 1),
    "recorded_at": instant("2026-01-01"),
}
RULE: Row = TERM | {"scope": "product", "scope_id": "p1"}
SPECIAL: Row = TERM | {"customer_id": "c1", "product_id": "p1"}
BY_PRODUCT: Row = {"rule_id": "by_product"}
BY_TYPE: Row = {"rule_id": "by_type", "scope": "product_type", "scope_id": "License"}
BY_VENDOR: Row = {"rule_id": "by_vendor", "scope": "vendor", "scope_id": "Vendor"}


def terms(*situations: Row, rules: tuple[Row, ...] = (), specials: tuple[Row, ...] = ()) -> list[Row]:
    connection = session()
    make(connection, "situations", COLUMNS, *(situations or ({},)), defaults=SITUATION)
    make_reference(connection, "pricing_rules", *rules, defaults=RULE)
    make_reference(connection, "special_prices", *specials, defaults=SPECIAL)
    make_reference(connection, "customers", {"customer_id": "c1", "invoice_currency": "EUR"})
    return select(connection, "pricing/selected_terms")


def chosen(*situations: Row, rules: tuple[Row, ...] = (), specials: tuple[Row, ...] = ()) -> list[str]:
    return sorted(pick(terms(*situations, rules=rules, specials=specials), "price_term_id"))


def test_a_special_price_comes_before_every_rule() -> None:
    (term,) = terms(rules=(BY_VENDOR, BY_TYPE, BY_PRODUCT), specials=({"special_price_id": "special"},))
    assert (term["price_term"], term["price_term_id"]) == ("special_price", "special")


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


def test_a_rule_carries_its_method_and_percent() -> None:
    (term,) = terms(rules=(BY_PRODUCT | {"percent": Decimal("12.3456")},))
    assert (term["price_term"], term["method"], term["percent"]) == ("pricing_rule", "markup", Decimal("12.3456"))
    assert (term["unit_price"], term["term_currency"]) == (None, None)


def test_a_situation_that_no_term_fits_is_absent() -> None:
    others: tuple[Row, ...] = (
        BY_PRODUCT | {"scope_id": "p2"},
        BY_TYPE | {"scope_id": "Compute"},
        BY_VENDOR | {"scope_id": "Other"},
        # A scope's id is of that scope only.
        BY_VENDOR | {"scope_id": "p1"},
    )
    specials: tuple[Row, ...] = ({"customer_id": "c2"}, {"product_id": "p2"})
    assert terms(rules=others, specials=specials) == []


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
def test_the_range_of_a_rule_is_half_open(day: date, wanted: list[str]) -> None:
    rules: tuple[Row, ...] = (
        {"rule_id": "before", "valid_from": date(2026, 10, 1), "valid_to": date(2026, 10, 16)},
        {"rule_id": "after", "valid_from": date(2026, 10, 16), "valid_to": date(2027, 1, 1)},
    )
    assert chosen({"term_day": day}, rules=rules) == wanted


@pytest.mark.parametrize(("day", "wanted"), [(date(2026, 10, 15), ["special"]), (date(2026, 10, 16), ["by_product"])])
def test_an_expired_special_price_gives_way_to_the_rule(day: date, wanted: list[str]) -> None:
    specials: tuple[Row, ...] = ({"special_price_id": "special", "valid_to": date(2026, 10, 16)},)
    assert chosen({"term_day": day}, rules=(BY_PRODUCT,), specials=specials) == wanted


def test_of_overlapping_rows_known_at_arrival_the_one_recorded_last_counts() -> None:
    rules: tuple[Row, ...] = (
        {"rule_id": "newest", "recorded_at": instant("2026-06-01")},
        {"rule_id": "oldest", "recorded_at": instant("2026-01-01")},
        {"rule_id": "middle", "recorded_at": instant("2026-03-01")},
    )
    assert chosen(rules=rules) == ["newest"]


def test_a_superseding_row_counts_only_from_its_own_first_day() -> None:
    rules: tuple[Row, ...] = (
        {"rule_id": "old"},
        {"rule_id": "new", "valid_from": date(2026, 10, 15), "recorded_at": instant("2026-10-01")},
    )
    assert chosen({}, {"term_day": date(2026, 10, 14)}, rules=rules) == ["new", "old"]


def test_a_term_recorded_after_arrival_changes_no_price_that_was_known() -> None:
    late: Row = {"recorded_at": instant("2026-11-05 00:01"), "percent": Decimal(99)}
    known = terms(rules=(BY_VENDOR,))
    rules = (BY_VENDOR, BY_VENDOR | late, BY_TYPE | late, BY_PRODUCT | late)
    assert terms(rules=rules, specials=({"special_price_id": "late", **late},)) == known


def test_a_term_recorded_at_the_instant_of_arrival_was_known() -> None:
    rules = (BY_VENDOR, BY_PRODUCT | {"recorded_at": instant("2026-11-05")})
    assert chosen(rules=rules) == ["by_product"]


def test_a_term_recorded_after_arrival_fills_a_gap() -> None:
    assert chosen(rules=({"rule_id": "late", "recorded_at": instant("2026-12-01")},)) == ["late"]


def test_the_first_gap_filler_stays_also_when_a_stronger_term_follows() -> None:
    rules = (
        BY_VENDOR | {"recorded_at": instant("2026-11-06")},
        BY_PRODUCT | {"recorded_at": instant("2026-11-07")},
        BY_VENDOR | {"rule_id": "again", "recorded_at": instant("2026-11-08")},
    )
    specials: tuple[Row, ...] = ({"special_price_id": "special", "recorded_at": instant("2026-11-09")},)
    assert chosen(rules=rules, specials=specials) == ["by_vendor"]


def test_of_gap_fillers_recorded_at_one_instant_the_stronger_counts() -> None:
    late: Row = {"recorded_at": instant("2026-11-06")}
    assert chosen(rules=(BY_VENDOR | late, BY_PRODUCT | late)) == ["by_product"]


def test_a_change_during_reconciliation_appears_with_the_next_months_delivery() -> None:
    rules = (BY_PRODUCT, BY_PRODUCT | {"rule_id": "changed", "recorded_at": instant("2026-11-06")})
    october: Row = {}
    november: Row = {"term_day": date(2026, 11, 15), "received_at": instant("2026-12-05")}
    assert chosen(october, rules=rules) == ["by_product"]
    assert chosen(november, rules=rules) == ["changed"]


def test_a_special_price_without_currency_is_in_the_customers_invoice_currency() -> None:
    fixed: Row = {"special_price_id": "s", "method": "fixed", "percent": None, "unit_price": Decimal(9)}
    assert pick(terms(specials=(fixed,)), "unit_price", "term_currency") == [(Decimal(9), "EUR")]
    assert pick(terms(specials=(fixed | {"currency": "USD"},)), "term_currency") == ["USD"]


@pytest.mark.parametrize("absent", ["product_id", "product_type"])
def test_a_charge_without_product_or_type_is_still_of_its_vendor(absent: str) -> None:
    rules = (BY_VENDOR, BY_TYPE | {"scope_id": ""}, BY_PRODUCT | {"scope_id": ""})
    assert pick(terms({absent: None}, rules=rules), "price_term_id", absent) == [("by_vendor", None)]


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
    found = terms(*situations, rules=rules, specials=({"special_price_id": "s"},))
    assert len(found) == len(situations)


def test_a_fixed_price_keeps_all_its_decimals_beside_rules_that_have_none() -> None:
    specials: tuple[Row, ...] = (
        {"special_price_id": "s", "method": "fixed", "unit_price": Decimal("0.000000000000000001"), "currency": "EUR"},
    )
    assert pick(terms(rules=(BY_PRODUCT,), specials=specials), "unit_price") == [Decimal("0.000000000000000001")]


def test_percent_and_price_of_a_term_are_decimals() -> None:
    connection = session()
    make(connection, "situations", COLUMNS)
    for name in ("pricing_rules", "special_prices", "customers"):
        make_reference(connection, name)
    types = output_types(connection, "pricing/selected_terms")
    assert (types["percent"], types["unit_price"]) == ("DECIMAL(12,4)", "DECIMAL(38,18)")
