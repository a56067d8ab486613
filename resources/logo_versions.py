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


def logo_as_of(home: Path, config: WorkspaceConfig, as_of: datetime) -> Path | None:
    """Return the archived file of the logo that documents carried at a past instant.

    Args:
        config: the settings of that instant.

    Returns:
        The version in force by the rules of `config_as_of`; None where the settings name no logo, or none that was
        ever taken into use.
    """
    journal = ReferenceJournal(home)
    known, _ = known_versions([one for one in journal.taken() if one.file == config.organisation.logo], as_of)
    shas = [version.sha256 for version in known if version.sha256 is not None]
    return journal.path(known[-1].file, shas[-1]) if shas else None
