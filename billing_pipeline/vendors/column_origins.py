"""Tell from a staging select's text which columns of its input each of its columns is made of.

A column that is handed on as it is need not pass through the engine, and one that is made of few distinct values
need not be made for every row. What does not belong here: how rows are staged (`resources.staging`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp, parse_one

# Parts of a select that keep its rows: each row of the input is one row of the output, in the same order.
_ROW_BY_ROW = frozenset({"expressions", "from_", "with_"})
_ACROSS_ROWS = (exp.AggFunc, exp.Window, exp.Query, exp.UDTF, exp.Rand)


@dataclass(frozen=True)
class Origin:
    """What one column of a select is made of.

    Attributes:
        columns: columns of the input whose values decide its own; none for a constant.
        is_unchanged: it is the one column, as it is.
    """

    columns: frozenset[str]
    is_unchanged: bool = False

    @property
    def unchanged(self) -> str | None:
        """Name of the column that it is, unchanged, if it is."""
        return next(iter(self.columns)) if self.is_unchanged else None


Origins = Mapping[str, Origin]


class _NotRowByRow(Exception):
    """The select does more than make columns of the columns of one row, or more than is understood here."""


def column_origins(sql: str, relation: str, columns: Sequence[str]) -> Origins | None:
    """Find what each column of a select is made of.

    Args:
        sql: a DuckDB select, possibly with common table expressions.
        relation: name of the input.
        columns: of the input, in order.

    Returns:
        By column of the select, in order; None unless every row of it is made of one row of the input.
    """
    query = parse_one(sql, dialect="duckdb")
    known: dict[str, Origins] = {relation: {name: Origin(frozenset({name}), is_unchanged=True) for name in columns}}
    try:
        for expression in query.find_all(exp.CTE):
            known[expression.alias] = _select_origins(expression.this, known)
        return _select_origins(query, known)
    except _NotRowByRow:
        return None


def _select_origins(query: exp.Expr, known: Mapping[str, Origins]) -> Origins:
    if not isinstance(query, exp.Select) or {name for name, part in query.args.items() if part} - _ROW_BY_ROW:
        raise _NotRowByRow
    source = _source(query, known)
    origins: dict[str, Origin] = {}
    for made in query.expressions:
        if isinstance(made, exp.Star) and not any(made.args.values()):
            added: Origins = source
        else:
            added = {made.alias_or_name: _origin(made.unalias(), source, origins)}
        if not added or "" in added or added.keys() & origins.keys():
            raise _NotRowByRow
        origins.update(added)
    return origins


def _source(query: exp.Select, known: Mapping[str, Origins]) -> Origins:
    read = query.args.get("from_")
    table = read.this if read else None
    if not isinstance(table, exp.Table) or {name for name, part in table.args.items() if part} != {"this"}:
        raise _NotRowByRow
    if table.name not in known:
        raise _NotRowByRow
    return known[table.name]


def _origin(made: exp.Expr, source: Origins, before: Origins) -> Origin:
    """Return what one expression is made of; a name is a column of the source, or else a column made before it."""
    if made.find(exp.Star, *_ACROSS_ROWS):
        raise _NotRowByRow
    found = []
    for column in made.find_all(exp.Column):
        origin = source.get(column.name) or before.get(column.name)
        if origin is None or column.table:
            raise _NotRowByRow
        found.append(origin)
    if isinstance(made, exp.Column):
        return found[0]
    return Origin(frozenset[str]().union(*(origin.columns for origin in found)))
