"""`billing focus`: what customers are charged, in the format their own cost tools read."""

from pathlib import Path
from typing import Annotated, cast

import typer

from billing_pipeline.cli.output import OUT, show_table
from billing_pipeline.periods import BillingPeriod
from resources.focus_export import FocusFormat, FocusRequest, export_focus
from resources.invoice_runs import Books
from resources.lake import Lake
from resources.ledger import open_ledger
from resources.workspace import Workspace

app = typer.Typer(help="The reseller's own charges as FOCUS 1.2, for customers' cost tools.", no_args_is_help=True)
_FORMATS = ("csv", "parquet")


@app.callback()
def focus() -> None:
    """The reseller's own charges as FOCUS 1.2, for customers' cost tools."""


@app.command("export")
def export_command(
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="Billing period of the documents.")],
    out: Annotated[Path, typer.Option("--out", metavar="PATH", help="File to write; a folder with --per-customer.")],
    customers: Annotated[
        list[str] | None, typer.Option("--customer", metavar="ID", help="Only this customer; may be repeated.")
    ] = None,
    is_per_customer: Annotated[
        bool, typer.Option("--per-customer", help="A file for each customer, named focus-MONTH-CUSTOMER.")
    ] = False,
    with_drafts: Annotated[
        bool, typer.Option("--drafts", help="Drafts too, for your own eyes: customers do not see them.")
    ] = False,
    file_format: Annotated[
        str | None, typer.Option("--format", metavar="csv|parquet", help="Default: by the file's name, else csv.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Write a month's issued documents as FOCUS 1.2: charges at customer prices, taxes, credits, roundings.

    The reseller is the invoice issuer and BilledCost the customer's price; the rows of a document add up to its payable
    total exactly. What the reseller pays is not in it. A file of several customers is for the reseller: give a customer
    a file of its own, with --customer or --per-customer. A name that ends in .csv.gz is compressed. Exits 1 if there is
    no issued document, or a customer has none.
    """
    by_name = "parquet" if out.suffix == ".parquet" else "csv"
    chosen = file_format or by_name
    if chosen not in _FORMATS:
        raise typer.BadParameter("choose csv or parquet", param_hint="--format")
    workspace = Workspace.from_environment()
    config = workspace.load_config()
    books = Books(config, Lake(workspace.lake), open_ledger(config.ledger.url, workspace.home))
    request = FocusRequest(
        period=BillingPeriod.parse(month),
        customers=tuple(customers) if customers else None,
        with_drafts=with_drafts,
        file_format=cast(FocusFormat, chosen),
        is_per_customer=is_per_customer,
    )
    files = export_focus(books, request, out)
    if as_json:
        rows = [[str(file.path), file.documents, file.rows] for file in files]
        show_table("FOCUS 1.2", ["path", "documents", "rows"], rows, as_json)
        return
    for file in files:
        OUT.print(f"{file.rows:,} rows of {file.documents:,} documents: {file.path}", markup=False, soft_wrap=True)
