"""The filter over the customer-charges list: a checked expression, written anew as SQL with bound values.

`and`, `or`, `not`, comparisons, `in`, `like`, `ilike`, `between` and `is null` over the columns of the list. sqlglot
reads the text; only what stands in this module is let through, and every character of the SQL that comes out
is of our own making. What does not belong here: the columns (`charges.columns`), what is refused before it is read
(`charges.filter_text`), running the SQL.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError

from billing_pipeline.charges.columns import Column, find_column, known_columns
from billing_pipeline.charges.filter_text import check_tokens, refuse_at
from billing_pipeline.charges.values import Value, ValueInvalid, placeholder, read_day, read_number

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=",
}  # fmt: skip
_LIKES: dict[type[exp.Expr], str] = {exp.Like: "like", exp.ILike: "ilike"}
_GRAMMAR = "a filter is made of columns, values, and, or, not, = <> < <= > >=, in, like, ilike, between and is null"
_NOT_ALLOWED = f"this is not allowed; {_GRAMMAR}"


@dataclass(frozen=True)
class ParsedFilter:
    """A checked filter.

    Attributes:
        sql: a condition in DuckDB's SQL, with quoted column names and `?` for every value.
        parameters: the values in the order of their `?`: text, Decimal or date.
    """

    sql: str
    parameters: list[Value]


def all_of(filters: Iterable[ParsedFilter | None]) -> ParsedFilter | None:
    """Return the filter that lets through what all of these do; None if there are none."""
    given = [one for one in filters if one is not None]
    if len(given) < 2:  # noqa: PLR2004
        return given[0] if given else None
    sql = "(" + " and ".join(one.sql for one in given) + ")"
    return ParsedFilter(sql, [value for one in given for value in one.parameters])


def parse_filter(expression: str) -> ParsedFilter:
    """Read and check a filter expression.

    Columns are written as their header in double quotes (`"Unit Cost Price"`) or as snake_case name, text and days in
    single quotes, numbers as plain decimals: `customer like 'Acme%' and (quantity >= 10 or end_date is null)`.

    Args:
        expression: what the user typed.

    Returns:
        The condition, and the values to bind.

    Raises:
        FilterInvalid: anything else, such as a function, a subquery, a cast, an unknown column, a comment, a value of
            the wrong kind; the message points at the place.
    """
    return _Reader(expression).read()


class _Reader:
    """Reads one expression; collects the values as it writes the SQL."""

    def __init__(self, expression: str) -> None:
        self._text = expression
        self._parameters: list[Value] = []

    def read(self) -> ParsedFilter:
        check_tokens(self._text)
        try:
            # The default context of 100 characters would misplace what stands further on.
            trees = DuckDB().parse(self._text, error_message_context=len(self._text))
            if len(trees) != 1 or trees[0] is None:
                self._refuse_at(0, "one condition is expected")
            return ParsedFilter(self._condition(trees[0]), self._parameters)
        except ParseError as error:
            first = error.errors[0] if error.errors else {}
            self._refuse_at(
                len(str(first.get("start_context") or "")), str(first.get("description") or "it cannot be read")
            )
        except RecursionError:
            self._refuse_at(0, "it is nested too deeply")

    def _condition(self, node: exp.Expr) -> str:
        """Write one condition; a kind of node that is not listed here does not get through."""
        writers: dict[type[exp.Expr], Callable[[Any], str]] = {
            exp.Paren: self._parentheses,
            exp.And: self._chain,
            exp.Or: self._chain,
            exp.Not: self._negation,
            exp.Is: self._is_null,
            exp.In: self._in,
            exp.Between: self._between,
            exp.Escape: self._escaped_like,
            **dict.fromkeys(_LIKES, self._like),
            **dict.fromkeys(_COMPARISONS, self._comparison),
        }
        writer = writers.get(type(node))
        if writer is not None:
            return writer(node)
        if isinstance(node, exp.Column | exp.Literal):
            self._refuse(node, "a condition is expected here, for example quantity > 10")
        return self._refuse(node, _NOT_ALLOWED)

    def _parentheses(self, node: exp.Paren) -> str:
        self._check_arguments(node, "this")
        return self._condition(node.this)

    def _negation(self, node: exp.Not) -> str:
        self._check_arguments(node, "this")
        return f"(not {self._condition(node.this)})"

    def _chain(self, node: exp.And | exp.Or) -> str:
        """Write `a and b and c`: a thousand terms lean to the left, so they are walked and not recursed into."""
        word = "and" if isinstance(node, exp.And) else "or"
        terms: list[exp.Expr] = []
        inner: exp.Expr = node
        while type(inner) is type(node):
            self._check_arguments(inner, "this", "expression")
            terms.append(inner.args["expression"])
            inner = inner.args["this"]
        return "(" + f" {word} ".join(self._condition(term) for term in [inner, *reversed(terms)]) + ")"

    def _comparison(self, node: exp.Binary) -> str:
        self._check_arguments(node, "this", "expression")
        sides = (node.left, node.right)
        for side in sides:
            if not isinstance(side, exp.Column | exp.Literal | exp.Neg | exp.Null):
                self._refuse(side, _NOT_ALLOWED)
        columns = [self._column(side) for side in sides if isinstance(side, exp.Column)]
        if not columns:
            self._refuse(node, "a comparison needs a column")
        first, last = columns[0], columns[-1]
        if _value_kind(first) != _value_kind(last):
            self._refuse(node, f"{first.header} and {last.header} cannot be compared")
        left, right = (
            _quoted(self._column(side)) if isinstance(side, exp.Column) else self._value(side, first) for side in sides
        )
        return f"({left} {_COMPARISONS[type(node)]} {right})"

    def _is_null(self, node: exp.Is) -> str:
        self._check_arguments(node, "this", "expression")
        if not isinstance(node.expression, exp.Null):
            self._refuse(node, "after `is` only null or not null may stand")
        return f"({_quoted(self._column(node.this))} is null)"

    def _in(self, node: exp.In) -> str:
        self._check_arguments(node, "this", "expressions")
        column = self._column(node.this)
        values = [self._value(value, column) for value in node.expressions]
        if not values:
            self._refuse(node, "in (...) needs at least one value")
        return f"({_quoted(column)} in ({', '.join(values)}))"

    def _between(self, node: exp.Between) -> str:
        self._check_arguments(node, "this", "low", "high")
        column = self._column(node.this)
        low, high = (self._value(node.args[bound], column) for bound in ("low", "high"))
        return f"({_quoted(column)} between {low} and {high})"

    def _escaped_like(self, node: exp.Escape) -> str:
        self._check_arguments(node, "this", "expression")
        if type(node.this) not in _LIKES:
            self._refuse(node, _NOT_ALLOWED)
        return self._like(node.this, escape=node.expression)

    def _like(self, node: exp.Binary, escape: exp.Expr | None = None) -> str:
        self._check_arguments(node, "this", "expression", "negate")
        column = self._column(node.this)
        if column.kind != "text":
            self._refuse(node, f"like is for text, and {column.header} is not text")
        sql = f"{_quoted(column)} {_LIKES[type(node)]} {self._value(node.expression, column)}"
        if escape is not None:
            if not isinstance(escape, exp.Literal) or not escape.is_string or len(escape.this) != 1:
                self._refuse(escape, "escape takes one character in single quotes")
            self._parameters.append(escape.this)
            sql += " escape ?"
        return f"(not ({sql}))" if node.args.get("negate") else f"({sql})"

    def _column(self, node: exp.Expr) -> Column:
        if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
            self._refuse(node, "a column is expected here")
        self._check_arguments(node, "this")
        column = find_column(node.name)
        if column is None:
            self._refuse(node, f"there is no column {node.name!r}; there are {known_columns()}")
        return column

    def _value(self, node: exp.Expr, column: Column) -> str:
        """Bind a literal that is compared with a column, as a value of the column's own type."""
        if isinstance(node, exp.Null):
            self._refuse(node, f"nothing equals null; write {column.name} is null")
        literal, is_negative = (node.this, True) if isinstance(node, exp.Neg) else (node, False)
        if not isinstance(literal, exp.Literal):
            self._refuse(node, f"a value is expected here; {_GRAMMAR}")
        try:
            self._parameters.append(self._read(literal, column, is_negative))
        except ValueInvalid as error:
            self._refuse(literal, str(error))
        return placeholder(column)

    def _read(self, literal: exp.Literal, column: Column, is_negative: bool) -> Value:
        if column.kind in {"number", "price"}:
            # In quotes it is refused as what it is: text.
            return read_number(literal.sql("duckdb") if literal.is_string else literal.this, column, is_negative)
        if not literal.is_string or is_negative:
            how = "write the value in single quotes" if column.kind == "text" else "write it as '2026-10-05'"
            raise ValueInvalid(f"{column.header} is {'text' if column.kind == 'text' else 'a day'}: {how}")
        text: str = literal.this
        return text if column.kind == "text" else read_day(text, column)

    def _check_arguments(self, node: exp.Expr, *allowed: str) -> None:
        """Refuse a node that carries more than this module writes out again, such as `between symmetric`."""
        for name, value in node.args.items():
            if name not in allowed and value:
                self._refuse(value if isinstance(value, exp.Expr) else node, _NOT_ALLOWED)

    def _refuse(self, node: exp.Expr, reason: str) -> NoReturn:
        """Refuse at the first place known of the node, else of what it stands in: a `?` for one has no place itself."""
        outer: exp.Expr | None = node
        starts: list[int] = []
        while outer is not None and not starts:
            starts = [inner.meta["start"] for inner in outer.walk() if "start" in inner.meta]
            outer = outer.parent
        self._refuse_at(min(starts, default=0), reason)

    def _refuse_at(self, start: int, reason: str) -> NoReturn:
        refuse_at(self._text, start, reason)


def _value_kind(column: Column) -> str:
    return "number" if column.kind == "price" else column.kind


def _quoted(column: Column) -> str:
    return f'"{column.name}"'
