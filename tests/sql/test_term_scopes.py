"""`sql/pricing/term_scopes.sql`: what a term may name to fit a charge."""

from datetime import date

from tests.sql.inline import Row, instant, make, pick, select, session
from tests.sql.pricing_steps import step_types

SITUATION: Row = {
    "situation_id": 1,
    "vendor": "AWS",
    "vendor_product_id": "SKU1",
    "vendor_product_type": "Compute",
    "is_item": False,
    "term_day": date(2026, 10, 15),
    "known_at": instant("2026-11-05"),
    "seen_at": instant("2026-11-07"),
    "customer_id": "c1",
    "customer_currency": "EUR",
    "product_id": "p1",
    "product_type": "Servers",
}
LATE = instant("2026-11-06")


def scopes(*situations: Row) -> list[Row]:
    connection = session()
    make(connection, "attributed_situations", step_types("attributed_situations"), *situations, defaults=SITUATION)
    return select(connection, "pricing/term_scopes")


def named(*situations: Row) -> list[object]:
    return sorted(pick(scopes(*situations), "scope_rank", "scope", "scope_id", "named_since"), key=str)


def test_a_term_may_name_the_product_its_type_or_its_vendor() -> None:
    assert named({}) == [(1, "product", "p1", None), (2, "product_type", "Servers", None), (3, "vendor", "AWS", None)]


def test_a_scope_carries_what_selects_its_terms() -> None:
    for row in scopes({"customer_since": LATE}):
        assert (row["customer_id"], row["customer_currency"], row["customer_since"]) == ("c1", "EUR", LATE)
        assert (row["term_day"], row["known_at"], row["seen_at"]) == (
            SITUATION["term_day"],
            SITUATION["known_at"],
            SITUATION["seen_at"],
        )


def test_nothing_names_what_the_charge_does_not_have() -> None:
    assert named({"product_id": None, "product_type": None}) == [(3, "vendor", "AWS", None)]


def test_a_charge_of_nobody_has_no_terms() -> None:
    assert named({"customer_id": None}) == []


def test_what_the_vendor_calls_a_product_stays_beside_the_name_that_came_later() -> None:
    assert named({"product_since": LATE}) == [
        (1, "product", "SKU1", None),
        (1, "product", "p1", LATE),
        (2, "product_type", "Compute", None),
        (2, "product_type", "Servers", LATE),
        (3, "vendor", "AWS", None),
    ]
