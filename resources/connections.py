"""The workspace as a Dagster resource: where an asset gets its configuration, lake, archive and DuckDB session."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from dagster import ConfigurableResource, get_dagster_logger

from billing_pipeline.configuration import WorkspaceConfig
from billing_pipeline.reference import ReferenceSet
from resources.archive import Archive
from resources.isolation import Converter
from resources.lake import Lake
from resources.reference_files import load_reference
from resources.session import duckdb_session
from resources.workspace import Workspace


class WorkspaceResource(ConfigurableResource):  # type: ignore[type-arg]
    """Connections of one workspace.

    Attributes:
        home: the workspace's folder (`BILLING_HOME`).
    """

    home: str

    @property
    def workspace(self) -> Workspace:
        """The folder and its places."""
        return Workspace(Path(self.home))

    @property
    def config(self) -> WorkspaceConfig:
        """What `billing.toml` says."""
        return self.workspace.load_config()

    @property
    def lake(self) -> Lake:
        """The Parquet files of all assets."""
        return Lake(self.workspace.lake)

    @property
    def archive(self) -> Archive:
        """The bytes and arrivals of every file."""
        return Archive(self.workspace.archive)

    def reference(self) -> ReferenceSet:
        """The reference set in force; a warning in the run's log says when it is not the files as they stand.

        Raises:
            ReferenceInvalid: they do not form a usable set, and there never was one.
        """
        reference = load_reference(self.workspace.home, self.config.organisation.zone)
        for problem in reference.refused:
            get_dagster_logger().warning("the reference set of %s stays in force: %s", reference.taken_at, problem)
        return reference

    @contextmanager
    def session(self, memory_limit: str = "3GB", threads: int = 2) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a DuckDB session with the shared macros and a temporary folder inside the workspace.

        Args:
            memory_limit: as DuckDB writes it; a long list streams and needs little (`session.EXPORT_MEMORY`).
            threads: threads of the engine.
        """
        with duckdb_session(memory_limit=memory_limit, threads=threads, temp_directory=self._temporary()) as connection:
            yield connection

    def converter(self, connection: duckdb.DuckDBPyConnection) -> Converter:
        """Return a converter of vendors' files, a context manager that ends its child processes."""
        return Converter(connection, self._temporary())

    def _temporary(self) -> Path:
        folder = self.workspace.home / ".duckdb"
        folder.mkdir(parents=True, exist_ok=True)
        return folder
