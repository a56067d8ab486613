"""A FOCUS 1.2 file as Microsoft issues it for a partner's Azure customers, row by row, with daily usage.

What does not belong here: files and their names (`resources.sample_files`).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.azure_products import AzureProduct, azure_products
from billing_pipeline.samples.blocks import Block, even_split, spread
from billing_pipeline.samples.catalogue import Account, World
from billing_pipeline.samples.csv_text import EXACT, piece, times
from billing_pipeline.samples.focus_columns import AMOUNTS, COLUMNS, DAY, PRICE, RESOURCE
from billing_pipeline.samples.focus_values import (
    AMOUNT_DECIMALS,
    account_values,
    bill_values,
    closing_rows,
    instant,
    product_values,
    special_rows,
    usage_values,
)
from billing_pipeline.samples.quantities import quantity
from billing_pipeline.samples.resource_names import azure_resource
from billing_pipeline.samples.seeds import seeded, words

BLOCK_ROWS = 50_000
FEWEST_ROWS = 40
_CLOSING_ROWS = 2
_QUANTITIES_PER_PRODUCT = 256
_TAGS = (
    '{"env": "prod", "CostCenter": "1234"}',
    "",
    '{"env": "test"}',
    '{"owner": "Ελένη", "Project": "Shop, phase 2"}',
)


@dataclass(frozen=True)
class _Amounts:
    """The pieces of a row that follow from product and quantity, and what it costs."""

    price: bytes
    amounts: bytes
    cost: Decimal


@dataclass(frozen=True)
class _Resource:
    amounts: list[_Amounts]
    rest: bytes


class FocusReport:
    """One month's FOCUS file as blocks of CSV lines, made one after the other in constant memory.

    Args:
        world: subscriptions that use something.
        month: the billing period; usage is spread evenly over its days.
        rows: data rows in all.
        seed: another seed gives another file.
        is_final: whether `InvoiceId` is filled.

    Raises:
        ValueError: fewer rows than the file's fixed rows need.
    """

    def __init__(self, world: World, month: BillingPeriod, rows: int, seed: int, is_final: bool = True) -> None:
        if rows < FEWEST_ROWS:
            raise ValueError(f"a FOCUS sample has at least {FEWEST_ROWS} rows, not {rows}")
        self.header = ",".join(COLUMNS).encode() + b"\n"
        self._world, self._month, self._rows, self._seed = world, month, rows, seed
        self._bill = bill_values(world, month, is_final)
        self._products = azure_products()

    def blocks(self) -> Iterator[Block]:
        """Yield the rows; the sum of the blocks' costs is the file's total, exact."""
        special = special_rows(self._world, self._month)
        resources = self._resources([self._pool(product) for product in self._products])
        days = (self._month.end_day - self._month.first_day).days
        total = sum((Decimal(row["BilledCost"]) for row in special), Decimal(0))
        for day, day_rows in enumerate(even_split(self._rows - len(special) - _CLOSING_ROWS, days)):
            for number, count in enumerate(spread(day_rows, BLOCK_ROWS)):
                block = self._usage_block(day, number, count, resources)
                total = EXACT.add(total, block.cost)
                yield block
        rows = [*special, *closing_rows(self._month, total)]
        text = b"".join(piece(COLUMNS, {**self._bill, **row}) + b"\n" for row in rows)
        yield Block(text, len(rows), sum((Decimal(row["BilledCost"]) for row in rows), Decimal(0)))

    def _pool(self, product: AzureProduct) -> list[_Amounts]:
        chance = seeded("focus/amounts", self._seed, self._month, product.sku_id, product.region)
        pool = []
        for _ in range(_QUANTITIES_PER_PRODUCT):
            # A day's usage: a machine runs for up to 24 hours.
            hours = chance.randint(1, 24) if product.quantity_kind == "hours" else 1
            amount = quantity(product.quantity_kind, chance) * hours
            values = {**self._bill, **usage_values(product, amount)}
            cost = times(amount, product.rate, AMOUNT_DECIMALS)
            pool.append(_Amounts(piece(PRICE, values) + b",", b"," + piece(AMOUNTS, values) + b",", cost))
        return pool

    def _resources(self, pools: list[list[_Amounts]]) -> list[_Resource]:
        """Return what is running, a power of two of resources, each subscription with at least one."""
        accounts = self._world.azure_subscriptions
        wanted = max(256, len(accounts))
        while wanted < self._rows // 128 and wanted < 2**16:
            wanted *= 2
        count = 1 << (wanted - 1).bit_length()
        chance = seeded("focus/resources", self._seed)
        users = [*accounts, *chance.choices(accounts, k=count - len(accounts))]
        chosen = chance.choices(range(len(self._products)), k=count)
        return [
            _Resource(pools[product], self._rest(account, index, self._products[product]))
            for index, (account, product) in enumerate(zip(users, chosen, strict=True))
        ]

    @staticmethod
    def _rest(account: Account, index: int, product: AzureProduct) -> bytes:
        resource_id, name = azure_resource(product, account.account_id, index)
        values = {
            "ResourceId": resource_id,
            "ResourceName": name,
            "ResourceType": product.resource_type,
            **product_values(product),
            **account_values(account),
            "Tags": _TAGS[index % len(_TAGS)],
        }
        return piece(RESOURCE, values) + b"\n"

    def _usage_block(self, day: int, number: int, count: int, resources: list[_Resource]) -> Block:
        chance = seeded("focus/rows", self._seed, self._month, day, number)
        start = self._month.first_day + timedelta(days=day)
        period = piece(
            DAY, {"ChargePeriodStart": instant(start), "ChargePeriodEnd": instant(start + timedelta(days=1))}
        )
        mask = len(resources) - 1
        picked = [
            (resource.amounts[word >> 16 & 255], resource.rest)
            for word in words(chance, count)
            for resource in (resources[word & mask],)
        ]
        text = b"".join([part for chosen, rest in picked for part in (chosen.price, period, chosen.amounts, rest)])
        tally = Counter([chosen.cost for chosen, _ in picked])
        cost = sum((EXACT.multiply(each, times) for each, times in tally.items()), Decimal(0))
        return Block(text, count, cost)
