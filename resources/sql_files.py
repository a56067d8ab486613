"""SQL by name: `sql/<stage>/<name>.sql`, one select a file."""

from functools import cache
from importlib import resources as package_files
from pathlib import Path


def sql_folder() -> Path:
    """Return the folder that holds the SQL files, installed or in a checkout."""
    checkout = Path(__file__).resolve().parent.parent / "sql"
    if checkout.is_dir():
        return checkout
    return Path(str(package_files.files("billing_pipeline"))) / "sql"


@cache
def load_sql(name: str) -> str:
    """Return the text of one SQL file.

    Args:
        name: path below `sql/` without suffix, for example `staging/focus`.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return (sql_folder() / f"{name}.sql").read_text(encoding="utf-8")
