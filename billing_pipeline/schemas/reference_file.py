"""The words in which a reference file is declared: columns, kinds, keys, rules of its methods.

What does not belong here: the files themselves (`schemas.reference`), reading cells (`reference_cells`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

import pandera.polars as pa
import polars as pl

Kind = Literal[
    "text", "date", "instant", "percent", "amount", "quantity", "currency", "currencies", "country", "boolean",
    "integer", "choice",
]  # fmt: skip

POLARS_TYPES: Mapping[Kind, pl.DataType] = {
    "text": pl.String(),
    "date": pl.Date(),
    "instant": pl.Datetime("us", "UTC"),
    "percent": pl.Decimal(12, 4),
    "amount": pl.Decimal(38, 18),
    "quantity": pl.Decimal(38, 18),
    "currency": pl.String(),
    "currencies": pl.String(),
    "country": pl.String(),
    "boolean": pl.Boolean(),
    "integer": pl.Int64(),
    "choice": pl.String(),
}

# Filled for every row, whatever the file says.
SOURCE_ROW = "source_row"
RECORDED_AT = "recorded_at"
# Filled in the history of a file, where a row may have been taken away again.
WITHDRAWN_AT = "withdrawn_at"
SOURCE_SHA256 = "source_sha256"


@dataclass(frozen=True)
class Column:
    """One column of a reference file.

    Attributes:
        name: as in the header.
        kind: what a cell may hold.
        meaning: one sentence for the person who fills it in.
        example: text of the cell in the template's example row; empty where the example leaves it out.
        required: the header must have it.
        filled: no cell may be empty; False for a column that only some methods or scopes need.
        choices: the values of kind `choice`.
        minimum: smallest value of a numeric column, allowed itself; None where any is fine.
        above: largest value that is just too small.
        references: name of the file whose first column must hold the cell's value.
    """

    name: str
    kind: Kind
    meaning: str
    example: str = ""
    required: bool = False
    filled: bool = False
    choices: tuple[str, ...] = ()
    minimum: Decimal | None = None
    above: Decimal | None = None
    references: str | None = None


@dataclass(frozen=True)
class UniqueKey:
    """Columns that together name one row.

    Attributes:
        skip_empty: rows with an empty cell in the key are not compared; else empty equals empty.
    """

    columns: tuple[str, ...]
    skip_empty: bool = False


@dataclass(frozen=True)
class CaseRule:
    """What one value of a choice column asks of the other columns of its row.

    Attributes:
        column: the choice column.
        value: the choice.
        needs: columns that must be filled.
        needs_one_of: columns of which exactly one must be filled.
        forbids: columns that must be empty, because they would be ignored.
        percent_from: smallest percent, allowed itself.
        percent_to: largest percent, allowed itself.
        references: (column, file): the column must name a row of that file.
    """

    column: str
    value: str
    needs: tuple[str, ...] = ()
    needs_one_of: tuple[str, ...] = ()
    forbids: tuple[str, ...] = ()
    percent_from: Decimal | None = None
    percent_to: Decimal | None = None
    references: tuple[str, str] | None = None


@dataclass(frozen=True)
class Tiers:
    """How the rows that make one price or plan fit together.

    Attributes:
        noun: what they make: price, plan.
        key: columns that its rows share.
        lower: column of the first quantity or amount of a tier; empty = 0.
        upper: column at which the next tier begins; empty = no end.
        one_value: columns that say how the price is made.
        agree: columns in which rows that hold together must not differ; empty differs from nothing.
    """

    noun: str
    key: tuple[str, ...]
    lower: str
    upper: str
    one_value: tuple[str, ...]
    agree: tuple[str, ...]


@dataclass(frozen=True)
class ReferenceFile:
    """One file of the reference folder.

    Attributes:
        name: file name without `.csv`.
        meaning: one sentence: what a row is.
        columns: in the order of the template.
        unique: keys that no two rows may share.
        overlap_key: for a term, the columns within which two valid ranges must not overlap when both rows were
            recorded at the same instant; empty for a file that is no term.
        active_column: rows in which it is false take no part in the overlap check.
        tiers: for a file in which several rows may make one price.
        cases: rules of methods and scopes.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    unique: tuple[UniqueKey, ...] = ()
    overlap_key: tuple[str, ...] = ()
    active_column: str | None = None
    tiers: Tiers | None = None
    cases: tuple[CaseRule, ...] = field(default=())

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in the order of the template."""
        return tuple(column.name for column in self.columns)

    @property
    def frame_types(self) -> dict[str, pl.DataType]:
        """Columns and types of the parsed frame: the file's own, then `source_row`, then `recorded_at` if it is new."""
        types = {column.name: POLARS_TYPES[column.kind] for column in self.columns}
        types[SOURCE_ROW] = pl.Int64()
        types.setdefault(RECORDED_AT, POLARS_TYPES["instant"])
        return types

    @property
    def known_types(self) -> dict[str, pl.DataType]:
        """Columns and types of the file's history: the parsed frame's, then `withdrawn_at` and `source_sha256`."""
        return {**self.frame_types, WITHDRAWN_AT: POLARS_TYPES["instant"], SOURCE_SHA256: pl.String()}

    def column(self, name: str) -> Column:
        """Return the column of this name.

        Raises:
            KeyError: there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    def schema(self) -> pa.DataFrameSchema:
        """Return the Pandera contract of the parsed frame: names, order, types, filled cells, choices, lower bounds."""
        columns = {}
        for name, polars_type in self.frame_types.items():
            always = name in {SOURCE_ROW, RECORDED_AT}
            column = None if always else self.column(name)
            columns[name] = pa.Column(
                polars_type,
                nullable=not (always or (column is not None and column.filled)),
                checks=[] if column is None else _checks(column),
                description=None if column is None else column.meaning,
            )
        return pa.DataFrameSchema(columns, strict=True, ordered=True, name=self.name, description=self.meaning)


def _checks(column: Column) -> list[pa.Check]:
    checks = []
    if column.choices:
        checks.append(pa.Check.isin(list(column.choices)))
    if column.minimum is not None:
        checks.append(pa.Check.ge(column.minimum))
    if column.above is not None:
        checks.append(pa.Check.gt(column.above))
    return checks
