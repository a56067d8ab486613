"""The README's tour, run as it stands there on the demo's own workspace."""

import re
from datetime import date
from pathlib import Path

import duckdb
import pytest

from billing_pipeline.cli.demonstration import demonstrate, latest_complete_month
from billing_pipeline.periods import BillingPeriod
from resources.workspace import Workspace

README = Path(__file__).resolve().parents[2] / "README.md"
QUERIES = re.findall(r"```sql\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace.at(tmp_path_factory.mktemp("demo"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DAGSTER_HOME", raising=False)
        assert demonstrate(workspace, BillingPeriod("2026-10"), rows=1000)
    return workspace


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_of_the_readme_finds_rows_in_the_demo(demo: Workspace, query: str) -> None:
    with duckdb.connect(str(demo.warehouse), read_only=True) as warehouse:
        assert warehouse.execute(query).fetchall()


def test_the_demo_shows_every_format_with_nothing_refused_or_unpriced(demo: Workspace) -> None:
    with duckdb.connect(str(demo.warehouse), read_only=True) as warehouse:
        status = warehouse.execute(
            "select source, is_final from billing_status where billing_period = '2026-10' order by source"
        ).fetchall()
        buckets = warehouse.execute("select distinct bucket from usage_reconciliation").fetchall()
        assert warehouse.execute("select * from quarantine").fetchall() == []
    # One of the distributor's invoices is pending.
    assert [source for source, is_final in status if not is_final] == ["dist"]
    assert {source.id for source in demo.load_config().sources} == {source for source, _ in status}
    assert {bucket for (bucket,) in buckets} == {
        "billed", "tax", "marketplace_fee", "credit", "rounding", "partner_discount", "free_tier", "unmapped_account",
        "excluded_by_rule",
    }  # fmt: skip


def test_the_demo_leaves_the_files_that_the_readme_names(demo: Workspace) -> None:
    statements = {path.name for path in (demo.exports / "invoices" / "2026-10").iterdir()}
    assert {"2026-10-C1001-EUR.pdf", "2026-10-C1001-EUR.csv"} <= statements
    assert list((demo.exports / "customer_charges").glob("*/Customer Charges.xlsx"))


@pytest.mark.parametrize(
    ("today", "month"),
    [(date(2026, 11, 22), "2026-10"), (date(2026, 11, 8), "2026-09"), (date(2026, 1, 9), "2025-12")],
)
def test_the_demo_takes_the_newest_month_whose_final_files_can_have_arrived(today: date, month: str) -> None:
    assert latest_complete_month(today).text == month
