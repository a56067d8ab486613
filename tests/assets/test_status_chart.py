"""What the warehouse's page shows of the states: a symbol per source and month, and what is awaited."""

from datetime import date
from decimal import Decimal

import duckdb
import pytest
from dagster import MarkdownMetadataValue

from assets.status_chart import describe_status, status_chart
from billing_pipeline.schemas.reconciliation import BILLING_STATUS
from tests.sql.inline import Row, make, session, table_types

STATUS: Row = {
    "source": "aws",
    "billing_period": "2026-10",
    "state": "settled",
    "is_late": False,
    "currency": "USD",
    "expected_settled_on": date(2026, 11, 20),
}


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    return session()


def test_every_state_has_a_symbol_of_its_own(connection: duckdb.DuckDBPyConnection) -> None:
    make(
        connection,
        "billing_status",
        table_types(BILLING_STATUS),
        {"state": "locked"},
        {"billing_period": "2026-11", "state": "collecting"},
        {"billing_period": "2026-12", "state": "open"},
        {"source": "gcp"},
        {"source": "gcp", "currency": "EUR"},
        {"source": "gcp", "billing_period": "2026-11", "state": "collecting", "is_late": True},
        defaults=STATUS,
    )
    assert status_chart(connection).splitlines() == [
        "| source | 2026-10 | 2026-11 | 2026-12 |",
        "| --- | --- | --- | --- |",
        "| aws | ■ | ◐ | ○ |",
        "| gcp | ● | ▲ |  |",
    ]


def test_the_chart_shows_the_last_twelve_months(connection: duckdb.DuckDBPyConnection) -> None:
    months = [{"billing_period": f"2025-{month:02}"} for month in range(1, 13)]
    make(connection, "billing_status", table_types(BILLING_STATUS), {}, *months, defaults=STATUS)
    header = status_chart(connection).splitlines()[0]
    assert "2025-01" not in header
    assert header.startswith("| source | 2025-02 ")
    assert header.endswith(" 2026-10 |")


def test_what_is_awaited_stands_in_a_table_with_its_difference(connection: duckdb.DuckDBPyConnection) -> None:
    waiting = {"state": "collecting", "is_late": True, "difference": Decimal("-1.5"), "waits_for": "a | b"}
    make(connection, "billing_status", table_types(BILLING_STATUS), {}, {"source": "gcp", **waiting}, defaults=STATUS)
    awaited = describe_status(connection)["awaited"]
    assert isinstance(awaited, MarkdownMetadataValue)
    assert awaited.md_str.splitlines()[2:] == [
        "| 2026-10 | gcp | collecting, late | -1.50 USD | 2026-11-20 | a \\| b |"
    ]
