"""One source's months as relations of a session, and what `awaited.sql` and `billing_status.sql` make of them."""

from datetime import date
from decimal import Decimal

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.reconciliation import VENDOR_DIFFERENCES
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from tests.sql.inline import Row, instant, make, select, session, table_types

DELIVERY_TYPES = table_types(DELIVERIES) | {"is_current": "boolean"}
PAIR = {"source": "varchar", "billing_period": "varchar"}
MONTHS = PAIR | {"has_accounts": "boolean", "expected_settled_from": "date", "expected_settled_on": "date"}
FILES = PAIR | {
    "kind": "varchar",
    "file_name": "varchar",
    "files_expected": "bigint",
    "files_received": "bigint",
    "reason": "varchar",
}
OCTOBER: Row = {"source": "aws", "billing_period": "2026-10"}
MONTH: Row = OCTOBER | {
    "has_accounts": True,
    "expected_settled_from": date(2026, 11, 6),
    "expected_settled_on": date(2026, 11, 20),
}
DELIVERY: Row = OCTOBER | {
    "delivery_id": "d1",
    "billing_account_id": "A",
    "received_at": instant("2026-11-05"),
    "is_final": True,
    "is_current": True,
    "file_count": 1,
    "sha256": "s1",
    "currency": "EUR",
}
DIFFERENCE: Row = OCTOBER | {
    "billing_account_id": "A",
    "currency": "EUR",
    "vendor_total": Decimal(100),
    "rows_total": Decimal(100),
    "cost_total": Decimal(100),
    "difference": Decimal(0),
    "is_blocking": False,
}
TOTAL: Row = OCTOBER | {"billing_account_id": "A", "currency": "EUR", "net_total": Decimal(0), "is_final": True}
CHUNKS: Row = OCTOBER | {
    "kind": "incomplete",
    "file_name": "m.json",
    "files_expected": 3,
    "files_received": 2,
    "reason": "1 of 3 chunks are not here",
}
IN_OCTOBER, IN_NOVEMBER, IN_DECEMBER = date(2026, 10, 31), date(2026, 11, 1), date(2026, 12, 1)


def status(
    *deliveries: Row,
    months: tuple[Row, ...] = ({},),
    accounts: tuple[Row, ...] = (),
    files: tuple[Row, ...] = (),
    differences: tuple[Row, ...] = ({},),
    totals: tuple[Row, ...] = (),
    invoiced: tuple[Row, ...] = (),
    as_of_day: date = IN_NOVEMBER,
) -> list[Row]:
    """Return the rows of `billing_status`: of October 2026 and one account, but for what the arguments change."""
    connection = session()
    make(connection, "known_deliveries", DELIVERY_TYPES, *deliveries, defaults=DELIVERY)
    make(connection, "source_months", MONTHS, *months, defaults=MONTH)
    make(connection, "open_files", FILES, *files, defaults=CHUNKS)
    make(connection, "vendor_differences", table_types(VENDOR_DIFFERENCES), *differences, defaults=DIFFERENCE)
    make(connection, "vendor_totals", table_types(VENDOR_TOTALS), *totals, defaults=TOTAL)
    make(connection, "invoiced_sources", PAIR, *invoiced)
    make(connection, "earlier", {**PAIR, "billing_account_id": "varchar"}, *accounts, defaults=OCTOBER)
    connection.execute(
        "create temp table delivered_accounts as select distinct source, billing_account_id, billing_period from"
        " (select * from earlier union all by name select source, billing_account_id, billing_period"
        " from known_deliveries where is_current)"
    )
    connection.execute(f"create temp table awaited as {load_sql('marts/awaited')}", {"as_of_day": as_of_day})
    return select(connection, "marts/billing_status", {"as_of_day": as_of_day})
