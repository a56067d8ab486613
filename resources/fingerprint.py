"""The fingerprint of a conversion: when the code that makes rows changes, files are converted anew.

The code is everything that the modules named here import from this project, directly or not, and all SQL of staging.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from billing_pipeline.configuration import Source
from billing_pipeline.queries import sql_folder

PACKAGES = ("billing_pipeline", "resources")
# What turns a file into rows, what judges a set of files and lists it, and the settings of the engine.
ROOTS = ("resources.conversion", "resources.delivery_rows", "resources.session")
# They say when a file is taken and what its charges are billed by, not which rows it has.
_SETTINGS_OF_OTHERS = {"folder", "stable_after_seconds", "requires_checksum", "invoiced_through"}


@cache
def converter_fingerprint(source: Source) -> str:
    """Return a hash of all that decides how a source's files become deliveries and rows."""
    settings = source.model_dump_json(exclude=_SETTINGS_OF_OTHERS)
    return hashlib.sha256(f"{_code_sha256()}\n{settings}".encode()).hexdigest()[:16]


@cache
def _code_sha256() -> str:
    files = [*modules_behind(ROOTS).values(), *sorted((sql_folder() / "staging").glob("*.sql"))]
    digest = hashlib.sha256()
    for file in (*files, sql_folder() / "macros.sql"):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def modules_behind(roots: Iterable[str]) -> dict[str, Path]:
    """Return the files of modules and of all that they import from this project, by module name, sorted.

    Nothing is imported: what the text of a module names counts, also inside functions.
    """
    found: dict[str, Path] = {}
    pending = list(roots)
    while pending:
        name = pending.pop()
        file = _file_of(name)
        if name not in found and file is not None:
            found[name] = file
            pending += _imported(file)
    return dict(sorted(found.items()))


def _imported(file: Path) -> set[str]:
    """Return the modules of this project that a module may import; names of other things among them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in names if name.split(".", 1)[0] in PACKAGES}


def _file_of(module: str) -> Path | None:
    place = Path(__file__).resolve().parent.parent.joinpath(*module.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)
