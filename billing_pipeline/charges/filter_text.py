"""The text of a filter before it is read: what its tree would not show any more, and what would exhaust the parser.

What does not belong here: what the text means (`charges.filters`).
"""

from typing import NoReturn

from sqlglot import TokenType
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import TokenError

from billing_pipeline.errors import WrongUsage

# Enough for a filter of a thousand values.
_MOST_CHARACTERS = 20_000
# Parentheses, and each `not` before one. The parser recurses; measured, 24 still fit a caller 400 frames deep.
_DEEPEST_NESTING = 20


class FilterInvalid(WrongUsage):
    """A filter expression that is malformed or says more than a filter may."""


def refuse_at(text: str, start: int, reason: str) -> NoReturn:
    """Refuse a filter at a place in it, counted from 0.

    Raises:
        FilterInvalid: always.
    """
    place = text[start : start + 30]
    near = f" near {place!r}" if place else ""
    raise FilterInvalid(f"filter, character {start + 1}{near}: {reason}") from None


def check_tokens(text: str) -> None:
    """Refuse text that is empty, too long or too deep, has comments, several statements or an open quote.

    Raises:
        FilterInvalid: the message points at the place.
    """
    if len(text) > _MOST_CHARACTERS:
        refuse_at(text, 0, f"it is longer than {_MOST_CHARACTERS} characters")
    try:
        tokens = DuckDB().tokenize(text)
    except TokenError:
        quote = _open_quote(text)
        refuse_at(text, quote or 0, "it cannot be read" if quote is None else "this quote is not closed")
    if not tokens:
        refuse_at(text, 0, "it is empty")
    opened: list[int] = []
    negations = 0
    for token in tokens:
        if token.comments:
            refuse_at(text, token.start, "comments are not allowed")
        if token.token_type == TokenType.SEMICOLON:
            refuse_at(text, token.start, "a semicolon is not allowed")
        if token.token_type == TokenType.R_PAREN and opened:
            opened.pop()
        if token.token_type == TokenType.L_PAREN:
            opened.append(negations + 1)
        negations = negations + 1 if token.token_type == TokenType.NOT else 0
        if sum(opened) + negations > _DEEPEST_NESTING:
            refuse_at(text, token.start, f"it is nested deeper than {_DEEPEST_NESTING} levels")


def _open_quote(text: str) -> int | None:
    """Return where a quote begins that is never closed; a doubled one inside stands for itself."""
    start, place = None, 0
    while place < len(text):
        if start is None:
            start = place if text[place] in "'\"" else None
        elif text[place] == text[start]:
            if text[place + 1 : place + 2] == text[start]:
                place += 1
            else:
                start = None
        place += 1
    return start
