"""A credit gives back what its debit took, after any sequence of changes of prices, mappings and adjustments."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random

import duckdb
import polars as pl
import pytest

from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from tests.properties.pricing_session import Month, price
from tests.properties.pricing_worlds import INSTANTS, World, price_worlds
from tests.properties.test_price_selection import random_world
from tests.properties.test_tier_properties import tiered_world
from tests.sql.inline import Row, instant, session

SEEDS, WORLDS = range(4), 200
CREDITED_AT = instant("2027-02-01")
FROZEN = (
    "customer_id", "price_term", "price_term_id", "price_scope", "price_scope_id", "price_method", "price_percent",
    "price_unit_price", "adjustment_ids", "adjustment_percent", "currency",
)  # fmt: skip


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with session() as opened:
        opened.execute("set threads = 1")
        yield opened


def with_debits_only(world: World) -> World:
    world.usage = []
    return world


def changed_terms(world: World, random: Random) -> dict[str, list[Row]]:
    """Return the world's reference rows after a number of changes: rows taken away, and others in their place."""
    changed: dict[str, list[Row]] = {}
    for name, rows in world.reference.items():
        kept = [dict(row) for row in rows]
        for step in range(random.randint(1, 3)):
            at = INSTANTS[-1] + timedelta(days=1 + step)
            for row in random.sample(kept, len(kept) // 2):
                if row["withdrawn_at"] is not None or name in ("customers", "pricebooks"):
                    continue
                row["withdrawn_at"] = at
                kept.append(other_price(row, random) | {"recorded_at": at, "withdrawn_at": None})
        changed[name] = [row | {"source_row": number} for number, row in enumerate(kept, start=1)]
    return changed


def other_price(row: Row, random: Random) -> Row:
    changes: Row = {}
    if row.get("percent") is not None:
        changes["percent"] = Decimal(random.randint(-50, 99))
    if row.get("unit_price") is not None:
        changes["unit_price"] = row["unit_price"] * 3
    return row | changes


def parts_of(quantity: Decimal, random: Random) -> list[Decimal]:
    """Split a quantity of at most nine decimals into one to four parts."""
    units = int(quantity.scaleb(9))
    cuts = sorted({0, units, *(random.randint(0, units) for _ in range(random.randrange(4)))})
    return [Decimal(end - start).scaleb(-9) for start, end in pairwise(cuts)]


def credit_rows(world: World, random: Random) -> tuple[list[Row], list[Row]]:
    """Return credit notes for all parts of every item of the world's invoice, each note a delivery of its own."""
    items, facts = [], []
    for debit in world.items:
        for number, part in enumerate(parts_of(debit["pricing_quantity"], random)):
            delivery = f"credit-{debit['x_line_number']}-{number}-{world.number}"
            facts.append(world.fact | {"delivery_id": delivery, "received_at": CREDITED_AT, "seen_at": CREDITED_AT})
            items.append(
                debit
                | {
                    "delivery_id": delivery,
                    "invoice_id": delivery,
                    "pricing_quantity": part,
                    "billed_cost": -part * debit["x_unit_cost"],
                    "x_list_price": Decimal(3),
                    "x_invoice_type": "credit",
                    "x_credits_invoice_number": debit["invoice_id"],
                    "x_credits_line_number": debit["x_line_number"],
                    "x_issued_at": CREDITED_AT,
                    "x_invoice_date": CREDITED_AT.date(),
                }
            )
    return items, facts


def credits_of(worlds: list[World], random: Random) -> Month:
    """Return a month of credit notes for everything that the worlds' distributors charged, under other terms."""
    items: list[Row] = []
    facts: list[Row] = []
    reference: dict[str, list[Row]] = {}
    for world in worlds:
        some, of_deliveries = credit_rows(world, random)
        items += some
        facts += of_deliveries
        for name, rows in changed_terms(world, random).items():
            reference.setdefault(name, []).extend(rows)
    return Month(items=tuple(items), facts=tuple(facts), reference=reference)


def frame(lines: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(lines, schema={column.name: column.polars_type for column in PRICED_LINE_ITEMS.columns})


def debited_and_credited(
    connection: duckdb.DuckDBPyConnection, worlds: list[World], random: Random
) -> list[tuple[Row, list[Row]]]:
    """Price the worlds' invoices, change the terms, price the credits of them; return each debit with its credits."""
    debits = [line for lines in price_worlds(connection, worlds).values() for line in lines]
    credits = price(connection, credits_of(worlds, random), earlier=frame(debits))
    by_debit: dict[str, list[Row]] = {line["line_item_id"]: [] for line in debits}
    for credit in credits:
        by_debit[credit["credited_line_item_id"]].append(credit)
    return [(debit, by_debit[debit["line_item_id"]]) for debit in debits]


@pytest.mark.parametrize("seed", SEEDS)
def test_credits_of_all_parts_of_a_line_return_exactly_what_was_charged_whatever_changed_since(
    connection: duckdb.DuckDBPyConnection, seed: int
) -> None:
    random = Random(seed)
    worlds = [with_debits_only(random_world(number, random)) for number in range(WORLDS)]
    for world in worlds:
        # An account that went to another customer since: the credit is reported, which has a test of its own.
        world.reference["accounts"] = []
    priced = 0
    for debit, credits in debited_and_credited(connection, worlds, random):
        assert sum(Fraction(credit["total_cost"]) for credit in credits) == -Fraction(debit["total_cost"])
        if debit["total_sell"] is None:
            assert {credit["total_sell"] for credit in credits} == {None}
            continue
        priced += 1
        assert sum(Fraction(credit["total_sell"]) for credit in credits) == -Fraction(debit["total_sell"])
        for credit in credits:
            assert [credit[name] for name in FROZEN] == [debit[name] for name in FROZEN]
            assert credit["unit_sell"] == -debit["unit_sell"]
            assert credit["bucket"] == "billed"
    assert priced > WORLDS // 3


@pytest.mark.parametrize("seed", SEEDS)
def test_credits_of_all_parts_of_a_line_with_tiers_return_what_was_charged(
    connection: duckdb.DuckDBPyConnection, seed: int
) -> None:
    random = Random(seed)
    worlds = [with_debits_only(tiered_world(number, random)[0]) for number in range(WORLDS)]
    whole = 0
    for debit, credits in debited_and_credited(connection, worlds, random):
        if debit["total_sell"] is None:
            assert {credit["total_sell"] for credit in credits} == {None}
            continue
        returned = sum(Fraction(credit["total_sell"]) for credit in credits)
        if len(credits) == 1:
            whole += 1
            assert returned == -Fraction(debit["total_sell"])
        # A third has no end of digits: share and amount are kept to 18 places, far below any minor unit.
        lost = abs(returned + Fraction(debit["total_sell"]))
        assert lost <= len(credits) * (Fraction(debit["total_sell"]) + 1) / 10**18
    assert whole > 0
