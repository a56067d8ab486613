"""Whatever arrives, every vendor row and every cent of it is behind one customer charge or one excluded charge."""

from collections.abc import Iterator
from datetime import date
from random import Random

import duckdb
import pytest

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES, EXCLUDED_CHARGES, EXCLUSION_REASONS
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from tests.properties.pricing_worlds import DAYS, World, item_row, price_worlds
from tests.properties.test_pricing_properties import months_of_usage
from tests.sql.inline import Row, fetch, make, pick, session, table_types

SEEDS = range(3)
DELIVERED = (
    "select delivery_id, billing_currency as currency, count(*) as row_count, sum(billed_cost) as total_cost from"
    " (select delivery_id, billing_currency, billed_cost from usage_rows"
    " union all select delivery_id, billing_currency, billed_cost from item_rows) group by all"
)
RULES = {"charges_start_on": "date", "standard_edition_since": "date", "arrived_on": "date"}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with session() as opened:
        opened.execute("set threads = 1")
        yield opened


def random_worlds(seed: int) -> tuple[list[World], dict[str, str]]:
    """Draw deliveries of feeds, some estimated, some invoiced by a distributor, and distributors' invoices."""
    random = Random(seed)
    worlds = months_of_usage(seed)
    feeds: dict[str, str] = {}
    for world in worlds:
        status = random.choice(["issued", "issued", "issued", "pending", "proforma"])
        world.fact["is_final"] = status == "issued" and random.random() < 0.9
        invoice_ids = [None, "V-1", "V-2"][: random.randint(1, 3)]
        if random.random() < 0.4:
            world.usage = []
            world.items = [
                item_row(world, random, random.choice(DAYS), number, x_invoice_status=status)
                for number in range(random.randint(1, 4))
            ]
            continue
        world.usage = [row | {"invoice_id": random.choice(invoice_ids)} for row in world.usage]
        if random.random() < 0.2:
            feeds[str(world.fact["source"])] = "dist"
    return worlds, feeds


def list_charges(connection: duckdb.DuckDBPyConnection, arrived_on: date, order: str) -> tuple[list[Row], list[Row]]:
    """List the session's priced lines, read in an order, as a day of arrival; return what is in and what is out."""
    connection.execute(
        f"create or replace temp table line_items as select * from priced_line_items_of_session order by {order}"
    )
    dates = {"charges_start_on": DAYS[1], "standard_edition_since": DAYS[0], "arrived_on": arrived_on}
    make(connection, "charge_rules", RULES, dates)
    make(connection, "vendor_totals", table_types(VENDOR_TOTALS))
    for name in ("charge_decisions", "decided_charges"):
        connection.execute(f"create or replace temp table {name} as {load_sql(f'charges/{name}')}")
    listed, left_out = (
        f"create or replace temp table {{}} as select * from ({load_sql(f'charges/{table.name}')}) order by all"
        for table in (CUSTOMER_CHARGES, EXCLUDED_CHARGES)
    )
    connection.execute(listed.format("listed_charges"))
    connection.execute(left_out.format("left_out_charges"))
    return fetch(connection, "from listed_charges"), fetch(connection, "from left_out_charges")


@pytest.mark.parametrize("seed", SEEDS)
def test_every_row_and_every_cent_is_listed_once_or_left_out_once(
    connection: duckdb.DuckDBPyConnection, seed: int
) -> None:
    worlds, feeds = random_worlds(seed)
    price_worlds(connection, worlds, feeds)
    listed, left_out = list_charges(connection, DAYS[2], "charge_id")
    connection.execute(f"create or replace temp view deliveries as {DELIVERED}")
    assert fetch(connection, load_sql("charges/uncounted_rows")) == []
    keys = pick(listed, "line_item_id") + pick(left_out, "line_item_id")
    assert len(keys) == len(set(keys)) > len(worlds)
    # No rule is there in name only, and no cost is charged twice or too early.
    assert set(pick(left_out, "reason")) == {*EXCLUSION_REASONS} - {"before_standard_edition"}
    final = {world.fact["delivery_id"] for world in worlds if world.fact["is_final"]}
    issued = {str(row["delivery_id"]) for world in worlds for row in world.items if row["x_invoice_status"] == "issued"}
    assert listed
    assert not {row["source"] for row in listed} & set(feeds)
    assert {row["delivery_id"] for row in listed} <= final | issued


def test_the_list_does_not_depend_on_the_order_in_which_charges_are_read(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    worlds, feeds = random_worlds(7)
    price_worlds(connection, worlds, feeds)
    assert list_charges(connection, DAYS[2], "charge_id") == list_charges(connection, DAYS[2], "md5(charge_id) desc")


def test_what_arrived_before_the_start_without_a_date_is_left_out_whole(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    worlds, feeds = random_worlds(9)
    price_worlds(connection, worlds, feeds)
    listed, left_out = list_charges(connection, date(2026, 9, 30), "charge_id")
    assert all(row["line_number"] is not None for row in listed)
    assert "before_standard_edition" in pick(left_out, "reason")
