"""`billing charges`: the customer-charges list as files and on the screen."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

import duckdb
import typer

from billing_pipeline.charges.request import FORMATS, ExportInvalid, View
from billing_pipeline.cli.charge_listing import show_page
from billing_pipeline.cli.charge_options import (
    Columns,
    Filters,
    FirstDay,
    LastDay,
    Sort,
    ViewName,
    Where,
    chosen_days,
    chosen_view,
)
from billing_pipeline.cli.output import OUT, show_table
from resources.charge_pages import ChargePages
from resources.chosen_charges import CHOSEN_CHARGES, name_charges
from resources.exports import ExportSummary, ListOrigin, export_charges
from resources.lake import Lake
from resources.mapped_charges import export_mapped, sorted_for
from resources.mapping_files import load_mapping, mapping_files
from resources.session import export_session
from resources.workspace import Workspace

app = typer.Typer(help="Customer charges: what end customers are to be charged.", no_args_is_help=True)


@app.callback()
def charges() -> None:
    """Customer charges: what end customers are to be charged."""


@app.command("export")
def export_command(
    out: Annotated[Path, typer.Option("--out", metavar="PATH", help="File (.xlsx, .csv, .parquet) or folder.")],
    first: FirstDay = None,
    last: LastDay = None,
    view: ViewName = None,
    columns: Columns = None,
    where: Where = None,
    filters: Filters = None,
    sort: Sort = None,
    formats: Annotated[str | None, typer.Option("--format", metavar="xlsx,csv,parquet", help="Formats.")] = None,
    mapping: Annotated[
        str | None,
        typer.Option("--mapping", metavar="NAME", help="CSV for another tool; `billing charges mappings` lists them."),
    ] = None,
) -> None:
    """Write the customer charges of some days of arrival, or of all, as a workbook, CSV or Parquet."""
    workspace = Workspace.from_environment()
    config = workspace.load_config()
    if mapping is not None:
        if columns is not None or formats is not None:
            raise ExportInvalid("--mapping says columns and format itself; leave out --columns and --format")
        wish = chosen_view(config, view, where=where, filters=filters, sort=sort)
        _report(_export_mapped(workspace, mapping, wish, chosen_days(first, last), out))
        return
    if formats is None and out.suffix[1:].lower() in FORMATS:
        # The file's name says more than the view, whose formats are for folders.
        formats = out.suffix[1:]
    request = chosen_view(
        config, view, columns=columns, where=where, filters=filters, sort=sort, formats=formats
    ).request()
    with export_session(workspace.home) as connection:
        found = name_charges(connection, Lake(workspace.lake), *chosen_days(first, last))
        summary = export_charges(
            connection,
            CHOSEN_CHARGES,
            request,
            out,
            show_invoice_numbers=config.organisation.show_invoice_numbers,
            invoice_link=config.organisation.invoice_link,
            origin=ListOrigin.of_days(config.organisation.name, found),
        )
    _report(summary)


@app.command("list")
def list_command(
    first: FirstDay = None,
    last: LastDay = None,
    view: ViewName = None,
    columns: Columns = None,
    where: Where = None,
    filters: Filters = None,
    sort: Sort = None,
    page: Annotated[int | None, typer.Option("--page", min=1, help="Only this page; 1 is the first.")] = None,
    page_size: Annotated[int, typer.Option("--page-size", min=1, max=10_000, help="Rows of a page.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show the customer charges page by page: in a terminal through the pager, else the first page, or --page."""
    workspace = Workspace.from_environment()
    config = workspace.load_config()
    request = chosen_view(config, view, columns=columns, where=where, filters=filters, sort=sort).request()
    with _named_charges(workspace, chosen_days(first, last)) as connection:
        pages = ChargePages(connection, CHOSEN_CHARGES, request, page_size, config.organisation.show_invoice_numbers)
        show_page(pages, request.columns, page, as_json)


@app.command("mappings")
def mappings_command(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Print this one, to copy and change.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the mappings for other tools: the ready ones, and those in the workspace's mappings folder."""
    workspace = Workspace.from_environment()
    files = mapping_files(workspace)
    if name is not None:
        load_mapping(workspace, name)
        typer.echo(files[name].read_text(encoding="utf-8"), nl=False)
        return
    loaded = {known: load_mapping(workspace, known) for known in files}
    rows = [
        [known, one.description, len(one.columns), "own" if files[known].parent == workspace.mappings else "ready"]
        for known, one in loaded.items()
    ]
    show_table("Mappings", ["name", "description", "columns", "kind"], rows, as_json)


def _export_mapped(
    workspace: Workspace, name: str, wish: View, days: tuple[date | None, date | None], out: Path
) -> ExportSummary:
    mapping = load_mapping(workspace, name)
    request = sorted_for(mapping, wish.request(), is_sort_wished=wish.sort is not None)
    target = out / f"{name}.csv" if out.is_dir() or not out.suffix else out
    organisation = workspace.load_config().organisation
    with _named_charges(workspace, days) as connection:
        return export_mapped(
            connection,
            CHOSEN_CHARGES,
            mapping,
            request,
            target,
            show_invoice_numbers=organisation.show_invoice_numbers,
        )


@contextmanager
def _named_charges(workspace: Workspace, days: tuple[date | None, date | None]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a session that knows the current charges of some days of arrival."""
    with export_session(workspace.home) as connection:
        name_charges(connection, Lake(workspace.lake), *days)
        yield connection


def _report(summary: ExportSummary) -> None:
    sheets = f" in {len(summary.sheets)} sheets" if len(summary.sheets) > 1 else ""
    for file in summary.files:
        OUT.print(f"{summary.rows:,} charges{sheets}: {file}", markup=False, soft_wrap=True)
    if summary.rows_without_link:
        OUT.print(f"{summary.rows_without_link:,} rows are without link: a sheet takes 65,530 of them")
    if summary.shortened_cells:
        OUT.print(f"{summary.shortened_cells:,} texts were cut at the 32,767 characters a cell takes; CSV is whole")
