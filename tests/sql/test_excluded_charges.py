"""`sql/charges/excluded_charges.sql`: items left out, each with its reason."""

from datetime import date
from decimal import Decimal

from billing_pipeline.schemas.customer_charges import EXCLUDED_CHARGES
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from tests.sql.inline import Row, make, output_types, pick, select, session, table_types

TYPES = table_types(PRICED_LINE_ITEMS) | {"exclusion_reason": "varchar", "exclusion_detail": "varchar"}
ITEM: Row = {
    "line_item_id": "line-1",
    "line_number": "1",
    "invoice_number": "INV-1",
    "invoice_date": date(2026, 10, 5),
    "exclusion_reason": "no_markup_and_no_srp",
    "exclusion_detail": "no pricing rule",
    "charge_type": "Debit",
    "row_count": 4,
    "total_cost": Decimal(20),
    "currency": "EUR",
}


def excluded(*items: Row) -> list[Row]:
    connection = session()
    make(connection, "decided_charges", TYPES, *items, defaults=ITEM)
    return select(connection, "charges/excluded_charges")


def test_an_item_left_out_is_kept_with_the_rule_and_the_reason_in_words() -> None:
    (row,) = excluded({})
    assert (row["line_number"], row["invoice_number"]) == ("1", "INV-1")
    assert (row["reason"], row["detail"]) == ("no_markup_and_no_srp", "no pricing rule")
    assert (row["type"], row["total_cost"], row["currency"], row["row_count"]) == ("Debit", 20, "EUR", 4)


def test_a_rule_that_needs_no_words_has_an_empty_detail() -> None:
    assert pick(excluded({"exclusion_reason": "before_charges_start", "exclusion_detail": ""}), "reason", "detail") == [
        ("before_charges_start", "")
    ]


def test_an_item_that_was_let_in_is_not_left_out() -> None:
    assert excluded({"exclusion_reason": None}) == []


def test_items_left_out_have_the_columns_and_types_of_their_contract() -> None:
    connection = session()
    make(connection, "decided_charges", TYPES)
    assert output_types(connection, "charges/excluded_charges") == table_types(EXCLUDED_CHARGES)
