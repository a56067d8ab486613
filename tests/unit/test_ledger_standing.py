"""Which documents count as billed when a month is drafted, and which later drafts must go, on both databases."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from sqlalchemy import Engine, select

from billing_pipeline.exchange import AppliedRate
from billing_pipeline.invoicing import InvoiceError
from billing_pipeline.ledger.documents import list_invoices, load_invoice
from billing_pipeline.ledger.events import list_events
from billing_pipeline.ledger.life import void
from billing_pipeline.ledger.standing import (
    StandingDocument,
    customers_refused,
    months_drafted_for_all,
    standing_documents,
)
from billing_pipeline.ledger.tables import issued_contents
from billing_pipeline.periods import BillingPeriod
from tests.ledger_documents import LINE, draft, put
from tests.unit.test_ledger_life import act, approved

SMALL = replace(LINE, amount=Decimal("1.00"), amount_precise=Decimal(1))
ADJUSTMENT = replace(SMALL, line_kind="adjustment", service_period="2026-10", reference="INV-2026-000001 line 1")
SUPPORT = replace(SMALL, line_number=2, line_kind="support", product_id="gold", product_type="Support", charge_count=0)


def standing(ledger: Engine, period: str) -> list[StandingDocument]:
    with ledger.connect() as connection:
        return list(standing_documents(connection, BillingPeriod(period)))


def test_issued_documents_of_any_month_count_and_drafts_of_earlier_ones(ledger: Engine) -> None:
    for period in ("2026-09", "2026-10", "2026-11", "2026-12"):
        put(ledger, draft(period=period))
    approved(ledger, "2026-12-c1-EUR")
    assert [one.billing_period for one in standing(ledger, "2026-10")] == ["2026-09", "2026-12"]


def test_a_void_document_bills_nothing(ledger: Engine) -> None:
    put(ledger, draft())
    approved(ledger, "2026-10-c1-EUR")
    assert [one.reference for one in standing(ledger, "2026-11")] == ["INV-2026-000001"]
    with ledger.begin() as connection:
        void(connection, ["2026-10-c1-EUR"], "a mistake", act())
    assert standing(ledger, "2026-11") == []


def test_fees_of_support_plans_are_told_from_those_that_adjust_another_month(ledger: Engine) -> None:
    adjusted = replace(SUPPORT, line_number=3, line_kind="adjustment", service_period="2026-09")
    put(ledger, draft(lines=(SMALL, SUPPORT, adjusted)))
    (found,) = standing(ledger, "2026-11")
    assert found.support_plans == {"gold"}
    (fee,) = found.support_adjustments
    assert (fee.plan_id, fee.period, fee.amount, fee.reference) == ("gold", "2026-09", Decimal(1), "2026-10-c1-EUR")


def test_a_later_draft_that_adjusts_what_is_drafted_anew_goes_and_others_stay(ledger: Engine) -> None:
    put(ledger, draft(), draft("c2"))
    put(ledger, draft(period="2026-11", lines=(ADJUSTMENT,)), draft("c2", period="2026-11", lines=(ADJUSTMENT,)))
    again = put(ledger, draft(lines=(SMALL,)), draft("c2"))
    assert again.outdated == {"2026-11-c1-EUR": BillingPeriod("2026-11")}
    with ledger.connect() as connection:
        assert [one.invoice_id for one in list_invoices(connection, period="2026-11")] == ["2026-11-c2-EUR"]
        assert [event.action for event in list_events(connection, "2026-11-c1-EUR")] == ["drafted", "removed"]


def test_a_later_draft_without_adjustments_stays_whatever_is_drafted_anew(ledger: Engine) -> None:
    put(ledger, draft())
    put(ledger, draft(period="2026-11"))
    assert put(ledger, draft(lines=(SMALL,))).outdated == {}


def test_the_rate_of_an_adjusted_month_is_not_taken_for_that_of_the_documents_own(ledger: Engine) -> None:
    rate = AppliedRate("USD", "EUR", Decimal("0.9"), date(2026, 9, 30), "ECB", is_inverse=False)
    adjusted = replace(ADJUSTMENT, service_period="2026-09", charged_currency="USD", charged_amount=Decimal(2))
    put(ledger, draft(lines=(adjusted,), exchange_rates=(rate,)))
    assert standing(ledger, "2026-11")[0].rates == ()
    own = replace(SMALL, line_number=2, charged_currency="USD", charged_amount=Decimal(2))
    put(ledger, draft(lines=(adjusted, own), exchange_rates=(rate,)))
    assert standing(ledger, "2026-11")[0].rates == (rate,)


def test_custom_charges_are_known_with_the_month_they_are_for(ledger: Engine) -> None:
    custom = replace(SMALL, line_kind="custom", product_id="onboarding", charge_count=0)
    late = replace(custom, line_number=2, service_period="2026-09")
    put(ledger, draft(lines=(custom, late)))
    assert standing(ledger, "2026-11")[0].custom_charges == {("onboarding", "2026-10"), ("onboarding", "2026-09")}


def test_a_month_is_known_to_be_drafted_for_all_from_the_first_such_run_on(ledger: Engine) -> None:
    with ledger.connect() as connection:
        assert months_drafted_for_all(connection) == frozenset()
    put(ledger, draft(), scope=("c1",))
    with ledger.connect() as connection:
        assert months_drafted_for_all(connection) == frozenset()
    for _ in range(2):
        put(ledger, draft())
    with ledger.connect() as connection:
        assert months_drafted_for_all(connection) == {"2026-10"}
        assert [event.action for event in list_events(connection, "2026-10")] == ["month drafted"]


def test_whom_the_last_run_refused_is_known_and_who_was_invoiced_before_is_not_refused(ledger: Engine) -> None:
    refused = InvoiceError("c2", "2026-10", "no price", "unpriced")
    before = InvoiceError("c3", "2026-10", "already invoiced", "already_invoiced")
    put(ledger, draft(), errors=(refused, before))
    with ledger.connect() as connection:
        assert customers_refused(connection) == {("c2", "2026-10")}


def test_an_issued_adjustment_refers_to_the_number_that_the_document_has_got_meanwhile(ledger: Engine) -> None:
    put(ledger, draft())
    put(ledger, draft(period="2026-11", lines=(replace(ADJUSTMENT, reference="2026-10-c1-EUR line 1"),)))
    approved(ledger, "2026-11-c1-EUR", "2026-10-c1-EUR")
    with ledger.connect() as connection:
        (line,) = load_invoice(connection, "2026-11-c1-EUR").lines
        content = connection.scalar(
            select(issued_contents.c.content).where(issued_contents.c.invoice_id == "2026-11-c1-EUR")
        )
    assert line.reference == "INV-2026-000001 line 1"
    assert "INV-2026-000001 line 1" in str(content)
