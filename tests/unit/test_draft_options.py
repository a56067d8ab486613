"""The four options of a run of drafts, all sixteen combinations, against a statement worked out by hand.

Acme in Greece has, in October 2026: 100.10 of machines (standard tax, 24 %), a marketplace fee of 20.00 (standard), a
support plan of 10 % of usage (10.01, standard) and a custom charge of 10.005 (reduced tax, 6 %). It was granted 50.00
for anything and 15.00 for marketplace fees.

Net: 100.10 + 10.01 + 10.005 = 120.115, payable 120.12: the custom charge gets the missing cent (10.01). With the fee
140.115, payable 140.12. Tax without the fee: 24 % of 110.11 = 26.4264 -> 26.43, 6 % of 10.01 = 0.6006 -> 0.60; together
27.03. With the fee: 24 % of 130.11 = 31.2264 -> 31.23; together 31.83. The fee with its tax: 20.00 + 4.80 = 24.80.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from billing_pipeline.drafting import DraftTerms, draft_invoices
from billing_pipeline.invoicing import Drafted, DraftOptions, Invoice
from billing_pipeline.periods import BillingPeriod
from tests.unit.test_invoicing import LINE, LINE_SCHEMA, ORGANISATION

Row = dict[str, Any]
OCTOBER = BillingPeriod("2026-10")
KNOWN = datetime(2026, 1, 1, tzinfo=UTC)
ALWAYS: Row = {"valid_from": date(2026, 1, 1), "valid_to": None, "recorded_at": KNOWN}
USAGE: Row = {"amount_precise": Decimal("100.10")}
FEE: Row = {
    "product_type": "Marketplace",
    "product_id": "mp",
    "product_name": "Scanner",
    "line_kind": "marketplace",
    "amount_precise": Decimal("20.00"),
}
CUSTOMER: Row = {"customer_id": "c1", "name": "Acme", "invoice_currency": "EUR", "country": "GR"}
SUPPORT: Row = ALWAYS | {
    "plan_id": "gold",
    "customer_id": "c1",
    "basis": "sell",
    "method": "percent",
    "percent": Decimal(10),
    **dict.fromkeys(("amount", "from_amount", "to_amount", "minimum", "maximum", "currency")),
}
CUSTOM: Row = ALWAYS | {
    "charge_id": "onboarding",
    "customer_id": "c1",
    "description": "Onboarding",
    "amount": Decimal("10.005"),
    "currency": "EUR",
    "product_type": "Services",
    "recurrence": "monthly",
    "tax_category": "reduced",
}
CREDIT: Row = {
    "credit_id": "welcome",
    "customer_id": "c1",
    "kind": "general",
    "amount": Decimal(50),
    "currency": "EUR",
    "granted_on": date(2026, 1, 1),
    "expires_on": None,
    "vendor": None,
    "recorded_at": KNOWN,
}
MARKETPLACE_CREDIT: Row = CREDIT | {"credit_id": "mp15", "kind": "marketplace", "amount": Decimal(15)}


def tax(tax_id: str, percent: int, category: str) -> Row:
    place: Row = {"country": "GR", "region": None, "postal_code": None}
    return ALWAYS | place | {"tax_id": tax_id, "name": tax_id, "percent": Decimal(percent), "tax_category": category}


TAXES = (tax("vat", 24, "standard"), tax("low", 6, "reduced"))


def drafts(*options: str, customer: Row = CUSTOMER, lines: tuple[Row, ...] = (USAGE, FEE), **terms: Any) -> Drafted:
    everything: Row = {
        "tax_rates": TAXES,
        "credits": (CREDIT, MARKETPLACE_CREDIT),
        "support_plans": (SUPPORT,),
        "custom_charges": (CUSTOM,),
    }
    frame = pl.DataFrame([{**LINE, **line} for line in lines], schema=LINE_SCHEMA, orient="row")
    chosen = DraftOptions(**dict.fromkeys(options, True))
    return draft_invoices(frame, DraftTerms([customer], **(everything | terms)), {}, ORGANISATION, OCTOBER, chosen)


def statement(*options: str, **terms: Any) -> Invoice:
    result = drafts(*options, **terms)
    assert result.errors == ()
    (draft,) = result.invoices
    return draft


NAMES = {
    "A": "apply_credits",
    "T": "include_tax",
    "M": "include_marketplace_fees",
    "U": "use_credits_for_marketplace_fees",
}


@pytest.mark.parametrize(
    ("options", "subtotal", "tax_total", "credits", "total"),
    [
        ("", "120.12", "0.00", "0.00", "120.12"),
        ("A", "120.12", "0.00", "50.00", "70.12"),
        ("T", "120.12", "27.03", "0.00", "147.15"),
        ("AT", "120.12", "27.03", "50.00", "97.15"),
        ("U", "120.12", "0.00", "0.00", "120.12"),
        ("AU", "120.12", "0.00", "50.00", "70.12"),
        ("TU", "120.12", "27.03", "0.00", "147.15"),
        ("ATU", "120.12", "27.03", "50.00", "97.15"),
        ("M", "140.12", "0.00", "0.00", "140.12"),
        ("AM", "140.12", "0.00", "50.00", "90.12"),
        ("TM", "140.12", "31.83", "0.00", "171.95"),
        ("ATM", "140.12", "31.83", "50.00", "121.95"),
        ("MU", "140.12", "0.00", "15.00", "125.12"),
        ("AMU", "140.12", "0.00", "65.00", "75.12"),
        ("TMU", "140.12", "31.83", "15.00", "156.95"),
        ("ATMU", "140.12", "31.83", "65.00", "106.95"),
    ],
)
def test_every_combination_of_options_is_the_statement_worked_out_by_hand(
    options: str, subtotal: str, tax_total: str, credits: str, total: str
) -> None:
    draft = statement(*(NAMES[letter] for letter in options))
    found = (draft.subtotal, draft.tax_total, draft.credits_applied, draft.total)
    assert [str(amount) for amount in found] == [subtotal, tax_total, credits, total]
    assert sum(line.amount for line in draft.lines) == draft.subtotal
    assert sum(one.amount for one in draft.taxes) == draft.tax_total
    assert sum(use.amount for use in draft.credits) == draft.credits_applied


def test_the_lines_of_the_statement_are_usage_support_custom_charge_and_fee() -> None:
    draft = statement("include_marketplace_fees")
    assert [(line.line_kind, line.product_name, str(line.amount)) for line in draft.lines] == [
        ("usage", "Machines", "100.10"),
        ("marketplace", "Scanner", "20.00"),
        ("custom", "Onboarding", "10.01"),
        ("support", "Support gold (10 %)", "10.01"),
    ]


def test_marketplace_credits_pay_no_more_than_the_fees_and_their_tax() -> None:
    rich = MARKETPLACE_CREDIT | {"amount": Decimal(100)}
    options = ("include_tax", "include_marketplace_fees", "use_credits_for_marketplace_fees")
    (use,) = statement(*options, credits=(rich,)).credits
    assert (use.credit_id, use.amount, use.left) == ("mp15", Decimal("24.80"), Decimal("75.20"))


def test_general_credits_never_take_an_invoice_below_zero_and_the_rest_carries_over() -> None:
    rich = CREDIT | {"amount": Decimal(500)}
    october = statement("apply_credits", credits=(rich,))
    assert (october.total, october.credits_applied, october.credits[0].left) == (
        0,
        Decimal("120.12"),
        Decimal("379.88"),
    )
    november = statement("apply_credits", credits=(rich,), used_credits={"welcome": Decimal("379.88")})
    assert (november.credits_applied, november.credits[0].left) == (Decimal("120.12"), 0)


def test_a_support_plan_on_cost_takes_our_cost_of_usage_and_leaves_fees_out() -> None:
    plan = SUPPORT | {"basis": "cost", "percent": Decimal(50)}
    lines = (USAGE | {"cost_precise": Decimal(80)}, FEE | {"cost_precise": Decimal(20)})
    draft = statement("include_marketplace_fees", lines=lines, support_plans=(plan,))
    assert [line.amount for line in draft.lines if line.line_kind == "support"] == [40]


def test_a_customer_with_only_a_custom_charge_gets_a_draft_and_one_with_nothing_none() -> None:
    assert [line.line_kind for line in statement(lines=(), support_plans=()).lines] == ["custom"]
    nothing = drafts(lines=(), support_plans=(), custom_charges=())
    assert (nothing.invoices, nothing.errors) == ((), ())


DOLLARS: Row = USAGE | {"currency": "USD"}
RATE: Row = {
    "base_currency": "USD",
    "quote_currency": "EUR",
    "rate": Decimal("0.9"),
    "rate_date": date(2026, 10, 30),
    "source": "ECB",
}


def test_charges_in_an_enabled_currency_are_converted_and_the_rate_stays_on_the_document() -> None:
    customer = CUSTOMER | {"enabled_currencies": ["USD"]}
    draft = statement(customer=customer, lines=(DOLLARS,), custom_charges=(), exchange_rates=(RATE,))
    usage, support = draft.lines
    assert (usage.charged_currency, usage.charged_amount, usage.amount) == ("USD", Decimal("100.10"), Decimal("90.09"))
    assert support.amount_precise == Decimal("9.009")
    (rate,) = draft.exchange_rates
    assert (rate.base_currency, rate.rate, rate.rate_date, rate.source) == (
        "USD",
        Decimal("0.9"),
        date(2026, 10, 30),
        "ECB",
    )


def test_the_currency_of_the_customers_pricebook_is_enabled_without_saying_so() -> None:
    customer = CUSTOMER | {"pricebook_id": "dollars"}
    books = ({"pricebook_id": "dollars", "name": "Dollars", "currency": "USD"},)
    draft = statement(customer=customer, lines=(DOLLARS,), pricebooks=books, exchange_rates=(RATE,))
    assert draft.currency == "EUR"


def test_a_customer_who_cannot_be_taxed_is_an_error_that_says_what_to_add() -> None:
    (error,) = drafts("include_tax", customer=CUSTOMER | {"country": "CY"}).errors
    assert (error.kind, error.reason) == (
        "tax",
        "customer c1 (Acme): no tax rate for category reduced in CY on 2026-10-31; add a row to tax_rates.csv",
    )


def test_a_customer_under_reverse_charge_pays_no_tax_and_reads_why() -> None:
    draft = statement("include_tax", customer=CUSTOMER | {"country": "CY", "tax_category": "reverse_charge"})
    (tax_line,) = draft.taxes
    assert (draft.tax_total, tax_line.tax_category, tax_line.base) == (0, "reverse_charge", Decimal("120.12"))
    assert tax_line.reason == "Reverse charge: the recipient is liable for the tax"


def test_a_credit_in_another_currency_is_not_applied_and_the_statement_says_so() -> None:
    draft = statement("apply_credits", credits=(CREDIT | {"currency": "USD"},))
    assert draft.credits == ()
    assert "Credits in USD are not applied: this statement is in EUR" in draft.notes


def test_an_invoice_that_is_owed_to_the_customer_takes_no_credit() -> None:
    draft = statement("apply_credits", lines=(USAGE | {"amount_precise": Decimal(-500)},), support_plans=())
    assert (draft.credits, draft.total) == ((), Decimal("-490.00"))


def test_fees_alone_wait_for_usage_that_has_not_come_unless_someone_overrides() -> None:
    awaited: Row = {"lines": (), "awaited_sources": {"c1": ["aws"]}}
    result = drafts(**awaited)
    assert result.invoices == ()
    assert [(error.kind, error.reason) for error in result.errors] == [
        (
            "unsettled",
            "customer c1 (Acme): source aws has delivered nothing for 2026-10 yet; wait, or override with a reason",
        )
    ]
    assert drafts(awaited_sources={"c1": ["aws"]}).errors == ()
