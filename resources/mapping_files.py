"""The mappings of a workspace: its own in `mappings/NAME.toml`, and those that come along."""

import re
from pathlib import Path

from billing_pipeline.charges.mapping import READY_MAPPINGS, Mapping
from billing_pipeline.charges.request import ExportInvalid
from billing_pipeline.errors import ConfigurationInvalid
from resources.workspace import Workspace, parse_toml

# A name is a file's name, and never leads out of its folder.
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def mapping_files(workspace: Workspace) -> dict[str, Path]:
    """Return the file of each mapping by name, sorted; one of the workspace's own hides a ready one of its name."""
    found: dict[str, Path] = {}
    for folder in (READY_MAPPINGS, workspace.mappings):
        found.update({path.stem: path for path in folder.glob("*.toml") if _NAME.fullmatch(path.stem)})
    return dict(sorted(found.items()))


def load_mapping(workspace: Workspace, name: str) -> Mapping:
    """Read and check a mapping.

    Raises:
        ExportInvalid: there is none of that name; the message names those there are.
        ConfigurationInvalid: it is no TOML, or a key or column is unknown or wrong; names file and key.
    """
    files = mapping_files(workspace)
    if name not in files:
        raise ExportInvalid(
            f"mapping {name!r} is unknown; there are {', '.join(files)}, and {workspace.mappings} may hold more"
        )
    try:
        return parse_toml(files[name], files[name].read_bytes(), Mapping)
    except OSError as error:
        raise ConfigurationInvalid(f"{files[name]}: {error}") from error
