"""The ledger, on SQLite and PostgreSQL: replacing drafts, reading documents back exactly, two writers, its frames."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, event, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from billing_pipeline.credits import CreditUse
from billing_pipeline.exchange import AppliedRate
from billing_pipeline.invoicing import Drafted, Invoice, InvoiceError, Party
from billing_pipeline.ledger import tables
from billing_pipeline.ledger.content import canonical_json, content_sha256
from billing_pipeline.ledger.documents import InvoiceNotFound, list_invoices, load_invoice, load_invoices
from billing_pipeline.ledger.operations import ReplaceResult, replace_drafts
from billing_pipeline.ledger.standing import MONTH_DRAFTED
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.taxes import TaxLine
from resources.ledger import LedgerUnusable, invoices_frames, open_ledger, reading
from tests.ledger_documents import LINE, MONDAY, draft, put

TUESDAY = MONDAY + timedelta(days=1)
TAXES = (
    TaxLine("standard", "gr-24", "VAT 24 %", Decimal("24.00"), Decimal("100.00"), Decimal("24.00"), None),
    TaxLine("reverse_charge", None, "Reverse charge", Decimal(0), Decimal("-1.5"), Decimal("0.00"), "Article 196"),
)
CREDITS = (
    CreditUse("early", "marketplace", Decimal("1.10"), Decimal("0.00"), date(2026, 12, 1), "Microsoft"),
    CreditUse("late", "general", Decimal("2.00"), Decimal("7.123456"), None, None),
)
RATES = (
    AppliedRate("EUR", "USD", Decimal("1.08340"), date(2026, 10, 30), "ECB", True),
    AppliedRate("GBP", "EUR", Decimal("1.2"), date(2026, 10, 31), None, False),
)


def error(customer_id: str, reason: str = "unpriced") -> InvoiceError:
    return InvoiceError(customer_id, "2026-10", reason, "unpriced")


@pytest.fixture
def sqlite_ledger(sqlite_url: str) -> Iterator[Engine]:
    engine = open_ledger(sqlite_url)
    yield engine
    engine.dispose()


def dump(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return {
            name: [tuple(row) for row in connection.exec_driver_sql(f"select * from {name}")]
            for name in tables.metadata.tables
        }


def approve(engine: Engine, invoice_id: str, number: str) -> None:
    """Number a draft by hand, whatever else approval does."""
    change = update(tables.invoices).where(tables.invoices.c.invoice_id == invoice_id)
    with engine.begin() as connection:
        connection.execute(change.values(status="open", invoice_number=number, opened_at=MONDAY))


def happened(engine: Engine) -> list[tuple[Any, ...]]:
    """What happened to documents, in order; that a month was drafted for all is no document's event."""
    columns = [tables.events.c[name] for name in ("invoice_id", "at", "who", "action", "from_status", "to_status")]
    chosen = select(*columns).where(tables.events.c.action != MONTH_DRAFTED).order_by(tables.events.c.sequence)
    with engine.connect() as connection:
        return [(number, *row) for number, row in enumerate(connection.execute(chosen), 1)]


# Reading back


def test_a_document_comes_back_as_it_was_put_in_to_the_last_digit(ledger: Engine) -> None:
    without = {"quantity": None, "unit": None, "charge_count": 0, "charges_sha256": None}
    second = replace(LINE, line_number=2, amount=Decimal("-0.10"), **without)
    converted = {"charged_currency": "USD", "charged_amount": Decimal("1.000000000000000000000001")}
    third = replace(second, line_number=3, service_period="2026-09", reference="INV-2026-000001 line 3", **converted)
    invoice = draft(lines=(LINE, second, third), taxes=TAXES, credits=CREDITS, exchange_rates=RATES)
    put(ledger, invoice)
    with ledger.connect() as connection:
        found = load_invoice(connection, invoice.invoice_id)
    assert found == invoice
    assert str(found.lines[0].amount_precise) == str(LINE.amount_precise)
    assert str(found.lines[1].amount) == "-0.10"
    assert str(found.taxes[0].percent) == "24.00"
    assert content_sha256(found) == content_sha256(invoice)


def test_a_changed_draft_leaves_no_credit_use_of_the_one_before(ledger: Engine) -> None:
    put(ledger, draft(credits=CREDITS))
    put(ledger, draft(credits=CREDITS[:1]))
    with ledger.connect() as connection:
        assert load_invoice(connection, "2026-10-c1-EUR").credits == CREDITS[:1]


def test_an_unknown_document_is_an_error_that_names_it(ledger: Engine) -> None:
    with ledger.connect() as connection, pytest.raises(InvoiceNotFound, match="'2026-10-nobody-EUR'"):
        load_invoice(connection, "2026-10-nobody-EUR")


