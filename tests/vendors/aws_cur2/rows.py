"""Rows of a Cost and Usage Report 2.0, written in the test."""

import csv
import io
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from tests.vendor_files import convert_bytes

Row = dict[str, str]

PLAIN: Row = {
    "bill_bill_type": "Anniversary",
    "bill_billing_entity": "AWS",
    "bill_billing_period_end_date": "2026-11-01T00:00:00.000Z",
    "bill_billing_period_start_date": "2026-10-01T00:00:00.000Z",
    "bill_invoice_id": "",
    "bill_invoicing_entity": "Amazon Web Services EMEA SARL",
    "bill_payer_account_id": "000111111111",
    "bill_payer_account_name": "Meltemi",
    "cost_category": "{}",
    "discount": "{}",
    "identity_line_item_id": "abc",
    "identity_time_interval": "2026-10-01T00:00:00Z/2026-10-02T00:00:00Z",
    "line_item_currency_code": "USD",
    "line_item_line_item_description": "$0.0000004 per GET",
    "line_item_line_item_type": "Usage",
    "line_item_operation": "GetObject",
    "line_item_product_code": "AmazonS3",
    "line_item_resource_id": "assets",
    "line_item_unblended_cost": "1.2E-6",
    "line_item_usage_account_id": "012345678901",
    "line_item_usage_account_name": "production",
    "line_item_usage_amount": "3.0",
    "line_item_usage_end_date": "2026-10-01T01:00:00.000Z",
    "line_item_usage_start_date": "2026-10-01T00:00:00.000Z",
    "line_item_usage_type": "EU-Requests",
    "pricing_public_on_demand_cost": "2.4E-6",
    "pricing_rate_code": "0012.X",
    "pricing_unit": "Requests",
    "product": '{"product_name":"Amazon Simple Storage Service","region":"eu-west-1"}',
    "product_product_family": "API Request",
    "product_region_code": "eu-west-1",
    "product_sku": "0012",
    "resource_tags": '{"user_team":"a","user_owner":"Zoë"}',
}
MAPS = ("cost_category", "discount", "product", "resource_tags")
AMOUNTS = ("line_item_unblended_cost", "line_item_usage_amount", "pricing_public_on_demand_cost")


def text_of(*changes: Mapping[str, str], without: tuple[str, ...] = ()) -> str:
    """A CSV file of one row per set of changes to the plain row."""
    rows = [{name: value for name, value in {**PLAIN, **change}.items() if name not in without} for change in changes]
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def rows_of(folder: Path, *changes: Mapping[str, str]) -> list[dict[str, object]]:
    """The canonical rows of such a file."""
    return convert_bytes("aws_cur2", folder, text_of(*changes).encode()).to_dicts()


def parquet_of(path: Path, *changes: Mapping[str, str], amounts: pa.DataType) -> None:
    """The same rows as AWS types them in Parquet: maps, timestamps, and amounts of the type asked for."""
    rows = [{**PLAIN, **change} for change in changes]
    columns = {}
    for name in PLAIN:
        cells = [row[name] for row in rows]
        if name in MAPS:
            columns[name] = pa.array(
                [list(json.loads(cell).items()) for cell in cells], pa.map_(pa.string(), pa.string())
            )
        elif name in AMOUNTS:
            number = float if pa.types.is_floating(amounts) else Decimal
            columns[name] = pa.array([number(cell) for cell in cells], amounts)
        elif name.endswith("_date"):
            texts = pa.array([cell.removesuffix("Z") for cell in cells])
            columns[name] = texts.cast(pa.timestamp("ms"))
        else:
            columns[name] = pa.array([cell or None for cell in cells], pa.string())
    parquet.write_table(pa.table(columns), path)
