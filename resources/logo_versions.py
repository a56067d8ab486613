"""The versions of the logo on documents: archived beside billing.toml, which names it."""

from datetime import datetime
from pathlib import Path

from billing_pipeline.configuration import WorkspaceConfig
from resources.reference_journal import FoundFile, ReferenceJournal, find_file, known_versions


def find_logo(home: Path, config: WorkspaceConfig | None) -> dict[str, FoundFile]:
    """Return the logo as it stands, by the name that billing.toml gives it.

    Nothing where billing.toml names none, or no file is there: whoever prints the documents says so.
    """
    name = None if config is None else config.organisation.logo
    try:
        return {} if name is None else {name: find_file(home / name)}
    except OSError:
        return {}


class LogoVersions:
    """The versions of a workspace's logos that were ever taken into use.

    Args:
        home: the workspace.
    """

    def __init__(self, home: Path) -> None:
        self._journal = ReferenceJournal(home)
        self._taken = self._journal.taken()

    def find(self, name: str, at: datetime) -> Path | None:
        """Return the archived file of a logo as it was at an instant, by the rules of `config_as_of`.

        Args:
            name: as billing.toml named it then.

        Returns:
            None where no version of it was ever taken into use.
        """
        known, _ = known_versions([one for one in self._taken if one.file == name], at)
        shas = [version.sha256 for version in known if version.sha256 is not None]
        return self._journal.path(name, shas[-1]) if shas else None


def logo_as_of(home: Path, config: WorkspaceConfig, as_of: datetime) -> Path | None:
    """Return the archived file of the logo that documents carried at a past instant.

    Args:
        config: the settings of that instant.

    Returns:
        None where the settings name no logo, or none that was ever taken into use.
    """
    name = config.organisation.logo
    return None if name is None else LogoVersions(home).find(name, as_of)
