"""The life of a document, on SQLite and PostgreSQL: numbers, credits, transitions, events; and what none can change."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from billing_pipeline.configuration import Organisation
from billing_pipeline.credits import CreditUse
from billing_pipeline.errors import WrongUsage
from billing_pipeline.invoicing import Invoice, Party
from billing_pipeline.ledger import tables
from billing_pipeline.ledger.approval import Approval, approve
from billing_pipeline.ledger.balances import used_credits
from billing_pipeline.ledger.content import canonical_json, content_sha256, sha256_of_content
from billing_pipeline.ledger.documents import list_invoices, load_invoice, load_invoices
from billing_pipeline.ledger.events import list_events
from billing_pipeline.ledger.life import Act, Outcome, ReasonMissing, close, delete_drafts, mark_past_due, void
from billing_pipeline.ledger.outbox import list_mails
from billing_pipeline.periods import BillingPeriod, local_day
from tests.ledger_documents import LINE, MONDAY, draft, put

ATHENS = ZoneInfo("Europe/Athens")
ORGANISATION = Organisation.model_validate(
    {
        "id": "contoso",
        "name": "Contoso Cloud Ltd",
        "time_zone": "Europe/Athens",
        "currency": "EUR",
        "country": "GR",
        "charges_start_on": date(2025, 1, 1),
        "standard_edition_since": date(2024, 6, 1),
    }
)


def act(at: datetime = MONDAY) -> Act:
    return Act(at, "ann", local_day(at, ATHENS))


def approved(
    engine: Engine,
    *invoice_ids: str,
    at: datetime = MONDAY,
    granted: dict[str, Decimal] | None = None,
    mail: Callable[[Invoice], tuple[str, str, str]] | None = None,
) -> Outcome:
    with engine.begin() as connection:
        return approve(connection, invoice_ids, Approval(ORGANISATION, granted or {}, mail), lambda: act(at))


def in_ledger(engine: Engine, operation: Callable[..., Any], *arguments: Any) -> Any:
    with engine.begin() as connection:
        return operation(connection, *arguments, act())


def loaded(engine: Engine, invoice_id: str = "2026-10-c1-EUR") -> Invoice:
    with engine.connect() as connection:
        return load_invoice(connection, invoice_id)


def status_of(engine: Engine, invoice_id: str = "2026-10-c1-EUR") -> str:
    return loaded(engine, invoice_id).status


def story(engine: Engine, invoice_id: str = "2026-10-c1-EUR") -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [
            (event.action, event.from_status, event.to_status, event.detail)
            for event in list_events(connection, invoice_id)
        ]


# Approval


def test_numbers_are_given_in_the_order_of_customer_and_currency_without_gaps(ledger: Engine) -> None:
    put(ledger, draft("b"), draft("a"), draft("c"))
    outcome = approved(ledger, "2026-10-c-EUR", "2026-10-b-EUR", "2026-10-a-EUR")
    assert [(one.invoice_id[8:9], one.invoice_number) for one in outcome.moved] == [
        ("a", "INV-2026-000001"),
        ("b", "INV-2026-000002"),
        ("c", "INV-2026-000003"),
    ]
    assert outcome.refused == ()


def test_an_approved_document_is_open_and_its_content_is_kept_in_the_bytes_that_are_hashed(ledger: Engine) -> None:
    before = draft()
    put(ledger, before)
    approved(ledger, before.invoice_id)
    after = loaded(ledger)
    assert after == replace(before, status="open", invoice_number="INV-2026-000001", issued_on=date(2026, 11, 9))
    with ledger.connect() as connection:
        (head,) = list_invoices(connection)
        content = connection.scalar(select(tables.issued_contents.c.content))
    assert (head.opened_at, head.content_sha256) == (MONDAY, content_sha256(after))
    assert content == canonical_json(after)
    assert sha256_of_content(content) == head.content_sha256
    assert story(ledger) == [
        ("drafted", None, "draft", None),
        ("approved", "draft", "open", "INV-2026-000001"),
    ]


def test_day_and_year_of_a_number_are_those_of_the_organisations_zone(ledger: Engine) -> None:
    put(ledger, draft("a"), draft("b"))
    approved(ledger, "2026-10-a-EUR", at=datetime(2026, 12, 31, 21, 59, tzinfo=UTC))
    approved(ledger, "2026-10-b-EUR", at=datetime(2026, 12, 31, 22, 0, tzinfo=UTC))
    assert loaded(ledger, "2026-10-a-EUR").invoice_number == "INV-2026-000001"
    assert loaded(ledger, "2026-10-b-EUR").invoice_number == "INV-2027-000001"
    assert loaded(ledger, "2026-10-b-EUR").issued_on == date(2027, 1, 1)


def test_an_approval_that_is_undone_takes_no_number(ledger: Engine) -> None:
    put(ledger, draft("a"), draft("b"))
    with ledger.connect() as connection, connection.begin() as transaction:
        assert len(approve(connection, ["2026-10-a-EUR"], Approval(ORGANISATION, {}), act).moved) == 1
        transaction.rollback()
    approved(ledger, "2026-10-b-EUR")
    assert loaded(ledger, "2026-10-b-EUR").invoice_number == "INV-2026-000001"


def test_what_is_approved_twice_or_does_not_exist_is_refused_with_its_reason_and_the_others_go_on(
    ledger: Engine,
) -> None:
    put(ledger, draft("a"), draft("b"))
    approved(ledger, "2026-10-a-EUR")
    outcome = approved(ledger, "2026-10-a-EUR", "2026-10-b-EUR", "nothing")
    assert [one.invoice_number for one in outcome.moved] == ["INV-2026-000002"]
    assert {one.invoice_id: one.reason for one in outcome.refused} == {
        "2026-10-a-EUR": "is open; only draft documents can be approved",
        "nothing": "there is no such document; `billing invoices list` shows all",
    }


def test_a_draft_that_was_changed_behind_the_ledgers_back_is_not_approved(ledger: Engine) -> None:
    put(ledger, draft())
    with ledger.begin() as connection:
        connection.execute(update(tables.invoices).values(due_date=date(2030, 1, 1)))
    (refused,) = approved(ledger, "2026-10-c1-EUR").refused
    assert "its content is not what was drafted" in refused.reason
    assert status_of(ledger) == "draft"


def test_a_draft_of_another_organisation_is_not_approved(ledger: Engine) -> None:
    put(ledger, draft(organisation=Party("fabrikam", "Fabrikam")))
    (refused,) = approved(ledger, "2026-10-c1-EUR").refused
    assert refused.reason == "it was drafted for organisation fabrikam, and this is contoso"


# Credits


def with_credit(customer_id: str, amount: str, period: str = "2026-10") -> Invoice:
    return draft(
        customer_id, period=period, credits=(CreditUse("gift", "general", Decimal(amount), Decimal(0), None, None),)
    )


def test_a_credit_is_never_spent_twice_also_not_within_one_approval(ledger: Engine) -> None:
    put(ledger, with_credit("a", "60"), with_credit("b", "60"), with_credit("c", "40"))
    everything = ("2026-10-a-EUR", "2026-10-b-EUR", "2026-10-c-EUR")
    outcome = approved(ledger, *everything, granted={"gift": Decimal(100)})
    assert [one.invoice_id for one in outcome.moved] == ["2026-10-a-EUR", "2026-10-c-EUR"]
    (refused,) = outcome.refused
    assert refused.reason == "it takes 60 EUR of credit gift, of which 40 is left; draft its month again"
    (refused,) = approved(ledger, "2026-10-b-EUR", granted={"gift": Decimal(100)}).refused
    assert "of which 0 is left" in refused.reason


def test_a_draft_whose_credit_was_withdrawn_is_refused(ledger: Engine) -> None:
    put(ledger, with_credit("a", "60"))
    (refused,) = approved(ledger, "2026-10-a-EUR").refused
    assert refused.reason == "credit gift is no longer in credits.csv; draft its month again"


def test_drafts_reckon_with_what_issued_documents_and_earlier_drafts_take_but_not_with_void_ones(
    ledger: Engine,
) -> None:
    put(ledger, with_credit("a", "1.10", "2026-09"))
    put(ledger, with_credit("a", "20"), with_credit("b", "300"))
    put(ledger, with_credit("a", "4000", "2026-11"))
    with ledger.connect() as connection:
        assert used_credits(connection, BillingPeriod("2026-10")) == {"gift": Decimal("1.10")}
        assert used_credits(connection, BillingPeriod("2026-11")) == {"gift": Decimal("321.10")}
    approved(ledger, "2026-10-b-EUR", "2026-11-a-EUR", granted={"gift": Decimal(9999)})
    with ledger.connect() as connection:
        assert used_credits(connection, BillingPeriod("2026-10")) == {"gift": Decimal("4301.10")}
    in_ledger(ledger, void, ["2026-11-a-EUR"], "a mistake")
    with ledger.connect() as connection:
        assert used_credits(connection, BillingPeriod("2026-10")) == {"gift": Decimal("301.10")}


# Mail


def letter(invoice: Invoice) -> tuple[str, str, str]:
    return str(invoice.customer.email), f"Invoice {invoice.invoice_number}", f"<{invoice.invoice_id}@contoso.example>"


def test_a_mail_is_queued_with_the_approval_and_undone_with_it(ledger: Engine) -> None:
    ann = Party("c1", "Acme", email="ann@acme.example")
    put(ledger, draft(customer=ann))
    with ledger.connect() as connection, connection.begin() as transaction:
        assert len(approve(connection, ["2026-10-c1-EUR"], Approval(ORGANISATION, {}, letter), act).moved) == 1
        transaction.rollback()
    with ledger.connect() as connection:
        assert list_mails(connection) == ()
    approved(ledger, "2026-10-c1-EUR", mail=letter)
    approved(ledger, "2026-10-c1-EUR", mail=letter)
    with ledger.connect() as connection:
        (mail,) = list_mails(connection, "2026-10-c1-EUR")
    assert (mail.recipient, mail.subject, mail.status) == ("ann@acme.example", "Invoice INV-2026-000001", "queued")


def test_a_document_without_address_is_not_approved_where_a_mail_is_wanted(ledger: Engine) -> None:
    put(ledger, draft())
    (refused,) = approved(ledger, "2026-10-c1-EUR", mail=letter).refused
    assert refused.reason == "customer c1 has no email in customers.csv; add it and draft again, or do not send"
    assert approved(ledger, "2026-10-c1-EUR").refused == ()


# The other transitions


def test_deleting_a_draft_leaves_its_story_and_unlocks_its_period(ledger: Engine) -> None:
    put(ledger, draft(), with_credit("b", "5"))
    outcome = in_ledger(ledger, delete_drafts, ["2026-10-c1-EUR", "2026-10-b-EUR"])
    assert len(outcome.moved) == 2
    with ledger.connect() as connection:
        assert load_invoices(connection) == ()
        assert used_credits(connection, BillingPeriod("2026-11")) == {}
    assert story(ledger)[-1] == ("deleted", "draft", None, None)
    assert put(ledger, draft()).created == ("2026-10-c1-EUR",)


def test_what_has_been_approved_is_not_deleted(ledger: Engine) -> None:
    put(ledger, draft())
    approved(ledger, "2026-10-c1-EUR")
    (refused,) = in_ledger(ledger, delete_drafts, ["2026-10-c1-EUR"]).refused
    assert refused.reason == "is open; only draft documents can be deleted"


def test_a_document_is_closed_with_the_day_of_payment(ledger: Engine) -> None:
    put(ledger, draft())
    approved(ledger, "2026-10-c1-EUR")
    in_ledger(ledger, close, ["2026-10-c1-EUR"], date(2026, 11, 3))
    with ledger.connect() as connection:
        (head,) = list_invoices(connection, status="closed")
    assert (head.paid_on, head.closed_at) == (date(2026, 11, 3), MONDAY)
    assert story(ledger)[-1] == ("closed", "open", "closed", "paid on 2026-11-03")


def test_a_day_of_payment_that_is_yet_to_come_is_refused(ledger: Engine) -> None:
    with pytest.raises(WrongUsage, match="2026-11-10 is yet to come"):
        in_ledger(ledger, close, ["2026-10-c1-EUR"], date(2026, 11, 10))


def test_a_void_document_keeps_its_number_and_makes_way_for_a_new_draft(ledger: Engine) -> None:
    put(ledger, draft())
    approved(ledger, "2026-10-c1-EUR")
    in_ledger(ledger, void, ["2026-10-c1-EUR"], "wrong customer")
    assert story(ledger)[-1] == ("void", "open", "void", "wrong customer")
    again = put(ledger, draft())
    assert (again.created, again.errors, again.kept) == (("2026-10-c1-EUR-2",), (), ("2026-10-c1-EUR",))
    assert put(ledger, draft()).unchanged == ("2026-10-c1-EUR-2",)
    approved(ledger, "2026-10-c1-EUR-2")
    in_ledger(ledger, void, ["2026-10-c1-EUR-2"], "wrong again")
    assert put(ledger, draft()).created == ("2026-10-c1-EUR-3",)
    with ledger.connect() as connection:
        assert [head.invoice_number for head in list_invoices(connection, status="void")] == [
            "INV-2026-000001",
            "INV-2026-000002",
        ]


@pytest.mark.parametrize("reason", ["", "  "])
def test_nothing_is_made_void_without_a_reason(ledger: Engine, reason: str) -> None:
    with pytest.raises(ReasonMissing):
        in_ledger(ledger, void, ["2026-10-c1-EUR"], reason)


def test_a_document_is_past_due_from_the_day_after_its_due_date(ledger: Engine) -> None:
    put(ledger, draft(due_date=date(2026, 11, 30)))
    approved(ledger, "2026-10-c1-EUR")

    def marked(at: datetime) -> int:
        with ledger.begin() as connection:
            return len(mark_past_due(connection, act(at)))

    # 23:59 and 00:00 in Athens
    assert marked(datetime(2026, 11, 30, 21, 59, tzinfo=UTC)) == 0
    assert marked(datetime(2026, 11, 30, 22, 0, tzinfo=UTC)) == 1
    assert marked(datetime(2026, 12, 1, 22, 0, tzinfo=UTC)) == 0
    assert story(ledger)[-1][:3] == ("past due", "open", "past due")
    in_ledger(ledger, close, ["2026-10-c1-EUR"], date(2026, 11, 9))
    assert story(ledger)[-1][:3] == ("closed", "past due", "closed")


def test_drafts_and_documents_with_nothing_to_pay_are_never_past_due(ledger: Engine) -> None:
    nothing = draft("b", lines=(replace(LINE, amount=Decimal("0.00")),), due_date=date(2026, 11, 1))
    owed = draft("d", lines=(replace(LINE, amount=Decimal("-9.30")),), due_date=date(2026, 11, 1))
    put(ledger, draft("a", due_date=date(2026, 11, 1)), nothing, draft("c", due_date=None), owed)
    approved(ledger, "2026-10-b-EUR", "2026-10-c-EUR", "2026-10-d-EUR")
    assert in_ledger(ledger, mark_past_due) == ()


@pytest.mark.parametrize("last", ["closed", "void"])
def test_nothing_leads_out_of_closed_and_void(ledger: Engine, last: str) -> None:
    put(ledger, draft())
    approved(ledger, "2026-10-c1-EUR")
    if last == "closed":
        in_ledger(ledger, close, ["2026-10-c1-EUR"], date(2026, 11, 9))
    else:
        in_ledger(ledger, void, ["2026-10-c1-EUR"], "wrong")
    before = story(ledger)
    ids = ["2026-10-c1-EUR"]
    for outcome in (
        approved(ledger, *ids),
        in_ledger(ledger, delete_drafts, ids),
        in_ledger(ledger, close, ids, date(2026, 11, 9)),
        in_ledger(ledger, void, ids, "reason"),
    ):
        assert [one.reason.split(";")[0] for one in outcome.refused] == [f"is {last}"]
    assert story(ledger) == before


# What nobody can change


def refused_by_the_database(engine: Engine, change: Callable[[Connection], Any]) -> str:
    with pytest.raises(DBAPIError) as caught, engine.begin() as connection:
        change(connection)
    return str(caught.value.orig)


@pytest.mark.parametrize(
    "statement",
    [
        "update events set who = 'nobody'",
        "delete from events",
    ],
)
def test_events_are_never_changed_by_anyone(ledger: Engine, statement: str) -> None:
    put(ledger, draft())
    assert "events of the ledger are never changed" in refused_by_the_database(
        ledger, lambda connection: connection.execute(text(statement))
    )


CONTENT = sorted(
    column.name for column in tables.invoices.c if column.name not in {"status", "closed_at", "paid_on", "void_reason"}
)
OTHER_VALUES = {"issued_on": date(2020, 1, 1), "due_date": date(2020, 1, 1), "created_at": MONDAY - timedelta(days=1)}
OTHER_VALUES |= {"opened_at": MONDAY - timedelta(days=1)}  # type: ignore[dict-item]
AMOUNTS = ("subtotal", "tax_total", "credits_applied", "total")


@pytest.mark.parametrize("name", CONTENT)
def test_no_part_of_an_approved_document_is_ever_changed(ledger: Engine, name: str) -> None:
    put(ledger, draft())
    approved(ledger, "2026-10-c1-EUR")
    value = Decimal(7) if name in AMOUNTS else OTHER_VALUES.get(name, "X")
    change = update(tables.invoices).values({name: value})
    said = refused_by_the_database(ledger, lambda connection: connection.execute(change))
    assert "a document that is no draft is never changed" in said


@pytest.mark.parametrize(
    "change",
    [
        delete(tables.invoices),
        delete(tables.invoice_lines),
        delete(tables.credit_uses),
        delete(tables.issued_contents),
        update(tables.issued_contents).values(content="{}"),
        update(tables.invoice_lines).values(description="cheaper"),
        update(tables.credit_uses).values(amount=Decimal(1)),
        insert(tables.invoice_lines).values({"invoice_id": "2026-10-c1-EUR", **vars(LINE), "line_number": 2}),
    ],
    ids=lambda change: str(change).replace("\n", " ")[:40],
)
def test_lines_and_credits_of_an_approved_document_stay(ledger: Engine, change: Any) -> None:
    put(ledger, replace(with_credit("c1", "5")))
    approved(ledger, "2026-10-c1-EUR", granted={"gift": Decimal(5)})
    said = refused_by_the_database(ledger, lambda connection: connection.execute(change))
    assert "a document that is no draft is never changed" in said


@pytest.mark.parametrize("status", ["draft", "past due", "closed", "void", "lost"])
def test_a_void_document_goes_nowhere_whoever_writes(ledger: Engine, status: str) -> None:
    put(ledger, draft())
    approved(ledger, "2026-10-c1-EUR")
    in_ledger(ledger, void, ["2026-10-c1-EUR"], "wrong")
    changes = {"void": {"void_reason": "another"}}.get(status, {"status": status})
    with pytest.raises((DBAPIError, IntegrityError)), ledger.begin() as connection:
        connection.execute(update(tables.invoices).values(changes))
    assert status_of(ledger) == "void"


# At the same time


def test_who_drafts_waits_for_who_approves_and_finds_the_month_invoiced(ledger: Engine) -> None:
    put(ledger, draft())
    with ThreadPoolExecutor(1) as others:
        with ledger.begin() as connection:
            approve(connection, ["2026-10-c1-EUR"], Approval(ORGANISATION, {}), act)
            drafting = others.submit(put, ledger, draft(notes=("changed",)))
        result = drafting.result()
    assert result.kept == ("2026-10-c1-EUR",)
    assert [error.reason for error in result.errors] == ["already invoiced: INV-2026-000001"]
    assert loaded(ledger).notes == draft().notes


def test_who_closes_waits_for_who_makes_void_and_is_refused(ledger: Engine) -> None:
    put(ledger, draft())
    approved(ledger, "2026-10-c1-EUR")
    with ThreadPoolExecutor(1) as others:
        with ledger.begin() as connection:
            void(connection, ["2026-10-c1-EUR"], "wrong", act())
            closing = others.submit(in_ledger, ledger, close, ["2026-10-c1-EUR"], date(2026, 11, 9))
        outcome = closing.result()
    assert [one.reason for one in outcome.refused] == ["is void; only open or past due documents can be closed"]
