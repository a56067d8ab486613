"""Everything a workspace keeps, against the hashes and totals it was kept with. Nothing is written.

What does not belong here: where an amount comes from (`resources.explanations`).
"""

from collections.abc import Iterator

import duckdb
import polars as pl
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from billing_pipeline.errors import BillingError
from billing_pipeline.verification import Problem, Verified
from resources.lake import Lake
from resources.ledger import invoices_frames, reading
from resources.session import duckdb_session
from resources.verified_archive import Watch, archived_sha256s, verify_archive, verify_reference
from resources.verified_lake import LakeVerifier
from resources.verified_ledger import ledger_to_look_at, verify_documents, verify_numbers, verify_snapshots
from resources.verified_warehouse import verify_warehouse
from resources.workspace import Workspace

# Files are read in one stream; only sums are held.
_MEMORY = "250MB"


def verify(workspace: Workspace, watch: Watch) -> Iterator[Verified]:
    """Check the archive, the lake, the ledger and the warehouse of a workspace.

    Args:
        watch: told what is being looked at.

    Yields:
        The outcome of each kind of check, as soon as it is known.

    Raises:
        ConfigurationInvalid: billing.toml cannot be used.
    """
    url = workspace.load_config().ledger.url
    yield verify_archive(workspace.archive, watch)
    yield verify_reference(workspace.home, watch)
    lake = Lake(workspace.lake)
    with duckdb_session(memory_limit=_MEMORY) as session:
        verifier = LakeVerifier(session, lake, watch)
        yield verifier.partitions()
        yield verifier.converted_files(archived_sha256s(workspace.archive))
        yield verifier.buckets()
        documents: dict[str, pl.DataFrame] = {}
        try:
            with ledger_to_look_at(url, workspace.home) as engine:
                if engine is not None:
                    yield from _ledger(session, engine, lake, watch)
                    documents = invoices_frames(engine)
        except (BillingError, SQLAlchemyError, ArithmeticError, ValueError, pl.exceptions.PolarsError) as error:
            yield Verified("ledger", 0, "ledgers", (Problem("ledger", f"it cannot be read: {error}"),))
            return
        yield verify_warehouse(workspace.warehouse, documents, verifier.deliveries(), watch)


def _ledger(session: duckdb.DuckDBPyConnection, engine: Engine, lake: Lake, watch: Watch) -> Iterator[Verified]:
    # One transaction: a document approved meanwhile is in all of the answers or in none.
    with reading(engine).connect() as connection:
        yield verify_snapshots(session, connection, lake, watch)
        yield verify_documents(connection, watch)
        yield verify_numbers(connection, watch)
