"""What a run of invoice drafts would make; nothing is written, numbered or locked."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from billing_pipeline.invoicing import Drafted, DraftOptions, InvoiceError
from billing_pipeline.ledger.documents import list_invoices
from billing_pipeline.ledger.life import DRAFT, VOID
from billing_pipeline.periods import BillingPeriod
from resources.invoice_runs import Books, preview_drafts
from resources.lake import Lake
from resources.ledger import open_ledger, reading
from resources.reference_files import load_reference
from resources.session import duckdb_session
from resources.workspace import Workspace


def preview_month(workspace: Workspace, period: BillingPeriod, options: DraftOptions) -> Drafted:
    """Make the drafts of a billing period as a run would, from its current deliveries, and keep none.

    Returns:
        The drafts that would be made, and why customers would have none; those that are invoiced already among them.
    """
    config = workspace.load_config()
    reference = load_reference(workspace.home, config.organisation.zone)
    books = Books(config, Lake(workspace.lake), open_ledger(config.ledger.url, workspace.home))
    with (
        TemporaryDirectory(prefix="billing_preview_") as folder,
        duckdb_session(memory_limit="3GB", temp_directory=Path(folder)) as connection,
    ):
        drafted = preview_drafts(connection, books, reference, period, options)
    with reading(books.engine).connect() as ledger:
        numbers = {
            head.customer_id: head.invoice_number
            for head in list_invoices(ledger, period=period.text)
            if head.document_type == "invoice" and head.status not in {DRAFT, VOID}
        }
    free = tuple(invoice for invoice in drafted.invoices if invoice.customer.id not in numbers)
    invoiced = sorted({invoice.customer.id for invoice in drafted.invoices} & numbers.keys())
    errors = [
        *drafted.errors,
        *(
            InvoiceError(customer, period.text, f"already invoiced: {numbers[customer]}", "already_invoiced")
            for customer in invoiced
        ),
    ]
    return replace(drafted, invoices=free, errors=tuple(sorted(errors, key=lambda error: error.customer_id)))
