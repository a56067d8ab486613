"""A plain row of Google's reseller export, and files made of it as BigQuery extracts them."""

import copy
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from tests.vendor_files import convert_bytes

ROW: Mapping[str, Any] = {
    "billing_account_id": "01A-CUSTOMER",
    "payer_billing_account_id": "00B-PAYER",
    "invoice": {"month": "202610"},
    "cost_type": "regular",
    "service": {"id": "6F81", "description": "Compute Engine"},
    "sku": {"id": "0012", "description": "N2 core, EMEA"},
    "usage_start_time": "2026-10-01 07:00:00 UTC",
    "usage_end_time": "2026-10-01 08:00:00 UTC",
    "project": {"id": "shop", "number": "123", "name": "Shop", "labels": []},
    "labels": [{"key": "env", "value": "prod"}, {"key": "owner", "value": 'Zoë "Z"'}],
    "location": {"location": "europe-west1", "region": "europe-west1"},
    "resource": {"name": "vm-1", "global_name": "//compute/vm-1"},
    "cost": 10.0,
    "currency": "EUR",
    "usage": {"amount": 3600.0, "unit": "seconds", "amount_in_pricing_unit": 1.0, "pricing_unit": "hour"},
    "credits": [],
    "customer_name": "Acme",
    "customer_cost": 11.0,
    "cost_at_list": 12.5,
    "transaction_type": "GOOGLE",
    "seller_name": "Google",
}
CREDIT = pa.struct(
    [
        ("id", pa.string()),
        ("type", pa.string()),
        ("amount", pa.float64()),
        ("customer_amount", pa.float64()),
    ]
)


def changed(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The plain row with some members changed; `a.b` means a member of a struct."""
    row = copy.deepcopy(dict(ROW))
    for path, value in changes.items():
        first, _, rest = path.partition(".")
        if rest:
            row[first] = {**row[first], rest: value}
        else:
            row[first] = value
    return row


def credit(kind: str, amount: object, customer_amount: object = None) -> dict[str, object]:
    """One element of `credits`."""
    return {"id": "c", "type": kind, "amount": amount, "customer_amount": customer_amount}


def json_lines(*rows: Mapping[str, Any]) -> bytes:
    """JSON Lines as BigQuery writes them."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def rows(folder: Path, *changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Convert JSON Lines of rows that differ from the plain one as said, and return the canonical rows."""
    return convert_bytes("gcp_reseller", folder, json_lines(*map(changed, changes)), "in.jsonl").to_dicts()


def parquet_bytes(given: Sequence[Mapping[str, Any]], amount: pa.DataType, *, wrapped: bool = False) -> bytes:
    """The same rows as Parquet: nested, amounts of one type, lists plain or in BigQuery's older wrapping."""
    schema = pa.Table.from_pylist([dict(given[0])]).schema
    fields = []
    for member in schema:
        kind = member.type
        if member.name in ("cost", "customer_cost", "cost_at_list"):
            kind = amount
        elif member.name.endswith("_time"):
            kind = pa.timestamp("us", "UTC")
        elif member.name == "credits":
            kind = pa.list_(CREDIT)
        elif member.name == "labels":
            kind = pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))
        if wrapped and pa.types.is_list(kind):
            kind = pa.struct([("list", pa.list_(pa.struct([("element", kind.value_type)])))])
        fields.append(pa.field(member.name, kind))
    made = pa.schema(fields)
    arrays = [pa.array([_as(row[field.name], field.type) for row in given], field.type) for field in made]
    parquet.write_table(pa.Table.from_arrays(arrays, schema=made), buffer := io.BytesIO())
    return buffer.getvalue()


def _as(value: Any, kind: pa.DataType) -> Any:
    if pa.types.is_timestamp(kind):
        return pa.scalar(value.removesuffix(" UTC")).cast(pa.timestamp("us")).as_py()
    if pa.types.is_decimal(kind) and value is not None:
        return pa.scalar(repr(value)).cast(kind).as_py()
    if pa.types.is_struct(kind) and kind.num_fields == 1 and kind.field(0).name == "list":
        return {"list": [{"element": element} for element in value]}
    return value
