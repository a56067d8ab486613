"""`billing charges list`: pages of customer charges in the terminal, or as JSON."""

import json
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from billing_pipeline.charges.columns import CURRENCY, Column
from billing_pipeline.cli.pager import page_through
from billing_pipeline.documents.formatting import format_amount, format_quantity
from billing_pipeline.money import minor_units
from resources.charge_pages import ChargePages

_WIDEST_TEXT = 60
# Wider than any table of sixteen such columns: the pager scrolls sideways, a pipe has no edge.
_UNBOUNDED = 2_000


def show_page(pages: ChargePages, columns: tuple[Column, ...], page: int | None, as_json: bool) -> None:
    """Print one page; without a number the first, or in a terminal all of them through a pager.

    Raises:
        PageUnknown: the list has no such page.
    """
    if as_json:
        typer.echo(_json_page(pages, columns, page or 1))
    elif page is None and sys.stdout.isatty() and pages.page_count > 1:
        page_through(rendered_pages(pages, columns))
    else:
        typer.echo(_rendered(pages, columns, page or 1), nl=False)


def rendered_pages(pages: ChargePages, columns: tuple[Column, ...]) -> Iterator[str]:
    """Yield every page as text; each is read when the reader has come to it."""
    for page in range(1, pages.page_count + 1):
        yield _rendered(pages, columns, page)


def _rendered(pages: ChargePages, columns: tuple[Column, ...], page: int) -> str:
    rows = pages.read(page)
    table = Table(header_style="bold")
    for column in columns:
        is_number = column.kind in {"number", "price"}
        table.add_column(
            column.header,
            justify="right" if is_number else "left",
            no_wrap=True,
            overflow="ellipsis",
            max_width=None if is_number else _WIDEST_TEXT,
        )
    for row in rows:
        table.add_row(*_cells(columns, row))
    text = StringIO()
    Console(file=text, width=_UNBOUNDED, highlight=False).print(table)
    # A title of Rich's own would be folded to the width of a narrow table.
    lines = [_title(pages, page, len(rows)), *text.getvalue().splitlines()]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _title(pages: ChargePages, page: int, shown: int) -> str:
    if not shown:
        return "Customer charges: no rows"
    first = pages.first_row(page)
    place = f", page {page:,} of {pages.page_count:,}" if pages.page_count > 1 else ""
    return f"Customer charges: rows {first:,}-{first + shown - 1:,} of {pages.row_count:,}{place}"


def _cells(columns: tuple[Column, ...], row: tuple[Any, ...]) -> list[Text]:
    values = dict(zip(columns, row, strict=True))
    # What a vendor or customer wrote is no markup of Rich's, and no control code of the terminal's.
    return [Text(_printable(_shown(column, values[column], values.get(CURRENCY)))) for column in columns]


def _shown(column: Column, value: Any, currency: str | None) -> str:
    """Write a value as the workbook shows it: totals with the currency's decimals, unit prices with all digits."""
    if value is None:
        return ""
    if column.kind == "number":
        return format_quantity(value)
    if column.kind != "price":
        return value.isoformat() if isinstance(value, date) else str(value)
    assert currency is not None  # it is chosen with every price
    if column.name.startswith("total_"):
        return format_amount(value, currency)
    whole, _, decimals = format_quantity(value).partition(".")
    decimals = decimals.ljust(minor_units(currency), "0")
    return f"{whole}.{decimals}" if decimals else whole


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _json_page(pages: ChargePages, columns: tuple[Column, ...], page: int) -> str:
    names = [column.name for column in columns]
    document = {
        "rows": pages.row_count,
        "page": page,
        "pages": pages.page_count,
        "page_size": pages.page_size,
        "charges": [dict(zip(names, row, strict=True)) for row in pages.read(page)],
    }
    return json.dumps(document, default=_plain, indent=2, ensure_ascii=False)


def _plain(value: object) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
