"""The ledger: replacing drafts, reading documents back exactly, two writers at once, and its frames."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, create_mock_engine, event, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from billing_pipeline.invoicing import Drafted, Invoice, InvoiceError, InvoiceLine, Party
from billing_pipeline.ledger import tables
from billing_pipeline.ledger.content import canonical_json, content_sha256
from billing_pipeline.ledger.documents import InvoiceNotFound, list_invoices, load_invoice, load_invoices
from billing_pipeline.ledger.operations import ReplaceResult, replace_drafts
from billing_pipeline.periods import BillingPeriod
from resources.ledger import LedgerUnusable, invoices_frames, open_ledger, reading

PERIOD = BillingPeriod("2026-10")
MONDAY = datetime(2026, 11, 9, 7, 0, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
LINE = InvoiceLine(
    line_number=1,
    product_type="Compute",
    product_id="vm",
    product_name="Machines",
    description="Hours of machines",
    quantity=Decimal("0.100000000000000001"),
    unit="Hours",
    amount_precise=Decimal("12345678901234.123456789012345678901234"),
    amount=Decimal("12345678901234.12"),
    tax_category="standard",
    line_kind="usage",
    charge_ids=("k1", "k2"),
)


def draft(customer_id: str = "c1", currency: str = "EUR", **fields: Any) -> Invoice:
    lines = fields.pop("lines", (LINE,))
    total = sum((line.amount for line in lines), Decimal("0.00"))
    values: dict[str, Any] = {
        "invoice_id": f"2026-10-{customer_id}-{currency}",
        "invoice_number": None,
        "status": "draft",
        "customer": Party(customer_id, "Acme Ελλάς", contact="Ann"),
        "organisation": Party("contoso", "Contoso Cloud Ltd", logo="logo.png"),
        "billing_period": "2026-10",
        "currency": currency,
        "lines": lines,
        "subtotal": total,
        "tax_total": Decimal("0.00"),
        "credits_applied": Decimal("0.00"),
        "total": total,
        "due_date": date(2026, 11, 30),
        "options": ("include_marketplace_fees",),
        "notes": ("a note",),
    }
    return Invoice(**values | fields)


def error(customer_id: str, reason: str = "unpriced") -> InvoiceError:
    return InvoiceError(customer_id, "2026-10", reason, "unpriced")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Engine]:
    engine = open_ledger("sqlite:///ledger.db", tmp_path)
    yield engine
    engine.dispose()


def put(
    engine: Engine,
    *drafts: Invoice,
    errors: tuple[InvoiceError, ...] = (),
    scope: tuple[str, ...] | None = None,
    at: datetime = MONDAY,
) -> ReplaceResult:
    with engine.begin() as connection:
        return replace_drafts(connection, PERIOD, Drafted(drafts, errors, scope), at, "ann")


def dump(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return {
            name: [tuple(row) for row in connection.exec_driver_sql(f"select * from {name}")]
            for name in tables.metadata.tables
        }


def approve(engine: Engine, invoice_id: str, number: str) -> None:
    """Number a draft by hand, as approval will."""
    change = update(tables.invoices).where(tables.invoices.c.invoice_id == invoice_id)
    with engine.begin() as connection:
        connection.execute(change.values(status="open", invoice_number=number, opened_at=MONDAY))


def happened(engine: Engine) -> list[tuple[Any, ...]]:
    columns = (
        tables.events.c[name] for name in ("sequence", "invoice_id", "at", "who", "action", "from_status", "to_status")
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(tables.events.c.sequence))]


# Reading back


def test_a_document_comes_back_as_it_was_put_in_to_the_last_digit(ledger: Engine) -> None:
    second = replace(LINE, line_number=2, quantity=None, unit=None, charge_ids=(), amount=Decimal("-0.10"))
    invoice = draft(lines=(LINE, second))
    put(ledger, invoice)
    with ledger.connect() as connection:
        found = load_invoice(connection, invoice.invoice_id)
    assert found == invoice
    assert str(found.lines[0].amount_precise) == str(LINE.amount_precise)
    assert str(found.lines[1].amount) == "-0.10"


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


def test_a_repeated_run_changes_no_byte_of_the_database_file(ledger: Engine, tmp_path: Path) -> None:
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
    assert len(dump(ledger)["invoice_line_charges"]) == 2
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
        ((draft(billing_period="2026-09"),), None, "made for 2026-09, not for 2026-10"),
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
        {"lines": (replace(LINE, charge_ids=("k1",)),)},
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


def test_amounts_are_text_in_sqlite_and_no_column_is_floating_point(ledger: Engine, tmp_path: Path) -> None:
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


def test_foreign_keys_hold_in_sqlite(ledger: Engine) -> None:
    line = {"invoice_id": "nothing", "line_number": 1, "charge_id": "k"}
    with pytest.raises(IntegrityError), ledger.begin() as connection:
        connection.execute(insert(tables.invoice_line_charges), line)


def test_event_numbers_are_not_used_again(ledger: Engine) -> None:
    put(ledger, draft())
    with ledger.begin() as connection:
        connection.execute(text("delete from events"))
    put(ledger)
    assert [row[0] for row in happened(ledger)] == [2]


def test_a_writer_holds_the_lock_from_its_first_statement_while_readers_go_on(ledger: Engine, tmp_path: Path) -> None:
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


def test_opening_a_ledger_again_finds_its_documents(ledger: Engine, tmp_path: Path) -> None:
    put(ledger, draft())
    again = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    with again.connect() as connection:
        assert len(list_invoices(connection)) == 1
        assert connection.scalar(select(tables.schema_version.c.version)) == tables.SCHEMA_VERSION
    again.dispose()


def test_a_ledger_of_another_version_is_refused(ledger: Engine, tmp_path: Path) -> None:
    with ledger.begin() as connection:
        connection.execute(update(tables.schema_version).values(version=99))
    with pytest.raises(LedgerUnusable, match="has schema version 99"):
        open_ledger("sqlite:///ledger.db", tmp_path)


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


def test_the_tables_can_be_made_in_postgresql_with_exact_types() -> None:
    statements: list[str] = []
    engine = create_mock_engine(
        "postgresql+psycopg2://", lambda sql, *_: statements.append(str(sql.compile(dialect=engine.dialect)))
    )
    tables.metadata.create_all(engine, checkfirst=False)
    schema = "\n".join(statements)
    assert "total NUMERIC NOT NULL" in schema
    assert "created_at TIMESTAMP WITH TIME ZONE NOT NULL" in schema
    assert not {"FLOAT", "REAL", "DOUBLE"} & set(schema.replace(",", " ").split())


# Frames for the warehouse


def test_the_frames_have_the_columns_of_the_warehouse_in_exact_types(ledger: Engine) -> None:
    put(ledger, draft("b"), draft("a"), errors=(error("d", "one"), error("d", "two"), error("c")))
    frames = invoices_frames(ledger)
    assert ", ".join(frames["invoices"].columns) == (
        "invoice_id, invoice_number, status, customer_id, billing_period, currency, subtotal, tax_total, "
        "credits_applied, total, due_date, created_at, opened_at, closed_at, content_sha256"
    )
    assert ", ".join(frames["invoice_lines"].columns) == (
        "invoice_id, line_number, product_type, description, quantity, amount_precise, amount, tax_category, "
        "line_kind, unit, currency"
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
