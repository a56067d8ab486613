"""What a piece of work takes: CPU seconds and peak memory, each piece in a process of its own.

The measuring process imports nothing of the pipeline: Linux lets a child begin with its parent's peak memory.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field


def cpu_seconds() -> float:
    """Return the CPU seconds, user and system, that this process has used so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@dataclass
class Usage:
    """What one piece of work took.

    Attributes:
        cpu: CPU seconds, user and system, without the start.
        wall: seconds, without the start.
        start: CPU seconds of the interpreter's start and of the imports.
        peak_megabytes: largest resident memory, the start included.
        parts: CPU seconds of named parts of it.
        facts: what came out, for a reader to see that the work was done.
    """

    cpu: float = 0.0
    wall: float = 0.0
    start: float = 0.0
    peak_megabytes: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    facts: dict[str, int] = field(default_factory=dict)


class Clock:
    """Measures from its making to `stop`; make it when the imports are done."""

    def __init__(self) -> None:
        self._cpu, self._wall = cpu_seconds(), time.perf_counter()

    def stop(self) -> Usage:
        """Return what was used since."""
        return Usage(
            cpu=cpu_seconds() - self._cpu,
            wall=time.perf_counter() - self._wall,
            start=self._cpu,
            peak_megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        )


class Parts:
    """Adds up CPU seconds by name; a part within a part counts in both.

    Attributes:
        seconds: name to CPU seconds.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Name the part that the following `with` block is."""
        began = cpu_seconds()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + cpu_seconds() - began


def report(usage: Usage) -> None:
    """Hand a child's figures to the process that started it."""
    print("\n" + json.dumps(asdict(usage)), flush=True)


def measure_child(*arguments: str) -> Usage:
    """Run a Python script in a process of its own and return the figures it reports at its end."""
    done = subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return Usage(**json.loads(done.stdout.strip().splitlines()[-1]))
