"""A price that was set stays, whatever is written into the reference files afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random

import duckdb
import pytest

from tests.properties.pricing_session import RECEIVED_AT, history
from tests.properties.pricing_worlds import (
    DAYS,
    World,
    amount,
    draw_percent,
    item_row,
    new_world,
    price_worlds,
    usage_row,
)
from tests.sql.inline import Row, instant, session

SEEDS, WORLDS = range(3), 200
# Versions of the reference files before the arrival, between it and the moment the file is seen, and after both.
VERSIONS: list[datetime] = [
    instant("2026-01-01"),
    RECEIVED_AT - timedelta(hours=1),
    RECEIVED_AT + timedelta(hours=1),
    instant("2026-11-06"),
    instant("2026-11-09"),
    instant("2026-12-24"),
]
ALWAYS = date(2026, 1, 1)
# What a line is to its customer: none of it may change once the line has a price.
FROZEN = (
    "charge_id", "customer_id", "total_sell", "unit_sell", "price_term", "price_term_id", "price_scope",
    "price_scope_id", "price_method", "price_percent", "price_unit_price", "tier_quantity", "adjustment_ids",
    "adjustment_percent", "total_before_adjustment", "bucket",
)  # fmt: skip


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with session() as opened:
        opened.execute("set threads = 1")
        yield opened


def random_methods(random: Random) -> list[Row]:
    """Draw a price of a pricebook: one row, or one for each tier."""
    tiers = [(Decimal(0), Decimal(1000)), (Decimal(1000), None)]
    method = random.choice(["fixed", "markup", "srp_discount", "graduated", "volume", "package"])
    if method == "fixed":
        return [{"method": method, "unit_price": amount(random, 9, 100)}]
    if method == "package":
        return [
            {"method": method, "unit_price": amount(random, 4, 100), "package_size": Decimal(random.randint(1, 50))}
        ]
    if method in ("graduated", "volume"):
        return [
            {"method": method, "unit_price": amount(random, 6, 100), "from_quantity": start, "to_quantity": end}
            for start, end in tiers
        ]
    return [{"method": method, "percent": min(draw_percent(random), Decimal(90))}]


def things(world: World, random: Random) -> list[tuple[str, list[list[Row]]]]:
    """Return every key of every file with what may stand under it: a few variants of its row or rows."""
    name = world.named
    found: list[tuple[str, list[list[Row]]]] = [
        ("pricebooks", [[{"pricebook_id": name(book), "name": book, "currency": "EUR"}]]) for book in ("b1", "b2")
    ]
    for account in ("a1", "c2"):
        mappings = [
            [
                {
                    "source": world.fact["source"],
                    "account_id": name(account),
                    "customer_id": name(random.choice(["c1", "c2"])),
                    "pricebook_id": random.choice([None, name("b1"), name("b2")]),
                    "valid_from": ALWAYS,
                }
            ]
            for _ in range(3)
        ]
        found.append(("accounts", mappings))
    for scope, scope_id in (("product", "s1"), ("product_type", "t1"), ("vendor", "vendor")):
        named = {"scope": scope, "scope_id": name(scope_id), "valid_from": ALWAYS}
        rules = [[{"rule_id": name(scope), **named, **rule}] for rule in _rule_methods(random)]
        found.append(("pricing_rules", rules))
        for book in ("b1", "b2"):
            books = [[{"pricebook_id": name(book), **named, **row} for row in random_methods(random)] for _ in range(2)]
            found.append(("pricebook_prices", books))
    products = [
        [
            {
                "product_id": name(p),
                "name": "P",
                "product_type": name("t1"),
                "source": world.fact["source"],
                "sku": name("s1"),
            }
        ]
        for p in ("p1", "s1")
    ]
    found.append(("products", products))
    for customer in ("c1", "c2"):
        row = {"customer_id": name(customer), "name": customer, "invoice_currency": "EUR"}
        found.append(("customers", [[row | {"pricebook_id": book}] for book in (None, name("b1"), name("b2"))]))
        specials = [
            [
                {
                    "special_price_id": name(customer),
                    "customer_id": name(customer),
                    "product_id": name("s1"),
                    "method": "markup",
                    "percent": draw_percent(random),
                    "valid_from": ALWAYS,
                }
            ]
            for _ in range(2)
        ]
        found.append(("special_prices", specials))
        adjusted = {"scope": "customer", "scope_id": name(customer), "valid_from": ALWAYS}
        percents = [[{"adjustment_id": name(customer), **adjusted, "percent": draw_percent(random)}] for _ in range(2)]
        found.append(("global_adjustments", percents))
    return found


def _rule_methods(random: Random) -> list[Row]:
    return [
        {"method": "markup", "percent": draw_percent(random)},
        {"method": "markup", "percent": draw_percent(random)},
        {"method": "srp"},
    ]


@dataclass
class Story:
    """A world, and what stands under every key of its reference files at each version: rows come, change and go.

    Attributes:
        world: with its charges.
        keys: file, and the rows under one key of it, by version.
    """

    world: World
    keys: list[tuple[str, list[list[Row]]]]

    def known_by(self, version: int) -> dict[str, list[Row]]:
        """Return the rows that the versions up to one leave behind, each key changed at an instant of its own."""
        found: dict[str, list[Row]] = {}
        for index, (file, contents) in enumerate(self.keys):
            instants = [at + timedelta(microseconds=index) for at in VERSIONS[: version + 1]]
            versions = [(at, {file: rows}) for at, rows in zip(instants, contents, strict=False)]
            found.setdefault(file, []).extend(history(versions)[file])
        return found


def random_story(number: int, random: Random) -> Story:
    world = new_world(number, random)
    for day in DAYS[:2]:
        world.usage.append(usage_row(world, random, day, list_cost=amount(random, 9)))
    world.items.append(item_row(world, random, DAYS[0], 1, sub_account_id=world.named("c2"), x_list_price=Decimal(7)))
    keys: list[tuple[str, list[list[Row]]]] = []
    row_number = count(1)
    for file, variants in things(world, random):
        numbered = [[row | {"source_row": next(row_number)} for row in rows] for rows in variants]
        # A customer or a pricebook is never taken away while other rows name it.
        choices = numbered if file in ("customers", "pricebooks") else [[], *numbered]
        contents = [choices[0]]
        for _ in VERSIONS[1:]:
            contents.append(random.choice(choices) if random.random() < 0.45 else contents[-1])
        keys.append((file, contents))
    return Story(world, keys)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_written_later_never_changes_a_price_that_was_set(
    connection: duckdb.DuckDBPyConnection, seed: int
) -> None:
    random = Random(seed)
    stories = [random_story(number, random) for number in range(WORLDS)]
    prices: dict[str, tuple[object, ...]] = {}
    for version, now in enumerate(VERSIONS):
        seen = [story.world for story in stories if story.world.fact["seen_at"] <= now]
        for story in stories:
            story.world.reference = story.known_by(version)
        for lines in price_worlds(connection, seen).values():
            for line in lines:
                frozen = tuple(line[name] for name in FROZEN)
                assert prices.get(line["charge_id"], frozen) == frozen, (now, line)
                if line["total_sell"] is not None:
                    prices[line["charge_id"]] = frozen
    assert len(prices) > WORLDS
