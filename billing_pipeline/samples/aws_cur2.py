"""A Cost and Usage Report 2.0 as AWS Data Exports deliver it, and its manifest.

The rows are those of the legacy sample under 2.0's names. Attributes of products that have no column in 2.0, and tags,
become maps in JSON. What does not belong here: files and their compression (`resources.sample_files`).
"""

import csv
import io
import json
import re
from collections.abc import Iterator

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.aws_columns import COLUMNS as LEGACY_COLUMNS
from billing_pipeline.samples.aws_cur import AwsCostAndUsageReport
from billing_pipeline.samples.blocks import Block
from billing_pipeline.samples.catalogue import World
from billing_pipeline.samples.csv_text import piece
from billing_pipeline.samples.seeds import guid

EXPORT = "meltemi-cur2-hourly"
BUCKET = "meltemi-billing-reports"
PREFIX = "exports"
PAYER_NAME = "Meltemi Cloud"
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_IN_PRODUCT_MAP = {"product/ProductName": "product_name", "product/region": "region"}
_TAGS = {name: name.removeprefix("resourceTags/").replace(":", "_").lower() for name in LEGACY_COLUMNS[-2:]}


def _snake(name: str) -> str:
    """Return 2.0's name of a legacy column: `lineItem/UsageAccountId` is `line_item_usage_account_id`."""
    return "_".join(_WORD.sub("_", part).lower() for part in name.split("/"))


_RENAMED = {name: _snake(name) for name in LEGACY_COLUMNS if name not in _IN_PRODUCT_MAP and name not in _TAGS}
_ADDED = (
    "bill_payer_account_name",
    "line_item_usage_account_name",
    "cost_category",
    "discount",
    "product",
    "product_region_code",
    "resource_tags",
)
COLUMNS = tuple(sorted([*_RENAMED.values(), *_ADDED]))


class AwsCur2Report:
    """One month's report as blocks of CSV lines, made one after the other in constant memory.

    Args:
        world, month, rows, seed, is_final: as for the legacy report.

    Raises:
        ValueError: fewer rows than the report's fixed rows need.
    """

    def __init__(self, world: World, month: BillingPeriod, rows: int, seed: int, is_final: bool = True) -> None:
        self.header = ",".join(COLUMNS).encode() + b"\n"
        self._legacy = AwsCostAndUsageReport(world, month, rows, seed, is_final)
        self._names = {account.account_id: account.name for account in world.aws_accounts}

    def blocks(self) -> Iterator[Block]:
        """Yield the rows; the sum of the blocks' costs is the report's total, exact."""
        for block in self._legacy.blocks():
            reader = csv.DictReader(io.StringIO(block.text.decode(), newline=""), LEGACY_COLUMNS)
            lines = [piece(COLUMNS, self._row(row)) + b"\n" for row in reader]
            yield Block(b"".join(lines), block.rows, block.cost)

    def _row(self, legacy: dict[str, str]) -> dict[str, str]:
        return {
            **{own: legacy[name] for name, own in _RENAMED.items()},
            "bill_payer_account_name": PAYER_NAME,
            "line_item_usage_account_name": self._names.get(legacy["lineItem/UsageAccountId"], PAYER_NAME),
            "cost_category": "{}",
            "discount": "{}",
            "product": _map({own: legacy[name] for name, own in _IN_PRODUCT_MAP.items()}),
            "product_region_code": legacy["product/region"],
            "resource_tags": _map({own: legacy[name] for name, own in _TAGS.items()}),
        }


def _map(members: dict[str, str]) -> str:
    """Return a map column's text: a key is only there where it has a value."""
    return json.dumps(
        {key: value for key, value in members.items() if value}, ensure_ascii=False, separators=(",", ":")
    )


def partition(month: BillingPeriod) -> str:
    """Return the folder of a month below `data` and `metadata`."""
    return f"BILLING_PERIOD={month}"


def chunk_name(number: int) -> str:
    """Return the file name of a chunk, the first is 1."""
    return f"{EXPORT}-{number:05}.csv.gz"


def execution_id(month: BillingPeriod, rows: int, seed: int) -> str:
    """Return the id of one refresh of the export; another seed or number of rows is another refresh."""
    return guid(f"execution/{month}/{rows}/{seed}")


def manifest(month: BillingPeriod, execution: str, chunks: int) -> bytes:
    """Return `<export>-Manifest.json` of one refresh.

    Args:
        execution: id of the refresh.
        chunks: how many data files it has.
    """
    folder = f"s3://{BUCKET}/{PREFIX}/{EXPORT}/data/{partition(month)}"
    document = {
        "exportArn": f"arn:aws:bcm-data-exports:us-east-1:000000000000:export/{EXPORT}-{guid('export')}",
        "executionId": execution,
        "columns": [{"name": name, "type": "string"} for name in COLUMNS],
        "compression": "GZIP",
        "contentType": "text/csv",
        "dataFiles": [f"{folder}/{chunk_name(number)}" for number in range(1, chunks + 1)],
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
