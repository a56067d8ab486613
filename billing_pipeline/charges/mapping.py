"""Mappings of customer charges to the columns of another tool: each target column is a source column or a constant.

Written in TOML; ready ones stand in `ready_mappings/`. What does not belong here: finding a workspace's own
(`resources.mapping_files`), writing the file (`resources.mapped_charges`).
"""

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictStr, field_validator, model_validator

from billing_pipeline.charges.columns import Column, ColumnKind, find_column
from billing_pipeline.charges.ordering import parse_sort
from billing_pipeline.errors import WrongUsage
from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES
from billing_pipeline.schemas.table import Column as TableColumn

READY_MAPPINGS = Path(__file__).parent / "ready_mappings"
_DATE_FORMAT = re.compile(r"(%[Ymdy]|[-/. ])+")
_MOST_DECIMALS = 18
_DECIMAL_TYPE = re.compile(r"DECIMAL\(38,(\d+)\)")

Decimals = Annotated[int, Field(ge=0, le=_MOST_DECIMALS, strict=True)] | Literal["currency"]


class Target(BaseModel):
    """One column of the target file.

    Attributes:
        column: source column, by header of the list or by name in `customer_charges`.
        constant: text or number that stands in every row, in the place of a column.
        date_format: of a date, with %Y %y %m %d; None for YYYY-MM-DD.
        decimals: to which a number is rounded, half away from zero, or `currency` for those of the row's currency;
            None writes it exactly.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str | None = None
    constant: StrictStr | Annotated[int, Field(strict=True)] | Decimal | None = None
    date_format: str | None = None
    decimals: Decimals | None = None

    @field_validator("column")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        if name is not None:
            _source_column(name)
        return name

    @field_validator("date_format")
    @classmethod
    def _is_date_format(cls, text: str | None) -> str | None:
        if text is not None and not _DATE_FORMAT.fullmatch(text):
            raise ValueError("write it with %Y, %y, %m, %d and - / . or blank, for example %d/%m/%Y")
        return text

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.column is None) == (self.constant is None):
            raise ValueError("needs either column or constant")
        kind = None if self.source is None else self.source.kind
        if self.date_format is not None and kind != "date":
            raise ValueError(f"date_format is for days, and {self.column or 'a constant'} is none")
        if self.decimals is not None and kind not in {"number", "price"}:
            raise ValueError(f"decimals is for numbers, and {self.column or 'a constant'} is none")
        return self

    @property
    def source(self) -> Column | None:
        """The source column; None for a constant."""
        return None if self.column is None else _source_column(self.column)


class Mapping(BaseModel):
    """A file for another tool.

    Attributes:
        description: what it is for.
        sort: order of the rows where none is asked for.
        columns: target header to what stands below it, in order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = ""
    sort: str | None = None
    columns: Annotated[dict[str, Target], Field(min_length=1)]

    @field_validator("sort")
    @classmethod
    def _sorts(cls, text: str | None) -> str | None:
        try:
            parse_sort(text)
        except WrongUsage as error:
            raise ValueError(str(error)) from error
        return text

    @property
    def sources(self) -> tuple[Column, ...]:
        """The source columns, each once, in the order in which they first occur."""
        named = (target.source for target in self.columns.values())
        return tuple(dict.fromkeys(source for source in named if source is not None))


def source_names() -> list[str]:
    """Return the names of every column that a mapping may use."""
    return [column.name for column in CUSTOMER_CHARGES.columns if _kind(column) is not None]


def _source_column(name: str) -> Column:
    shown = find_column(name)
    if shown is not None:
        return shown
    for column in CUSTOMER_CHARGES.columns:
        kind = _kind(column)
        if column.name == name and kind is not None:
            decimal = _DECIMAL_TYPE.fullmatch(column.type)
            return Column(column.name, column.name, kind, scale=int(decimal[1]) if decimal else 0)
    raise ValueError(f"there is no column {name!r}; there are {', '.join(source_names())}")


def _kind(column: TableColumn) -> ColumnKind | None:
    """Return how a column's values are written; None for types that a list has no form for."""
    kinds: dict[str, ColumnKind] = {"VARCHAR": "text", "DATE": "date", "BIGINT": "number"}
    return "number" if _DECIMAL_TYPE.fullmatch(column.type) else kinds.get(column.type)
