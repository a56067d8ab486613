"""Random small worlds: a delivery, its charges and the terms for them, each apart from all others by its number.

Many worlds are priced at once, because a call of the pipeline costs the same for one charge and for a thousand.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

import duckdb

from tests.properties.pricing_session import FACT, RECEIVED_AT, SEEN_AT, Month, Reference, price
from tests.sql.inline import Row, instant

# Before, at and after the arrival; a moment before the file was seen; long after.
INSTANTS = [
    instant("2026-01-01"),
    instant("2026-10-02"),
    RECEIVED_AT,
    RECEIVED_AT + timedelta(microseconds=1),
    SEEN_AT,
    instant("2026-11-06"),
    instant("2026-11-09"),
    instant("2026-12-24"),
]
DAYS = [date(2026, 10, 1) + timedelta(days=offset) for offset in range(3)]
RANGES = [(date(2026, 1, 1), None), (DAYS[1], None), (date(2026, 1, 1), DAYS[1]), (DAYS[1], DAYS[2])]


@dataclass
class World:
    """A delivery with the terms for its charges.

    Attributes:
        number: makes every id of the world its own.
        fact: the delivery.
        usage: vendor rows, each a charge of its own.
        items: items of a distributor's invoice.
        reference: rows of reference files.
    """

    number: int
    fact: Row
    usage: list[Row] = field(default_factory=list)
    items: list[Row] = field(default_factory=list)
    reference: dict[str, list[Row]] = field(default_factory=dict)

    def named(self, name: str) -> str:
        """Return an id that only this world has."""
        return f"{name}-{self.number}"


def price_worlds(
    connection: duckdb.DuckDBPyConnection, worlds: Sequence[World], invoiced_through: Mapping[str, str] | None = None
) -> dict[int, list[Row]]:
    """Price worlds together and return their lines by world; some of their feeds may be invoiced by distributors."""
    reference: dict[str, list[Row]] = {}
    for world in worlds:
        for name, rows in world.reference.items():
            reference.setdefault(name, []).extend(rows)
    month = Month(
        usage=tuple(row for world in worlds for row in world.usage),
        items=tuple(row for world in worlds for row in world.items),
        facts=tuple(world.fact for world in worlds),
        reference=reference,
    )
    found: dict[int, list[Row]] = {world.number: [] for world in worlds}
    for line in price(connection, month, invoiced_through=invoiced_through):
        found[int(line["delivery_id"].rpartition("-")[2])].append(line)
    return found


def new_world(number: int, random: Random) -> World:
    """Make a world without charges and terms: a source, a vendor and a delivery of its own."""
    return World(
        number,
        FACT
        | {
            "delivery_id": f"d-{number}",
            "source": f"src-{number}",
            "vendor": f"vendor-{number}",
            "received_at": RECEIVED_AT,
            "seen_at": random.choice([SEEN_AT, instant("2026-11-08")]),
        },
    )


def amount(random: Random, places: int, largest: int = 10**6) -> Decimal:
    """Draw a positive amount: mostly with all its places, sometimes tiny or round."""
    kind = random.randrange(6)
    if kind == 0:
        return Decimal(1).scaleb(-places)
    if kind == 1:
        return Decimal(random.randint(1, largest))
    return Decimal(random.randint(1, largest * 10**places)).scaleb(-places)


def usage_row(world: World, random: Random, day: date, **changes: object) -> Row:
    """Draw a vendor row of the world."""
    return {
        "delivery_id": world.fact["delivery_id"],
        "sub_account_id": world.named("a1"),
        "sku_id": world.named("s1"),
        "service_name": "Machines",
        "service_category": world.named("t1"),
        "charge_period_start": instant(day.isoformat()),
        "charge_category": "Usage",
        "x_charge_nature": "usage",
        "pricing_unit": "Hours",
        "billing_currency": "EUR",
        "pricing_quantity": amount(random, 9, 10**5),
        "billed_cost": amount(random, 18) * random.choice([1, 1, 1, -1]),
        "list_cost": random.choice([amount(random, 18), amount(random, 18), None]),
        **changes,
    }


def item_row(world: World, random: Random, day: date, number: int, **changes: object) -> Row:
    """Draw an item of the world's invoice, for the account that the reseller's own customer id names."""
    quantity, unit_cost = amount(random, 9, 10**5), amount(random, 9, 10**4)
    return {
        "delivery_id": world.fact["delivery_id"],
        "sub_account_id": world.named("a1"),
        "sku_id": world.named("s1"),
        "service_name": "Seats",
        "service_category": world.named("t1"),
        "charge_category": "Purchase",
        "x_charge_nature": "usage",
        "pricing_quantity": quantity,
        "pricing_unit": "Month",
        "billing_currency": "EUR",
        "billed_cost": quantity * unit_cost,
        "invoice_id": world.named("INV"),
        "x_line_number": str(number),
        "x_invoice_type": "debit",
        "x_invoice_status": "issued",
        "x_order_channel": "distributor_storefront",
        "x_issued_at": instant(f"{day} 12:00"),
        "x_invoice_date": day,
        "x_unit_cost": unit_cost,
        "x_list_price": random.choice([amount(random, 9, 10**4), None]),
        **changes,
    }


def draw_percent(random: Random) -> Decimal:
    """Draw a percent from -99.9999 on, with up to four decimals."""
    return random.choice([Decimal(0), Decimal(10), Decimal(random.randint(-999_999, 9_000_000)).scaleb(-4)])


def dated(row: Row, random: Random, instants: list[datetime]) -> Row:
    """Give a row its days and its time of knowledge; no two rows of one list of instants share theirs."""
    valid_from, valid_to = random.choice(RANGES)
    return row | {"valid_from": valid_from, "valid_to": valid_to} | knowledge(random, instants)


def knowledge(random: Random, instants: list[datetime]) -> Row:
    """Draw when a row was recorded, and sometimes when it was taken away again."""
    recorded_at = instants.pop(random.randrange(len(instants)))
    later = [at for at in INSTANTS if at > recorded_at]
    return {
        "recorded_at": recorded_at,
        "withdrawn_at": random.choice(later) if later and random.random() < 0.3 else None,
    }


def add_rows(world: World, name: str, rows: Iterable[Row]) -> None:
    """Add rows to a reference file of the world, numbered as they stand in it."""
    file = world.reference.setdefault(name, [])
    for row in rows:
        file.append(row | {"source_row": len(file) + 1})


def reference_of(world: World) -> Reference:
    """Return the world's reference rows, for the oracle."""
    return world.reference
