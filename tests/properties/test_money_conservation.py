"""Deliveries, restatements, locks and credits in any order: what vendors charge is billed, adjusted or named.

`make test-conservation` runs many more examples.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from billing_pipeline.invoicing import DraftOptions
from billing_pipeline.ledger.life import void
from resources.session import duckdb_session
from tests.properties import conservation
from tests.properties.billing_world import World
from tests.properties.conservation_machine import Months
from tests.properties.vendor_months import Charge, Delivery

EXAMPLES = int(os.environ.get("CONSERVATION_EXAMPLES", "6"))
STEPS = int(os.environ.get("CONSERVATION_STEPS", "10"))


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb_session(memory_limit="1GB", threads=1) as opened:
        yield opened


def test_a_void_month_that_another_document_has_adjusted_is_billed_once_when_it_is_drafted_anew(
    connection: duckdb.DuckDBPyConnection, sqlite_template: Path, tmp_path: Path
) -> None:
    world = World(connection, tmp_path, sqlite_template.read_bytes())
    hour = Charge("a1", "s1", date(2026, 9, 1), Decimal("10.005"), Decimal(1), "USD")
    first = Delivery("aws", "payer", "2026-09", (hour,), world.now)
    world.take(first)
    [september] = issue(world, "2026-09")
    world.now += timedelta(days=1)
    world.take(replace(first, charges=(hour, replace(hour, sku="s2")), received_at=world.now))
    issue(world, "2026-10")
    with world.engine.begin() as ledger:
        void(ledger, [september], "wrong", world.act())
    issue(world, "2026-09")
    owed = conservation.owed(world, with_fees=False, with_estimates=False)
    assert owed
    assert not conservation.same(owed, conservation.billed(world))
    conservation.check_documents(world)
    world.close()


def issue(world: World, month: str) -> list[str]:
    """Draft a month and approve it; return the documents that have become of it."""
    world.draft(month, DraftOptions())
    drafts = [one.invoice_id for one in world.documents() if one.status == "draft"]
    assert drafts
    assert not world.approve(drafts).refused
    return drafts


def test_what_vendors_charge_is_billed_adjusted_or_named_whatever_happens(
    connection: duckdb.DuckDBPyConnection, sqlite_template: Path
) -> None:
    class OfOneSession(Months):
        def __init__(self) -> None:
            super().__init__(connection, sqlite_template.read_bytes())

    run_state_machine_as_test(
        OfOneSession,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        ),
    )
