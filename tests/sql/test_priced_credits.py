"""`sql/pricing/priced_credits.sql`: credit notes take the frozen terms of the line they credit."""

from decimal import Decimal

import pytest

from tests.sql.inline import Row, exact, instant, make, output_types, pick, select, session

CREDIT_TYPES = {
    "charge_id": "varchar",
    "source": "varchar",
    "customer_id": "varchar",
    "sub_account_id": "varchar",
    "product_id": "varchar",
    "received_at": "timestamp with time zone",
    "quantity": "decimal(38, 18)",
    "file_unit_cost": "decimal(28, 9)",
    "file_list_price": "decimal(28, 9)",
    "currency": "varchar",
    "credits_invoice_number": "varchar",
    "credits_line_number": "varchar",
    "note": "varchar",
}
DEBIT_TYPES = {
    "line_item_id": "varchar",
    "source": "varchar",
    "invoice_number": "varchar",
    "line_number": "varchar",
    "product_id": "varchar",
    "sub_account_id": "varchar",
    "customer_id": "varchar",
    "received_at": "timestamp with time zone",
    "currency": "varchar",
    "unit_cost": "decimal(38, 18)",
    "unit_sell": "decimal(38, 18)",
    "srp": "decimal(38, 18)",
    "price_term": "varchar",
    "price_term_id": "varchar",
    "price_method": "varchar",
    "price_percent": "decimal(12, 4)",
}
DEBIT: Row = {
    "line_item_id": "line-debit",
    "source": "dist",
    "invoice_number": "INV-1",
    "line_number": "1",
    "product_id": "p1",
    "sub_account_id": "c1",
    "customer_id": "c1",
    "received_at": instant("2026-10-05"),
    "currency": "EUR",
    "unit_cost": Decimal(85),
    "unit_sell": Decimal(100),
    "srp": Decimal(100),
    "price_term": "pricing_rule",
    "price_term_id": "r1",
    "price_method": "srp",
}
CREDIT: Row = {
    "charge_id": "k1",
    "source": "dist",
    "customer_id": "c1",
    "sub_account_id": "c1",
    "product_id": "p1",
    "received_at": instant("2026-10-20"),
    "quantity": Decimal(1),
    "file_unit_cost": Decimal(85),
    "file_list_price": Decimal(110),
    "currency": "EUR",
    "credits_invoice_number": "INV-1",
    "credits_line_number": "1",
}
NO_LINE: Row = {"credits_line_number": None}


def credit(changes: Row, *debits: Row) -> Row:
    connection = session()
    make(connection, "attributed_credits", CREDIT_TYPES, changes, defaults=CREDIT)
    make(connection, "known_debits", DEBIT_TYPES, *debits, defaults=DEBIT)
    (row,) = select(connection, "pricing/priced_credits")
    return row


def test_a_full_credit_returns_what_was_charged_also_when_the_list_price_has_risen_since() -> None:
    row = credit({}, {})
    assert (row["unit_sell"], row["total_sell"]) == (-100, -100)
    assert (row["unit_cost"], row["total_cost"]) == (-85, -85)
    assert (row["srp"], row["total_list"]) == (-100, -100)
    assert (row["unpriced_reason"], row["note"]) == (None, None)


def test_a_credit_names_the_line_it_credits_and_the_term_that_priced_it() -> None:
    row = credit(
        {}, {"price_term": "special_price", "price_term_id": "s1", "price_method": "markup", "price_percent": 5}
    )
    assert row["credited_line_item_id"] == "line-debit"
    assert (row["price_term"], row["price_term_id"], row["method"], row["percent"]) == (
        "special_price",
        "s1",
        "markup",
        5,
    )


def test_a_partial_credit_returns_its_quantity_at_the_frozen_unit_price() -> None:
    row = credit({"quantity": exact("0.25")}, {"unit_sell": exact("99.123456789012345")})
    assert row["quantity"] == exact("0.25")
    assert row["total_sell"] == exact("-24.78086419725308625")
    assert row["total_cost"] == exact("-21.25")


def test_a_credit_at_another_unit_cost_takes_the_frozen_price_and_says_so() -> None:
    row = credit({"file_unit_cost": Decimal(90)}, {})
    assert (row["total_sell"], row["total_cost"]) == (-100, -90)
    assert "another unit cost" in row["note"]


def test_a_credit_without_srp_anywhere_has_none() -> None:
    row = credit({"file_list_price": None}, {"srp": None})
    assert (row["srp"], row["total_list"], row["total_sell"]) == (None, None, -100)