def test_documents_are_listed_and_loaded_by_period_customer_and_status(ledger: Engine) -> None:
    put(ledger, draft("b"), draft("a"))
    approve(ledger, "2026-10-a-EUR", "INV-1")
    with ledger.connect() as connection:
        assert [head.customer_id for head in list_invoices(connection)] == ["a", "b"]
        assert [head.invoice_number for head in list_invoices(connection, status="open")] == ["INV-1"]
        assert [head.customer_id for head in list_invoices(connection, period="2026-10", customer="b")] == ["b"]
        assert list_invoices(connection, period="2026-11") == ()
        assert [found.customer.id for found in load_invoices(connection, status="draft")] == ["b"]
        assert load_invoices(connection, invoice_ids=()) == ()
        (head,) = list_invoices(connection, customer="b")
    assert (head.customer_name, head.total, head.created_at) == ("Acme Ελλάς", LINE.amount, MONDAY)
    assert head.content_sha256 == content_sha256(draft("b"))


def test_all_lines_are_fetched_in_as_many_queries_for_many_documents_as_for_one(ledger: Engine) -> None:
    put(ledger, *(draft(f"c{number}") for number in range(20)))
    statements: list[str] = []
    event.listen(ledger, "before_cursor_execute", lambda *context: statements.append(context[2]))
    with ledger.connect() as connection:
        assert len(load_invoices(connection)) == 20
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 3


# Replacing drafts


def test_first_drafts_are_created_and_recorded(ledger: Engine) -> None:
    result = put(ledger, draft("b"), draft("a"))
    assert result == ReplaceResult(("2026-10-a-EUR", "2026-10-b-EUR"), (), (), (), (), ())
    assert happened(ledger) == [
        (1, "2026-10-a-EUR", MONDAY, "ann", "drafted", None, "draft"),
        (2, "2026-10-b-EUR", MONDAY, "ann", "drafted", None, "draft"),
    ]


def test_an_equal_draft_keeps_its_creation_and_writes_no_event(ledger: Engine) -> None:
    put(ledger, draft(), errors=(error("c2"),))
    before = dump(ledger)
    result = put(ledger, draft(), errors=(error("c2"),), at=TUESDAY)
    assert result.unchanged == ("2026-10-c1-EUR",)
    assert dump(ledger) == before


def test_a_repeated_run_changes_no_byte_of_the_database_file(sqlite_ledger: Engine, tmp_path: Path) -> None:
    ledger = sqlite_ledger
    put(ledger, draft(), errors=(error("c2"),))
    before = (tmp_path / "ledger.db").read_bytes()
    put(ledger, draft(), errors=(error("c2"),), at=TUESDAY)
    assert (tmp_path / "ledger.db").read_bytes() == before


def test_a_changed_draft_takes_the_place_of_the_old_one_whole(ledger: Engine) -> None:
    put(ledger, draft(lines=(LINE, replace(LINE, line_number=2))))
    result = put(ledger, draft(), at=TUESDAY)
    assert result.replaced == ("2026-10-c1-EUR",)
    with ledger.connect() as connection:
        assert load_invoices(connection) == (draft(),)
        assert list_invoices(connection)[0].created_at == TUESDAY
    assert len(dump(ledger)["invoice_lines"]) == 1
    assert happened(ledger)[1:] == [(2, "2026-10-c1-EUR", TUESDAY, "ann", "redrafted", "draft", "draft")]


def test_a_draft_that_is_no_longer_produced_is_removed_with_its_lines(ledger: Engine) -> None:
    put(ledger, draft("a"), draft("b"))
    assert put(ledger, draft("a")).removed == ("2026-10-b-EUR",)
    assert [row[0] for row in dump(ledger)["invoice_lines"]] == ["2026-10-a-EUR"]
    assert happened(ledger)[-1][4:] == ("removed", "draft", None)


def test_a_draft_in_another_currency_replaces_the_one_in_the_former_currency(ledger: Engine) -> None:
    put(ledger, draft(currency="USD"))
    result = put(ledger, draft(currency="EUR"))
    assert (result.created, result.removed) == (("2026-10-c1-EUR",), ("2026-10-c1-USD",))


def test_customers_out_of_scope_keep_their_drafts_and_errors(ledger: Engine) -> None:
    put(ledger, draft("a"), draft("b"), errors=(error("d"), error("e")))
    result = put(ledger, errors=(error("b"),), scope=("b", "d"))
    assert result.removed == ("2026-10-b-EUR",)
    with ledger.connect() as connection:
        assert [head.customer_id for head in list_invoices(connection)] == ["a"]
    assert {row[1] for row in dump(ledger)["invoice_errors"]} == {"b", "e"}


