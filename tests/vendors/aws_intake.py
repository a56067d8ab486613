"""Intake of one AWS source in a workspace, day by day, for the tests of its formats."""

from datetime import date
from pathlib import Path

import polars as pl

from resources.archive import Archive
from resources.intake import Day, Intake, open_inbox
from resources.isolation import Converter
from resources.lake import Lake
from resources.session import duckdb_session
from resources.workspace import Workspace
from tests.workspaces import make_workspace

FORMATS = {"aws-cur2": "aws_cur2", "aws-dbr": "aws_dbr"}


def workspace_of(home: Path, source: str) -> Workspace:
    """A workspace with the source, in EUR."""
    workspace = make_workspace(home)
    block = f'[[sources]]\nid = "{source}"\nformat = "{FORMATS[source]}"\nvendor = "AWS"\ncurrency = "EUR"\n'
    workspace.config_file.write_text(workspace.config_file.read_text() + block)
    return workspace


def take(workspace: Workspace, day: date) -> Day:
    """Take what arrived on a day."""
    config, archive = workspace.load_config(), Archive(workspace.archive)
    with (
        duckdb_session(memory_limit="1GB", threads=1) as connection,
        Converter(connection, workspace.home) as converter,
    ):
        intake = Intake(connection, converter, config, archive, Lake(workspace.lake))
        return intake.take(open_inbox(workspace.home, config, archive), day)


def newest(days: list[Day]) -> dict[str, object]:
    """The delivery that replaced all others of its slot."""
    rows = pl.concat([day.deliveries for day in days]).sort("received_at", "landed_at").to_dicts()
    assert len({row["slot"] for row in rows}) == 1
    return rows[-1]
