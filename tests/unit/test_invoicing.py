"""Invoice drafts: who gets one, in which order its lines stand, and that its amounts agree to the cent."""

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from billing_pipeline.configuration import Organisation
from billing_pipeline.drafting import DraftTerms, draft_invoices
from billing_pipeline.errors import ReferenceInvalid
from billing_pipeline.invoicing import Drafted, DraftOptions, Invoice, InvoiceError
from billing_pipeline.periods import BillingPeriod

PERIOD = BillingPeriod("2026-10")
ORGANISATION = Organisation(
    id="contoso",
    name="Contoso Cloud Ltd",
    time_zone="Europe/Athens",
    currency="EUR",
    country="GR",
    charges_start_on=date(2026, 1, 1),
    standard_edition_since=date(2025, 6, 1),
    logo="logo.png",
    payment_terms_days=30,
)
LINE_SCHEMA: dict[str, Any] = {
    "customer_id": pl.String,
    "currency": pl.String,
    "product_type": pl.String,
    "product_id": pl.String,
    "product_name": pl.String,
    "unit": pl.String,
    "line_kind": pl.String,
    "tax_category": pl.String,
    "description": pl.String,
    "quantity": pl.Decimal(38, 18),
    "amount_precise": pl.Decimal(38, 24),
    "cost_precise": pl.Decimal(38, 24),
    "charge_count": pl.Int64,
    "charges_sha256": pl.String,
}
LINE: dict[str, Any] = {
    "customer_id": "c1",
    "currency": "EUR",
    "product_type": "Compute",
    "product_id": "vm",
    "product_name": "Machines",
    "unit": "Hours",
    "line_kind": "usage",
    "tax_category": "standard",
    "description": "Hours of machines",
    "quantity": Decimal(1),
    "amount_precise": Decimal("1.50"),
    "cost_precise": Decimal("1.00"),
    "charge_count": 1,
    "charges_sha256": "a" * 64,
}
CUSTOMER_SCHEMA: dict[str, Any] = {
    **dict.fromkeys(
        ("customer_id", "name", "invoice_currency", "email", "contact", "address", "country", "tax_id"), pl.String
    ),
    "payment_terms_days": pl.Int64,
    "enabled_currencies": pl.String,
}


def lines_frame(*lines: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{**LINE, **line} for line in lines], schema=LINE_SCHEMA)


def customers_frame(*customers: dict[str, Any]) -> pl.DataFrame:
    defaults = {"customer_id": "c1", "name": "Acme", "invoice_currency": "EUR"}
    return pl.DataFrame([{**defaults, **customer} for customer in customers], schema=CUSTOMER_SCHEMA)


def drafted(
    *lines: dict[str, Any],
    customers: tuple[dict[str, Any], ...] = ({},),
    blocked: dict[str, tuple[InvoiceError, ...]] | None = None,
    **options: Any,
) -> Drafted:
    return draft_invoices(
        lines_frame(*lines),
        DraftTerms(customers_frame(*customers).to_dicts()),
        blocked or {},
        ORGANISATION,
        PERIOD,
        DraftOptions(**options),
    )


def only_draft(*lines: dict[str, Any], **rest: Any) -> Invoice:
    result = drafted(*lines, **rest)
    assert result.errors == ()
    (invoice,) = result.invoices
    return invoice


def test_a_draft_names_both_parties_period_currency_and_day_due() -> None:
    customer = {"contact": "Ann", "email": "ann@acme.example", "address": "Road 1", "country": "GR", "tax_id": "EL1"}
    draft = only_draft({}, customers=(customer,))
    assert draft.invoice_id == "2026-10-c1-EUR"
    assert (draft.invoice_number, draft.status, draft.billing_period, draft.currency) == (
        None,
        "draft",
        "2026-10",
        "EUR",
    )
    assert (draft.customer.name, draft.customer.contact, draft.customer.tax_id) == ("Acme", "Ann", "EL1")
    assert (draft.organisation.id, draft.organisation.name) == ("contoso", "Contoso Cloud Ltd")
    assert draft.due_date == date(2026, 11, 30)
    assert (draft.options, draft.notes) == ((), ())


