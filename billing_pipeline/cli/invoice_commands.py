"""`billing invoices`: drafts, lists, statements in the terminal, documents as files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from billing_pipeline.cli import invoice_operations, statement_commands
from billing_pipeline.cli.document_choice import ChoiceInvalid
from billing_pipeline.cli.document_exports import (
    COST_HELP,
    CurrencyOption,
    ForCustomersOption,
    export_documents,
    formats_of,
)
from billing_pipeline.cli.draft_options import (
    ApplyCredits,
    IncludeMarketplaceFees,
    IncludeTax,
    OverrideUnsettled,
    UseCreditsForMarketplaceFees,
    draft_config,
    draft_options,
    period_to_draft,
)
from billing_pipeline.cli.jobs import open_jobs
from billing_pipeline.cli.month_documents import complain_of_missing
from billing_pipeline.cli.output import OUT, show_table
from billing_pipeline.cli.reference_notices import take_reference
from billing_pipeline.documents.formatting import format_amount
from billing_pipeline.ledger.documents import list_errors, list_invoices
from billing_pipeline.ledger.life import DRAFT
from billing_pipeline.periods import BillingPeriod
from resources.document_files import FORMATS
from resources.ledger import open_ledger, reading
from resources.workspace import Workspace

app = typer.Typer(help="Invoice documents of end customers.", no_args_is_help=True)
statement_commands.register(app)
invoice_operations.register(app)

MonthOption = Annotated[str | None, typer.Option("--month", metavar="YYYY-MM", help="Billing period.")]
CustomerOption = Annotated[list[str] | None, typer.Option("--customer", metavar="ID", help="Customer; repeatable.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

_FORMAT_HELP = f"Of {', '.join(FORMATS)}."

_COLUMNS = (
    "invoice_id",
    "invoice_number",
    "status",
    "customer_id",
    "customer_name",
    "billing_period",
    "currency",
    "subtotal",
    "tax_total",
    "credits_applied",
    "total",
    "due_date",
)


@app.command("draft")
def draft_command(
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", help="Billing period; default: last month.")
    ] = None,
    customer: CustomerOption = None,
    apply_credits: ApplyCredits = False,
    include_tax: IncludeTax = False,
    include_marketplace_fees: IncludeMarketplaceFees = False,
    use_credits_for_marketplace_fees: UseCreditsForMarketplaceFees = False,
    override_unsettled: OverrideUnsettled = None,
    as_json: JsonOption = False,
) -> None:
    """Make or replace the drafts of a billing period from what the lake holds; other documents are never touched.

    Exits 1 if a customer got no draft; stderr says why. Customers whose month is invoiced are named there, too.
    """
    options = draft_options(
        apply_credits,
        include_tax,
        include_marketplace_fees,
        use_credits_for_marketplace_fees,
        override_unsettled,
        customer,
    )
    workspace = Workspace.from_environment()
    period = period_to_draft(workspace, month)
    refused = take_reference(workspace)
    with open_jobs(workspace) as jobs:
        jobs.run_month(period, draft_config(options, "billing invoices draft"))
    _list(workspace, period.text, customer, None, as_json)
    with reading(open_ledger(workspace.load_config().ledger.url, workspace.home)).connect() as connection:
        errors = [
            error for error in list_errors(connection, period.text) if not customer or error.customer_id in customer
        ]
    if complain_of_missing(errors) or refused:
        raise typer.Exit(1)


@app.command("list")
def list_command(
    month: MonthOption = None,
    customer: CustomerOption = None,
    status: Annotated[str | None, typer.Option("--status", help="draft, open, past due, closed or void.")] = None,
    for_customers: ForCustomersOption = False,
    as_json: JsonOption = False,
) -> None:
    """List documents."""
    period = None if month is None else BillingPeriod.parse(month).text
    _list(Workspace.from_environment(), period, customer, status, as_json, for_customers)


@app.command("export")
def export_command(
    invoice_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Documents.")] = None,
    month: MonthOption = None,
    customer: CustomerOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Every document.")] = False,
    formats: Annotated[str, typer.Option("--format", metavar="pdf,csv", help=_FORMAT_HELP)] = "pdf,csv",
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder; default exports/invoices.")] = None,
    with_cost: Annotated[bool, typer.Option("--with-cost", help=COST_HELP)] = False,
    currency: CurrencyOption = None,
    for_customers: ForCustomersOption = False,
) -> None:
    """Write documents as files, chosen by id, --customer, --month or --all."""
    if not (invoice_ids or month or customer or everything):
        raise ChoiceInvalid("name documents by id, --customer, --month or --all")
    wanted = formats_of(formats)
    workspace = Workspace.from_environment()
    period = None if month is None else BillingPeriod.parse(month).text
    for path in export_documents(
        workspace,
        period,
        customer,
        wanted,
        out,
        invoice_ids,
        with_cost=with_cost,
        currency=currency,
        for_customers=for_customers,
    ):
        OUT.print(str(path), markup=False, soft_wrap=True)


def _list(
    workspace: Workspace,
    period: str | None,
    customers: Sequence[str] | None,
    status: str | None,
    as_json: bool,
    for_customers: bool = False,
) -> None:
    with reading(open_ledger(workspace.load_config().ledger.url, workspace.home)).connect() as connection:
        found = list_invoices(connection, period=period, status=status)
    chosen = [
        summary
        for summary in found
        if (not customers or summary.customer_id in customers) and not (for_customers and summary.status == DRAFT)
    ]
    if as_json:
        show_table("Invoices", _COLUMNS, [[getattr(summary, name) for name in _COLUMNS] for summary in chosen], True)
        return
    rows = [
        [
            summary.invoice_id,
            summary.invoice_number,
            summary.status,
            summary.customer_name,
            format_amount(summary.total, summary.currency),
            summary.currency,
            summary.due_date if summary.total > 0 else None,
        ]
        for summary in chosen
    ]
    show_table("Invoices", ["invoice_id", "number", "status", "customer", "total", "", "due_date"], rows, as_json=False)
