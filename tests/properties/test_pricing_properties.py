"""What must hold whatever a vendor sends and the terms say: nothing lost, nothing rounded, nothing by chance."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import duckdb
import pytest

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.priced_line_items import BUCKETS
from tests.properties.pricing_worlds import DAYS, INSTANTS, World, add_rows, amount, item_row, price_worlds, usage_row
from tests.properties.test_price_selection import random_world
from tests.sql.inline import Row, fetch, pick, session

SEEDS, WORLDS = range(4), 150
# What makes two vendor rows of one delivery one charge.
GRAIN = (
    "sub_account_id", "product_id", "product_type", "period_start", "charge_category", "charge_nature", "unit",
    "currency",
)  # fmt: skip
NATURES = ["usage"] * 6 + ["tax", "marketplace_fee", "free_tier", "rounding", "credit", "partner_discount"]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with session() as opened:
        opened.execute("set threads = 1")
        yield opened


def months_of_usage(seed: int) -> list[World]:
    """Draw worlds of a few kinds of usage with many rows of each, so that charges are made of more than one row."""
    random = Random(seed)
    worlds = [random_world(number, random) for number in range(WORLDS)]
    for world in worlds:
        kinds = [random_kind(world, random) for _ in range(random.randint(1, 2))]
        world.items = []
        world.usage = [
            usage_row(world, random, random.choice(DAYS[:2]), **random_amounts(random), **random.choice(kinds))
            for _ in range(random.randint(1, 9))
        ]
        # Most accounts are mapped, and every vendor has a rule that a narrower term may replace.
        known: Row = {"recorded_at": INSTANTS[0], "withdrawn_at": None, "valid_from": DAYS[0]}
        account = {"source": world.fact["source"], "account_id": world.named("a1"), "customer_id": world.named("c1")}
        add_rows(world, "accounts", [account | known])
        rule = {"rule_id": "all", "scope": "vendor", "scope_id": world.fact["vendor"], "method": "markup"}
        add_rows(world, "pricing_rules", [rule | known | {"percent": Decimal("12.3456")}])
        # An adjusted price is kept to 24 decimals, so a sum of adjusted prices may differ from them in the last one.
        world.reference["global_adjustments"] = []
    return worlds


def random_kind(world: World, random: Random) -> Row:
    return {
        "sub_account_id": random.choice([world.named("a1"), world.named("a1"), world.named("a9"), None]),
        "sku_id": random.choice([world.named("s1"), world.named("s1"), None]),
        "service_name": random.choice([world.named("s1"), "Machines", None]),
        "service_category": random.choice([world.named("t1"), None]),
        "x_charge_nature": random.choice(NATURES),
        "pricing_unit": random.choice(["Hours", None]),
        "billing_currency": random.choice(["EUR", "EUR", "USD"]),
    }


def random_amounts(random: Random) -> Row:
    return {
        "pricing_quantity": random.choice([amount(random, 15, 10**4), amount(random, 9, 10**4), None]),
        "charge_description": random.choice(["An hour", "One hour", None]),
    }


def exact_sum(rows: Iterable[Row], column: str) -> Fraction:
    """Add up without Python's 28 digits, which are fewer than a total has."""
    return sum((Fraction(row[column]) for row in rows), Fraction(0))


def grouped(lines: Iterable[Row]) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for line in lines:
        groups[tuple(line[name] for name in GRAIN)].append(line)
    return groups


@pytest.mark.parametrize("seed", SEEDS)
def test_pricing_the_grain_is_exactly_pricing_every_vendor_row_alone(
    connection: duckdb.DuckDBPyConnection, seed: int
) -> None:
    worlds = months_of_usage(seed)
    together = price_worlds(connection, worlds)
    # A delivery of its own for every row: no row shares a charge with another.
    alone: list[World] = []
    for world in worlds:
        for index, row in enumerate(world.usage):
            delivery = {"delivery_id": f"{index}-{world.number}"}
            reference = world.reference if index == 0 else {}
            alone.append(World(world.number, world.fact | delivery, [row | delivery], [], reference))
    apart = price_worlds(connection, alone)
    summed = 0
    for world in worlds:
        rows = grouped(apart[world.number])
        charges = grouped(together[world.number])
        assert sum(len(found) for found in rows.values()) == len(world.usage)
        assert set(charges) == set(rows)
        for key, found in charges.items():
            assert sum(pick(found, "row_count")) == len(rows[key])
            assert exact_sum(found, "total_cost") == exact_sum(rows[key], "total_cost")
            if None in pick(found, "total_sell"):
                assert None in pick(rows[key], "total_sell")
            else:
                assert exact_sum(found, "total_sell") == exact_sum(rows[key], "total_sell")
                summed += len(rows[key]) > 1
    assert summed > WORLDS // 4


