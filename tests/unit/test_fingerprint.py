"""The fingerprint changes with all code that makes rows, and with no other."""

import sys
from importlib import import_module
from pathlib import Path
from subprocess import run

import pytest

from billing_pipeline.configuration import Source
from resources import fingerprint
from resources.fingerprint import ROOTS, converter_fingerprint, modules_behind

SOURCE = Source(id="a", format="focus", vendor="V")


@pytest.mark.parametrize(
    "change", [{"folder": "elsewhere"}, {"stable_after_seconds": 60}, {"requires_checksum": True}], ids=str
)
def test_settings_that_say_when_a_file_is_taken_convert_nothing_anew(change: dict[str, object]) -> None:
    assert converter_fingerprint(SOURCE) == converter_fingerprint(SOURCE.model_copy(update=change))


@pytest.mark.parametrize("change", [{"id": "b"}, {"format": "aws_cur"}, {"currency": "USD"}, {"vendor": "W"}], ids=str)
def test_settings_that_stand_in_the_rows_convert_anew(change: dict[str, object]) -> None:
    assert converter_fingerprint(SOURCE) != converter_fingerprint(SOURCE.model_copy(update=change))


def test_every_module_that_a_conversion_loads_is_in_the_fingerprint() -> None:
    """Found here: the list was kept by hand, and read-ahead and the control totals of AWS were not in it."""
    program = (
        f"import sys, {', '.join(ROOTS)}\n"
        "for name, module in sorted(sys.modules.items()):\n"
        f"    if name.split('.')[0] in {fingerprint.PACKAGES} and getattr(module, '__file__', None): print(name)"
    )
    loaded = run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert len(loaded) > 40
    missed = set(loaded) - set(modules_behind(ROOTS))
    assert missed <= {f"billing_pipeline{package}" for package in ("", ".vendors", ".schemas", ".charges")}
    # A package without a line of code decides nothing.
    assert all(not Path(str(import_module(name).__file__)).read_bytes() for name in missed)


def test_modules_behind_others_are_found_without_importing_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "resources"
    package.mkdir()
    contents = {
        "first": "from resources.second import name\nimport json",
        "second": "def late():\n    from resources import third\n",
        "third": "import resources.first",
        "alone": "",
    }
    for name, text in contents.items():
        (package / f"{name}.py").write_text(text)
    monkeypatch.setattr(fingerprint, "__file__", str(package / "fingerprint.py"))
    assert list(modules_behind(["resources.first"])) == ["resources.first", "resources.second", "resources.third"]


def test_one_changed_byte_of_code_changes_the_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "resources"
    package.mkdir()
    monkeypatch.setattr(fingerprint, "__file__", str(package / "fingerprint.py"))
    found = set()
    for text in ("a = 1", "a = 2", "a = 1"):
        (package / "conversion.py").write_text(text)
        fingerprint._code_sha256.cache_clear()
        found.add(fingerprint._code_sha256())
    fingerprint._code_sha256.cache_clear()
    assert len(found) == 2
