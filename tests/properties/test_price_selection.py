"""Which term sets a price, and what it comes to: the pipeline against the rules worked out a second time."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import duckdb
import pytest

from tests.properties import pricing_oracle as oracle
from tests.properties.pricing_worlds import (
    DAYS,
    INSTANTS,
    World,
    add_rows,
    amount,
    dated,
    draw_percent,
    item_row,
    new_world,
    price_worlds,
    usage_row,
)
from tests.sql.inline import Row, instant, session

SEEDS, WORLDS = range(10), 200
LONG_KNOWN = instant("2025-01-01")


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with session() as opened:
        opened.execute("set threads = 1")
        yield opened


def random_world(number: int, random: Random) -> World:
    """A few charges, and up to three rows of every file for each thing that a row may name."""
    world = new_world(number, random)
    for day in DAYS:
        world.usage.append(usage_row(world, random, day, billing_currency=random.choice(["EUR", "EUR", "USD"])))
    for line, account in enumerate(("c1", "c2"), start=1):
        world.items.append(item_row(world, random, random.choice(DAYS), line, sub_account_id=world.named(account)))
    for account in ("a1", "c2"):
        instants = list(INSTANTS)
        add_rows(world, "accounts", (mapping(world, random, account, instants) for _ in range(random.randrange(3))))
    for customer in ("c1", "c2"):
        book = random.choice([None, world.named("b1"), world.named("b2")])
        row = {"customer_id": world.named(customer), "name": customer, "invoice_currency": "EUR", "pricebook_id": book}
        add_rows(world, "customers", [row | {"recorded_at": LONG_KNOWN, "withdrawn_at": None}])
        instants = list(INSTANTS)
        add_rows(
            world, "special_prices", (special(world, random, customer, instants) for _ in range(random.randrange(2)))
        )
    for book, currency in (("b1", "EUR"), ("b2", random.choice(["EUR", "USD"]))):
        row = {"pricebook_id": world.named(book), "name": book, "currency": currency}
        add_rows(world, "pricebooks", [row | {"recorded_at": LONG_KNOWN, "withdrawn_at": None}])
    for scope, scope_id in (("product", "s1"), ("product_type", "t1"), ("vendor", "vendor")):
        for book in ("b1", "b2"):
            instants = list(INSTANTS)
            rows = (
                {"pricebook_id": world.named(book), "scope": scope, "scope_id": world.named(scope_id)}
                | dated(book_method(random), random, instants)
                for _ in range(random.choice([0, 0, 1, 2]))
            )
            add_rows(world, "pricebook_prices", rows)
        instants = list(INSTANTS)
        rules = (
            {"rule_id": world.named(f"{scope}{index}"), "scope": scope, "scope_id": world.named(scope_id)}
            | dated(rule_method(random), random, instants)
            for index in range(random.choice([0, 0, 1, 3]))
        )
        add_rows(world, "pricing_rules", rules)
    for scope, scope_id in (("customer", world.named("c1")), ("vendor", world.named("vendor"))):
        instants = list(INSTANTS)
        rows = (
            {"adjustment_id": f"{scope}{index}", "scope": scope, "scope_id": scope_id}
            | dated({"percent": draw_percent(random)}, random, instants)
            for index in range(random.choice([0, 0, 1, 2]))
        )
        add_rows(world, "global_adjustments", rows)
    return world


def mapping(world: World, random: Random, account: str, instants: list[Any]) -> Row:
    row = {
        "source": world.fact["source"],
        "account_id": world.named(account),
        "customer_id": world.named(random.choice(["c1", "c2"])),
        "pricebook_id": random.choice([None, None, world.named("b1"), world.named("b2")]),
    }
    return dated(row, random, instants)


def special(world: World, random: Random, customer: str, instants: list[Any]) -> Row:
    method = random.choice(["markup", "percent_of_srp", "fixed"])
    row: Row = {
        "special_price_id": world.named(f"special-{customer}"),
        "customer_id": world.named(customer),
        "product_id": world.named("s1"),
        "method": method,
    }
    if method == "fixed":
        row |= {"unit_price": amount(random, 9, 10**4), "currency": random.choice([None, "EUR", "USD"])}
    else:
        row |= {"percent": abs(draw_percent(random))}
    return dated(row, random, instants)


def book_method(random: Random) -> Row:
    method = random.choice(["fixed", "markup", "srp_discount"])
    if method == "fixed":
        return {"method": method, "unit_price": amount(random, 9, 10**4)}
    percent = draw_percent(random)
    return {"method": method, "percent": min(percent, Decimal(100)) if method == "srp_discount" else percent}


def rule_method(random: Random) -> Row:
    method = random.choice(["markup", "srp"])
    return {"method": method, "percent": None if method == "srp" else draw_percent(random)}


def charge_of(line: Row, world: World) -> oracle.Charge:
    """Read the vendor's side of a priced line; what pricing decided is left out."""
    is_item = line["line_number"] is not None
    rows = world.items if is_item else world.usage
    (row,) = [
        row
        for row in rows
        if (
            row["x_line_number"] == line["line_number"]
            if is_item
            else row["charge_period_start"].date() == line["period_start"]
        )
    ]
    return oracle.Charge(
        fact=world.fact,
        account=row["sub_account_id"],
        product=row["sku_id"],
        product_type=row["service_category"],
        day=row["x_invoice_date"] if is_item else row["charge_period_start"].date(),
        unit=row["pricing_unit"],
        currency=row["billing_currency"],
        quantity=fraction(row["pricing_quantity"]),
        cost=Fraction(row["billed_cost"]),
        list_cost=None if is_item else fraction(row["list_cost"]),
        unit_cost=Fraction(row["x_unit_cost"]) if is_item else None,
        unit_list=fraction(row["x_list_price"]) if is_item else None,
    )


