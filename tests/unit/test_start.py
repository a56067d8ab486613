"""The start of `billing`: what a command loads."""

import subprocess
import sys

import pytest

from billing_pipeline.cli import start

HEAVY = ("dagster", "sqlalchemy", "typst")


def loaded_by(*arguments: str) -> set[str]:
    """Return which of the heavy libraries a process has loaded once it knows its command."""
    code = (
        "import sys; from billing_pipeline.cli import start; start._app(sys.argv[1:]);"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_a_list_of_charges_is_made_without_dagster_ledger_and_documents() -> None:
    """Once their modules alone took 200 MB of the 300 that a workbook of a million rows may take."""
    assert loaded_by("charges", "export") == set()


def test_every_other_command_finds_all_there_is() -> None:
    assert loaded_by("run") == set(HEAVY)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["run", "charges"], ["chargess"]])
def test_whatever_is_no_group_of_its_own_goes_to_the_whole_program(arguments: list[str]) -> None:
    names = {group.name for group in start._app(arguments).registered_groups}
    assert {"charges", "invoices"} <= names


def test_a_group_that_stands_alone_is_the_same_as_in_the_whole_program() -> None:
    (alone,) = start._app(["charges"]).registered_groups
    (whole,) = [group for group in start._app([]).registered_groups if group.name == "charges"]
    assert alone.typer_instance is whole.typer_instance
