"""A few situations and the terms that may fit them, for the tests of `sql/pricing/selected_terms.sql`."""

from datetime import date
from decimal import Decimal

from billing_pipeline.queries import load_sql
from tests.sql.inline import Row, instant, make, make_known, pick, select, session
from tests.sql.pricing_steps import step_types

KNOWN_AT, SEEN_AT = instant("2026-11-05"), instant("2026-11-07")
LATE, LATER = instant("2026-11-06"), instant("2026-11-09")
SITUATION: Row = {
    "situation_id": 1,
    "delivery_id": "d1",
    "customer_id": "c1",
    "customer_currency": "EUR",
    "vendor_product_id": "SKU1",
    "vendor_product_type": "Compute",
    "product_id": "p1",
    "product_type": "License",
    "vendor": "Vendor",
    "is_item": False,
    "term_day": date(2026, 10, 15),
    "known_at": KNOWN_AT,
    "seen_at": SEEN_AT,
}
TERM: Row = {
    "percent": Decimal(10),
    "method": "markup",
    "valid_from": date(2026, 1, 1),
    "recorded_at": instant("2026-01-01"),
}
RULE: Row = TERM | {"scope": "product", "scope_id": "p1"}
SPECIAL: Row = TERM | {"customer_id": "c1", "product_id": "p1"}
PRICE: Row = TERM | {"pricebook_id": "customers", "scope": "product", "scope_id": "p1"}
BY_PRODUCT: Row = {"rule_id": "by_product"}
BY_TYPE: Row = {"rule_id": "by_type", "scope": "product_type", "scope_id": "License"}
BY_VENDOR: Row = {"rule_id": "by_vendor", "scope": "vendor", "scope_id": "Vendor"}
OF_TYPE: Row = {"scope": "product_type", "scope_id": "License"}
OF_VENDOR: Row = {"scope": "vendor", "scope_id": "Vendor"}
ACCOUNTS_BOOK: Row = {"assigned_to": "account", "pricebook_id": "accounts", "currency": "EUR"}
CUSTOMERS_BOOK: Row = {"assigned_to": "customer", "pricebook_id": "customers", "currency": "EUR"}


def terms(
    *situations: Row,
    rules: tuple[Row, ...] = (),
    specials: tuple[Row, ...] = (),
    prices: tuple[Row, ...] = (),
    books: tuple[Row, ...] = (ACCOUNTS_BOOK, CUSTOMERS_BOOK),
) -> list[Row]:
    connection = session()
    numbered = [{"situation_id": number, **row} for number, row in enumerate(situations or ({},), start=1)]
    make(connection, "attributed_situations", step_types("attributed_situations"), *numbered, defaults=SITUATION)
    assigned = [{"situation_id": number, **book} for number in pick(numbered, "situation_id") for book in books]
    make(connection, "assigned_pricebooks", step_types("assigned_pricebooks"), *assigned)
    make_known(connection, "pricing_rules", *rules, defaults=RULE)
    make_known(connection, "special_prices", *specials, defaults=SPECIAL)
    make_known(connection, "pricebook_prices", *prices, defaults=PRICE)
    connection.execute(f"create temp view term_scopes as {load_sql('pricing/term_scopes')}")
    rows = sorted(select(connection, "pricing/selected_terms"), key=lambda row: int(row["situation_id"]))
    assert len({*pick(rows, "situation_id")}) == len(rows)
    return rows


def chosen(
    *situations: Row,
    rules: tuple[Row, ...] = (),
    specials: tuple[Row, ...] = (),
    prices: tuple[Row, ...] = (),
    books: tuple[Row, ...] = (ACCOUNTS_BOOK, CUSTOMERS_BOOK),
) -> list[str]:
    found = terms(*situations, rules=rules, specials=specials, prices=prices, books=books)
    return sorted(pick(found, "price_term_id"))
