"""`sql/pricing/priced_credits.sql`: credit notes take the frozen terms of the line they credit."""

from decimal import Decimal

import pytest

from tests.sql.inline import Row, exact, instant, make, output_types, pick, select, session
from tests.sql.pricing_steps import step_types

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
    "quantity": Decimal(1),
    "unit_cost": Decimal(85),
    "unit_sell": Decimal(100),
    "total_sell": Decimal(100),
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
NO_INVOICE: Row = {"credits_invoice_number": "INV-9"}


def credits(*changes: Row, debits: tuple[Row, ...]) -> list[Row]:
    connection = session()
    numbered = [{"charge_id": f"k{number}", **row} for number, row in enumerate(changes, start=1)]
    make(connection, "attributed_credits", step_types("attributed_credits"), *numbered, defaults=CREDIT)
    make(connection, "known_debits", step_types("known_debits"), *debits, defaults=DEBIT)
    rows = sorted(select(connection, "pricing/priced_credits"), key=lambda row: str(row["charge_id"]))
    assert pick(rows, "charge_id") == sorted(pick(numbered, "charge_id"))
    return rows


def credit(changes: Row, *debits: Row) -> Row:
    (row,) = credits(changes, debits=debits)
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
        ({}, {"unit_sell": None, "total_sell": None}, "has no price itself"),
        ({}, {"customer_id": None, "unit_sell": None, "total_sell": None}, "has no price itself"),
        ({}, {"unit_sell": None, "quantity": Decimal(0)}, "has neither a unit price nor a quantity"),
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


def test_no_credit_is_dropped_or_repeated_whatever_the_order_of_rows() -> None:
    changes: tuple[Row, ...] = ({"charge_id": "a"}, {"charge_id": "b", **NO_LINE}, {"charge_id": "c", **NO_INVOICE})
    debits: tuple[Row, ...] = ({}, {"line_number": "2"}, {"line_number": "3"}, {"received_at": instant("2026-10-06")})
    rows = credits(*changes, debits=debits)
    assert pick(rows, "charge_id") == ["a", "b", "c"]
    assert credits(*changes[::-1], debits=debits[::-1]) == rows


def test_a_credit_carries_the_frozen_tiers_and_adjustments_of_its_debit() -> None:
    frozen: Row = {
        "price_scope": "product_type",
        "price_scope_id": "License",
        "price_unit_price": exact("99.5"),
        "tier_quantity": Decimal(40),
        "adjustment_ids": "a1;a2",
        "adjustment_percent": Decimal(-5),
    }
    row = credit({}, frozen)
    assert {name: row[name] for name in frozen} == frozen
    assert (row["total_sell"], row["total_before_adjustment"]) == (-100, None)
    assert (row["price_list_id"], row["expected_unit_cost"]) == (None, None)


@pytest.mark.parametrize(
    ("unit_cost", "unit_sell"), [("42.5", "50"), ("0", "0"), ("0.85", "1"), ("84.999999999", "99.999999998823529")]
)
def test_a_credit_at_a_part_of_the_unit_cost_returns_that_part_of_the_frozen_price_and_says_so(
    unit_cost: str, unit_sell: str
) -> None:
    row = credit({"file_unit_cost": exact(unit_cost), "quantity": Decimal(3)}, {})
    assert (row["unit_sell"], row["total_sell"]) == (-exact(unit_sell), -3 * exact(unit_sell))
    assert row["total_cost"] == -3 * exact(unit_cost)
    assert row["note"] == (
        f"the credit is for {unit_cost} of the credited line's unit cost of 85, and returns that part of its price"
    )


@pytest.mark.parametrize(
    ("unit_cost", "debit_cost", "unit_sell"),
    [
        ("-42.5", "-85", "50"),
        ("0", "-85", "0"),
        ("-90", "-85", "100"),
        ("-42.5", "85", "100"),
        ("42.5", "-85", "100"),
        ("5", "0", "100"),
    ],
)
def test_a_credit_never_returns_more_than_the_whole_unit_price_also_of_a_negative_cost(
    unit_cost: str, debit_cost: str, unit_sell: str
) -> None:
    row = credit({"file_unit_cost": exact(unit_cost)}, {"unit_cost": exact(debit_cost)})
    assert row["unit_sell"] == -exact(unit_sell)
    assert row["note"] is not None


def test_credits_at_two_parts_of_the_unit_cost_return_the_whole_price_to_15_decimals() -> None:
    changes: tuple[Row, ...] = ({"file_unit_cost": Decimal(28)}, {"file_unit_cost": Decimal(57)})
    assert sum(pick(credits(*changes, debits=({},)), "unit_sell")) == -100
    thirds = credits(*({"file_unit_cost": exact("28.333333333")},) * 3, debits=({},))
    assert abs(sum(pick(thirds, "unit_sell")) + 100) < exact("0.00000001")


TIERED: Row = {"unit_sell": None, "quantity": Decimal(12), "total_sell": exact("58.123456789123456789")}


def test_a_full_credit_of_a_line_with_tiers_returns_its_total() -> None:
    row = credit({"quantity": Decimal(12)}, TIERED)
    assert (row["unit_sell"], row["total_sell"], row["note"]) == (None, -TIERED["total_sell"], None)


@pytest.mark.parametrize(
    ("quantity", "total"), [("3", "14.530864197280864197"), ("6", "29.061728394561728395"), ("0", "0")]
)
def test_a_partial_credit_of_a_line_with_tiers_returns_its_quantity_of_the_total_to_18_decimals(
    quantity: str, total: str
) -> None:
    row = credit({"quantity": exact(quantity)}, TIERED)
    assert (row["unit_sell"], row["total_sell"], row["unpriced_reason"]) == (None, -exact(total), None)


def test_a_partial_credit_of_a_billion_cheap_units_is_right_to_the_cent() -> None:
    debit: Row = {"unit_sell": None, "quantity": Decimal(10**9), "total_sell": exact("33.33")}
    assert credit({"quantity": Decimal(5 * 10**8)}, debit)["total_sell"] == exact("-16.665")
    thousandfold: Row = debit | {"total_sell": Decimal(33 * 10**12)}
    assert credit({"quantity": Decimal(10**6)}, thousandfold)["total_sell"] == -33 * 10**9


def test_a_credit_at_a_part_of_the_cost_of_a_line_with_tiers_returns_that_part() -> None:
    row = credit({"quantity": Decimal(6), "file_unit_cost": exact("42.5")}, TIERED | {"total_sell": Decimal(60)})
    assert row["total_sell"] == -15
    assert "returns that part" in row["note"]


def test_credits_stack_on_debits_without_losing_decimals() -> None:
    connection = session()
    for name in ("attributed_credits", "known_debits"):
        make(connection, name, step_types(name))
    types = output_types(connection, "pricing/priced_credits")
    assert {types[name] for name in ("unit_cost", "unit_sell", "srp")} == {"DECIMAL(38,18)"}
    assert {types[name] for name in ("total_cost", "total_sell", "total_list")} == {"DECIMAL(38,24)"}
    assert types["percent"] == "DECIMAL(12,4)"
    assert not {"DOUBLE", "FLOAT"} & set(types.values())
