"""The workspace's ledger as it stood at a past instant, read without touching it.

What does not belong here: which of its rows count (`billing_pipeline.ledger.past`).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from billing_pipeline.errors import BillingError
from billing_pipeline.ledger.past import PastLedger, ledger_as_of
from billing_pipeline.periods import BillingPeriod
from resources.ledger import open_ledger, reading
from resources.workspace import Workspace

_MOST_NAMED = 5


def past_ledger(
    workspace: Workspace, period: BillingPeriod, as_of: datetime, scratch: Path
) -> tuple[PastLedger, tuple[str, ...]]:
    """Return what the ledger held at an instant of documents that the drafts of a period reckon with.

    Args:
        scratch: folder for a copy of the ledger.

    Returns:
        The rows, none of a ledger that cannot be read, and notices about what is not known.
    """
    try:
        with _looking(workspace, scratch) as engine:
            if engine is None:
                return PastLedger(), ()
            with reading(engine).connect() as connection:
                past = ledger_as_of(connection, as_of, period)
    except (BillingError, sqlite3.Error, SQLAlchemyError) as error:
        return PastLedger(), (f"the ledger cannot be read, so no earlier document is reckoned with: {error}",)
    return past, tuple(_said(past, as_of))


def _said(past: PastLedger, as_of: datetime) -> Iterator[str]:
    if past.lost:
        named = ", ".join(past.lost[:_MOST_NAMED]) + (" and others" if len(past.lost) > _MOST_NAMED else "")
        yield (
            f"{len(past.lost)} draft(s) of other months that stood at {as_of.isoformat()} have been drafted anew or"
            f" deleted since and are not reckoned with: {named}"
        )


@contextmanager
def _looking(workspace: Workspace, scratch: Path) -> Iterator[Engine | None]:
    """Open the ledger, a copy of it where it is a file; give None where there is none yet.

    To open a ledger makes it where it is absent, and brings it forward where it is older.
    """
    url = workspace.load_config().ledger.url
    location = make_url(url)
    if location.get_backend_name() != "sqlite":
        engine = open_ledger(url)
    else:
        path = workspace.home / str(location.database)
        if not path.is_file():
            yield None
            return
        copy = scratch / "ledger.db"
        with (
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as there,
            closing(sqlite3.connect(copy)) as here,
        ):
            there.backup(here)
        engine = open_ledger(f"sqlite:///{copy}")
    try:
        yield engine
    finally:
        engine.dispose()
