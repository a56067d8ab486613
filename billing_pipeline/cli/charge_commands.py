"""`billing charges`: the customer-charges list as files."""

from pathlib import Path
from typing import Annotated

import duckdb
import typer

from billing_pipeline.cli.output import OUT
from billing_pipeline.cli.reports import NothingPublished
from billing_pipeline.periods import days_between, parse_day
from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES
from resources.connections import EXPORT_MEMORY, WorkspaceResource
from resources.exports import ExportRequest, export_charges
from resources.lake import Lake
from resources.relations import mark_current, read_deliveries, read_partitions
from resources.workspace import Workspace

app = typer.Typer(help="Customer charges: what end customers are to be charged.", no_args_is_help=True)


@app.callback()
def charges() -> None:
    """Customer charges: what end customers are to be charged."""


@app.command("export")
def export_command(
    out: Annotated[Path, typer.Option("--out", metavar="PATH", help="File (.xlsx, .csv, .parquet) or folder.")],
    first: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First day of arrival.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day of arrival.")] = None,
    columns: Annotated[str | None, typer.Option("--columns", metavar="A,B", help="Columns, in order.")] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="EXPR", help="Filter, e.g. \"Currency = 'EUR'\".")
    ] = None,
    sort: Annotated[str | None, typer.Option("--sort", metavar="C[:desc]", help="Columns to sort by.")] = None,
    formats: Annotated[str | None, typer.Option("--format", metavar="xlsx,csv,parquet", help="Formats.")] = None,
) -> None:
    """Write the customer charges of some days of arrival, or of all, as a workbook, CSV or Parquet."""
    workspace = Workspace.from_environment()
    request = ExportRequest.parse(columns=columns, where=where, sort=sort, formats=formats)
    organisation = workspace.load_config().organisation
    resource = WorkspaceResource(home=str(workspace.home))
    with resource.session(memory_limit=EXPORT_MEMORY, threads=1) as connection:
        _name_charges(connection, workspace, first, last)
        summary = export_charges(
            connection,
            "select * from chosen_charges",
            request,
            out,
            show_invoice_numbers=organisation.show_invoice_numbers,
            invoice_link=organisation.invoice_link,
        )
    sheets = f" in {len(summary.sheets)} sheets" if len(summary.sheets) > 1 else ""
    for file in summary.files:
        OUT.print(f"{summary.rows:,} charges{sheets}: {file}", markup=False, soft_wrap=True)
    if summary.rows_without_link:
        OUT.print(f"{summary.rows_without_link:,} rows are without link: a sheet takes 65,530 of them")
    if summary.shortened_cells:
        OUT.print(f"{summary.shortened_cells:,} texts were cut at the 32,767 characters a cell takes; CSV is whole")


def _name_charges(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, first: str | None, last: str | None
) -> None:
    """Name `chosen_charges`: current charges of the chosen days of arrival."""
    lake = Lake(workspace.lake)
    present = lake.partitions(CUSTOMER_CHARGES.name)
    if not present:
        raise NothingPublished("there are no customer charges yet; `billing run` makes them")
    if first is not None and last is not None:
        days_between(parse_day(first), parse_day(last))
    low = None if first is None else parse_day(first).isoformat()
    high = None if last is None else parse_day(last).isoformat()
    chosen = [day for day in present if (low is None or low <= day) and (high is None or day <= high)]
    read_partitions(connection, "day_charges", CUSTOMER_CHARGES, lake, chosen)
    read_deliveries(connection, lake, None)
    mark_current(connection)
    connection.execute(
        "create or replace temp view chosen_charges as select * from day_charges"
        " where delivery_id in (select delivery_id from known_deliveries where is_current)"
    )
