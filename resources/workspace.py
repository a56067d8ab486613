"""The workspace: the one folder that holds everything a deployment owns."""

import os
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Self, TypeVar

from pydantic import BaseModel, ValidationError

from billing_pipeline.configuration import Source, WorkspaceConfig
from billing_pipeline.errors import ConfigurationInvalid

HOME_VARIABLE = "BILLING_HOME"
CONFIG_FILE = "billing.toml"
DEFAULT_HOME = "data"
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class Workspace:
    """Places below one folder; nothing here creates them.

    Attributes:
        home: the folder, absolute.
    """

    home: Path

    @classmethod
    def from_environment(cls) -> Self:
        """Return the workspace named by BILLING_HOME, else `data` in the current folder."""
        return cls.at(Path(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME))

    @classmethod
    def at(cls, folder: Path) -> Self:
        """Return the workspace in a folder, absolute, whatever the current folder becomes."""
        return cls(folder.expanduser().absolute())

    @property
    def config_file(self) -> Path:
        """`billing.toml`."""
        return self.home / CONFIG_FILE

    @property
    def reference(self) -> Path:
        """Folder of the reference files."""
        return self.home / "reference"

    @property
    def archive(self) -> Path:
        """Folder of every delivery and reference version ever taken."""
        return self.home / "archive"

    @property
    def lake(self) -> Path:
        """Folder of the Parquet files."""
        return self.home / "lake"

    @property
    def warehouse(self) -> Path:
        """The database that analysts open."""
        return self.home / "warehouse.duckdb"

    @property
    def exports(self) -> Path:
        """Folder of files made for people."""
        return self.home / "exports"

    @property
    def mappings(self) -> Path:
        """Folder of the reseller's own mappings for other tools."""
        return self.home / "mappings"

    @property
    def dagster_home(self) -> Path:
        """Folder of the Dagster instance, unless DAGSTER_HOME names another."""
        return self.home / ".dagster"

    def landing(self, source: Source) -> Path:
        """Return the folder into which a source's files are dropped."""
        return self.home / source.landing_folder

    def load_config(self) -> WorkspaceConfig:
        """Read and check `billing.toml`.

        Raises:
            ConfigurationInvalid: it is missing, is no TOML, or a key is missing, unknown or wrong; names file and key.
        """
        try:
            content = self.config_file.read_bytes()
        except FileNotFoundError as error:
            raise ConfigurationInvalid(
                f"{self.config_file} does not exist; make a workspace with `billing init {self.home}`, or name one "
                f"in {HOME_VARIABLE}"
            ) from error
        except OSError as error:
            raise ConfigurationInvalid(f"{self.config_file}: {error}") from error
        return parse_config(self.config_file, content)


def parse_config(file: Path, content: bytes) -> WorkspaceConfig:
    """Read and check the bytes of a `billing.toml`.

    Args:
        file: by which problems call it.
        content: its bytes, the present ones or those of an archived version.

    Raises:
        ConfigurationInvalid: it is no TOML, or a key is missing, unknown or wrong; names file and key.
    """
    return parse_toml(file, content, WorkspaceConfig)


def parse_toml(file: Path, content: bytes, model: type[_Model]) -> _Model:
    """Read and check the bytes of a TOML file after a model of what it may say.

    Args:
        file: by which problems call it.
        content: its bytes.
        model: a pydantic model that forbids unknown keys.

    Raises:
        ConfigurationInvalid: it is no TOML, or a key is missing, unknown or wrong; names file and key.
    """
    try:
        # Text to Decimal: a number with a point never passes through floating point.
        document = tomllib.loads(content.decode("utf-8"), parse_float=Decimal)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationInvalid(f"{file}: {error}") from error
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise ConfigurationInvalid("\n".join(_complaints(file, error))) from error


def _complaints(file: Path, error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors():
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).removeprefix(".")
        where = f"{file}, key {key}" if key else str(file)
        if problem["type"] == "extra_forbidden":
            lines.append(f"{where}: is unknown")
        elif problem["type"] == "missing":
            lines.append(f"{where}: is missing")
        else:
            value = f", value {problem['input']!r}" if isinstance(problem["input"], str | int | Decimal) else ""
            lines.append(f"{where}{value}: {problem['msg'].removeprefix('Value error, ')}")
    return lines
