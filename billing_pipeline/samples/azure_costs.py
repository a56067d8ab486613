"""Azure cost details as a partner (MPA) exports them: actual cost, one row per resource and day.

Columns and order: Microsoft Learn, "Microsoft Partner Agreement cost and usage details file schema", version
2023-12-01-preview. Costs come before credits and taxes there, so the file has no tax rows.

What does not belong here: folders and the manifest (`azure_export`), files on disk (`resources.sample_files`).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.azure_cost_columns import AMOUNTS, COLUMNS, HEAD, RESOURCE, REST
from billing_pipeline.samples.azure_cost_values import (
    bill_values,
    cost_values,
    customer_values,
    product_values,
    rounding_row,
    special_rows,
    subscription_values,
    us_date,
)
from billing_pipeline.samples.azure_products import AzureProduct, azure_products
from billing_pipeline.samples.blocks import Block, even_split, spread
from billing_pipeline.samples.catalogue import Account, World
from billing_pipeline.samples.csv_text import EXACT, piece, times
from billing_pipeline.samples.quantities import quantity
from billing_pipeline.samples.resource_names import azure_resource
from billing_pipeline.samples.seeds import seeded, words

FEWEST_ROWS = 40
BLOCK_ROWS = 50_000
_QUANTITIES_PER_PRODUCT = 256
_AMOUNT_DECIMALS = 12
# As vendors write them: JSON, nothing, and the EA spelling without braces.
_TAGS = ('{"env": "prod", "CostCenter": "1234"}', "", '"env": "test"', '{"owner": "Ελένη", "Project": "Shop, phase 2"}')


@dataclass(frozen=True)
class _Amounts:
    text: bytes
    cost: Decimal


@dataclass(frozen=True)
class _Resource:
    head: bytes
    middle: bytes
    amounts: list[_Amounts]
    rest: bytes


class AzureCostDetails:
    """One month's cost details as blocks of CSV lines, made one after the other in constant memory.

    Args:
        world: subscriptions that use something.
        month: the billing period; usage is spread evenly over its days.
        rows: data rows in all.
        seed: another seed gives another file.
        is_final: whether `invoiceId` is filled.

    Raises:
        ValueError: fewer rows than the file's fixed rows need.
    """

    def __init__(self, world: World, month: BillingPeriod, rows: int, seed: int, is_final: bool = True) -> None:
        if rows < FEWEST_ROWS:
            raise ValueError(f"an Azure cost details sample has at least {FEWEST_ROWS} rows, not {rows}")
        self.header = ",".join(COLUMNS).encode() + b"\n"
        self._world, self._month, self._rows, self._seed = world, month, rows, seed
        self._customers = {customer.customer_id: customer for customer in world.customers}
        self._bill = bill_values(world, month, is_final)

    def blocks(self) -> Iterator[Block]:
        """Yield the rows; the sum of the blocks' costs is the file's total, exact and in whole cents."""
        special = special_rows(self._world, self._month)
        resources = self._resources()
        total = sum((Decimal(row["costInBillingCurrency"]) for row in special), Decimal(0))
        days = (self._month.end_day - self._month.first_day).days
        for day, day_rows in enumerate(even_split(self._rows - len(special) - 1, days)):
            for number, count in enumerate(spread(day_rows, BLOCK_ROWS)):
                block = self._usage_block(day, number, count, resources)
                total = EXACT.add(total, block.cost)
                yield block
        rows = [*special, rounding_row(self._month, total)]
        text = b"".join(piece(COLUMNS, {**self._bill, **row}) + b"\n" for row in rows)
        yield Block(text, len(rows), sum((Decimal(row["costInBillingCurrency"]) for row in rows), Decimal(0)))

    def _pool(self, product: AzureProduct) -> list[_Amounts]:
        chance = seeded("azure_costs/amounts", self._seed, self._month, product.sku_id, product.region)
        pool = []
        for _ in range(_QUANTITIES_PER_PRODUCT):
            hours = chance.randint(1, 24) if product.quantity_kind == "hours" else 1
            amount = quantity(product.quantity_kind, chance) * hours
            cost = times(amount, product.rate, _AMOUNT_DECIMALS)
            listed = times(amount, product.list_rate, _AMOUNT_DECIMALS)
            values = {**self._bill, **cost_values(cost, listed, amount, product.rate)}
            values |= {"unitOfMeasure": product.unit, "chargeType": "Usage"}
            pool.append(_Amounts(b"," + piece(AMOUNTS, values) + b",", cost))
        return pool

    def _resources(self) -> list[_Resource]:
        """Return what is running, a power of two of resources, each subscription with at least one."""
        products = azure_products()
        pools = [self._pool(product) for product in products]
        accounts = self._world.azure_subscriptions
        count = 256
        while count < max(len(accounts), min(self._rows // 128, 2**16)):
            count *= 2
        chance = seeded("azure_costs/resources", self._seed)
        users = [*accounts, *chance.choices(accounts, k=count - len(accounts))]
        chosen = chance.choices(range(len(products)), k=count)
        return [
            self._resource(account, index, products[product], pools[product])
            for index, (account, product) in enumerate(zip(users, chosen, strict=True))
        ]

    def _resource(self, account: Account, index: int, product: AzureProduct, pool: list[_Amounts]) -> _Resource:
        resource_id, _ = azure_resource(product, account.account_id, index)
        assert account.customer_id is not None
        values = {
            **self._bill,
            **customer_values(self._customers[account.customer_id]),
            **subscription_values(account),
            **product_values(product),
            "resourceGroupName": "rg-prod",
            "ResourceId": resource_id,
            "tags": _TAGS[index % len(_TAGS)],
        }
        return _Resource(piece(HEAD, values) + b",", b"," + piece(RESOURCE, values), pool, piece(REST, values) + b"\n")

    def _usage_block(self, day: int, number: int, count: int, resources: list[_Resource]) -> Block:
        chance = seeded("azure_costs/rows", self._seed, self._month, day, number)
        written_day = us_date(self._month.first_day + timedelta(days=day)).encode()
        mask = len(resources) - 1
        picked = [
            (resource, resource.amounts[word >> 16 & 255])
            for word in words(chance, count)
            for resource in (resources[word & mask],)
        ]
        text = b"".join(
            part
            for resource, chosen in picked
            for part in (resource.head, written_day, resource.middle, chosen.text, resource.rest)
        )
        tally = Counter([chosen.cost for _, chosen in picked])
        return Block(text, count, sum((EXACT.multiply(each, many) for each, many in tally.items()), Decimal(0)))
