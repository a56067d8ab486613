"""Commands killed at many of their durable steps, for `test_kills` and `make test-kills`.

Each command first runs undisturbed, which gives the state before, the state after and the number of its steps. Then,
for each chosen step, a process runs the command from the state before and kills itself there with SIGKILL. What it
leaves must be, artefact by artefact, as before or as after; and the same command once more must end as the undisturbed
one did, with the same exit code and in the same state to the byte, without a file too many.

    python -m tests.faults.kill_sweep --points 200 --workers 2

Every command and every look at a workspace is a process of its own, forked before Polars and DuckDB are imported: they
start threads, which a fork does not take along.
"""

import argparse
import os
import pickle
import random
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

# Imported once, not in every process.
import alembic.command  # noqa: F401
import babel.numbers  # noqa: F401
import dagster
import openpyxl  # noqa: F401
import sqlalchemy  # noqa: F401
import sqlglot  # noqa: F401
import typer  # noqa: F401

if TYPE_CHECKING:
    from tests.faults.workspace_states import State

_LONGEST_SECONDS = 900


@dataclass(frozen=True)
class Watched:
    """A command as it runs when nobody kills it.

    Attributes:
        words: its arguments.
        saved: the workspace before it.
        before, after: the states.
        steps: the names of its durable steps, in order.
        exit_code: what it exits with.
    """

    words: tuple[str, ...]
    saved: Path
    before: "State"
    after: "State"
    steps: tuple[str, ...]
    exit_code: int


class Sweep:
    """One workspace, its commands and their kills.

    Args:
        folder: for everything; its place is part of what the warehouse says.
    """

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self._folder = folder
        self._commands: list[Watched] = []

    def prepare(self) -> None:
        """Make the old state, and run every command undisturbed."""
        from tests.faults.kill_scenario import FIRST, KILLED, NOW, THEN

        _in_child(_first, self.home)
        for words in FIRST:
            assert self._run(words, THEN)[0] == 0, f"billing {' '.join(words)} failed"
        _in_child(_second, self.home)
        before = _in_child(_state, self.home)
        for number, words in enumerate(KILLED):
            saved = self._folder / f"before-{number}"
            shutil.copytree(self.home, saved)
            exit_code, steps = self._run(words, NOW)
            after = _in_child(_state, self.home)
            self._commands.append(Watched(words, saved, before, after, steps, exit_code))
            before = after

    @property
    def step_count(self) -> int:
        """How many steps there are."""
        return sum(len(one.steps) for one in self._commands)

    def kill(self, place: int) -> list[str]:
        """Kill at one of all steps, counted from 0 over all commands; return what is wrong afterwards."""
        for command in self._commands:
            if place < len(command.steps):
                return self._kill(command, place)
            place -= len(command.steps)
        raise IndexError(place)

    def _kill(self, command: Watched, place: int) -> list[str]:
        from tests.faults.kill_scenario import NOW

        shutil.rmtree(self.home)
        shutil.copytree(command.saved, self.home)
        where = f"billing {' '.join(command.words)}, step {place + 1} of {len(command.steps)} ({command.steps[place]})"
        code, _ = self._run(command.words, NOW, die_at=place + 1)
        faults = [] if code == -signal.SIGKILL else ["it was not killed: its steps are not those of the time before"]
        faults += _in_child(_look_after_kill, self.home, command)
        exit_code, _ = self._run(command.words, NOW)
        if exit_code != command.exit_code:
            faults.append(f"repeated, it exits with {exit_code} instead of {command.exit_code}")
        faults += [f"repeated: {fault}" for fault in _in_child(_look_at_end, self.home, command)]
        return [f"{where}: {fault}" for fault in faults]

    def _run(self, words: Sequence[str], at: datetime, die_at: int | None = None) -> tuple[int, tuple[str, ...]]:
        """Run a command; return its exit code, and its steps if it lived."""
        found = _in_child(_command, self.home, words, at, die_at)
        return found if found is not None else (-signal.SIGKILL, ())


def sweep(points: int, folder: Path, workers: int = 1, seed: int = 1) -> list[str]:
    """Kill at points spread over all steps; return what is wrong."""
    shares = [_start(_share, folder / f"worker-{number}", points, (number, workers), seed) for number in range(workers)]
    return [fault for share in shares for fault in _result(*share)]


