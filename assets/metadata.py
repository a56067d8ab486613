"""What Dagster shows of a table: its columns, how many rows, totals per currency, the first rows, a small chart."""

from collections.abc import Mapping
from decimal import Decimal

import duckdb
from dagster import MetadataValue, TableColumn, TableColumnConstraints, TableSchema
from dagster._core.definitions.metadata import RawMetadataValue

from billing_pipeline.money import round_money
from billing_pipeline.schemas.table import Table

_PREVIEW_ROWS = 8
_BAR_WIDTH = 24


def column_schema(*tables: Table) -> TableSchema:
    """Return a table's columns with types and meanings, for the asset's page; of several tables as `table.column`."""
    return TableSchema(
        columns=[
            TableColumn(
                column.name if len(tables) == 1 else f"{table.name}.{column.name}",
                column.type.lower(),
                description=column.meaning,
                constraints=TableColumnConstraints(nullable=column.nullable, unique=column.unique),
            )
            for table in tables
            for column in table.columns
        ]
    )


def describe(
    connection: duckdb.DuckDBPyConnection, relation: str, amount: str | None = None, group: str | None = None
) -> Mapping[str, RawMetadataValue]:
    """Describe the rows of a relation.

    Args:
        connection: session that knows the relation.
        relation: its name.
        amount: column of amounts to total per `currency`, if there is one.
        group: column to chart the totals by, if any.

    Returns:
        Metadata entries; amounts are rounded to the currency's minor unit and shown as text, never as floats.
    """
    count = connection.execute(f"select count(*) from {relation}").fetchone()
    metadata: dict[str, RawMetadataValue] = {"dagster/row_count": count[0] if count else 0}
    if amount is not None:
        totals = connection.execute(
            f"select currency, sum({amount}) from {relation} group by currency order by currency"
        ).fetchall()
        metadata["totals"] = MetadataValue.md(
            markdown_table(["currency", "total"], [[code, money_text(total, code)] for code, total in totals])
        )
    if amount is not None and group is not None:
        metadata["chart"] = MetadataValue.md(chart(connection, relation, amount, group))
    metadata["preview"] = MetadataValue.md(preview(connection, relation))
    return metadata


def money_text(amount: Decimal | None, currency: str) -> str:
    """Return an amount rounded to its currency's minor unit, with group separators."""
    return "" if amount is None else f"{round_money(amount, currency):,}"


def preview(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    """Return the first rows as a Markdown table."""
    cursor = connection.execute(f"select * from {relation} limit {_PREVIEW_ROWS}")
    names = [str(column[0]) for column in cursor.description or []]
    return markdown_table(names, [["" if value is None else str(value) for value in row] for row in cursor.fetchall()])


def chart(connection: duckdb.DuckDBPyConnection, relation: str, amount: str, group: str) -> str:
    """Return a bar per group and currency, longest for the largest amount."""
    rows = connection.execute(
        f"select coalesce(cast({group} as varchar), '(none)'), currency, sum({amount}) as total from {relation}"
        f" group by all order by abs(total) desc nulls last, 1, 2 limit 12"
    ).fetchall()
    largest = max((abs(total) for _, _, total in rows if total is not None), default=Decimal(0))
    lines = []
    for name, currency, total in rows:
        width = int(abs(total or 0) * _BAR_WIDTH / largest) if largest else 0
        lines.append([name, "█" * width or "▏", f"{money_text(total, currency)} {currency}"])
    return markdown_table([group, "", "amount"], lines)


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table; bars and line breaks in cells are escaped."""

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return "\n".join([line(header), line(["---"] * len(header)), *(line(row) for row in rows)])