def fraction(value: Decimal | None) -> Fraction | None:
    return None if value is None else Fraction(value)


def wanted_line(world: World, line: Row) -> Row:
    """Work out what the rules say of a priced line."""
    charge = charge_of(line, world)
    found = oracle.situation(world.reference, charge)
    wanted: Row = {"customer_id": found.customer, "bucket": "unmapped_account", "total_sell": None}
    if found.customer is None:
        return wanted
    term = found.term
    if term is None:
        return wanted | {"bucket": "unpriced", "price_term_id": None}
    total = oracle.untiered_total(world.reference, charge, term)
    if total is not None:
        rows = oracle.adjustments(world.reference, charge, found.customer, oracle.priced_as_of(world.fact, term))
        wanted["adjustment_percent"] = sum(Fraction(row["percent"]) for row in rows) if rows else None
        share = sum((oracle.percent(row) for row in rows), Fraction(0))
        total = oracle.adjusted_total(charge, total, share)
    return wanted | {
        "bucket": "unpriced" if total is None else "billed",
        "price_term": term.kind,
        "price_term_id": term.term_id,
        "price_scope": term.scope,
        "price_scope_id": term.scope_id,
        "price_method": term.row["method"],
        "price_percent": term.row.get("percent"),
        "total_sell": total,
    }


def shown(line: Row, names: Row) -> Row:
    """Return the columns that were worked out, amounts as fractions."""
    amounts = ("total_sell", "adjustment_percent")
    return {name: fraction(line[name]) if name in amounts else line[name] for name in names}


@pytest.mark.parametrize("seed", SEEDS)
def test_term_and_price_are_those_of_the_rules_worked_out_a_second_time(
    connection: duckdb.DuckDBPyConnection, seed: int
) -> None:
    random = Random(seed)
    worlds = [random_world(number, random) for number in range(WORLDS)]
    found = price_worlds(connection, worlds)
    for world in worlds:
        assert len(found[world.number]) == len(world.usage) + len(world.items)
        for line in found[world.number]:
            wanted = wanted_line(world, line)
            assert shown(line, wanted) == wanted, (line, world)
