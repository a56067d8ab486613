"""The page that explains every column of every reference file, made from their declaration.

`python -m billing_pipeline.reference_documentation > docs/reference.md` writes it; a test compares the two.
"""

import sys

from billing_pipeline.schemas.reference import REFERENCE_FILES
from billing_pipeline.schemas.reference_file import CaseRule, Column, Kind, ReferenceFile, Tiers

_KINDS: dict[Kind, str] = {
    "text": "text",
    "date": "date `YYYY-MM-DD`",
    "instant": "instant, ISO 8601 with zone",
    "percent": "percent, at most 4 decimals (`12.5` is 12.5 %)",
    "amount": "amount, at most 18 decimals",
    "quantity": "quantity, at most 18 decimals",
    "currency": "ISO 4217 currency",
    "currencies": "ISO 4217 currencies, `;`-separated",
    "country": "ISO 3166-1 alpha-2 country",
    "boolean": "`true` or `false`",
    "integer": "whole number",
    "choice": "",
}

_INTRODUCTION = """\
# Reference files

Made by `python -m billing_pipeline.reference_documentation` from `billing_pipeline/schemas/`; change it there.

They stand in the workspace's `reference/` folder as `<name>.csv`: UTF-8 (BOM allowed), comma, quotes after RFC 4180, \
columns found by their header's name. Required columns must be in the header; others may be left out. An unknown \
column is an error that names it. Blanks around a cell and blank lines are ignored.

## Two times

**When a row applies**: from `valid_from` to the day before `valid_to`. Two rows of the same key may apply on the \
same day only if one was recorded later; that one then supersedes.

**When a row became known**: its `recorded_at`. A row without one counts as known from the file's time on, when the \
version of the file that brought it arrived; the rows of the first set of all from the start of that day. It stays \
known until a version without it arrives. A row is its cells: its place in the file, the order of the columns and \
empty columns do not matter, but a row in which one cell was changed is another row.

A charge is priced with the rows that were known when its delivery arrived, or, for an order in the reseller's own \
storefront, when it was ordered. Only where none was known, the row that became known first afterwards fills the gap. \
So a price that exists never changes, whatever is written into the files later.

Every run that needs the files takes them into use, all together: the versions are kept in `archive/reference/`, each \
once by its SHA-256, and `archive/reference/journal/` says which were taken when. `billing.toml` is archived with \
them. `billing rebuild --as-of` reads both to make a month again.

## To change a price

Add a row with the new price and the day from which it applies as `valid_from`; leave `recorded_at` empty. The old \
row may stay as it is, or end with a `valid_to` on the same day. Overwriting the old row does the same for what \
arrives from now on: what arrived before keeps the old price, because the old row was known then. Of a price with \
tiers a single row may be changed.

A price that was missing needs no more than the row: the next run of those days fills the gap (`billing run --month`).

## To correct a price that was used already

Write the right row in the place of the wrong one, and give it a `recorded_at` of its own: not before the wrong row \
became known (its `recorded_at`, or the time at which it arrived), and before the deliveries arrived that it should \
correct. Then run the month again. Documents that were issued keep their amounts.

## A set with an error

The files are one set, and a set with any problem is refused whole: half a price list is worse than none. Every \
problem is named with file, row, column and value. The last good set stays in force, `billing run` says so on stderr \
with the instant at which that set was taken into use, goes on with it and exits with 1; in Dagster the check \
`reference_files_are_in_force` of `priced_line_items` and `invoice_drafts` fails without blocking anything. Where \
there never was a good set, nothing can be priced.

Beside the rules below, a set must agree in this:

- Sources of `accounts` and `products`, and vendors that a `scope_id` names, are those of `billing.toml`. A row whose \
`valid_to` is over may name one that is no more. A product that a `scope_id` or `product_id` names may be a vendor's \
own sku, and need not be in `products`.
- A pricebook of a customer or account, a fixed special price, and amounts of support plans, custom charges and \
credits are in the customer's `invoice_currency` or one of its `enabled_currencies`.
"""


def reference_markdown() -> str:
    """Return the whole page as Markdown."""
    return "\n".join([_INTRODUCTION, *(_section(file) for file in REFERENCE_FILES)])


def _section(file: ReferenceFile) -> str:
    lines = [f"## {file.name}", "", file.meaning, ""]
    lines += ["| column | required | value | meaning | example |", "| --- | --- | --- | --- | --- |"]
    lines += [_row(column) for column in file.columns]
    lines.append("")
    rules = [f"Unique: {_names(key.columns)}." for key in file.unique]
    if file.overlap_key:
        rules.append(f"Valid ranges must not overlap within one {_names(file.overlap_key)} recorded at one instant.")
    if file.tiers:
        rules.append(_tiers(file.tiers))
    rules += [rule for case in file.cases if (rule := _case(case))]
    lines += [f"- {rule}" for rule in rules]
    return "\n".join([*lines, ""])


def _tiers(tiers: Tiers) -> str:
    return (
        f"Tiers: the rows of one {_names(tiers.key)} that apply on one day begin at `{tiers.lower}` 0 and leave no gap;"
        f" recorded at one instant they do not overlap and have one {_names(tiers.agree)}."
    )


def _row(column: Column) -> str:
    value = " or ".join(f"`{choice}`" for choice in column.choices) or _KINDS[column.kind]
    if column.minimum is not None:
        value += f", {column.minimum} or more"
    elif column.above is not None:
        value += f", more than {column.above}"
    if column.references:
        value += f", in [{column.references}](#{column.references})"
    required = "yes" if column.filled else "header" if column.required else ""
    example = f"`{column.example}`" if column.example else ""
    return f"| {column.name} | {required} | {value} | {column.meaning} | {example} |"


def _case(case: CaseRule) -> str:
    parts = []
    if case.needs:
        parts.append(f"needs {_names(case.needs)}")
    if case.needs_one_of:
        parts.append(f"needs one of {_names(case.needs_one_of)}")
    if case.forbids:
        parts.append(f"takes no {_names(case.forbids)}")
    if case.percent_from is not None:
        parts.append(f"percent {case.percent_from} or more")
    if case.percent_to is not None:
        parts.append(f"percent {case.percent_to} or less")
    return f"{case.column} `{case.value}`: {'; '.join(parts)}." if parts else ""


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(reference_markdown())