def test_the_customers_own_payment_terms_come_before_the_organisations_even_when_zero() -> None:
    assert only_draft({}, customers=({"payment_terms_days": 0},)).due_date == date(2026, 10, 31)


def test_the_logo_is_kept_as_configured_so_that_a_draft_is_the_same_on_every_machine() -> None:
    assert only_draft({}).organisation.logo == "logo.png"


def test_an_invoice_id_is_safe_as_a_file_name() -> None:
    draft = only_draft({"customer_id": "../a/b"}, customers=({"customer_id": "../a/b"},))
    assert draft.invoice_id.startswith("2026-10-a_b_")
    assert "/" not in draft.invoice_id


def test_lines_stand_by_product_type_product_unit_and_kind_and_are_numbered() -> None:
    draft = only_draft(
        {"product_type": "Storage", "product_name": "A", "amount_precise": Decimal(4)},
        {"product_name": "B", "unit": "Hours", "line_kind": "usage", "amount_precise": Decimal(3)},
        {"product_name": "B", "unit": "Hours", "line_kind": "credit", "amount_precise": Decimal(2)},
        {"product_name": "B", "unit": None, "amount_precise": Decimal(1)},
        {"product_name": "A", "product_id": "z", "amount_precise": Decimal(0)},
    )
    assert [line.amount for line in draft.lines] == [0, 1, 2, 3, 4]
    assert [line.line_number for line in draft.lines] == [1, 2, 3, 4, 5]


def test_the_total_is_the_exact_sum_rounded_once_and_the_lines_add_up_to_it() -> None:
    third = Decimal("0.333333333333333333333333")
    draft = only_draft(*({"product_id": name, "amount_precise": third} for name in "abcdef"))
    assert draft.total == draft.subtotal == Decimal("2.00")
    assert [line.amount for line in draft.lines] == [Decimal("0.34")] * 2 + [Decimal("0.33")] * 4
    assert {line.amount_precise for line in draft.lines} == {third}


@pytest.mark.parametrize(("currency", "total"), [("JPY", "2"), ("EUR", "1.50"), ("BHD", "1.500")])
def test_amounts_have_the_decimals_of_the_currency(currency: str, total: str) -> None:
    draft = only_draft({"currency": currency}, customers=({"invoice_currency": currency},))
    assert [str(draft.total), str(draft.lines[0].amount)] == [total, total]
    assert str(draft.tax_total) == str(draft.credits_applied) == str(Decimal(0).quantize(Decimal(total)))


def test_more_credit_than_debit_gives_a_negative_total_and_never_minus_zero() -> None:
    draft = only_draft({}, {"line_kind": "credit", "amount_precise": Decimal("-4.00")})
    assert draft.total == Decimal("-2.50")
    assert str(only_draft({"amount_precise": Decimal("-0.001")}).total) == "0.00"


def test_each_line_knows_how_many_charges_it_has_and_their_hash() -> None:
    (line,) = only_draft({"charge_count": 3, "charges_sha256": "c" * 64}).lines
    assert (line.charge_count, line.charges_sha256) == (3, "c" * 64)


def test_charges_in_a_currency_that_is_not_enabled_give_an_error_instead_of_a_draft() -> None:
    result = drafted({"customer_id": "123456", "currency": "USD"}, customers=({"customer_id": "123456"},))
    reason = "customer 123456 (Acme): currency USD is not enabled; set a pricebook and invoice currency"
    assert result.invoices == ()
    assert result.errors == (InvoiceError("123456", "2026-10", reason, "currency"),)


def test_one_foreign_currency_among_the_charges_refuses_the_whole_customer_rather_than_part_of_the_bill() -> None:
    result = drafted({}, {"currency": "USD"})
    assert result.invoices == ()
    assert [error.kind for error in result.errors] == ["currency"]


