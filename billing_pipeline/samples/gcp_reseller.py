"""Google's reseller billing detailed export, v1, as JSON Lines that BigQuery extracts: a row per project, SKU and hour.

Fields: Google Cloud Channel Services, "Export Channel Services data to BigQuery"; the extraction's files and job as in
BigQuery's "Exporting table data". What does not belong here: files on disk (`resources.sample_files`).
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.blocks import Block, even_split, spread
from billing_pipeline.samples.catalogue import World
from billing_pipeline.samples.csv_text import EXACT
from billing_pipeline.samples.gcp_values import (
    Row,
    bill_values,
    closing_rows,
    customer_values,
    gcp_customers,
    gcp_products,
    instant,
    product_values,
    special_rows,
    usage_values,
)
from billing_pipeline.samples.quantities import quantity
from billing_pipeline.samples.seeds import code, guid, seeded, words

TABLE = "reseller_billing_detailed_export_v1"
BUCKET = "meltemi-gcp-billing"
FEWEST_ROWS = 40
BLOCK_ROWS = 20_000
_QUANTITIES_PER_PRODUCT = 256
_LABELS: tuple[list[dict[str, str]], ...] = (
    [],
    [{"key": "env", "value": "prod"}],
    [{"key": "owner", "value": "Ελένη"}, {"key": "shop", "value": "a,b"}],
)


class GcpResellerExport:
    """One month's export as blocks of JSON Lines, made one after the other in constant memory.

    Args:
        world: customers, of whom some buy from Google.
        month: the invoice month; usage is spread evenly over its days.
        rows: rows in all.
        seed: another seed gives another file.

    Raises:
        ValueError: fewer rows than the file's fixed rows need.
    """

    header = b""

    def __init__(self, world: World, month: BillingPeriod, rows: int, seed: int) -> None:
        if rows < FEWEST_ROWS:
            raise ValueError(f"a Google reseller sample has at least {FEWEST_ROWS} rows, not {rows}")
        self._world, self._month, self._rows, self._seed = world, month, rows, seed
        self._bill = bill_values(month)

    def blocks(self) -> Iterator[Block]:
        """Yield the rows; a block's cost is what Google charges for it, credits included."""
        special = special_rows(self._world, self._month)
        resources = [
            (customer, product) for customer in gcp_customers(self._world) for product in range(len(gcp_products()))
        ]
        heads = [
            _members({**self._bill, **customer_values(customer), **product_values(gcp_products()[product])})
            for customer, product in resources
        ]
        pools = self._pools()
        total = sum((cost for _, cost in special), Decimal(0))
        days = (self._month.end_day - self._month.first_day).days
        for day, day_rows in enumerate(even_split(self._rows - len(special) - 2, days)):
            for number, count in enumerate(spread(day_rows, BLOCK_ROWS)):
                chance = seeded("gcp/rows", self._seed, self._month, day, number)
                picked = []
                for word in words(chance, count):
                    index = word % len(resources)
                    members, cost = pools[resources[index][1]][word >> 16 & 255]
                    picked.append((heads[index], members, self._time(day, word >> 24 & 15, index), cost))
                text = "".join(f"{{{head}, {time}, {members}}}\n" for head, members, time, _ in picked)
                block_cost = sum((cost for *_, cost in picked), Decimal(0))
                total = EXACT.add(total, block_cost)
                yield Block(text.encode(), count, block_cost)
        rows = [*special, *closing_rows(self._month, total)]
        text = "".join(f"{{{_members({**self._bill, 'labels': [], **row})}}}\n" for row, _ in rows)
        yield Block(text.encode(), len(rows), sum((cost for _, cost in rows), Decimal(0)))

    def _pools(self) -> list[list[tuple[str, Decimal]]]:
        pools = []
        for product in gcp_products():
            chance = seeded("gcp/amounts", self._seed, self._month, product.sku_id)
            pool = []
            for _ in range(_QUANTITIES_PER_PRODUCT):
                row, cost = usage_values(product, quantity(product.quantity_kind, chance))
                pool.append((_members(row), cost))
            pools.append(pool)
        return pools

    def _time(self, day: int, hour: int, index: int) -> str:
        start = self._month.first_day + timedelta(days=day)
        row: Row = {
            "usage_start_time": instant(start, hour),
            "usage_end_time": instant(start, hour + 1),
            "labels": _LABELS[index % len(_LABELS)],
        }
        return _members(row)


def _members(row: Row) -> str:
    """Return the members of a row as JSON without the braces; BigQuery leaves null members out."""
    present = {name: value for name, value in row.items() if value is not None}
    return json.dumps(present, ensure_ascii=False)[1:-1]


def folder(month: BillingPeriod) -> str:
    """Return the folder of a month's extraction, as its job was told."""
    return f"{TABLE}/{month.first_day:%Y%m}"


def shard_name(number: int) -> str:
    """Return the file name of a shard, the first is 0."""
    return f"{TABLE}-{number:012}.json.gz"


def extract_job(month: BillingPeriod, rows: int, seed: int, shards: int) -> bytes:
    """Return the extract job as `bq show --format=prettyjson --job` prints it.

    Args:
        shards: how many files the job wrote.
    """
    job_id = f"bqjob_r{code(f'gcp/job/{month}/{rows}/{seed}', 16, '0123456789abcdef')}_1"
    project = "meltemi-billing"
    document = {
        "kind": "bigquery#job",
        "etag": guid(job_id),
        "id": f"{project}:EU.{job_id}",
        "jobReference": {"projectId": project, "jobId": job_id, "location": "EU"},
        "configuration": {
            "jobType": "EXTRACT",
            "extract": {
                "sourceTable": {
                    "projectId": project,
                    "datasetId": "invoices",
                    "tableId": f"invoice_{month.first_day:%Y%m}",
                },
                "destinationUris": [f"gs://{BUCKET}/{folder(month)}/{TABLE}-*.json.gz"],
                "destinationFormat": "NEWLINE_DELIMITED_JSON",
                "compression": "GZIP",
            },
        },
        "statistics": {"extract": {"destinationUriFileCounts": [str(shards)]}},
        "status": {"state": "DONE"},
    }
    return (json.dumps(document, indent=2) + "\n").encode()
