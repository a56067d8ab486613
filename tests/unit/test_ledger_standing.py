"""Which documents count as billed when a month is drafted, and which later drafts must go, on both databases."""

from dataclasses import replace
from decimal import Decimal

from sqlalchemy import Engine

from billing_pipeline.ledger.documents import list_invoices
from billing_pipeline.ledger.events import list_events
from billing_pipeline.ledger.life import void
from billing_pipeline.ledger.standing import StandingDocument, standing_documents
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
