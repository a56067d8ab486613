"""A rebuild reckons with the documents of then: what they took of credits, and which months they had locked."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dagster import DagsterInstance

from billing_pipeline.cli.document_exports import export_documents
from billing_pipeline.cli.jobs import Jobs
from billing_pipeline.invoicing import DraftOptions
from billing_pipeline.ledger.documents import list_invoices
from billing_pipeline.periods import BillingPeriod
from resources import clock, invoice_life
from resources.archive import Archive
from resources.intake import open_inbox
from resources.invoice_life import Desk
from resources.ledger import open_ledger, reading
from resources.rebuild import rebuild_month
from resources.workspace import Workspace
from tests.workspaces import drop, files_below, invoice, make_workspace

SEPTEMBER, OCTOBER = BillingPeriod("2025-09"), BillingPeriod("2025-10")
THEN = datetime(2025, 11, 10, 8, tzinfo=UTC)
LATER = datetime(2025, 11, 20, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DATED = {"invoice_date": "2025-09-20", "issued_at": "2025-09-20T10:00:00+02:00"}
CREDITS = "credit_id,customer_id,amount,currency,granted_on,kind\nK,C-dist,50.00,USD,2025-09-01,general\n"


class Story:
    """A workspace, worked on with the clock set."""

    def __init__(self, workspace: Workspace, instance: DagsterInstance, patch: pytest.MonkeyPatch) -> None:
        self.workspace = workspace
        self._instance = instance
        self._patch = patch

    def at(self, instant: datetime) -> None:
        """Set the clock."""
        for module in (clock, invoice_life):
            self._patch.setattr(module, "utc_now", lambda: instant)

    def run(self, period: BillingPeriod) -> None:
        """Do what `billing run --month` does."""
        config = self.workspace.load_config()
        days = open_inbox(self.workspace.home, config, Archive(self.workspace.archive)).days(config.organisation.zone)
        jobs = Jobs(self.workspace, self._instance)
        jobs.run_days(days, days, publish=False)
        jobs.run_month(period, {"who": "test", "apply_credits": True})

    @property
    def desk(self) -> Desk:
        """Where documents are approved and made void."""
        return Desk.open(self.workspace, "ann")


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    workspace = make_workspace(tmp_path / "home")
    (workspace.reference / "credits.csv").write_text(CREDITS)
    for path in [*workspace.reference.iterdir(), workspace.config_file]:
        os.utime(path, ((THEN - timedelta(days=9)).timestamp(),) * 2)
    with pytest.MonkeyPatch.context() as patch, DagsterInstance.ephemeral() as instance:
        yield Story(workspace, instance, patch)


def test_credits_taken_and_months_locked_by_then_make_the_draft_of_then(story: Story, tmp_path: Path) -> None:
    workspace = story.workspace
    story.at(THEN - timedelta(days=3))
    drop(workspace, "dist/received=2025-10-02/n0.csv", invoice("N0", 4, **DATED), THEN)
    story.run(SEPTEMBER)
    with reading(story.desk.engine).connect() as connection:
        september = list_invoices(connection, period=SEPTEMBER.text)
    assert story.desk.approve(september).refused == ()
    story.at(THEN)
    drop(workspace, "dist/received=2025-11-05/n0-again.csv", invoice("N0", 3, **DATED), THEN)
    drop(workspace, "dist/received=2025-11-05/n1.csv", invoice("N1", 5), THEN)
    story.run(OCTOBER)
    export_documents(workspace, OCTOBER.text, None)
    then = files_below(workspace.exports / "invoices")
    # What has happened since: September is void, its credit is free again, and October's draft is another one.
    story.at(LATER)
    assert story.desk.void([september[0].invoice_id], "wrong").refused == ()
    story.run(OCTOBER)
    export_documents(workspace, OCTOBER.text, None)
    later = files_below(workspace.exports / "invoices")
    assert then.keys() == later.keys()
    assert all(then[name] != later[name] for name in then)
    rebuilt = rebuild_month(workspace, OCTOBER, THEN + MINUTE, DraftOptions(apply_credits=True), tmp_path / "then")
    assert (rebuilt.errors, rebuilt.invoices) == ((), 1)
    assert files_below(tmp_path / "then" / "exports" / "invoices") == then
    with reading(open_ledger("sqlite:///ledger.db", tmp_path / "then")).connect() as connection:
        assert [(head.billing_period, head.status) for head in list_invoices(connection)] == [
            ("2025-09", "open"),
            ("2025-10", "draft"),
        ]
