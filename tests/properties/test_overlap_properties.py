"""Reference rows that would bill twice are refused: of every day and quantity, one row of a key and instant is left."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import polars as pl
import pytest

from billing_pipeline.reference_checks import check_file
from billing_pipeline.schemas.reference import REFERENCE_FILES_BY_NAME
from tests.sql.inline import Row, instant

CASES = 400
START = date(2026, 1, 1)
INSTANTS = [instant("2026-01-01"), instant("2026-02-01")]
DAYS = [START + timedelta(days=number) for number in range(9)]
QUANTITIES = [Decimal(number) for number in (0, 1, 5, 9, 10, 11, 50)]
# What names a key, and a row that is right in every other respect.
FILES: Mapping[str, tuple[tuple[str, ...], Row]] = {
    "accounts": (("source", "account_id"), {"customer_id": "c"}),
    "pricing_rules": (("scope", "scope_id"), {"rule_id": "r", "method": "srp"}),
    "special_prices": (
        ("customer_id", "product_id"),
        {"special_price_id": "s", "method": "fixed", "unit_price": Decimal(1)},
    ),
    "global_adjustments": (("scope", "scope_id"), {"adjustment_id": "a", "percent": Decimal(1)}),
    "distributor_price_lists": (
        ("product_id", "from_quantity"),
        {"price_list_id": "l", "method": "percent_of_sell_price", "percent": Decimal(1)},
    ),
}
VALUES: Mapping[str, list[Any]] = {
    "source": ["aws"],
    "account_id": ["a1", "a2"],
    "scope": ["vendor"],
    "scope_id": ["v1", "v2"],
    "customer_id": ["c1"],
    "product_id": ["p1", "p2"],
    "from_quantity": [None, Decimal(0), Decimal(10)],
}


def frame_of(file: str, rows: list[Row]) -> pl.DataFrame:
    numbered = [{"source_row": number, **row} for number, row in enumerate(rows, start=1)]
    return pl.DataFrame(numbered, schema=REFERENCE_FILES_BY_NAME[file].frame_types)


def dates(random: Random) -> Row:
    first = random.choice(DAYS[:6])
    last = random.choice([None, None, first + timedelta(days=random.randint(1, 4))])
    return {"valid_from": first, "valid_to": last, "recorded_at": random.choice(INSTANTS)}


def holds(row: Row, day: date) -> bool:
    return row["valid_from"] <= day and (row["valid_to"] is None or day < row["valid_to"])


def rows_that_hold_together(rows: list[Row], key: tuple[str, ...]) -> Iterator[list[Row]]:
    """Yield the rows of one key and one instant of recording on each day."""

    def named(row: Row) -> tuple[Any, ...]:
        return *((row.get(name) or Decimal(0)) if name == "from_quantity" else row[name] for name in key), row[
            "recorded_at"
        ]

    for group in {named(row) for row in rows}:
        for day in DAYS:
            yield [row for row in rows if named(row) == group and holds(row, day)]


@pytest.mark.parametrize("file", list(FILES))
def test_rows_are_refused_exactly_when_two_of_one_key_and_instant_hold_on_one_day(file: str) -> None:
    key, right = FILES[file]
    random = Random(file)
    refused = 0
    for _ in range(CASES):
        rows = [
            right | {name: random.choice(VALUES[name]) for name in key} | dates(random)
            for _ in range(random.randint(1, 4))
        ]
        is_double = any(len(together) > 1 for together in rows_that_hold_together(rows, key))
        problems = check_file(REFERENCE_FILES_BY_NAME[file], frame_of(file, rows))
        assert bool(problems) == is_double, (rows, problems)
        refused += is_double
    assert CASES // 10 < refused < CASES - CASES // 10


def test_tiers_that_are_taken_price_every_quantity_by_one_row_of_one_method() -> None:
    random = Random(0)
    key = ("pricebook_id", "scope", "scope_id")
    named: Row = {"pricebook_id": "b", "scope": "product", "scope_id": "p"}
    file = REFERENCE_FILES_BY_NAME["pricebook_prices"]
    taken = 0
    for _ in range(CASES * 2):
        rows = [random_tier(random) | named | dates(random) for _ in range(random.randint(1, 4))]
        if check_file(file, frame_of(file.name, rows)):
            continue
        taken += len(rows) > 1
        for together in rows_that_hold_together(rows, key):
            for quantity in QUANTITIES:
                holding = [row for row in together if holds_quantity(row, quantity)]
                assert len(holding) <= 1, rows
            assert len({row["method"] for row in together}) <= 1, rows
    assert taken > CASES // 20


def random_tier(random: Random) -> Row:
    start, end = random.choice([(None, None), (None, Decimal(10)), (Decimal(10), None), (Decimal(5), Decimal(10))])
    method = random.choice(["graduated", "volume"])
    return {"method": method, "unit_price": Decimal(1), "from_quantity": start, "to_quantity": end}


def holds_quantity(row: Row, quantity: Decimal) -> bool:
    return (row["from_quantity"] or 0) <= quantity and (row["to_quantity"] is None or quantity < row["to_quantity"])
