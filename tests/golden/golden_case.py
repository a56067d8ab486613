"""A golden case: a folder with vendor files and reference files in, and what people must read at the end.

The folder holds `landing/` and `reference/` as in a workspace, and `expected/` with `Customer Charges.csv` (cells of
the workbooks, oldest day first, by their headers; `Invoice # link` is where that cell leads) and any table of the
warehouse as `<table>.csv`. Only the columns that the file names are compared, all rows are. A case that tells a story
has one such set for each moment, in folders `on_<day>` or `on_<day>T<hour>`: its files are dropped then, the clock at
it, on top of those of before. A case whose organisation or sources are others than those of all cases has a
`billing.toml` of its own.
"""

import csv
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from dagster import DagsterInstance
from openpyxl import load_workbook

from billing_pipeline.charges.columns import find_column
from billing_pipeline.cli.jobs import Jobs
from resources import clock
from resources.archive import Archive
from resources.explanations import charge_reader
from resources.intake import open_inbox
from resources.workspace import Workspace

GOLDEN = Path(__file__).resolve().parent
WORKBOOK = "Customer Charges"
LINK = " link"
# A case of one moment tells no story: everything was there at the end of the year.
ONLY_MOMENT = "2025-12-31"
_NUMBERS = ("DECIMAL", "BIGINT", "INTEGER", "HUGEINT")


@dataclass(frozen=True)
class Moment:
    """What is dropped at an instant, and what must be read after the run that follows.

    Attributes:
        folder: with `landing/`, `reference/` and `expected/`, each of them optional.
        at: when, for the files' times and for the clock.
    """

    folder: Path
    at: datetime

    @property
    def expected(self) -> list[Path]:
        """The files that say what must be read."""
        return sorted((self.folder / "expected").glob("*.csv"))


def case_folders() -> list[str]:
    """Return the names of all cases."""
    return sorted(path.parent.name for path in GOLDEN.glob("*/README.md"))


def moments(case: str) -> list[Moment]:
    """Return the moments of a case, in order."""
    folder = GOLDEN / case
    days = sorted(folder.glob("on_*"))
    if not days:
        return [Moment(folder, _instant(ONLY_MOMENT))]
    return [Moment(day, _instant(day.name.removeprefix("on_"))) for day in days]


def new_workspace(home: Path, case: str | None = None) -> Workspace:
    """Make an empty workspace of a case's organisation, or of the one that all cases share."""
    home.mkdir(parents=True, exist_ok=True)
    own = GOLDEN / (case or "") / "billing.toml"
    shutil.copyfile(own if own.exists() else GOLDEN / "billing.toml", home / "billing.toml")
    return Workspace.at(home)


def run_moment(workspace: Workspace, moment: Moment, instance: DagsterInstance, patch: pytest.MonkeyPatch) -> None:
    """Drop a moment's files and run every day on which anything ever arrived, as `billing run --from --to` does."""
    for part in ("landing", "reference"):
        for file in sorted((moment.folder / part).rglob("*.csv")):
            target = workspace.home / part / file.relative_to(moment.folder / part)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
            os.utime(target, (moment.at.timestamp(), moment.at.timestamp()))
    patch.setattr(clock, "utc_now", lambda: moment.at)
    config = workspace.load_config()
    days = open_inbox(workspace.home, config, Archive(workspace.archive)).days(config.organisation.zone)
    Jobs(workspace, instance).run_days(days, days, publish=True)


def expected_lines(file: Path, numbers: set[str]) -> list[str]:
    """Return the rows of an expectation as text; `150.00` and `150` are one number."""
    with file.open(encoding="utf-8", newline="") as text:
        header, *rows = csv.reader(text, strict=True)
    return [
        _line(
            _plain(Decimal(cell)) if name in numbers and cell else cell for name, cell in zip(header, row, strict=True)
        )
        for row in rows
    ]


def columns_of(file: Path) -> list[str]:
    """Return the columns that an expectation names."""
    with file.open(encoding="utf-8", newline="") as text:
        return next(csv.reader(text, strict=True))


