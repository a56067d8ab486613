"""SQL by name: `sql/<stage>/<name>.sql`, one select a file, loaded by name and never assembled from text.

The only text ever put into a query is a relation's name or a list of files, both made by this program;
values are bound as parameters.
"""

from functools import cache
from pathlib import Path


def sql_folder() -> Path:
    """Return the folder of the SQL files: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).resolve().parent
    for folder in (package.parent / "sql", package / "sql"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the SQL files are missing: neither beside nor inside the package billing_pipeline")


@cache
def load_sql(name: str) -> str:
    """Return the text of one SQL file.

    Args:
        name: path below `sql/` without suffix, for example `staging/focus`.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return (sql_folder() / f"{name}.sql").read_text(encoding="utf-8")
