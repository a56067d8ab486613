"""Turns: work of which only one process at a time does any, until its transaction ends.

On SQLite every transaction that may write has the whole file to itself; PostgreSQL needs to be told. What does not
belong here: the locks of rows, which the statements take themselves.
"""

from sqlalchemy import Connection, text

# Drafting, and removing what drafts no longer refer to.
DRAFTS = "drafts"


def take_turn(connection: Connection, what: str) -> None:
    """Wait until no other transaction has the turn, and keep it until this one ends.

    Args:
        connection: a transaction that may write.
        what: which turn, `drafts` for example.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("select pg_advisory_xact_lock(hashtextextended(:what, 0))"), {"what": f"billing {what}"}
        )
