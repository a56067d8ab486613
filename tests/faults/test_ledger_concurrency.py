"""Many processes approve the same drafts at once, some are killed: no number is lost, no document is done twice.

LEDGER_APPROVALS, LEDGER_WORKERS and LEDGER_KILLS make it larger: `make test-ledger`.
"""

import os

from resources.ledger import open_ledger
from tests.faults import approvals

APPROVALS = int(os.environ.get("LEDGER_APPROVALS", "80"))
WORKERS = int(os.environ.get("LEDGER_WORKERS", "4"))
KILLS = int(os.environ.get("LEDGER_KILLS", "3"))


def test_concurrent_approvals_with_crashes_leave_gapless_numbers_and_one_mail_each(ledger_url: str) -> None:
    assert approvals.run(ledger_url, APPROVALS, WORKERS, KILLS) == KILLS
    engine = open_ledger(ledger_url)
    approvals.check(engine, APPROVALS)
    engine.dispose()
