"""Whatever is done to documents in whatever order: numbers have no gap, what was issued stays, events tell it all."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from billing_pipeline.errors import BillingError
from billing_pipeline.invoicing import Invoice
from billing_pipeline.ledger.approval import Approval, approve
from billing_pipeline.ledger.corrections import draft_credit_note
from billing_pipeline.ledger.documents import load_invoices
from billing_pipeline.ledger.life import Act, close, delete_drafts, mark_past_due, void
from billing_pipeline.ledger.tables import events
from resources.ledger import open_ledger
from tests.faults.approvals import ORGANISATION
from tests.ledger_documents import MONDAY, draft, put

CUSTOMERS = ("a", "b", "c")
OPERATIONS = ("draft", "approve", "delete", "close", "void", "past due", "credit note", "undone approval")
STEPS = st.tuples(st.sampled_from(OPERATIONS), st.sets(st.sampled_from(CUSTOMERS), min_size=1), st.integers(0, 3))


def do(engine: Engine, day: int, operation: str, customers: Sequence[str], which: int) -> None:
    """Do one thing to documents of some customers, whatever their status."""
    at = MONDAY + timedelta(days=day)
    act = Act(at, "ann", at.date())
    with engine.connect() as connection:
        documents = [one for one in load_invoices(connection) if one.customer.id in customers]
    ids = [one.invoice_id for one in documents]
    if operation == "draft":
        put(engine, *(draft(name, notes=(f"version {which}",)) for name in customers), scope=tuple(customers), at=at)
        return
    with engine.begin() as connection:
        if operation in {"approve", "undone approval"}:
            approve(connection, ids, Approval(ORGANISATION, {}), lambda: act)
            if operation == "undone approval":
                connection.rollback()
        elif operation == "delete":
            delete_drafts(connection, ids, act)
        elif operation == "close":
            close(connection, ids, at.date(), act)
        elif operation == "void":
            void(connection, ids, "wrong", act)
        elif operation == "past due":
            mark_past_due(connection, act)
        elif ids:
            correct(connection, ids[which % len(ids)], act)


def correct(connection: Any, invoice_id: str, act: Act) -> None:
    try:
        draft_credit_note(connection, invoice_id, None, "wrong", act)
    except BillingError:
        # Not issued, void, or taken back already: refused before anything is written.
        return


def issued(engine: Engine) -> dict[str, Invoice]:
    """What is no draft, without its status."""
    with engine.connect() as connection:
        found = load_invoices(connection)
    return {one.invoice_id: replace(one, status="") for one in found if one.status != "draft"}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=3, max_size=25))
def test_numbers_have_no_gap_and_what_was_issued_never_changes(
    sqlite_template: Path, tmp_path: Path, steps: list[tuple[str, set[str], int]]
) -> None:
    (tmp_path / "ledger.db").write_bytes(sqlite_template.read_bytes())
    engine = open_ledger("sqlite:///ledger.db", tmp_path)
    kept: dict[str, Invoice] = {}
    for day, (operation, customers, which) in enumerate(steps):
        do(engine, day * 10, operation, sorted(customers), which)
        now = issued(engine)
        assert kept.items() <= now.items()
        kept = now
    check(engine)
    engine.dispose()


def check(engine: Engine) -> None:
    with engine.connect() as connection:
        documents = {one.invoice_id: one for one in load_invoices(connection)}
        happened = connection.execute(select(events).order_by(events.c.sequence)).all()
    numbers: dict[str, list[str]] = {}
    for one in documents.values():
        if one.invoice_number:
            numbers.setdefault(one.invoice_number[:9], []).append(one.invoice_number)
    for series, given_numbers in numbers.items():
        assert sorted(given_numbers) == [f"{series}{count:06d}" for count in range(1, len(given_numbers) + 1)]
    # Each event takes the document on from where the one before it left it.
    last: dict[str, str | None] = {}
    for event in happened:
        assert event.from_status == last.get(event.invoice_id)
        last[event.invoice_id] = event.to_status
    assert {name: status for name, status in last.items() if status} == {
        name: one.status for name, one in documents.items()
    }
    billed = [one for one in documents.values() if one.document_type == "invoice" and one.status != "void"]
    assert len(billed) == len({one.customer.id for one in billed})
