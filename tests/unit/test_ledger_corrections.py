"""Credit notes, on SQLite and PostgreSQL: lines taken back once, taxes with them, a number of their own."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from billing_pipeline.credit_notes import CorrectionInvalid
from billing_pipeline.invoicing import Invoice, InvoiceLine
from billing_pipeline.ledger.approval import Approval, approve
from billing_pipeline.ledger.corrections import draft_credit_note
from billing_pipeline.ledger.documents import load_invoice
from billing_pipeline.ledger.events import list_events
from billing_pipeline.ledger.life import Act, Outcome, ReasonMissing, mark_past_due, void
from billing_pipeline.taxes import TaxLine
from tests.faults.approvals import ORGANISATION
from tests.ledger_documents import LINE, MONDAY, draft, put

ACT = Act(MONDAY, "ann", date(2026, 11, 9))
ORIGINAL = "2026-10-c1-EUR"
NOTE = "2026-10-c1-EUR-CN1"


def line(number: int, amount: str, category: str = "standard") -> InvoiceLine:
    exact = Decimal(amount) + Decimal("0.001")
    return replace(LINE, line_number=number, amount=Decimal(amount), amount_precise=exact, tax_category=category)


INVOICE = draft(
    lines=(line(1, "10.00"), line(2, "0.03"), line(3, "5.00", "exempt")),
    taxes=(
        TaxLine("exempt", None, "Exempt", Decimal(0), Decimal("5.00"), Decimal("0.00"), "Exempt from tax"),
        TaxLine("standard", "gr", "VAT", Decimal(24), Decimal("10.03"), Decimal("2.41"), None),
    ),
    tax_total=Decimal("2.41"),
    total=Decimal("17.44"),
)


@pytest.fixture
def issued(ledger: Engine) -> Engine:
    """A ledger with one approved invoice."""
    put(ledger, INVOICE)
    approved(ledger, ORIGINAL)
    return ledger


def approved(engine: Engine, invoice_id: str) -> Outcome:
    with engine.begin() as connection:
        return approve(connection, [invoice_id], Approval(ORGANISATION, {}), lambda: ACT)


def corrected(engine: Engine, *lines: int, reason: str = "wrong price", invoice_id: str = ORIGINAL) -> Invoice:
    with engine.begin() as connection:
        return draft_credit_note(connection, invoice_id, lines or None, reason, ACT)


def test_a_credit_note_takes_back_everything_and_has_a_number_of_its_own(issued: Engine) -> None:
    note = corrected(issued)
    assert (note.subtotal, note.tax_total, note.total) == (Decimal("-15.03"), Decimal("-2.41"), Decimal("-17.44"))
    assert [(tax.base, tax.amount) for tax in note.taxes] == [
        (Decimal("-5.00"), Decimal("0.00")),
        (Decimal("-10.03"), Decimal("-2.41")),
    ]
    approved(issued, NOTE)
    with issued.connect() as connection:
        found = load_invoice(connection, NOTE)
        original = load_invoice(connection, ORIGINAL)
    assert (found.invoice_number, found.corrects, found.status) == ("INV-2026-000002", "INV-2026-000001", "open")
    assert found == replace(note, status="open", invoice_number="INV-2026-000002", issued_on=ACT.day)
    assert original == replace(INVOICE, status="open", invoice_number="INV-2026-000001", issued_on=ACT.day)
    assert found.notes == ("Credit note to INV-2026-000001 of 2026-11-09: wrong price",)


def test_a_credit_note_for_some_lines_has_their_tax_alone(issued: Engine) -> None:
    note = corrected(issued, 2)
    (taken,) = note.lines
    assert (taken.line_number, taken.amount, taken.reference) == (1, Decimal("-0.03"), "INV-2026-000001 line 2")
    assert (taken.quantity, taken.amount_precise) == (-Decimal("0.100000000000000001"), Decimal("-0.031"))
    (tax,) = note.taxes
    assert (tax.tax_category, tax.base, tax.amount) == ("standard", Decimal("-0.03"), Decimal("-0.01"))
    assert note.total == Decimal("-0.04")


def test_a_line_is_taken_back_once_unless_the_credit_note_was_void(issued: Engine) -> None:
    corrected(issued, 1)
    with pytest.raises(CorrectionInvalid, match="taken back already: INV-2026-000001 line 1"):
        corrected(issued)
    assert corrected(issued, 2).invoice_id == "2026-10-c1-EUR-CN2"
    approved(issued, NOTE)
    with issued.begin() as connection:
        void(connection, [NOTE], "not so", ACT)
    assert corrected(issued, 1).invoice_id == "2026-10-c1-EUR-CN3"


def test_the_story_of_a_credit_note_begins_with_its_reason(issued: Engine) -> None:
    corrected(issued, 1)
    with issued.connect() as connection:
        (event,) = list_events(connection, NOTE)
    assert (event.action, event.to_status, event.detail) == ("drafted", "draft", "wrong price")


def test_an_invoice_with_a_credit_note_is_not_made_void(issued: Engine) -> None:
    corrected(issued, 1)
    with issued.begin() as connection:
        outcome = void(connection, [ORIGINAL], "wrong", ACT)
    assert [one.reason for one in outcome.refused] == [f"is corrected by {NOTE}; make that void first"]


def test_drafting_the_month_again_leaves_credit_notes_alone(issued: Engine) -> None:
    corrected(issued, 1)
    assert put(issued, INVOICE).removed == ()
    with issued.connect() as connection:
        assert load_invoice(connection, NOTE).status == "draft"


def test_a_credit_note_is_never_past_due(issued: Engine) -> None:
    corrected(issued)
    approved(issued, NOTE)
    later = replace(ACT, day=ACT.day + timedelta(days=900))
    with issued.begin() as connection:
        assert [one.invoice_id for one in mark_past_due(connection, later)] == [ORIGINAL]


@pytest.mark.parametrize(
    ("invoice_id", "lines", "message"),
    [
        (ORIGINAL, (4, 9), "has no line 4, 9"),
        ("2026-11-c1-EUR", (), "is draft; only what has been issued is corrected"),
    ],
)
def test_what_cannot_be_corrected_is_refused(
    issued: Engine, invoice_id: str, lines: tuple[int, ...], message: str
) -> None:
    put(issued, draft(period="2026-11"))
    with pytest.raises(CorrectionInvalid, match=message):
        corrected(issued, *lines, invoice_id=invoice_id)


def test_a_credit_note_is_not_corrected_and_needs_a_reason(issued: Engine) -> None:
    with pytest.raises(ReasonMissing):
        corrected(issued, reason=" ")
    corrected(issued, 1)
    approved(issued, NOTE)
    with pytest.raises(CorrectionInvalid, match="is a credit note itself"):
        corrected(issued, invoice_id=NOTE)


def test_the_own_category_of_a_customer_holds_for_every_line(ledger: Engine) -> None:
    reverse = TaxLine(
        "reverse_charge", None, "Reverse charge", Decimal(0), Decimal("15.03"), Decimal("0.00"), "Article 196"
    )
    put(ledger, replace(INVOICE, taxes=(reverse,), tax_total=Decimal("0.00"), total=Decimal("15.03")))
    approved(ledger, ORIGINAL)
    (tax,) = corrected(ledger, 1).taxes
    assert (tax.tax_category, tax.base, tax.amount) == ("reverse_charge", Decimal("-10.00"), Decimal("0.00"))
