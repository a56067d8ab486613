"""`sql/focus/`: what a document says, as rows of FOCUS that add up to its payable total."""

from decimal import Decimal

import pytest

from billing_pipeline.schemas.focus_export import FOCUS_EXPORT
from tests.sql.focus_rows import focus_session, own_charges
from tests.sql.inline import Row, exact, instant, output_types, pick, table_types

WITHOUT_CHARGES: Row = {"charge_count": 0}


def test_a_charge_is_billed_at_the_customers_price_and_says_nothing_of_the_cost() -> None:
    (row,) = own_charges()
    amounts = [row[name] for name in ("billed_cost", "effective_cost", "contracted_cost", "list_cost")]
    assert amounts == [10, 10, 10, 10]
    assert exact("8") not in row.values()
    assert [row[name] for name in ("billing_account_id", "sub_account_id", "invoice_id")] == ["c1", "12", "INV-1"]
    issuers = ("invoice_issuer_name", "provider_name", "publisher_name")
    assert [row[name] for name in issuers] == ["Contoso", "Contoso", "AWS"]


def test_the_rows_of_a_document_add_up_to_its_payable_total() -> None:
    charges = ({"charge_id": "a", "amount_precise": "3.333333333333333333333333"}, {"charge_id": "b"})
    found = own_charges(charges, documents=({"total": "13.33"},))
    assert sum(row["billed_cost"] for row in found) == exact("13.33")
    rounding = found[-1]
    assert pick([rounding], "x_line_kind", "charge_category", "billed_cost", "pricing_quantity", "sku_id") == [
        ("rounding", "Adjustment", exact("-0.003333333333333333"), None, None)
    ]


def test_a_document_that_adds_up_has_no_rounding() -> None:
    assert pick(own_charges(), "x_line_kind") == ["usage"]


def test_a_document_without_any_row_still_comes_to_its_total() -> None:
    assert pick(own_charges((), document_lines=(), documents=({"total": "0.01"},)), "billed_cost") == [exact("0.01")]


def test_taxes_and_credits_are_rows_without_quantity_and_keep_the_digits_of_the_charges() -> None:
    tax: Row = {
        "line_kind": "tax", "charge_category": "Tax", "amount": "2.40", "description": "VAT", "service_name": "Tax",
    }  # fmt: skip
    credit: Row = {
        "line_kind": "credit_applied", "charge_category": "Credit", "amount": "-1.00", "service_name": "Credits",
        "position": 1, "publisher_name": "Microsoft",
    }  # fmt: skip
    precise = exact("10.000000000000000001")
    found = own_charges(({"amount_precise": precise},), document_extras=(tax, credit), documents=({"total": "11.40"},))
    assert pick(found, "charge_category", "billed_cost") == [
        ("Usage", precise),
        ("Tax", exact("2.4")),
        ("Credit", -1),
        ("Adjustment", exact("-0.000000000000000001")),
    ]
    for name in ("pricing_quantity", "pricing_unit", "sku_id", "sku_price_id", "x_invoice_line_number"):
        assert pick(found[1:], name) == [None] * 3
    assert pick(found[1:], "publisher_name") == ["Contoso", "Microsoft", "Contoso"]


def test_a_charge_in_another_currency_is_what_its_line_was_converted_to() -> None:
    converted: Row = {"invoice_id": "d1", "line_number": 1, "charged_amount": "10", "amount": exact("9.13726")}
    found = own_charges(converted_charges=(converted,), documents=({"total": "9.14"},))
    assert pick(found, "billed_cost") == [exact("9.13726"), exact("0.00274")]


@pytest.mark.parametrize(
    ("kind", "category", "frequency"),
    [
        ("usage", "Usage", "Usage-Based"),
        ("subscription", "Purchase", "Recurring"),
        ("marketplace", "Purchase", "One-Time"),
        ("support", "Purchase", "Recurring"),
        ("custom", "Purchase", "One-Time"),
        ("credit", "Usage", "Usage-Based"),
        ("adjustment", "Usage", "Usage-Based"),
    ],
)
def test_the_kind_of_the_line_decides_category_and_frequency(kind: str, category: str, frequency: str) -> None:
    found = own_charges((), document_lines=(WITHOUT_CHARGES | {"line_kind": kind},))
    assert pick(found, "charge_category", "charge_frequency", "x_line_kind") == [(category, frequency, kind)]


