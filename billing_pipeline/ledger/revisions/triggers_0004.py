"""The triggers of revision 0004: accepted differences stay as they were written."""

from collections.abc import Iterator

STAY = "accepted differences of the ledger are never changed"


def triggers(dialect: str) -> Iterator[str]:
    """Yield the statements that make the triggers on `sqlite` or `postgresql`."""
    if dialect == "sqlite":
        for operation in ("update", "delete"):
            yield (
                f"create trigger accepted_differences_{operation} before {operation} on accepted_differences"
                f" begin select raise(abort, '{STAY}'); end"
            )
        return
    # The function came with revision 0003.
    yield (
        "create trigger accepted_differences_stay before update or delete on accepted_differences for each row"
        f" execute function ledger_refuse('{STAY}')"
    )
    yield (
        "create trigger accepted_differences_truncate before truncate on accepted_differences for each statement"
        f" execute function ledger_refuse('{STAY}')"
    )
