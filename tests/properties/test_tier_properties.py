"""Prices with tiers: what the pipeline charges is what the tiers come to, however a quantity is split into charges."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random

import duckdb
import pytest

from tests.properties import tier_oracle as oracle
from tests.properties.pricing_worlds import (
    DAYS,
    World,
    add_rows,
    amount,
    item_row,
    new_world,
    price_worlds,
    usage_row,
)
from tests.sql.inline import Row, instant, session

SEEDS, WORLDS = range(4), 150
KNOWN: Row = {"recorded_at": instant("2025-01-01"), "withdrawn_at": None, "valid_from": date(2025, 1, 1)}
SCOPES = (("product", "s1"), ("product_type", "t1"), ("vendor", "vendor"))


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with session() as opened:
        opened.execute("set threads = 1")
        yield opened


def random_tiers(random: Random) -> list[Row]:
    """Draw the rows of a tiered price, from 0 on without a gap; the last one has no end."""
    method = random.choice(oracle.TIERED)
    if method == "package":
        size = random.choice([Decimal(1), Decimal(100), amount(random, 3, 500)])
        return [{"method": method, "unit_price": amount(random, 9, 100), "package_size": size}]
    starts = sorted({Decimal(0), *(amount(random, random.choice([0, 6]), 2000) for _ in range(random.randrange(4)))})
    ends = [*starts[1:], None]
    rows: list[Row] = []
    for start, end in zip(starts, ends, strict=True):
        share = {"percent": Decimal(random.randint(-99, 300))}
        price = {"unit_price": amount(random, 9, 100)}
        told = share if method == "volume" and random.random() < 0.3 else price
        # The first tier may say its lower bound or leave it out.
        first = None if start == 0 and random.random() < 0.5 else start
        rows.append({"method": method, "from_quantity": first, "to_quantity": end, **told})
    random.shuffle(rows)
    return rows


def tiered_world(number: int, random: Random) -> tuple[World, list[Row]]:
    """Draw a customer's month of one product: charges of two accounts, and one tiered price for them all."""
    world = new_world(number, random)
    tiers = random_tiers(random)
    scope, scope_id = random.choice(SCOPES)
    named = {"pricebook_id": world.named("b1"), "scope": scope, "scope_id": world.named(scope_id)}
    tiers = [named | row | KNOWN for row in tiers]
    add_rows(world, "pricebook_prices", tiers)
    book = {"pricebook_id": world.named("b1"), "name": "B", "currency": "EUR"}
    add_rows(world, "pricebooks", [book | KNOWN_AS_MASTER])
    customer = {
        "customer_id": world.named("c1"),
        "name": "C",
        "invoice_currency": "EUR",
        "pricebook_id": world.named("b1"),
    }
    add_rows(world, "customers", [customer | KNOWN_AS_MASTER])
    for account in ("a1", "a2"):
        row = {"source": world.fact["source"], "account_id": world.named(account), "customer_id": world.named("c1")}
        add_rows(world, "accounts", [row | KNOWN])
    for account in ("a1", "a2"):
        for day in DAYS:
            if random.random() < 0.7:
                quantity = amount(random, random.choice([0, 2, 9]), 1500)
                if random.random() < 0.15:
                    quantity = -quantity
                world.usage.append(
                    usage_row(
                        world,
                        random,
                        day,
                        sub_account_id=world.named(account),
                        pricing_quantity=quantity,
                        billed_cost=amount(random, 9, 100),
                    )
                )
    for line in range(random.randrange(3)):
        quantity = amount(random, random.choice([0, 2, 9]), 1500)
        unit_cost = amount(random, 6, 100)
        world.items.append(
            item_row(
                world, random, DAYS[0], line, sub_account_id=world.named("c1"), pricing_quantity=quantity,
                x_unit_cost=unit_cost, billed_cost=quantity * unit_cost,
            )
        )  # fmt: skip
    return world, tiers


KNOWN_AS_MASTER: Row = {name: KNOWN[name] for name in ("recorded_at", "withdrawn_at")}


