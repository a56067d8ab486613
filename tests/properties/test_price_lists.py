"""What an item should cost by the distributor's price list: the pipeline against the rule worked out a second time."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from random import Random

import duckdb
import pytest

from tests.properties.pricing_oracle import in_force
from tests.properties.pricing_worlds import DAYS, RANGES, World, add_rows, amount, item_row, new_world, price_worlds
from tests.sql.inline import Row, instant, session

SEEDS, WORLDS = range(2), 250
KNOWN = [instant("2026-01-01"), instant("2026-02-01"), instant("2026-03-01")]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with session() as opened:
        opened.execute("set threads = 1")
        yield opened


def random_world(number: int, random: Random) -> World:
    """Draw items of one product and its price lists: at each break one row an instant, some of them not active."""
    world = new_world(number, random)
    for line in range(random.randint(1, 3)):
        quantity, unit_cost = Decimal(random.randint(1, 60)), amount(random, 9, 1000)
        costs = {"pricing_quantity": quantity, "x_unit_cost": unit_cost, "billed_cost": quantity * unit_cost}
        world.items.append(item_row(world, random, random.choice(DAYS), line, **costs))
    for start in random.sample([None, Decimal(10), Decimal(20), Decimal(50)], random.randint(0, 4)):
        for recorded_at in random.sample(KNOWN, random.randint(1, 2)):
            valid_from, valid_to = random.choice(RANGES)
            method = random.choice(["percent_of_sell_price", "percent_of_cost"])
            row: Row = {
                "price_list_id": world.named(f"list-{start}-{recorded_at.month}"),
                "product_id": world.named("s1"),
                "method": method,
                "percent": Decimal(random.randint(0, 1_000_000)).scaleb(-4),
                "distributor_cost": amount(random, 9, 1000) if method == "percent_of_cost" else None,
                "from_quantity": start,
                "is_active": random.choice([None, True, True, False]),
            }
            dates = {"valid_from": valid_from, "valid_to": valid_to, "recorded_at": recorded_at}
            add_rows(world, "distributor_price_lists", [row | dates | {"withdrawn_at": None}])
    return world


def wanted(world: World, item: Row) -> tuple[str | None, Fraction | None]:
    """Return the price list of the largest break that the quantity reaches, of its rows the one recorded last."""
    rows = [
        row
        for row in world.reference.get("distributor_price_lists", [])
        if in_force(row, item["x_invoice_date"])
        and row["is_active"] is not False
        and (row["from_quantity"] or 0) <= item["pricing_quantity"]
    ]
    if not rows:
        return None, None
    row = max(rows, key=lambda one: (one["from_quantity"] or 0, one["recorded_at"]))
    share = Fraction(row["percent"]) / 100
    if row["method"] == "percent_of_cost":
        return row["price_list_id"], Fraction(row["distributor_cost"]) * (1 + share)
    if item["x_list_price"] is None:
        return row["price_list_id"], None
    return row["price_list_id"], Fraction(item["x_list_price"]) * (1 - share)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_expected_unit_cost_is_that_of_the_largest_break_reached(
    connection: duckdb.DuckDBPyConnection, seed: int
) -> None:
    random = Random(seed)
    worlds = [random_world(number, random) for number in range(WORLDS)]
    found = price_worlds(connection, worlds)
    expected = 0
    for world in worlds:
        for line in found[world.number]:
            (item,) = [item for item in world.items if item["x_line_number"] == line["line_number"]]
            cost = None if line["expected_unit_cost"] is None else Fraction(line["expected_unit_cost"])
            assert (line["price_list_id"], cost) == wanted(world, item), (line, world)
            # What it should cost changes nothing of what it does cost, nor of the SRP.
            assert (line["unit_cost"], line["srp"]) == (item["x_unit_cost"], item["x_list_price"])
            expected += cost is not None
    assert expected > WORLDS // 4
