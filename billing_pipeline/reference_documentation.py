"""The page that explains every column of every reference file, made from their declaration.

`python -m billing_pipeline.reference_documentation > docs/reference.md` writes it; a test compares the two.
"""

import sys

from billing_pipeline.schemas.reference import REFERENCE_FILES
from billing_pipeline.schemas.reference_file import CaseRule, Column, Kind, ReferenceFile

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

A term holds from `valid_from` to the day before `valid_to`. It is never edited in place: a change is a new row. Two \
rows of the same key may overlap only if one was recorded later; that one then supersedes. `recorded_at` is the \
instant at which a row became known; without it, the start of the day on which the row first arrived, for which every \
version of a file is kept in `archive/reference/`.

A set with any problem is refused whole, and every problem is named with file, row, column and value.
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
    rules += [rule for case in file.cases if (rule := _case(case))]
    lines += [f"- {rule}" for rule in rules]
    return "\n".join([*lines, ""])


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
