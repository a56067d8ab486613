"""The options by which charges are chosen, as `billing charges export` and `list` take them."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import typer

from billing_pipeline.charges.request import View, choose_view
from billing_pipeline.configuration import WorkspaceConfig
from billing_pipeline.periods import days_between, parse_day

FirstDay = Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First day of arrival.")]
LastDay = Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day of arrival.")]
ViewName = Annotated[
    str | None,
    typer.Option("--view", metavar="NAME", help="[views.NAME] of billing.toml; the options below replace its keys."),
]
Columns = Annotated[str | None, typer.Option("--columns", metavar="A,B", help="Columns, in order.")]
Where = Annotated[str | None, typer.Option("--where", metavar="EXPR", help="Filter, e.g. \"Currency = 'EUR'\".")]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="COLUMN~TEXT|COLUMN=VALUES",
        help='Filter of one column, repeatable: "Customer~acme", "Type=Debit|Credit", "Quantity=1..10",'
        ' "Invoice date=2026-10-01..2026-10-31"; ! before = or ~ for the rest.',
    ),
]
Sort = Annotated[str | None, typer.Option("--sort", metavar="C[:desc],...", help="Columns to sort by.")]


def chosen_view(
    config: WorkspaceConfig,
    name: str | None,
    *,
    columns: str | None = None,
    where: str | None = None,
    filters: Sequence[str] | None = None,
    sort: str | None = None,
    formats: str | None = None,
) -> View:
    """Return the view that was named, or `default`, with the options that were given in the place of its own.

    Raises:
        ExportInvalid: there is no such view.
    """
    given: dict[str, Any] = {
        "columns": None if columns is None else tuple(columns.split(",")),
        "where": where,
        "filters": tuple(filters) if filters else None,
        "sort": sort,
        "formats": None if formats is None else tuple(formats.split(",")),
    }
    # Unchecked here: `View.request` checks, and says it without pydantic's words.
    wishes = View.model_construct(**{key: value for key, value in given.items() if value is not None})
    return choose_view(config.views, name).with_wishes(wishes)


def chosen_days(first: str | None, last: str | None) -> tuple[date | None, date | None]:
    """Return the days of arrival between which charges are wanted; None where it is open.

    Raises:
        PeriodInvalid: one is no day, or they are in the wrong order.
    """
    begin, end = (None if day is None else parse_day(day) for day in (first, last))
    if begin is not None and end is not None:
        days_between(begin, end)
    return begin, end
