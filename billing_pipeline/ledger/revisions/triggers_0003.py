"""The triggers of revision 0003: events stay as they were written, documents as they were approved.

They guard against any program that opens the ledger, this one included. What does not belong here: which operation
leads where (`ledger.life`).
"""

from collections.abc import Iterator

CONTENT = (
    *("invoice_id", "invoice_number", "customer_id", "billing_period", "currency", "subtotal", "tax_total"),
    *("credits_applied", "total", "due_date", "created_at", "opened_at", "content_sha256", "charges_sha256"),
    *("customer", "organisation", "options", "notes", "document_type", "corrects", "issued_on", "taxes"),
    "exchange_rates",
)
TRANSITIONS = (
    *("draft>draft", "draft>open", "open>past due", "open>closed", "open>void", "past due>closed"),
    *("past due>void", "open>open", "past due>past due", "closed>closed", "void>void"),
)
AFTERWARDS = ("closed_at", "paid_on", "void_reason")

EVENTS_STAY = "events of the ledger are never changed"
CONTENT_STAYS = "a document that is no draft is never changed"
NO_WAY = "a document does not go from this status to that one"


def triggers(dialect: str) -> Iterator[str]:
    """Yield the statements that make the triggers on `sqlite` or `postgresql`."""
    yield from _sqlite() if dialect == "sqlite" else _postgresql()


def _changed(columns: tuple[str, ...], differs: str) -> str:
    return " or ".join(f"old.{column} {differs} new.{column}" for column in columns)


def _documents(differs: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield name, operation, condition and message of the triggers on `invoices`."""
    allowed = ", ".join(f"'{transition}'" for transition in TRANSITIONS)
    yield "invoices_status", "update", f"old.status || '>' || new.status not in ({allowed})", NO_WAY
    content = f"old.status <> 'draft' and ({_changed(CONTENT, differs)})"
    yield "invoices_content", "update", content, CONTENT_STAYS
    ended = f"old.status in ('closed', 'void') and ({_changed(AFTERWARDS, differs)})"
    yield "invoices_ended", "update", ended, CONTENT_STAYS
    yield "invoices_kept", "delete", "old.status <> 'draft'", CONTENT_STAYS


def _sqlite() -> Iterator[str]:
    for name, operation, condition, message in _documents("is not"):
        yield (
            f"create trigger {name} before {operation} on invoices when {condition}"
            f" begin select raise(abort, '{message}'); end"
        )
    for table, message in (("events", EVENTS_STAY), ("issued_contents", CONTENT_STAYS)):
        for operation in ("update", "delete"):
            yield (
                f"create trigger {table}_{operation} before {operation} on {table}"
                f" begin select raise(abort, '{message}'); end"
            )
    for table in ("invoice_lines", "credit_uses"):
        for operation, rows in (("insert", ("new",)), ("update", ("old", "new")), ("delete", ("old",))):
            states = " or ".join(
                f"(select status from invoices where invoice_id = {row}.invoice_id) <> 'draft'" for row in rows
            )
            yield (
                f"create trigger {table}_{operation} before {operation} on {table} when {states}"
                f" begin select raise(abort, '{CONTENT_STAYS}'); end"
            )


def _postgresql() -> Iterator[str]:
    yield (
        "create function ledger_refuse() returns trigger language plpgsql as"
        " $$ begin raise exception '%', tg_argv[0]; end $$"
    )
    yield (
        "create function ledger_refuse_unless_draft() returns trigger language plpgsql as $$ begin"
        " if tg_op <> 'INSERT' and (select status from invoices where invoice_id = old.invoice_id) <> 'draft'"
        " then raise exception '%', tg_argv[0]; end if;"
        " if tg_op = 'DELETE' then return old; end if;"
        " if (select status from invoices where invoice_id = new.invoice_id) <> 'draft'"
        " then raise exception '%', tg_argv[0]; end if;"
        " return new; end $$"
    )
    for name, operation, condition, message in _documents("is distinct from"):
        yield (
            f"create trigger {name} before {operation} on invoices for each row when ({condition})"
            f" execute function ledger_refuse('{message}')"
        )
    for table, message in (("events", EVENTS_STAY), ("issued_contents", CONTENT_STAYS)):
        yield (
            f"create trigger {table}_stay before update or delete on {table} for each row"
            f" execute function ledger_refuse('{message}')"
        )
    for table in ("invoice_lines", "credit_uses"):
        yield (
            f"create trigger {table}_stay before insert or update or delete on {table} for each row"
            f" execute function ledger_refuse_unless_draft('{CONTENT_STAYS}')"
        )
    for table in ("invoices", "invoice_lines", "credit_uses", "issued_contents", "events", "invoice_numbers"):
        yield (
            f"create trigger {table}_truncate before truncate on {table} for each statement"
            f" execute function ledger_refuse('{EVENTS_STAY if table == 'events' else CONTENT_STAYS}')"
        )
