"""What a wheel needs beside the packages: it has no checkout in which to look for the SQL files.

An editable installation has one. There a second copy under site-packages would only grow stale, and would make type
checkers take the folder for the package.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INCLUDED = {"sql": "billing_pipeline/sql", "dagster.yaml": "billing_pipeline/dagster.yaml"}


class FilesBesideThePackages(BuildHookInterface):
    """Adds `sql/` and `dagster.yaml` to a wheel that is no editable one."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files for the wheel about to be built."""
        if version != "editable":
            build_data["force_include"].update(INCLUDED)
