"""The Dagster code location: the graph of the workspace that `BILLING_HOME` names."""

from assets.graph import build_definitions
from resources.workspace import Workspace

defs = build_definitions(Workspace.from_environment())
