"""`billing whatif`: what a billing month would cost the customers under other terms."""

import csv
import io
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import polars as pl

from billing_pipeline.cli.output import OUT, money, show_table
from billing_pipeline.documents.formatting import plain_decimal, text_cell
from billing_pipeline.errors import WrongUsage
from billing_pipeline.periods import BillingPeriod
from resources.lake import replacing
from resources.whatif import compare_terms
from resources.workspace import Workspace

_HEADERS = (
    "sell_before", "sell_after", "change", "change_%", "margin_before", "margin_after", "charges", "newly_priced",
    "newly_unpriced",
)  # fmt: skip
# How exactly a table shows percentages; JSON and CSV have all digits.
_PERCENT = Decimal("0.01")


class WhatIfInvalid(WrongUsage):
    """A comparison that cannot be made as it was asked for."""


def what_if(
    workspace: Workspace, period: BillingPeriod, terms: Path, by_product: bool, out: Path | None, as_json: bool
) -> None:
    """Print what a month's prices would be under other terms; write them as CSV too if a file is named.

    Raises:
        WhatIfInvalid: there is no folder of terms.
    """
    if not terms.is_dir():
        raise WhatIfInvalid(f"{terms} is no folder; name one with the reference files to try, e.g. pricing_rules.csv")
    changes = compare_terms(workspace, period, terms, by_product)
    if not by_product:
        changes = changes.drop("product_id", "product_name")
    if out is not None:
        _write_csv(changes, out)
    if as_json:
        show_table("What if", changes.columns, changes.rows(), as_json=True)
        return
    rows = [_shown(row, by_product) for row in changes.iter_rows(named=True)]
    columns = ["customer", *(["product"] if by_product else []), "currency", *_HEADERS]
    show_table(f"{period} under the terms of {terms}", columns, rows, as_json=False)
    if out is not None:
        OUT.print(str(out), markup=False, soft_wrap=True)


def _shown(row: Mapping[str, Any], by_product: bool) -> Sequence[str]:
    """Return a row as people read it: rounded amounts, names beside ids."""
    currency, percent = row["currency"], row["change_percent"]
    return [
        "all customers" if row["is_total"] else _named(row["customer_id"], row["customer_name"]),
        *([_named(row["product_id"], row["product_name"])] if by_product else []),
        currency,
        money(row["sell_before"], currency),
        money(row["sell_after"], currency),
        money(row["change"], currency),
        "" if percent is None else plain_decimal(percent.quantize(_PERCENT, rounding=ROUND_HALF_UP), at_least=2),
        money(row["margin_before"], currency),
        money(row["margin_after"], currency),
        f"{row['charges']:,}",
        f"{row['newly_priced']:,}",
        f"{row['newly_unpriced']:,}",
    ]


def _named(key: str | None, name: str | None) -> str:
    return key or "" if name is None or name == key else f"{key} {name}"


def _write_csv(changes: pl.DataFrame, out: Path) -> None:
    """Write the exact numbers; a text that a spreadsheet would take for a formula gets an apostrophe."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(changes.columns)
    writer.writerows([_cell(value) for value in row] for row in changes.iter_rows())
    with replacing(out) as temporary:
        temporary.write_bytes(buffer.getvalue().encode())


def _cell(value: object) -> str:
    if isinstance(value, Decimal):
        return plain_decimal(value, at_least=2)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else text_cell(value) if isinstance(value, str) else str(value)