def _share(folder: Path, points: int, part: tuple[int, int], seed: int) -> list[str]:
    folder.mkdir()
    own = Sweep(folder)
    own.prepare()
    chosen = spread(own.step_count, points, seed)
    _say(f"{own.step_count} steps, {len(chosen)} of them to be killed at")
    number, workers = part
    faults = []
    for place in chosen[number::workers]:
        found = own.kill(place)
        _say("\n".join(found) or f"step {place}: ok")
        faults += found
    return faults


def spread(steps: int, points: int, seed: int) -> list[int]:
    """Return as many different places, one out of each of that many equal stretches."""
    if points >= steps:
        return list(range(steps))
    dice = random.Random(seed)
    edges = [steps * number // points for number in range(points + 1)]
    places = [dice.randrange(first, last) for first, last in pairwise(edges)]
    # A sweep that is stopped has seen something of every command.
    dice.shuffle(places)
    return places


def _first(home: Path) -> None:
    from tests.faults.kill_scenario import first_deliveries

    first_deliveries(home)


def _second(home: Path) -> None:
    from tests.faults.kill_scenario import second_deliveries

    second_deliveries(home)


def _state(home: Path) -> "State":
    from tests.faults.workspace_states import read_state

    return read_state(home)


def _look_after_kill(home: Path, command: Watched) -> list[str]:
    from tests.faults.workspace_states import faults_of_kill, read_state

    try:
        return faults_of_kill(command.before, read_state(home), command.after)
    except Exception as error:
        return [f"the workspace cannot be read: {type(error).__name__}: {error}"]


def _look_at_end(home: Path, command: Watched) -> list[str]:
    from tests.faults.workspace_states import differences, read_state

    try:
        return differences(command.after, read_state(home))
    except Exception as error:
        return [f"the workspace cannot be read: {type(error).__name__}: {error}"]


def _command(home: Path, words: Sequence[str], at: datetime, die_at: int | None) -> tuple[int, tuple[str, ...]]:
    """Be the `billing` command, with the clock set."""
    from resources import clock

    clock.utc_now = lambda: at
    os.environ.update(BILLING_HOME=str(home), DAGSTER_HOME=str(home / ".dagster"))
    sys.argv = ["billing", *words]
    # Dagster's records of runs are no results, and to write them takes as long as the run.
    dagster.DagsterInstance.get = staticmethod(dagster.DagsterInstance.ephemeral)
    from billing_pipeline.cli import main
    from tests.faults.kill_points import Steps
    from tests.faults.workspace_states import LEFT_OUT

    steps = Steps(home, LEFT_OUT, die_at)
    steps.watch()
    exit_code = 0
    try:
        main()
    except SystemExit as stopped:
        exit_code = int(stopped.code or 0)
    return exit_code, tuple(steps.names)


def _in_child(work: Callable[..., Any], *arguments: Any) -> Any:
    """Do something in a process of its own; return its result, None if it was killed."""
    return _result(*_start(work, *arguments))


def _start(work: Callable[..., Any], *arguments: Any) -> tuple[int, int]:
    """Start a process; return its id and where its result can be read."""
    sys.stdout.flush()
    sys.stderr.flush()
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(readable)
        signal.alarm(_LONGEST_SECONDS * 100 if work is _share else _LONGEST_SECONDS)
        code = 1
        try:
            if work is not _share:
                _be_quiet(arguments[0])
            result = pickle.dumps(work(*arguments))
            with os.fdopen(writable, "wb") as stream:
                stream.write(result)
            code = 0
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            # Whatever happens, this process does not go on as its parent.
            sys.stderr.flush()
            os._exit(code)
    os.close(writable)
    return child, readable


def _result(child: int, readable: int) -> Any:
    with os.fdopen(readable, "rb") as stream:
        content = stream.read()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in {0, -signal.SIGKILL}:
        raise RuntimeError(f"a process of the sweep ended with {code}; see its log")
    return pickle.loads(content) if code == 0 else None


def _be_quiet(home: Path) -> None:
    """Send what this process says to the log beside the workspace."""
    log = os.open(home.with_name("log.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Sweep, and exit with 1 if anything is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="billing_kills_") as folder:
        faults = sweep(options.points, Path(folder), options.workers, options.seed)
    if faults:
        sys.exit(f"{len(faults)} faults")


if __name__ == "__main__":
    main()
