"""What a ledger held at a past instant, written into another one, on SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from billing_pipeline.configuration import Organisation
from billing_pipeline.credits import CreditUse
from billing_pipeline.ledger.approval import Approval, approve
from billing_pipeline.ledger.balances import used_credits
from billing_pipeline.ledger.documents import list_invoices, load_invoices
from billing_pipeline.ledger.life import Act, close, delete_drafts, void
from billing_pipeline.ledger.past import ledger_as_of, write_past
from billing_pipeline.periods import BillingPeriod
from resources.ledger import open_ledger, reading
from resources.past_ledger import past_ledger
from resources.workspace import Workspace
from tests.ledger_documents import MONDAY, draft, put
from tests.workspaces import make_workspace

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
OCTOBER = BillingPeriod("2026-10")
CREDIT = CreditUse(
    credit_id="k", kind="general", amount=Decimal("5.00"), left=Decimal("95.00"), expires_on=None, vendor=None
)


def day(number: int) -> datetime:
    return MONDAY + timedelta(days=number)


def act(at: datetime) -> Act:
    return Act(at, "ann", at.date())


def live(engine: Engine) -> None:
    """September: a is approved on day 1 and void on day 5, b approved and closed on day 3, c drafted anew on day 4.

    October: d is approved on day 1 and void on day 2, then drafted again. August: e is deleted on day 4.
    """
    a = draft("a", period="2026-09", credits=(CREDIT,), credits_applied=Decimal("5.00"))
    september = [a, draft("b", period="2026-09"), draft("c", period="2026-09")]
    put(engine, *september, at=day(0))
    put(engine, draft("d"), at=day(0))
    put(engine, draft("e", period="2026-08"), at=day(0))
    ids = ["2026-09-a-EUR", "2026-09-b-EUR", "2026-10-d-EUR"]
    with engine.begin() as connection:
        approve(connection, ids, Approval(ORGANISATION, {"k": Decimal(100)}), lambda: act(day(1)))
        void(connection, ["2026-10-d-EUR"], "wrong", act(day(2)))
        close(connection, ["2026-09-b-EUR"], day(3).date(), act(day(3)))
    put(engine, draft("d"), at=day(3))
    put(engine, replace(september[2], notes=("another",)), scope=("c",), at=day(4))
    with engine.begin() as connection:
        delete_drafts(connection, ["2026-08-e-EUR"], act(day(4)))
        void(connection, ["2026-09-a-EUR"], "wrong", act(day(5)))


@pytest.fixture
def past(tmp_path: Path) -> Engine:
    return open_ledger("sqlite:///past.db", tmp_path)


def rewind(ledger: Engine, past: Engine, at: datetime) -> tuple[dict[str, str], tuple[str, ...]]:
    """Write what the ledger held into the other one; return status by id, and what is lost."""
    with reading(ledger).connect() as connection:
        found = ledger_as_of(connection, at, OCTOBER)
    with past.begin() as connection:
        write_past(connection, found)
        return {head.invoice_id: head.status for head in list_invoices(connection)}, found.lost


@pytest.mark.parametrize(
    ("number", "statuses", "lost"),
    [
        (-1, {}, ()),
        (0, {"2026-09-a-EUR": "draft", "2026-09-b-EUR": "draft"}, ("2026-08-e-EUR", "2026-09-c-EUR")),
        (1, {"2026-09-a-EUR": "open", "2026-09-b-EUR": "open"}, ("2026-08-e-EUR", "2026-09-c-EUR")),
        (
            3,
            {"2026-09-a-EUR": "open", "2026-09-b-EUR": "closed", "2026-10-d-EUR": "void"},
            ("2026-08-e-EUR", "2026-09-c-EUR"),
        ),
        (
            5,
            {"2026-09-a-EUR": "void", "2026-09-b-EUR": "closed", "2026-09-c-EUR": "draft", "2026-10-d-EUR": "void"},
            (),
        ),
    ],
)
def test_documents_of_other_months_and_void_ones_of_the_month_have_the_status_of_then(
    ledger: Engine, past: Engine, number: int, statuses: dict[str, str], lost: tuple[str, ...]
) -> None:
    live(ledger)
    assert rewind(ledger, past, day(number)) == (statuses, lost)


def test_the_documents_of_then_say_what_they_said_and_take_their_credits(ledger: Engine, past: Engine) -> None:
    live(ledger)
    rewind(ledger, past, day(4))
    with reading(ledger).connect() as connection:
        wanted = {one.invoice_id: one for one in load_invoices(connection)}
        assert used_credits(connection, OCTOBER) == {}
    with reading(past).connect() as connection:
        found = load_invoices(connection)
        assert used_credits(connection, OCTOBER) == {"k": Decimal("5.00")}
    assert [replace(wanted[one.invoice_id], status=one.status) for one in found] == list(found)


def test_a_workspace_without_ledger_has_no_past_and_gets_none(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "home")
    assert past_ledger(workspace, OCTOBER, day(0), tmp_path)[0].documents == ()
    assert not (workspace.home / "ledger.db").exists()


def test_a_ledger_that_cannot_be_read_is_a_notice(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "home")
    (workspace.home / "ledger.db").write_text("no database")
    found, notices = past_ledger(workspace, OCTOBER, day(0), tmp_path)
    assert found.documents == ()
    assert len(notices) == 1
    assert notices[0].startswith("the ledger cannot be read, so no earlier document is reckoned with: ")


def test_lost_drafts_are_named_in_a_notice_and_the_ledger_stays_as_it_is(tmp_path: Path) -> None:
    workspace = Workspace.at(make_workspace(tmp_path / "home").home)
    engine = open_ledger("sqlite:///ledger.db", workspace.home)
    live(engine)
    engine.dispose()
    before = (workspace.home / "ledger.db").read_bytes()
    found, notices = past_ledger(workspace, OCTOBER, day(1), tmp_path)
    assert len(found.documents) == 2
    assert [notice.endswith("2026-08-e-EUR, 2026-09-c-EUR") for notice in notices] == [True]
    assert (workspace.home / "ledger.db").read_bytes() == before
