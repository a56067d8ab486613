"""How a table is declared, once: columns, types, rules and meanings.

From one declaration come the Pandera schema, the SQL that checks a large table in one pass, the
comments in the warehouse and the column schema that Dagster shows.
"""

from dataclasses import dataclass
from typing import Final

import pandera.polars as pandera
import polars as pl

_POLARS_TYPES: Final[dict[str, pl.DataType]] = {
    "VARCHAR": pl.String(),
    "BOOLEAN": pl.Boolean(),
    "INTEGER": pl.Int32(),
    "BIGINT": pl.Int64(),
    "DATE": pl.Date(),
    "TIMESTAMP WITH TIME ZONE": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: snake_case name.
        type: DuckDB's name of the type, for example `DECIMAL(38,24)`.
        meaning: one sentence for whoever queries the table, with the unit where there is one.
        nullable: whether a cell may be empty.
        values: the only values allowed, or empty for any.
        unique: whether no two rows may share a value.
    """

    name: str
    type: str
    meaning: str
    nullable: bool = True
    values: tuple[str, ...] = ()
    unique: bool = False

    @property
    def polars_type(self) -> pl.DataType:
        """The type of the column in a Polars frame."""
        if self.type.startswith("DECIMAL("):
            precision, scale = self.type[len("DECIMAL(") : -1].split(",")
            return pl.Decimal(int(precision), int(scale))
        return _POLARS_TYPES[self.type]


@dataclass(frozen=True)
class Table:
    """One table of the lake or the warehouse.

    Attributes:
        name: the name users query.
        grain: what one row is.
        columns: in the order of the table.
        sorted_by: columns that put the rows of a partition into one order, and so its bytes.
    """

    name: str
    grain: str
    columns: tuple[Column, ...]
    sorted_by: tuple[str, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def pandera_schema(self) -> pandera.DataFrameSchema:
        """Return the Pandera contract: exactly these columns, types, nullability, values and uniqueness."""
        return pandera.DataFrameSchema(
            {
                column.name: pandera.Column(
                    column.polars_type,
                    checks=[pandera.Check.isin(column.values)] if column.values else [],
                    nullable=column.nullable,
                    unique=column.unique,
                )
                for column in self.columns
            },
            strict=True,
            ordered=True,
            name=self.name,
        )

    def empty_frame(self) -> pl.DataFrame:
        """Return a frame with the table's columns and no row."""
        return pl.DataFrame(schema={column.name: column.polars_type for column in self.columns})

    def violations_sql(self, relation: str) -> str:
        """Return one select that counts, in a single pass, the rows that break each rule.

        Args:
            relation: name of the relation to look at.

        Returns:
            A select of one row; each output column is named after its rule.
        """
        counts = ["count(*) as total_rows"]
        for column in self.columns:
            if not column.nullable:
                counts.append(f'count(*) filter ("{column.name}" is null) as "{column.name} is empty"')
            if column.values:
                allowed = ", ".join(f"'{value}'" for value in column.values)
                counts.append(
                    f'count(*) filter ("{column.name}" not in ({allowed})) as "{column.name} has a value not allowed"'
                )
            if column.unique:
                counts.append(
                    f'count("{column.name}") - count(distinct "{column.name}") as "{column.name} is not unique"'
                )
        return f"select {', '.join(counts)} from {relation}"
