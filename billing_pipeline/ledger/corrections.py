"""Credit notes in the ledger: drafted from an issued document, then approved, closed or void as any other.

What does not belong here: what is on a credit note (`billing_pipeline.credit_notes`).
"""

from collections.abc import Sequence
from itertools import count

from sqlalchemy import Connection, select

from billing_pipeline.credit_notes import CorrectionInvalid, credit_note
from billing_pipeline.invoicing import Invoice
from billing_pipeline.ledger.content import content_sha256
from billing_pipeline.ledger.documents import load_invoice
from billing_pipeline.ledger.events import Happened, record_events
from billing_pipeline.ledger.life import DRAFT, VOID, Act, ReasonMissing
from billing_pipeline.ledger.locks import DRAFTS, take_turn
from billing_pipeline.ledger.operations import insert_drafts
from billing_pipeline.ledger.tables import invoice_lines, invoices


def draft_credit_note(
    connection: Connection, invoice_id: str, line_numbers: Sequence[int] | None, reason: str, act: Act
) -> Invoice:
    """Draft a credit note for lines of an issued document.

    Args:
        connection: a transaction that may write.
        invoice_id: the document to correct.
        line_numbers: its lines; None for all of them.

    Returns:
        The draft, whose id is the document's with `-CN1`, `-CN2`, ...

    Raises:
        InvoiceNotFound: there is no such document.
        CorrectionInvalid: it is a draft, void or a credit note; or a line is not there, or has been taken back.
        ReasonMissing: no reason is given.
    """
    if not reason.strip():
        raise ReasonMissing("say why: a document is not corrected without a reason")
    # Two at once would take back the same line.
    take_turn(connection, DRAFTS)
    original = load_invoice(connection, invoice_id)
    if original.status in {DRAFT, VOID}:
        raise CorrectionInvalid(f"{invoice_id} is {original.status}; only what has been issued is corrected")
    name = next(
        name
        for name in (f"{invoice_id}-CN{number}" for number in count(1))
        if connection.scalar(select(invoices.c.invoice_id).where(invoices.c.invoice_id == name)) is None
    )
    note = credit_note(original, line_numbers, reason, name)
    taken = taken_back(connection, str(original.invoice_number)) & {str(line.reference) for line in note.lines}
    if taken:
        raise CorrectionInvalid(f"taken back already: {', '.join(sorted(taken))}")
    insert_drafts(connection, [note], {name: content_sha256(note)}, act.at, None)
    record_events(connection, [Happened(name, "drafted", None, DRAFT, reason)], act.at, act.who)
    return note


def taken_back(connection: Connection, invoice_number: str) -> set[str]:
    """Return references to the lines of a document that credit notes take back; void ones do not count."""
    rows = connection.execute(
        select(invoice_lines.c.reference)
        .join_from(invoice_lines, invoices)
        .where(invoices.c.corrects == invoice_number, invoices.c.status != VOID)
    )
    return set(rows.scalars())
