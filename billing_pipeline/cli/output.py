"""What commands print: tables for people, JSON for programs, errors on stderr."""

import json
import sys
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from billing_pipeline.documents.formatting import plain_decimal
from billing_pipeline.money import round_money

# Into a file or a pipe there is no width to keep to, and a table folded at 80 columns is no use there.
_PIPE_WIDTH = 180
OUT = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
ERR = Console(stderr=True, highlight=False)

_RIGHT = (
    "amount", "total", "rows", "charges", "invoices", "quantity", "subtotal", "margin", "difference", "sell", "change",
    "priced",
)  # fmt: skip


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], as_json: bool) -> None:
    """Print rows as a table, or as a JSON list of objects keyed by column.

    Args:
        columns: snake_case names; a table shows them with blanks.
        rows: values in the order of the columns; Decimal and dates are printed exactly, as text in JSON.
    """
    if as_json:
        typer.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], default=_json, indent=2))
        return
    OUT.print(title, style="bold", markup=False, soft_wrap=True)
    table = Table(header_style="bold")
    for column in columns:
        is_number = any(word in column for word in _RIGHT)
        table.add_column(column.replace("_", " "), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        # Text: what a vendor, a customer or a server wrote is no markup of Rich's.
        table.add_row(*(Text("" if cell is None else _text(cell)) for cell in row))
    OUT.print(table)


def money(amount: Decimal | None, currency: str) -> str:
    """Return an amount with its currency's decimals and group separators, or nothing."""
    return "" if amount is None else f"{round_money(amount, currency):,}"


def complain(text: str) -> None:
    """Print one problem on stderr."""
    ERR.print(text, markup=False, soft_wrap=True)


def _json(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _text(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="minutes")
    if isinstance(cell, Decimal):
        return plain_decimal(cell, at_least=2)
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)
