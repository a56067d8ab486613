"""Operations on the documents of a workspace: approve, delete, close, make void, mark past due.

What does not belong here: what each operation does (`billing_pipeline.ledger.life`, `.approval`), which documents are
meant (the command line), sending mails.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import islice
from typing import Self

from sqlalchemy import Connection, Engine

from billing_pipeline.configuration import Organisation
from billing_pipeline.credits import granted_amounts
from billing_pipeline.invoicing import Invoice
from billing_pipeline.ledger.approval import Approval, approve
from billing_pipeline.ledger.corrections import draft_credit_note
from billing_pipeline.ledger.documents import InvoiceSummary
from billing_pipeline.ledger.life import Act, Moved, Outcome, Refused, close, delete_drafts, mark_past_due, void
from billing_pipeline.ledger.outbox import message_id_of
from billing_pipeline.mail_settings import SUBJECT
from billing_pipeline.mails import mail_subject
from billing_pipeline.periods import local_day
from resources.clock import utc_now
from resources.ledger import open_ledger
from resources.reference_files import load_reference
from resources.unfinished_work import UnfinishedWork
from resources.workspace import Workspace

# Documents of one transaction: few commits, and nobody else waits for long.
DOCUMENTS_AT_ONCE = 100


@dataclass(frozen=True)
class Desk:
    """Where somebody works on documents, and when.

    Attributes:
        engine: the ledger.
        who: user or job, recorded in the events.
        subject: template of the subject of mails.
    """

    workspace: Workspace
    organisation: Organisation
    engine: Engine
    who: str
    subject: str = SUBJECT

    @classmethod
    def open(cls, workspace: Workspace, who: str) -> Self:
        """Open the ledger of a workspace for somebody."""
        config = workspace.load_config()
        subject = config.mail.subject if config.mail else SUBJECT
        return cls(workspace, config.organisation, open_ledger(config.ledger.url, workspace.home), who, subject)

    def act(self) -> Act:
        """Return who does something now, and when that is."""
        now = utc_now()
        return Act(now, self.who, local_day(now, self.organisation.zone))

    def approve(self, documents: Iterable[InvoiceSummary], send: bool = False) -> Outcome:
        """Approve drafts, in the order of customer and currency.

        A crash leaves some of them approved, the first ones, and each of those whole.

        Args:
            send: whether a mail to the customer is queued for each.
        """
        reference = load_reference(self.workspace.home, self.organisation.zone)
        granted = granted_amounts(reference.credits.to_dicts())
        approval = Approval(self.organisation, granted, partial(approval_mail, template=self.subject) if send else None)
        ordered = sorted(documents, key=lambda head: (head.customer_id, head.currency, head.invoice_id))
        return self._each(
            [head.invoice_id for head in ordered],
            lambda connection, invoice_ids: approve(connection, invoice_ids, approval, self.act),
        )

    def delete(self, invoice_ids: Sequence[str]) -> Outcome:
        """Delete drafts."""
        act = self.act()
        return self._each(invoice_ids, lambda connection, some: delete_drafts(connection, some, act))

    def close(self, invoice_ids: Sequence[str], paid_on: date | None = None) -> Outcome:
        """Close documents that were paid on a day, today if None.

        Raises:
            WrongUsage: the day is yet to come.
        """
        act = self.act()
        return self._each(invoice_ids, lambda connection, some: close(connection, some, paid_on or act.day, act))

    def void(self, invoice_ids: Sequence[str], reason: str) -> Outcome:
        """Make documents void.

        Raises:
            ReasonMissing: no reason is given.
        """
        act = self.act()
        return self._each(invoice_ids, lambda connection, some: void(connection, some, reason, act))

    def draft_credit_note(self, invoice_id: str, line_numbers: Sequence[int] | None, reason: str) -> Invoice:
        """Draft a credit note for lines of an issued document, all of them if None.

        Raises:
            BillingError: there is no such document, or it cannot be corrected so.
        """
        UnfinishedWork(self.workspace.home).begin_change()
        with self.engine.begin() as connection:
            return draft_credit_note(connection, invoice_id, line_numbers, reason, self.act())

    def mark_past_due(self) -> tuple[Moved, ...]:
        """Mark every open invoice past due whose due date has passed."""
        with self._changing() as moved, self.engine.begin() as connection:
            moved.extend(mark_past_due(connection, self.act()))
        return tuple(moved)

    def _each(self, invoice_ids: Sequence[str], operation: Callable[[Connection, Sequence[str]], Outcome]) -> Outcome:
        refused: list[Refused] = []
        with self._changing() as moved:
            for some in _batches(invoice_ids):
                with self.engine.begin() as connection:
                    outcome = operation(connection, some)
                moved.extend(outcome.moved)
                refused.extend(outcome.refused)
        return Outcome(tuple(moved), tuple(refused))

    @contextmanager
    def _changing(self) -> Iterator[list[Moved]]:
        """Mark that the ledger will be ahead of the warehouse; give a list for what is moved, empty if nothing was."""
        work = UnfinishedWork(self.workspace.home)
        mark, moved = work.begin_change(), list[Moved]()
        yield moved
        if not moved:
            work.finish_changes(mark)


def approval_mail(invoice: Invoice, template: str = SUBJECT) -> tuple[str, str, str]:
    """Return recipient, subject and Message-ID of the mail that tells a customer of an approved document.

    Args:
        template: of the subject, as `[mail] subject` in billing.toml.
    """
    organisation = invoice.organisation
    domain = (organisation.email or "").rpartition("@")[2]
    if not domain or not domain.isascii():
        # A Message-ID is ASCII; this one is as unique, and the same at every attempt.
        domain = f"{organisation.id}.invalid"
    subject = mail_subject(invoice, template)
    return str(invoice.customer.email), subject, message_id_of(invoice.invoice_id, "approved", domain)


def _batches(invoice_ids: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(invoice_ids)
    while some := list(islice(rest, DOCUMENTS_AT_ONCE)):
        yield some
