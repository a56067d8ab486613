"""Selects on the warehouse for commands that only look, and a second try at the quarantine."""

from collections.abc import Sequence
from typing import Any

import duckdb

from billing_pipeline.cli import runs
from billing_pipeline.cli.output import OUT, show_table
from billing_pipeline.cli.reference_notices import take_reference
from billing_pipeline.errors import BillingError
from billing_pipeline.schemas.deliveries import QUARANTINE
from resources.lake import Lake
from resources.relations import read_partitions
from resources.workspace import Workspace


class NothingPublished(BillingError):
    """There is no warehouse yet."""


def query_warehouse(workspace: Workspace, query: str, parameters: Sequence[Any] = ()) -> tuple[list[str], list[Any]]:
    """Return column names and rows of a select on the warehouse.

    Raises:
        NothingPublished: no run has published it yet, or one of another version of this program did.
    """
    if not workspace.warehouse.exists():
        raise NothingPublished(f"{workspace.warehouse} does not exist yet; `billing run` publishes it")
    with duckdb.connect(str(workspace.warehouse), read_only=True) as warehouse:
        warehouse.execute("set TimeZone = 'UTC'")
        try:
            cursor = warehouse.execute(query, list(parameters))
        except (duckdb.BinderException, duckdb.CatalogException) as error:
            raise NothingPublished(
                f"{workspace.warehouse} was published by another version of this program; `billing run` does it anew"
            ) from error
        return [str(column[0]) for column in cursor.description or []], cursor.fetchall()


def retry(workspace: Workspace, as_json: bool) -> bool:
    """Run the days of quarantined files again, and print each file's outcome (not with JSON: the list shows it).

    Returns:
        Whether the reference files as they stand were used.
    """
    refused = take_reference(workspace)
    before = _quarantine(workspace)
    days = runs.retry(workspace)
    after = _quarantine(workspace)
    outcomes = [
        ["still quarantined" if file in after else "left the quarantine", *file, after.get(file) or before.get(file)]
        for file in sorted({*before, *after})
    ]
    if outcomes and not as_json:
        shown = f"Retried: {len(days)} day(s) of arrival"
        show_table(shown, ["outcome", "source", "file", "reason"], outcomes, as_json=False)
    elif not as_json:
        OUT.print("Nothing is in quarantine", markup=False)
    return not refused


def _quarantine(workspace: Workspace) -> dict[tuple[str, str], str]:
    """Return the reason by source and file name of what is quarantined in the lake."""
    with duckdb.connect() as connection:
        read_partitions(connection, "quarantine", QUARANTINE, Lake(workspace.lake), None)
        found = connection.execute("select source, file_name, reason from quarantine order by all").fetchall()
    return {(source, name): reason for source, name, reason in found}