def wanted_totals(lines: list[Row], tiers: list[Row]) -> dict[str, Fraction | None]:
    """Work out what each charge costs, in order of day and charge; an item stands for itself."""
    wanted: dict[str, Fraction | None] = {}
    usage = sorted(
        (line for line in lines if line["line_number"] is None),
        key=lambda line: (line["period_start"], line["charge_id"]),
    )
    whole = sum((Fraction(line["quantity"]) for line in usage), Fraction(0))
    before = Fraction(0)
    for line in usage:
        after = before + Fraction(line["quantity"])
        wanted[line["charge_id"]] = charge_total(line, tiers, whole, before, after)
        before = after
    for line in lines:
        if line["line_number"] is not None:
            quantity = Fraction(line["quantity"])
            wanted[line["charge_id"]] = charge_total(line, tiers, quantity, Fraction(0), quantity)
    return wanted


def charge_total(line: Row, tiers: list[Row], whole: Fraction, before: Fraction, after: Fraction) -> Fraction | None:
    method = tiers[0]["method"]
    if method == "volume":
        tier = oracle.volume_tier(tiers, whole)
        if tier is None:
            return None
        if tier.get("percent") is not None:
            return Fraction(line["total_cost"]) * (1 + Fraction(tier["percent"]) / 100)
        return Fraction(line["quantity"]) * Fraction(tier["unit_price"])
    if method == "package":
        return oracle.package(tiers[0], after) - oracle.package(tiers[0], before)
    totals = [oracle.graduated(tiers, quantity) for quantity in (whole, before, after)]
    if totals[0] is None or totals[1] is None or totals[2] is None:
        return None
    return totals[2] - totals[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_charge_takes_the_slices_of_the_tiers_that_it_fills(
    connection: duckdb.DuckDBPyConnection, seed: int
) -> None:
    random = Random(seed)
    stories = [tiered_world(number, random) for number in range(WORLDS)]
    found = price_worlds(connection, [world for world, _ in stories])
    priced = 0
    for world, tiers in stories:
        lines = found[world.number]
        wanted = wanted_totals(lines, tiers)
        for line in lines:
            total = None if line["total_sell"] is None else Fraction(line["total_sell"])
            assert total == wanted[line["charge_id"]], (line, tiers, lines)
            assert line["bucket"] == ("unpriced" if total is None else "billed")
            priced += total is not None
        usage = [line for line in lines if line["line_number"] is None]
        if tiers[0]["method"] == "graduated":
            whole = sum((Fraction(line["quantity"]) for line in usage), Fraction(0))
            assert sum(Fraction(line["total_sell"]) for line in usage) == oracle.graduated(tiers, whole)
    assert priced > WORLDS


@pytest.mark.parametrize("seed", SEEDS)
def test_however_a_quantity_is_split_into_charges_it_costs_the_same(
    connection: duckdb.DuckDBPyConnection, seed: int
) -> None:
    random = Random(seed + 1000)
    whole: list[World] = []
    split: list[World] = []
    for number in range(WORLDS):
        world, tiers = tiered_world(number, random)
        if any(row.get("percent") is not None for row in tiers):
            continue
        parts = [amount(random, 6, 600) for _ in range(random.randint(1, 6))]
        days = [*DAYS, *DAYS]
        pieces = [
            usage_row(
                world, random, day, sub_account_id=world.named(random.choice(["a1", "a2"])), pricing_quantity=part,
                service_name=f"Machines {index}",
            )
            for index, (part, day) in enumerate(zip(parts, days, strict=False))
        ]  # fmt: skip
        world.usage, world.items = pieces, []
        whole.append(World(number, world.fact, [pieces[0] | {"pricing_quantity": sum(parts)}], [], world.reference))
        split.append(world)
    at_once, in_parts = price_worlds(connection, whole), price_worlds(connection, split)
    for world in split:
        (line,) = at_once[world.number]
        totals = [part["total_sell"] for part in in_parts[world.number]]
        assert len(totals) == len(world.usage)
        assert line["total_sell"] is not None
        assert sum(map(Fraction, totals)) == Fraction(line["total_sell"])