@pytest.mark.parametrize("seed", SEEDS)
def test_every_vendor_row_and_every_cent_is_in_exactly_one_bucket(
    connection: duckdb.DuckDBPyConnection, seed: int
) -> None:
    random = Random(seed)
    worlds = months_of_usage(seed)
    for world in worlds:
        world.fact["is_final"] = random.random() < 0.7
        for number in range(random.randrange(4)):
            kind = random.choice(["debit", "debit", "credit"])
            changes: Row = {"sub_account_id": world.named(random.choice(["c1", "c9"])), "x_invoice_type": kind}
            changes |= {"x_invoice_status": random.choice(["issued", "issued", "pending", "proforma"])}
            row = item_row(world, random, DAYS[0], number, **changes)
            world.items.append(row | ({"billed_cost": -row["billed_cost"]} if kind == "credit" else {}))
    found = [line for lines in price_worlds(connection, worlds).values() for line in lines]
    rows = [row for world in worlds for row in (*world.usage, *world.items)]
    assert sum(pick(found, "row_count")) == len(rows)
    assert set(pick(found, "bucket")) == set(BUCKETS)
    assert all(line["total_sell"] is not None for line in found if line["bucket"] in ("billed", "not_yet_final"))
    assert all(line["reason"] for line in found if line["bucket"] in ("unpriced", "unmapped_account"))
    connection.execute("create or replace temp view line_items as from priced_line_items_of_session")
    buckets = fetch(connection, load_sql("reconciliation/usage_reconciliation"))
    for currency in {row["billing_currency"] for row in rows}:
        billed = [row for row in rows if row["billing_currency"] == currency]
        bucketed = [bucket for bucket in buckets if bucket["currency"] == currency]
        assert exact_sum(bucketed, "amount") == exact_sum(billed, "billed_cost")
    assert sum(pick(buckets, "row_count")) == len(rows)


@pytest.mark.parametrize("seed", SEEDS)
def test_neither_the_order_of_vendor_rows_nor_of_reference_rows_changes_anything(
    connection: duckdb.DuckDBPyConnection, seed: int
) -> None:
    random = Random(seed)
    worlds = [random_world(number, random) for number in range(WORLDS)]
    assert price_worlds(connection, worlds) == price_worlds(connection, [shuffled(world, random) for world in worlds])


def shuffled(world: World, random: Random) -> World:
    """Return the world with its vendor rows and the rows of each of its files in another order."""

    def in_another_order(rows: Sequence[Row]) -> list[Row]:
        return random.sample(list(rows), len(rows))

    reference = {
        name: [row | {"source_row": number} for number, row in enumerate(in_another_order(rows), start=1)]
        for name, rows in world.reference.items()
    }
    return replace(world, usage=in_another_order(world.usage), items=in_another_order(world.items), reference=reference)


def test_half_a_penny_of_every_row_is_still_there_in_the_sum(connection: duckdb.DuckDBPyConnection) -> None:
    """A thousand rows of 0.005 at 10 % are 5.50: rounded one by one they would be 10.00."""
    random = Random(0)
    world = random_world(0, random)
    world.items, known = [], {"recorded_at": world.fact["received_at"], "withdrawn_at": None, "source_row": 1}
    for name in ("special_prices", "pricebook_prices", "global_adjustments"):
        world.reference[name] = []
    dates = {"valid_from": DAYS[0], "valid_to": None}
    rule = {
        "rule_id": "r",
        "scope": "product",
        "scope_id": world.named("s1"),
        "method": "markup",
        "percent": Decimal(10),
    }
    account = {"source": world.fact["source"], "account_id": world.named("a1"), "customer_id": world.named("c1")}
    world.reference["pricing_rules"] = [rule | dates | known]
    world.reference["accounts"] = [account | dates | known]
    world.usage = [usage_row(world, random, DAYS[0], billed_cost=Decimal("0.005")) for _ in range(1000)]
    [line] = price_worlds(connection, [world])[0]
    assert line["total_sell"] == Decimal("5.5")
