"""What all tests share: where the real vendor files are, and how Hypothesis runs."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Fixtures: pytest finds them by name.
from tests.ledger_databases import (  # noqa: F401
    ledger,
    ledger_url,
    postgresql_server,
    sqlite_template,
    sqlite_url,
)

# No deadline: other work on the machine must not decide whether a test passes.
settings.register_profile("local", deadline=None, max_examples=60)
settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "local")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real vendor files; without it the test is skipped, in CI it fails."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail("the real vendor files are not there: ../shared/data")
        pytest.skip("the real vendor files are not there: ../shared/data")
    return folder