def test_an_enabled_currency_without_a_rate_is_an_error_that_names_both_currencies() -> None:
    (error,) = drafted({"currency": "USD"}, customers=({"enabled_currencies": "EUR;USD"},)).errors
    assert (error.kind, error.reason) == (
        "exchange_rate",
        "customer c1 (Acme): no exchange rate from USD to EUR on or before 2026-10-31; add a row to exchange_rates.csv",
    )


def test_a_blocked_customer_is_named_with_every_reason_and_the_others_go_on() -> None:
    result = drafted(
        {},
        {"customer_id": "c2"},
        customers=({}, {"customer_id": "c2"}),
        blocked={
            "c1": (
                InvoiceError("c1", PERIOD.text, "2 charges have no price", "unpriced"),
                InvoiceError("c1", PERIOD.text, "source aws is not settled", "unsettled"),
            )
        },
    )
    assert [invoice.customer.id for invoice in result.invoices] == ["c2"]
    assert [(error.reason, error.kind) for error in result.errors] == [
        ("2 charges have no price", "unpriced"),
        ("source aws is not settled", "unsettled"),
    ]


def test_a_blocked_customer_without_any_line_is_still_named() -> None:
    block = InvoiceError("c1", PERIOD.text, "all charges are unpriced", "unpriced")
    assert drafted(blocked={"c1": (block,)}).errors == (block,)


def test_a_line_that_holds_an_unpriced_item_refuses_the_customer() -> None:
    result = drafted({}, {"product_name": "Disks", "amount_precise": None})
    assert result.invoices == ()
    assert [error.reason for error in result.errors] == ["customer c1 (Acme): Disks holds an item without a price"]


def test_a_customer_without_reference_row_is_named() -> None:
    (error,) = drafted({}, customers=()).errors
    assert error.kind == "unknown_customer"


def test_chosen_customers_alone_are_drafted_and_reported_and_an_unknown_one_is_an_error() -> None:
    result = draft_invoices(
        lines_frame({}, {"customer_id": "c2"}),
        DraftTerms(customers_frame({}, {"customer_id": "c2"}).to_dicts()),
        {"c2": ("unsettled",)},
        ORGANISATION,
        PERIOD,
        DraftOptions(customers=("typo", "c1")),
    )
    assert [invoice.customer.id for invoice in result.invoices] == ["c1"]
    assert [(error.customer_id, error.kind) for error in result.errors] == [("typo", "unknown_customer")]
    assert result.scope == ("c1", "typo")


def test_marketplace_fees_are_on_the_draft_only_when_asked_for() -> None:
    fee = {"line_kind": "marketplace", "amount_precise": Decimal("9.99")}
    assert only_draft({}, fee).total == Decimal("1.50")
    with_fee = only_draft({}, fee, include_marketplace_fees=True)
    assert with_fee.total == Decimal("11.49")
    assert with_fee.options == ("include_marketplace_fees",)


def test_a_customer_with_nothing_but_marketplace_fees_left_out_gets_no_draft_and_no_error() -> None:
    result = drafted({"line_kind": "marketplace", "currency": "USD"})
    assert (result.invoices, result.errors) == ((), ())


def test_the_reason_of_an_override_is_printed_on_the_draft() -> None:
    draft = only_draft({}, override_unsettled="the vendor is late")
    assert draft.options == ("override_unsettled",)
    assert draft.notes == ("The billing period was not settled when this draft was made: the vendor is late",)


def test_two_reference_rows_of_one_customer_are_refused_because_either_could_be_billed() -> None:
    with pytest.raises(ReferenceInvalid, match="customer c1 has more than one row in force"):
        drafted({}, customers=({}, {"name": "Other"}))


def test_the_order_in_which_lines_arrive_does_not_matter() -> None:
    lines = [{"product_id": name, "amount_precise": Decimal("0.005")} for name in "abc"]
    assert drafted(*lines) == drafted(*reversed(lines))


def test_no_charges_make_no_drafts() -> None:
    assert drafted() == Drafted((), (), None)
