"""Approval: a draft gets its number, and its content stays from then on.

Content, number, event, counter and mail are written in one transaction: a crash leaves all of it or nothing. What does
not belong here: what happens to a document afterwards (`ledger.life`), sending mails.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import Connection, bindparam, insert, select, update

from billing_pipeline.configuration import Organisation
from billing_pipeline.invoicing import Invoice, InvoiceLine
from billing_pipeline.ledger.balances import used_by_issued
from billing_pipeline.ledger.content import canonical_json, content_sha256, sha256_of_content
from billing_pipeline.ledger.documents import load_invoices
from billing_pipeline.ledger.life import DRAFT, OPEN, Act, Moved, Outcome, Refused, fitting, recorded
from billing_pipeline.ledger.locks import take_turn
from billing_pipeline.ledger.numbers import NumberCounter, NumberSeries
from billing_pipeline.ledger.outbox import enqueue
from billing_pipeline.ledger.tables import invoice_lines, invoices, issued_contents
from billing_pipeline.money import EXACT

# Between the document and its line, where an adjustment or a line of a credit note refers to one.
_LINE_OF = " line "


@dataclass(frozen=True)
class Approval:
    """What approval needs to know beside the documents.

    Attributes:
        organisation: its id and `invoice_series` choose the series of numbers.
        granted: amount of each credit of the reference files, in its currency.
        mail: how to write the mail of a document: recipient, subject and Message-ID; None queues none.
    """

    organisation: Organisation
    granted: Mapping[str, Decimal]
    mail: Callable[[Invoice], tuple[str, str, str]] | None = None


def approve(
    connection: Connection, invoice_ids: Sequence[str], approval: Approval, clock: Callable[[], Act]
) -> Outcome:
    """Approve drafts: each gets its number, keeps its content from now on, and its mail is queued.

    In the order of customer and currency. A draft whose credits other documents have used up meanwhile is refused, and
    one without an address where a mail is wanted.

    Args:
        connection: a transaction that may write; it holds the lock on the numbers until it ends.
        invoice_ids: not so many that others wait long.
        clock: tells who does it, and when; it is asked when nobody else can take a number any more, so that a later
            number never has an earlier day.
    """
    organisation = approval.organisation
    # First of all, so that two approvals never wait for each other.
    take_turn(connection, f"numbers of {organisation.id}")
    act = clock()
    series = NumberSeries(organisation.id, organisation.invoice_series, act.day.year)
    counter = NumberCounter.lock(connection, series)
    present, refused = fitting(connection, invoice_ids, "approve")
    drafts = load_invoices(connection, invoice_ids=[row.invoice_id for row in present])
    hashes = {row.invoice_id: row.content_sha256 for row in present}
    balances = _Balances(connection, drafts, approval.granted)
    issued: list[Invoice] = []
    numbers: dict[str, str] = {}
    for draft in sorted(drafts, key=lambda one: (one.customer.id, one.currency, one.invoice_id)):
        reason = _why_not_approved(draft, hashes[draft.invoice_id], approval) or balances.why_not(draft)
        if reason is not None:
            refused.append(Refused(draft.invoice_id, reason))
            continue
        balances.use(draft)
        issued.append(replace(draft, invoice_number=counter.take(), status=OPEN, issued_on=act.day))
        numbers[draft.invoice_id] = str(issued[-1].invoice_number)
    counter.save()
    issued = _with_numbers(connection, issued, numbers)
    _write_issued(connection, issued, act)
    if approval.mail is not None:
        for invoice in issued:
            recipient, subject, message_id = approval.mail(invoice)
            mail = {"recipient": recipient, "subject": subject, "message_id": message_id}
            enqueue(connection, invoice.invoice_id, "approved", **mail, at=act.at)
    moved = [Moved(invoice.invoice_id, invoice.invoice_number, DRAFT, OPEN) for invoice in issued]
    return recorded(connection, "approved", moved, refused, act)


def _with_numbers(connection: Connection, issued: Sequence[Invoice], numbers: Mapping[str, str]) -> list[Invoice]:
    """Let adjustments refer to documents by the numbers they have by now, in the ledger's lines too.

    An adjustment of a month whose document was a draft refers to that draft's id.

    Args:
        numbers: those given in this transaction, by document id.
    """
    ids = {
        str(line.reference).partition(_LINE_OF)[0] for one in issued for line in one.lines if line.reference is not None
    }
    rows = connection.execute(
        select(invoices.c.invoice_id, invoices.c.invoice_number).where(
            invoices.c.invoice_id.in_(sorted(ids)), invoices.c.invoice_number.is_not(None)
        )
    )
    known = {**{row.invoice_id: str(row.invoice_number) for row in rows}, **numbers}
    renamed = []
    for one in issued:
        lines = tuple(_renamed(line, known) for line in one.lines)
        renamed.append(replace(one, lines=lines))
        for before, after in zip(one.lines, lines, strict=True):
            if before != after:
                place = (invoice_lines.c.invoice_id == one.invoice_id, invoice_lines.c.line_number == after.line_number)
                connection.execute(update(invoice_lines).where(*place).values(reference=after.reference))
    return renamed


def _renamed(line: InvoiceLine, known: Mapping[str, str]) -> InvoiceLine:
    name, between, place = str(line.reference or "").partition(_LINE_OF)
    return replace(line, reference=f"{known[name]}{between}{place}") if name in known else line


def _why_not_approved(draft: Invoice, sha256: str, approval: Approval) -> str | None:
    if content_sha256(draft) != sha256:
        return "its content is not what was drafted; draft its month again"
    if draft.organisation.id != approval.organisation.id:
        return f"it was drafted for organisation {draft.organisation.id}, and this is {approval.organisation.id}"
    if approval.mail is not None and not draft.customer.email:
        return f"customer {draft.customer.id} has no email in customers.csv; add it and draft again, or do not send"
    return None


class _Balances:
    """What is left of credits while several documents are approved in one transaction."""

    def __init__(self, connection: Connection, drafts: Sequence[Invoice], granted: Mapping[str, Decimal]) -> None:
        wanted = {use.credit_id for draft in drafts for use in draft.credits}
        self._used = used_by_issued(connection, wanted) if wanted else {}
        self._granted = granted

    def why_not(self, draft: Invoice) -> str | None:
        """Return why a document cannot take what it says of its credits; None if it can."""
        for use in draft.credits:
            granted = self._granted.get(use.credit_id)
            if granted is None:
                return f"credit {use.credit_id} is no longer in credits.csv; draft its month again"
            left = EXACT.subtract(granted, self._used.get(use.credit_id, Decimal(0)))
            if use.amount > left:
                return (
                    f"it takes {use.amount} {draft.currency} of credit {use.credit_id}, of which {left} is left;"
                    " draft its month again"
                )
        return None

    def use(self, draft: Invoice) -> None:
        """Take what a document says of its credits."""
        for use in draft.credits:
            self._used[use.credit_id] = EXACT.add(self._used.get(use.credit_id, Decimal(0)), use.amount)


def _write_issued(connection: Connection, issued: Sequence[Invoice], act: Act) -> None:
    if not issued:
        return
    contents = {invoice.invoice_id: canonical_json(invoice) for invoice in issued}
    names = ("status", "invoice_number", "issued_on", "opened_at", "content_sha256")
    statement = update(invoices).where(invoices.c.invoice_id == bindparam("name"))
    rows = [
        {
            "name": invoice.invoice_id,
            "new_status": OPEN,
            "new_invoice_number": invoice.invoice_number,
            "new_issued_on": act.day,
            "new_opened_at": act.at,
            "new_content_sha256": sha256_of_content(contents[invoice.invoice_id]),
        }
        for invoice in issued
    ]
    connection.execute(statement.values({name: bindparam(f"new_{name}") for name in names}), rows)
    kept = [{"invoice_id": name, "content": content} for name, content in contents.items()]
    connection.execute(insert(issued_contents), kept)
