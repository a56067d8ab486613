"""Names of files that are not whole yet, and the end of those whose process has died.

The name says which process of which machine writes the file, so that a later one can tell what a killed process has
left from what another is writing just now. What does not belong here: putting a whole file in place
(`resources.lake.replacing`).
"""

import hashlib
import os
import re
from functools import cache
from pathlib import Path

WRITING, BUILDING = "writing", "building"

# A machine's name may be long, and a file's name may not.
_MACHINE = hashlib.sha256(os.uname().nodename.encode()).hexdigest()[:8]
# DuckDB's write-ahead log stands beside its file.
_LEFT = re.compile(rf"\.{_MACHINE}-(?P<process>\d+)\.({WRITING}|{BUILDING})(\.wal)?$")


def unfinished_name(target: Path, ending: str = WRITING) -> Path:
    """Return the name under which this process writes a file until it is whole.

    It does not end in the target's suffix, so no reader ever globs it. What dead processes have left in the folder is
    removed, once per process and folder: to look at a folder of ten thousand documents for each of them costs a minute.

    Args:
        target: the file; its folder exists.
        ending: `WRITING` or `BUILDING`.
    """
    _clear(target.parent)
    return target.with_name(f"{target.name}.{process_name()}.{ending}")


def process_name() -> str:
    """Return what names this process of this machine among all that use a workspace."""
    return f"{_MACHINE}-{os.getpid()}"


def is_alive_elsewhere(name: str) -> bool:
    """Tell whether a process, as `process_name` names it, runs on this machine and is another one than this."""
    machine, _, process = name.partition("-")
    return machine == _MACHINE and int(process) != os.getpid() and _is_alive(int(process))


@cache
def _clear(folder: Path) -> None:
    with os.scandir(folder) as entries:
        found = [(entry.path, match) for entry in entries if (match := _LEFT.search(entry.name))]
    for path, match in found:
        if not _is_alive(int(match["process"])):
            Path(path).unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # It runs for another user.
        return True
    return True