def test_a_returned_purchase_is_a_purchase_with_a_negative_quantity() -> None:
    returned: Row = {"charge_category": "Purchase", "amount_precise": "-10"}
    found = own_charges((returned,), document_lines=({"line_kind": "credit"},), documents=({"total": "-10"},))
    assert pick(found, "charge_category", "pricing_quantity", "charge_class") == [("Purchase", -5, None)]


def test_an_adjustment_of_a_locked_month_is_a_correction_on_its_original_days() -> None:
    line: Row = {
        "line_kind": "adjustment", "reference": "INV-0 line 3", "service_start": "2026-09-01",
        "service_end": "2026-10-01",
    }  # fmt: skip
    with_days: Row = {"period_start": "2026-09-07", "period_end": "2026-09-08"}
    for charges, count, start, end in (
        ((with_days,), 1, "2026-09-07", "2026-09-08"),
        ((), 0, "2026-09-01", "2026-10-01"),
    ):
        (row,) = own_charges(charges, document_lines=(line | {"charge_count": count},))
        assert (row["charge_class"], row["x_reference"]) == ("Correction", "INV-0 line 3")
        assert row["charge_period_start"] == instant(start)
        assert row["charge_period_end"] == instant(end)
        assert row["billing_period_start"] == instant("2026-10-01")
        assert row["billing_period_end"] == instant("2026-11-01")


def test_all_of_a_credit_note_is_a_correction() -> None:
    note: Row = {"is_credit_note": True, "total": "-10.01"}
    found = own_charges((), documents=(note,), document_lines=(WITHOUT_CHARGES | {"amount_precise": "-10"},))
    assert pick(found, "charge_class", "billed_cost") == [("Correction", -10), ("Correction", exact("-0.01"))]


@pytest.mark.parametrize(
    ("charge", "start", "end"),
    [
        ({"period_start": None, "period_end": None}, "2026-10-01", "2026-11-01"),
        ({"period_end": None}, "2026-10-03", "2026-10-04"),
        ({"period_end": "2026-10-03"}, "2026-10-03", "2026-10-04"),
        ({"period_end": "2027-10-03"}, "2026-10-03", "2027-10-03"),
    ],
    ids=["no days", "no end", "no length", "a year"],
)
def test_the_end_of_a_charge_is_after_its_start(charge: Row, start: str, end: str) -> None:
    found = own_charges((charge,))
    assert pick(found, "charge_period_start", "charge_period_end") == [(instant(start), instant(end))]


@pytest.mark.parametrize(
    ("charge", "quantity", "unit"),
    [
        ({}, 5, "Hours"),
        ({"unit": None}, 5, "Unit"),
        ({"quantity": None}, 1, "Charge"),
        ({"quantity": None, "unit": None}, 1, "Charge"),
    ],
    ids=str,
)
def test_usage_has_a_quantity_and_a_unit_always(charge: Row, quantity: int, unit: str) -> None:
    assert pick(own_charges((charge,)), "pricing_quantity", "pricing_unit") == [(quantity, unit)]


def test_a_product_type_is_a_service_category_only_if_the_standard_knows_it() -> None:
    assert pick(own_charges(), "service_category", "x_product_type") == [("Compute", "Compute")]
    found = own_charges(document_lines=({"product_type": "Virtual machines"},))
    assert pick(found, "service_category", "x_product_type") == [("Other", "Virtual machines")]


def test_a_source_that_is_no_longer_configured_is_named_itself() -> None:
    assert pick(own_charges(({"source": "old"},)), "publisher_name") == ["old"]


def test_a_line_has_as_many_rows_as_charges_also_when_two_are_alike() -> None:
    charges: tuple[Row, ...] = ({"charge_id": "a"}, {"charge_id": "b"}, {"charge_id": "b"})
    converted: Row = {"invoice_id": "d1", "line_number": 1, "charged_amount": "10", "amount": "9"}
    found = own_charges(charges, converted_charges=(converted,), documents=({"total": "27"},))
    assert pick(found, "x_charge_id", "billed_cost") == [("a", 9), ("b", 9), ("b", 9)]


def test_rows_have_the_columns_and_types_of_their_contract() -> None:
    found = output_types(focus_session(), "focus/own_charges")
    assert {name: kind for name, kind in found.items() if name not in ("document_id", "part", "position")} == (
        table_types(FOCUS_EXPORT)
    )


def test_the_order_of_charges_changes_nothing() -> None:
    charges: tuple[Row, ...] = tuple({"charge_id": str(n), "amount_precise": Decimal(n)} for n in range(5))
    assert own_charges(charges) == own_charges(charges[::-1])
