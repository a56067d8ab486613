"""The page about filters, views and mappings: its examples are run as they stand there."""

import re
import shlex
from pathlib import Path

import pytest

from billing_pipeline.charges.column_filters import parse_column_filters
from resources.workspace import Workspace
from tests.command_line import run_command
from tests.workspaces import RECEIVED, drop, invoice, make_workspace

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "charges-export.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.strip().splitlines()
]
VIEW, MAPPING = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
FILTERS = [
    text.replace("\\|", "|")
    for row in re.findall(r"^\| (`.*?) \|", PAGE, flags=re.MULTILINE)
    for text in re.findall(r"`([^`]*)`", row)
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = make_workspace(tmp_path_factory.mktemp("page") / "home")
    made.config_file.write_text(made.config_file.read_text() + VIEW)
    made.mappings.mkdir()
    (made.mappings / "ledger.toml").write_text(MAPPING)
    drop(made, f"dist/{RECEIVED}/invoice.csv", invoice("N1", 2))
    assert run_command(made, "run", "--date", "2025-11-25") == 0
    return made


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_does_what_it_says(
    workspace: Workspace,
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    program, *words = shlex.split(command, comments=True)
    assert program == "billing"
    code = run_command(workspace, *words)
    shown = capfd.readouterr()
    assert (code, shown.err) == (0, "")
    assert shown.out.strip()
    if "--out" in words:
        written = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert written
        assert all(path.stat().st_size for path in written)


@pytest.mark.parametrize("text", FILTERS)
def test_every_filter_of_the_page_can_be_read(text: str) -> None:
    assert parse_column_filters([text]) is not None


def test_the_page_shows_what_this_test_looks_for() -> None:
    assert len(COMMANDS) > 12
    assert len(FILTERS) > 10
