"""The user's pager, fed with one page of text after the other."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress

# Ends at once if all fits on the screen; long lines are cut, the arrow keys scroll sideways.
_LESS_OPTIONS = "-FRSX"


def page_through(pages: Iterable[str]) -> None:
    """Show texts in the pager that PAGER names, else in `less`; without either all are printed.

    A pipe holds little, so that a page is made only when the reader comes near it; leaving the pager ends it.
    """
    command = shlex.split(os.environ.get("PAGER", "")) or ["less"]
    if shutil.which(command[0]) is None:
        for page in pages:
            sys.stdout.write(page)
        return
    environment = {"LESS": _LESS_OPTIONS, **os.environ}
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, text=True, encoding="utf-8") as pager:  # noqa: S603
        # Ctrl-C is the pager's to answer, as long as it is there.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            _feed(pager, pages)
            pager.wait()
        finally:
            signal.signal(signal.SIGINT, before)


def _feed(pager: "subprocess.Popen[str]", pages: Iterable[str]) -> None:
    """Write page after page; a broken pipe says that the reader has seen enough, and closing it breaks as well."""
    assert pager.stdin is not None
    with suppress(BrokenPipeError):
        for page in pages:
            pager.stdin.write(page)
            pager.stdin.flush()
    with suppress(BrokenPipeError):
        pager.stdin.close()
