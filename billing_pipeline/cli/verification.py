"""`billing verify`: what was kept is what it was, and adds up."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from billing_pipeline.cli.output import ERR, complain, show_table
from billing_pipeline.verification import Verified
from resources.verification import verify
from resources.verified_archive import Watch
from resources.workspace import Workspace


def show_verification(workspace: Workspace, as_json: bool) -> bool:
    """Print one line per kind of check on stdout, and every problem on stderr.

    Returns:
        Whether there is no problem.
    """
    with _progress() as watch:
        found = list(verify(workspace, watch))
    if as_json:
        typer.echo(json.dumps([_structure(one) for one in found], indent=2, ensure_ascii=False))
    else:
        rows = [[one.check, f"{one.count:,} {one.unit}", len(one.problems) or "none"] for one in found]
        show_table("Verified against hashes and totals", ["check", "looked at", "problems"], rows, as_json=False)
    for one in found:
        for problem in one.problems:
            complain(f"{one.check}: {problem.subject}: {problem.difference}")
    return not any(one.problems for one in found)


def _structure(one: Verified) -> dict[str, object]:
    return {**vars(one), "problems": [vars(problem) for problem in one.problems]}


@contextmanager
def _progress() -> Iterator[Watch]:
    """Show on a terminal what is being looked at; elsewhere nothing."""
    with ERR.status("Verifying") as status:
        yield lambda text: status.update(f"Verifying: {text}")