@pytest.mark.parametrize(
    ("changes", "debit", "reason"),
    [
        ({"credits_invoice_number": None, **NO_LINE}, {}, "names no invoice"),
        ({"credits_invoice_number": "INV-0"}, {}, "not known: INV-0 line 1"),
        ({"credits_invoice_number": "INV-0", **NO_LINE}, {}, "not known: INV-0"),
        ({"credits_line_number": "2"}, {}, "not known: INV-1 line 2"),
        ({"source": "other"}, {}, "not known: INV-1 line 1"),
        ({"product_id": "p2", **NO_LINE}, {}, "not known: INV-1"),
        ({"sub_account_id": "c2", **NO_LINE}, {}, "not known: INV-1"),
        ({"currency": "USD"}, {}, "the credited line is in EUR"),
        ({}, {"unit_sell": None}, "has no price itself"),
        ({}, {"customer_id": None, "unit_sell": None}, "has no price itself"),
        ({"customer_id": "c2"}, {}, "belongs to customer c1"),
    ],
    ids=str,
)
def test_a_credit_whose_debit_gives_no_price_stays_unpriced_with_its_reason(
    changes: Row, debit: Row, reason: str
) -> None:
    row = credit(changes, debit)
    assert (row["unit_sell"], row["total_sell"]) == (None, None)
    assert reason in row["unpriced_reason"]
    assert row["total_cost"] == -85


def test_a_credit_without_line_finds_the_only_line_of_its_product_and_customer() -> None:
    others: tuple[Row, ...] = (
        {},
        {"line_item_id": "line-2", "line_number": "2", "product_id": "p2"},
        {"line_item_id": "line-3", "line_number": "3", "sub_account_id": "c2"},
        {"line_item_id": "line-4", "invoice_number": "INV-2"},
    )
    row = credit(NO_LINE, *others)
    assert (row["credited_line_item_id"], row["total_sell"]) == ("line-debit", -100)


def test_a_credit_without_line_that_fits_several_lines_is_ambiguous_and_takes_none_of_them() -> None:
    row = credit(NO_LINE, {}, {"line_item_id": "line-2", "line_number": "2", "unit_sell": Decimal(50)})
    assert (row["total_sell"], row["credited_line_item_id"], row["price_term"]) == (None, None, None)
    assert "several lines of INV-1 fit" in row["unpriced_reason"]


def test_a_credit_takes_the_version_of_its_debit_that_was_known_when_it_arrived() -> None:
    row = credit(
        {},
        {"line_item_id": "first", "unit_sell": Decimal(90), "received_at": instant("2026-10-05")},
        {"line_item_id": "known", "unit_sell": Decimal(95), "received_at": instant("2026-10-20")},
        {"line_item_id": "later", "unit_sell": Decimal(99), "received_at": instant("2026-10-21")},
    )
    assert (row["credited_line_item_id"], row["total_sell"]) == ("known", -95)


def test_a_credit_that_arrived_before_its_debit_takes_the_first_that_arrived() -> None:
    row = credit(
        {},
        {"line_item_id": "second", "unit_sell": Decimal(99), "received_at": instant("2026-10-23")},
        {"line_item_id": "first", "unit_sell": Decimal(95), "received_at": instant("2026-10-22")},
    )
    assert (row["credited_line_item_id"], row["total_sell"]) == ("first", -95)


def test_two_versions_of_one_line_are_not_two_lines() -> None:
    row = credit(NO_LINE, {}, {"line_item_id": "again", "received_at": instant("2026-10-06")})
    assert (row["unpriced_reason"], row["credited_line_item_id"]) == (None, "again")


def test_no_credit_is_dropped_or_repeated() -> None:
    connection = session()
    credits: tuple[Row, ...] = ({}, NO_LINE, {"credits_invoice_number": "INV-9"})
    numbered = [{"charge_id": f"k{number}", **row} for number, row in enumerate(credits)]
    make(connection, "attributed_credits", CREDIT_TYPES, *numbered, defaults=CREDIT)
    make(connection, "known_debits", DEBIT_TYPES, {}, {"line_number": "2"}, {"line_number": "3"}, defaults=DEBIT)
    assert sorted(pick(select(connection, "pricing/priced_credits"), "charge_id")) == ["k0", "k1", "k2"]


def test_credits_stack_on_debits_without_losing_decimals() -> None:
    connection = session()
    make(connection, "attributed_credits", CREDIT_TYPES)
    make(connection, "known_debits", DEBIT_TYPES)
    types = output_types(connection, "pricing/priced_credits")
    assert {types[name] for name in ("unit_cost", "unit_sell", "srp")} == {"DECIMAL(38,18)"}
    assert {types[name] for name in ("total_cost", "total_sell", "total_list")} == {"DECIMAL(38,24)"}
    assert types["percent"] == "DECIMAL(12,4)"
    assert not {"DOUBLE", "FLOAT"} & set(types.values())