def test_drafts_of_another_period_are_left_alone(ledger: Engine) -> None:
    put(ledger, draft())
    with ledger.begin() as connection:
        result = replace_drafts(connection, BillingPeriod("2026-11"), Drafted((), ()), TUESDAY, "ann")
    assert result == ReplaceResult((), (), (), (), (), ())
    assert len(dump(ledger)["invoices"]) == 1


@pytest.mark.parametrize("currency", ["EUR", "USD"])
def test_a_document_that_is_no_draft_is_never_touched_and_never_billed_again(ledger: Engine, currency: str) -> None:
    put(ledger, draft())
    approve(ledger, "2026-10-c1-EUR", "INV-2026-0001")
    before = dump(ledger)
    result = put(ledger, draft(currency=currency, lines=(replace(LINE, amount=Decimal(1)),)), at=TUESDAY)
    assert result.kept == ("2026-10-c1-EUR",)
    assert result.errors == (InvoiceError("c1", "2026-10", "already invoiced: INV-2026-0001", "already_invoiced"),)
    assert dump(ledger) == before | {
        "invoice_errors": [("2026-10", "c1", 1, "already_invoiced", "already invoiced: INV-2026-0001")]
    }


def test_errors_of_the_customers_in_scope_are_replaced(ledger: Engine) -> None:
    put(ledger, errors=(error("a", "one"), error("a", "two"), error("b")))
    put(ledger, draft("b"), errors=(error("a", "two"),))
    assert dump(ledger)["invoice_errors"] == [("2026-10", "a", 1, "unpriced", "two")]


