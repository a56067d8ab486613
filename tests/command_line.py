"""The `billing` command as a user types it."""

import sys

import pytest

from billing_pipeline.cli import main
from resources.workspace import Workspace


def run_command(workspace: Workspace, *words: str) -> int:
    """Run the command in a workspace and return its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BILLING_HOME", str(workspace.home))
        patch.setenv("DAGSTER_HOME", str(workspace.home / ".dagster"))
        patch.setattr(sys, "argv", ["billing", *words])
        try:
            main()
        except SystemExit as stopped:
            return int(stopped.code or 0)
    return 0
