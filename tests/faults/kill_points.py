"""Durable steps of a process, counted, and the process killed at one of them; for `kill_sweep`.

A step is anything that changes what lies on disk below a folder: a file opened for writing, flushed, renamed, removed,
its mode set, a folder made or removed, a statement or a commit of the ledger. It is counted just before it happens, so
that the kill at step n leaves n - 1 of them done. DuckDB's own writes are not seen; they only fill files whose names
Python has given or will change.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

_ON_PATHS = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "os.utime"})
_ON_PATHS_THAT_ARE_THERE = frozenset({"os.remove", "os.rmdir"})
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Steps:
    """Counts the durable steps of this process.

    Args:
        home: the folder whose changes count.
        leave_out: folders below it whose changes do not.
        die_at: the step, from 1, at which the process is killed; None lets it live.
    """

    def __init__(self, home: Path, leave_out: tuple[str, ...], die_at: int | None) -> None:
        self.names: list[str] = []
        self._home = f"{home}{os.sep}"
        self._leave_out = tuple(f"{home}{os.sep}{name}" for name in leave_out)
        self._die_at = die_at

    def watch(self) -> None:
        """Begin to count; there is no end to it but the process's."""
        # What is written outlives a killed process, flushed or not; to wait for the disk would take minutes.
        os.fsync = lambda _descriptor: self.take("fsync")
        sys.addaudithook(self._heard)
        event.listen(Engine, "before_cursor_execute", _ledger_statement(self.take))
        event.listen(Engine, "commit", _ledger_commit(self.take))

    def take(self, name: str) -> None:
        """Count a step; the one to die at does not return."""
        self.names.append(name)
        if len(self.names) == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _heard(self, name: str, arguments: tuple[Any, ...]) -> None:
        is_open = name == "open"
        if not (is_open or name in _ON_PATHS) or (is_open and not (arguments[2] or 0) & _WRITING):
            return
        path = arguments[0]
        if isinstance(path, str | os.PathLike):
            text = os.fspath(path)
            if isinstance(text, str) and text.startswith(self._home) and self._is_change(name, text):
                self.take(f"{name} {text.removeprefix(self._home)}")

    def _is_change(self, name: str, path: str) -> bool:
        if path.startswith(self._leave_out) or path.endswith(".lock"):
            return False
        is_there = os.path.lexists(path)
        return not (name == "os.mkdir" and is_there) and not (name in _ON_PATHS_THAT_ARE_THERE and not is_there)


def _ledger_statement(take: Callable[[str], None]) -> Callable[..., None]:
    def before_cursor_execute(connection: Connection, _cursor: Any, statement: str, *_others: Any) -> None:
        if _is_ledger(connection) and not statement.lstrip().lower().startswith(("select", "begin", "pragma")):
            take(f"sql {' '.join(statement.split()[:3])}")

    return before_cursor_execute


def _ledger_commit(take: Callable[[str], None]) -> Callable[[Connection], None]:
    def commit(connection: Connection) -> None:
        if _is_ledger(connection):
            take("commit")

    return commit


def _is_ledger(connection: Connection) -> bool:
    return str(connection.engine.url.database).endswith("ledger.db")