@pytest.mark.parametrize(
    ("drafts", "scope", "message"),
    [
        ((draft("a"), draft("b", period="2026-09")), None, "made for 2026-09, not for 2026-10"),
        ((draft("b"),), ("a",), "customer b is out of the run's scope"),
    ],
)
def test_drafts_that_do_not_belong_to_the_run_are_refused(
    ledger: Engine, drafts: tuple[Invoice, ...], scope: tuple[str, ...] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        put(ledger, *drafts, scope=scope)
    assert dump(ledger)["invoices"] == []


def test_a_run_that_fails_halfway_leaves_nothing_behind(ledger: Engine) -> None:
    put(ledger, draft("a"))
    before = dump(ledger)
    twice = replace(LINE, line_number=1)
    with pytest.raises(IntegrityError):
        put(ledger, draft("b"), draft("c", lines=(LINE, twice)), at=TUESDAY)
    assert dump(ledger) == before


# Content


@pytest.mark.parametrize(
    "change",
    [
        {"due_date": date(2026, 12, 1)},
        {"notes": ()},
        {"total": Decimal(1)},
        {"customer": Party("c1", "Acme")},
        {"lines": (replace(LINE, charges_sha256="b" * 64),)},
        {"lines": (replace(LINE, amount_precise=LINE.amount_precise + Decimal("1e-24")),)},
    ],
    ids=str,
)
def test_the_hash_notices_every_change_of_content(change: dict[str, Any]) -> None:
    assert content_sha256(draft(**change)) != content_sha256(draft())


def test_the_hash_ignores_status_and_zeros_that_say_nothing() -> None:
    assert content_sha256(draft(status="open")) == content_sha256(draft())
    plain = draft(lines=(replace(LINE, amount=Decimal("1.5")),), subtotal=Decimal(100), total=Decimal("-0"))
    padded = draft(lines=(replace(LINE, amount=Decimal("1.500")),), subtotal=Decimal("1E+2"), total=Decimal("0.00"))
    assert canonical_json(plain) == canonical_json(padded)
    assert '"subtotal":"100"' in canonical_json(plain)


# The database


def test_amounts_are_text_in_sqlite_and_no_column_is_floating_point(sqlite_ledger: Engine, tmp_path: Path) -> None:
    ledger = sqlite_ledger
    put(ledger, draft())
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        kinds = connection.execute("select typeof(subtotal), typeof(total), subtotal from invoices").fetchall()
        assert kinds == [("text", "text", "12345678901234.12")]
        for name in tables.metadata.tables:
            declared = {row[2] for row in connection.execute(f"pragma table_info({name})")}
            assert not {"REAL", "FLOAT", "NUMERIC", "DOUBLE"} & declared


@pytest.mark.parametrize("amount", [1.5, 1, Decimal("NaN"), Decimal("Infinity")])
def test_an_amount_that_is_no_exact_decimal_is_refused(ledger: Engine, amount: Any) -> None:
    with pytest.raises(StatementError):
        put(ledger, draft(total=amount))


def test_an_instant_without_zone_is_refused_and_one_of_another_zone_comes_back_in_utc(ledger: Engine) -> None:
    with pytest.raises(StatementError, match="has no time zone"):
        put(ledger, draft(), at=datetime(2026, 11, 9, 7))  # noqa: DTZ001
    put(ledger, draft(), at=datetime(2026, 11, 9, 9, tzinfo=timezone(timedelta(hours=2))))
    assert happened(ledger)[0][2] == MONDAY


def test_a_number_without_approval_and_approval_without_number_are_both_impossible(ledger: Engine) -> None:
    put(ledger, draft())
    for values in ({"status": "open"}, {"invoice_number": "INV-1"}):
        with pytest.raises(IntegrityError), ledger.begin() as connection:
            connection.execute(update(tables.invoices).values(**values))


def test_foreign_keys_hold(ledger: Engine) -> None:
    line = vars(LINE) | {"invoice_id": "nothing"}
    with pytest.raises(IntegrityError), ledger.begin() as connection:
        connection.execute(insert(tables.invoice_lines), line)


def test_a_writer_holds_the_lock_from_its_first_statement_while_readers_go_on(
    sqlite_ledger: Engine, tmp_path: Path
) -> None:
    ledger = sqlite_ledger
    put(ledger, draft())
    impatient = open_ledger("sqlite:///ledger.db", tmp_path)
    event.listen(impatient, "connect", lambda connection, _record: connection.execute("pragma busy_timeout = 0"))
    impatient.dispose()
    with ledger.begin() as writer:
        assert len(list_invoices(writer)) == 1
        with pytest.raises(OperationalError, match="locked"), impatient.begin():
            pass
        with reading(impatient).connect() as reader:
            assert len(list_invoices(reader)) == 1
    with impatient.begin() as second:
        assert len(list_invoices(second)) == 1
    impatient.dispose()


def test_what_is_no_database_is_an_error_a_user_can_read(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("this is no database, but it is long enough to look like one" * 20)
    with pytest.raises(LedgerUnusable, match="file is not a database"):
        open_ledger("sqlite:///ledger.db", tmp_path)
    with pytest.raises(LedgerUnusable, match="nosuchdatabase"):
        open_ledger("nosuchdatabase://host/ledger")


def test_a_password_is_never_part_of_an_error() -> None:
    with pytest.raises(LedgerUnusable) as caught:
        open_ledger("nosuchdatabase://ann:secret@host/ledger")
    assert "secret" not in str(caught.value)


# Frames for the warehouse


def test_the_frames_have_the_columns_of_the_warehouse_in_exact_types(ledger: Engine) -> None:
    put(ledger, draft("b"), draft("a"), errors=(error("d", "one"), error("d", "two"), error("c")))
    frames = invoices_frames(ledger)
    assert ", ".join(frames["invoices"].columns) == (
        "invoice_id, invoice_number, status, customer_id, billing_period, currency, subtotal, tax_total, "
        "credits_applied, total, due_date, created_at, opened_at, closed_at, content_sha256, charges_sha256, "
        "document_type, corrects, issued_on, paid_on, void_reason"
    )
    assert ", ".join(frames["invoice_lines"].columns) == (
        "invoice_id, line_number, product_type, description, quantity, amount_precise, amount, tax_category, "
        "line_kind, unit, currency, charged_currency, charged_amount, service_period, reference"
    )
    assert frames["invoices"]["invoice_id"].to_list() == ["2026-10-a-EUR", "2026-10-b-EUR"]
    assert frames["invoices"]["total"].to_list() == [LINE.amount] * 2
    assert frames["invoices"]["created_at"].to_list() == [MONDAY] * 2
    assert frames["invoice_lines"]["amount_precise"].to_list() == [LINE.amount_precise] * 2
    assert frames["invoice_lines"].schema["amount_precise"] == pl.Decimal(38, 24)
    assert frames["invoice_errors"].rows() == [("c", "2026-10", "unpriced"), ("d", "2026-10", "one; two")]


def test_the_frames_of_an_empty_ledger_have_their_types_and_no_floating_point(ledger: Engine) -> None:
    put(ledger, draft(), errors=(error("d"),))
    filled = {name: frame.schema for name, frame in invoices_frames(ledger).items()}
    put(ledger)
    empty = invoices_frames(ledger)
    assert {name: frame.schema for name, frame in empty.items()} == filled
    assert all(frame.is_empty() for frame in empty.values())
    assert not any(dtype.is_float() for schema in filled.values() for dtype in schema.values())


def test_drafts_made_with_other_options_than_before_are_told(ledger: Engine) -> None:
    put(ledger, draft(options=("include_tax",)), draft("c2"))
    again = put(ledger, draft(options=()), draft("c2"))
    assert again.options_before == {"2026-10-c1-EUR": ("include_tax",)}
