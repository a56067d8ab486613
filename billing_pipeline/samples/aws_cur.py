"""An AWS Cost and Usage Report (legacy), row by row, with hourly usage, as believable text.

The columns, their order and the notation of the amounts follow a real report of November 2023. What
does not belong here: files and their names (`resources.sample_files`), the manifest (`aws_manifest`).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.aws_columns import AMOUNTS, COLUMNS, HOURS, ID, RESOURCE, TAGS, TIME, USAGE_OF
from billing_pipeline.samples.aws_lifetimes import HOURS_OF_DAY, Hours, draw_hours
from billing_pipeline.samples.aws_products import AwsProduct, aws_products
from billing_pipeline.samples.aws_special_rows import closing_rows, special_rows
from billing_pipeline.samples.aws_values import bill_values, hour_values, price_values
from billing_pipeline.samples.blocks import Block
from billing_pipeline.samples.catalogue import Account, World
from billing_pipeline.samples.csv_text import EXACT, piece, times
from billing_pipeline.samples.quantities import quantity
from billing_pipeline.samples.resource_names import aws_resource
from billing_pipeline.samples.seeds import LINE_ID_CHARACTERS, line_ids, seeded

BLOCK_ROWS = 50_000
FEWEST_ROWS = 400
_FEWEST_RESOURCES = 1_024
# A byte chooses one of them.
_QUANTITIES_PER_PRODUCT = 256
_ENVIRONMENTS = ("prod", "staging", "dev", "")
_PROJECTS = ("web", "erp", "data-lake", "Παραγγελίες", "backup", "mobile, iOS", "", "ci")


@dataclass(frozen=True)
class _Resource:
    """One resource of one account: its hours, the pieces of its rows that never change, and its possible amounts."""

    hours: Hours
    account: bytes
    usage_of: bytes
    amounts: list[bytes]
    tags: bytes


class AwsCostAndUsageReport:
    """One month's report as blocks of CSV lines, hour after hour, made one after the other.

    A resource has a row in each hour of its life; memory grows with the resources (one for some 250 rows), not with
    their rows.

    Args:
        world: accounts that use something.
        month: the billing period; usage is spread over its days.
        rows: data rows in all, usage, tax, discounts and so on together.
        seed: another seed gives another report.
        is_final: whether `bill/InvoiceId` is filled.

    Raises:
        ValueError: fewer rows than the report's fixed rows need.
    """

    def __init__(self, world: World, month: BillingPeriod, rows: int, seed: int, is_final: bool = True) -> None:
        if rows < FEWEST_ROWS:
            raise ValueError(f"an AWS sample has at least {FEWEST_ROWS} rows, not {rows}")
        self.header = ",".join(COLUMNS).encode() + b"\n"
        self._world, self._month, self._rows, self._seed = world, month, rows, f"{world.seed_prefix}{seed}"
        self._bill = bill_values(world, month, is_final)
        self._products = aws_products()
        self._cost_of: dict[bytes, Decimal] = {}
        self._product_of: dict[bytes, AwsProduct] = {}

    def blocks(self) -> Iterator[Block]:
        """Yield the rows; the sum of the blocks' costs is the report's total, exact."""
        chance = seeded("aws", self._seed, self._month)
        special = special_rows(self._world, self._month)
        # The closing rows, tax and partner discount, are one per product code each, known before their amounts are.
        closing_count = 2 * len({product.product_code for product in self._products})
        resources = self._resources(self._rows - len(special) - closing_count)
        tally: Counter[bytes] = Counter()
        for day in range((self._month.end_day - self._month.first_day).days):
            today = [(resource, bits) for resource in resources if (bits := resource.hours.of_day(day))]
            for hour in range(HOURS_OF_DAY):
                at_work = [resource for resource, bits in today if bits >> hour & 1]
                for start in range(0, len(at_work), BLOCK_ROWS):
                    yield self._usage_block(day, hour, start, at_work[start : start + BLOCK_ROWS], tally)
        yield self._closing_block(special, tally, line_ids(chance, len(special) + closing_count))

    def _closing_block(self, special: list[dict[str, str]], tally: Counter[bytes], ids: bytes) -> Block:
        """Return the rows that are no ordinary usage; discount and tax are taken from the exact totals."""
        totals: dict[str, Decimal] = {product.product_code: Decimal(0) for product in self._products}
        for amounts, count in tally.items():
            product_code = self._product_of[amounts].product_code
            totals[product_code] = EXACT.add(totals[product_code], EXACT.multiply(self._cost_of[amounts], count))
        names = {product.product_code: product.product_name for product in self._products}
        rows = [*special, *closing_rows(self._world, self._month, totals, names)]
        lines = []
        for index, row in enumerate(rows):
            line_id = ids[index * LINE_ID_CHARACTERS : (index + 1) * LINE_ID_CHARACTERS].decode()
            lines.append(piece(COLUMNS, {**self._bill, **row, ID[0]: line_id}) + b"\n")
        cost = sum((Decimal(row["lineItem/UnblendedCost"]) for row in rows), Decimal(0))
        return Block(b"".join(lines), len(rows), cost)

    def _pool(self, product: AwsProduct, index: int) -> list[bytes]:
        """Return the possible rests of a row of this product, amounts and description, and note their costs."""
        chance = seeded("aws/amounts", self._seed, self._month, index)
        pool = []
        for _ in range(_QUANTITIES_PER_PRODUCT):
            amount = quantity(product.quantity_kind, chance)
            values = price_values(product, amount)
            text = b"," + piece(AMOUNTS, values)
            self._cost_of[text] = times(amount, product.rate, 10)
            self._product_of[text] = product
            pool.append(text)
        return pool

    def _resources(self, usage_rows: int) -> list[_Resource]:
        """Return what is running in the month: resources of exactly so many hours, each account with at least one."""
        pools = [self._pool(product, index) for index, product in enumerate(self._products)]
        accounts = self._world.aws_accounts
        chance = seeded("aws/resources", self._seed, self._month)
        # Some accounts are much larger than others; the one nobody knows is among the smallest.
        weights = [1 + 40 // (1 + index % 13) for index in range(len(accounts) - 1)] + [1]
        # A small report has shorter lives rather than few resources, so that there is something of everything.
        longest = max(1, usage_rows // _FEWEST_RESOURCES)
        found: list[_Resource] = []
        left = usage_rows
        while left:
            index = len(found)
            waiting = max(1, len(accounts) - index)
            account = accounts[index] if index < len(accounts) else chance.choices(accounts, weights)[0]
            product = chance.randrange(len(self._products))
            hours = draw_hours(self._month, chance).at_most(max(1, min(longest, left // waiting)), chance)
            left -= hours.count
            found.append(self._resource(account, index, self._products[product], pools[product], hours))
        return found

    def _resource(
        self, account: Account, index: int, product: AwsProduct, pool: list[bytes], hours: Hours
    ) -> _Resource:
        values = {
            "lineItem/UsageAccountId": account.account_id,
            "lineItem/LineItemType": "Usage",
            "lineItem/ProductCode": product.product_code,
            "lineItem/UsageType": product.usage_type,
            "lineItem/Operation": product.operation,
            "lineItem/AvailabilityZone": product.region + "ab"[index % 2] if product.quantity_kind == "hours" else "",
            "lineItem/ResourceId": aws_resource(product, account.account_id, index),
            "resourceTags/user:Environment": _ENVIRONMENTS[index % len(_ENVIRONMENTS)],
            "resourceTags/user:Project": _PROJECTS[index // 4 % len(_PROJECTS)],
        }
        return _Resource(
            hours=hours,
            account=b"," + piece(RESOURCE, values),
            usage_of=b"," + piece(USAGE_OF, values),
            amounts=pool,
            tags=b"," + piece(TAGS, values) + b"\n",
        )

    def _usage_block(
        self, day: int, hour: int, first: int, at_work: list[_Resource], month_tally: Counter[bytes]
    ) -> Block:
        """Return the rows of some resources in one hour, and count how often each amount occurs in `month_tally`."""
        count = len(at_work)
        chance = seeded("aws/rows", self._seed, self._month, day, hour, first)
        ids = line_ids(chance, count)
        drawn = chance.randbytes(count)
        values = {**self._bill, **hour_values(self._month.first_day + timedelta(days=day), hour)}
        time, hours = b"," + piece(TIME, values), b"," + piece(HOURS, values)
        amounts = [resource.amounts[byte] for resource, byte in zip(at_work, drawn, strict=True)]
        tally = Counter(amounts)
        month_tally.update(tally)
        text = b"".join(
            [
                part
                for start, resource, amount in zip(
                    range(0, count * LINE_ID_CHARACTERS, LINE_ID_CHARACTERS), at_work, amounts, strict=True
                )
                for part in (
                    ids[start : start + LINE_ID_CHARACTERS],
                    time,
                    resource.account,
                    hours,
                    resource.usage_of,
                    amount,
                    resource.tags,
                )
            ]
        )
        cost = sum((EXACT.multiply(self._cost_of[amount], times) for amount, times in tally.items()), Decimal(0))
        return Block(text, count, cost)