def workbook_lines(workspace: Workspace, columns: list[str]) -> list[str]:
    """Return cells of the workbooks as text, the workbook of the oldest day first, its rows from top to bottom."""
    lines = []
    for path in sorted(workspace.exports.glob(f"customer_charges/*/{WORKBOOK}.xlsx")):
        header, *rows = load_workbook(path)[WORKBOOK].iter_rows()
        cells = []
        for row in rows:
            named = {str(name.value): cell for name, cell in zip(header, row, strict=True)}
            links = {name + LINK: cell.hyperlink.target for name, cell in named.items() if cell.hyperlink is not None}
            cells.append({name: None for name in columns if name.endswith(LINK)} | links)
            cells[-1] |= {name: cell.value for name, cell in named.items()}
        lines += [_line(_text(row[name]) for name in columns) for row in cells]
    return lines


def workbook_numbers(columns: list[str]) -> set[str]:
    """Return the headers above numbers."""
    found = {name: find_column(name) for name in columns}
    return {name for name, column in found.items() if column is not None and column.kind in {"number", "price"}}


def warehouse_lines(workspace: Workspace, table: str, columns: list[str]) -> tuple[set[str], list[str]]:
    """Return which columns of a table hold numbers, and the columns of all rows as text, sorted."""
    named = ", ".join(f'"{name}"' for name in columns)
    with duckdb.connect(str(workspace.warehouse), read_only=True) as warehouse:
        warehouse.execute("set TimeZone = 'UTC'")
        result = warehouse.execute(f"select {named} from {table}")
        kinds = {str(column[0]): str(column[1]) for column in result.description or []}
        rows = result.fetchall()
    numbers = {name for name, kind in kinds.items() if kind.startswith(_NUMBERS)}
    return numbers, sorted(_line(_text(value) for value in row) for row in rows)


def differences_in_cents(workspace: Workspace) -> list[tuple[object, ...]]:
    """Return the currencies whose buckets do not add up to exactly what the vendors' rows do."""
    query = (
        "with billed as"
        " (select billing_currency as currency, sum(billed_cost) as amount from vendor_charges group by 1),"
        " bucketed as (select currency, sum(amount) as amount from usage_reconciliation group by 1)"
        " select * from billed full join bucketed using (currency)"
        " where billed.amount is distinct from bucketed.amount"
    )
    with duckdb.connect(str(workspace.warehouse), read_only=True) as warehouse:
        return list(warehouse.execute(query).fetchall())


def uncounted_rows(workspace: Workspace) -> list[tuple[object, ...]]:
    """Return current deliveries whose rows or cost are not those of their customer charges and excluded charges."""
    query = (
        "with parts as (select delivery_id, currency, row_count, total_cost_price as cost from customer_charges"
        " union all select delivery_id, currency, row_count, total_cost from excluded_charges),"
        " counted as"
        " (select delivery_id, currency, sum(row_count) as row_count, sum(cost) as cost from parts group by all)"
        " select deliveries.delivery_id, deliveries.row_count, counted.row_count, total_cost, cost from deliveries"
        " full join counted using (delivery_id, currency) where coalesce(is_current, true)"
        " and (deliveries.row_count is distinct from counted.row_count or total_cost is distinct from cost)"
    )
    with duckdb.connect(str(workspace.warehouse), read_only=True) as warehouse:
        return list(warehouse.execute(query).fetchall())


def _instant(text: str) -> datetime:
    """Read a day, which means its noon, or a day and hour; in UTC."""
    return datetime.fromisoformat(text if "T" in text else f"{text}T12").replace(tzinfo=UTC)


def _line(cells: Iterator[str]) -> str:
    return " | ".join(cells)


def _text(value: object) -> str:
    """Write a value as it stands in an expectation."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | Decimal):
        # The shortest decimal that is the cell's number.
        return _plain(value if isinstance(value, Decimal) else Decimal(repr(value)))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.tzinfo is None else value.astimezone(UTC).isoformat()
    return str(value)


def _plain(number: Decimal) -> str:
    """Write a number without exponent and trailing zeros, all its digits kept."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def contradictions(workspace: Workspace) -> list[str]:
    """Return what does not agree where every charge is explained: arithmetic, term, mapping, vendor rows."""
    with charge_reader(workspace) as reader:
        charges = reader.explain(reader.items("true", {}, None), None)
    found = [f"{charge.item['charge_id']}: {problem}" for charge in charges for problem in charge.problems]
    found += [
        f"{charge.item['charge_id']}: no term"
        for charge in charges
        if charge.item["total_sell"] is not None
        and charge.item["price_term"] != "pass_through"
        and not (charge.terms or charge.credited)
    ]
    return found
