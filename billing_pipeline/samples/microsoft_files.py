"""How Microsoft writes a partner's rows: CSV with dates M/D/YYYY, JSON Lines, and the manifest of an export.

What does not belong here: what the rows say (`ms_nce`, `ms_daily`).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_DOWN, Decimal

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.blocks import Block
from billing_pipeline.samples.csv_text import EXACT, piece, plain_decimal
from billing_pipeline.samples.microsoft_columns import NUMBERS
from billing_pipeline.samples.seeds import code, digits, guid

Record = Mapping[str, str | Decimal | date]

BLOCK_ROWS = 5_000
_CENT = Decimal("0.01")


def partner_id(source: str) -> str:
    """Return the reseller's tenant; each source is another, so that no two bill the same Azure usage."""
    return guid(f"microsoft/partner/{source}")


def tenant_id(source: str, customer_id: str) -> str:
    """Return the Microsoft Entra tenant that a customer has with that partner tenant."""
    return guid(f"microsoft/tenant/{source}/{customer_id}")


def subscription_id(source: str, customer_id: str, name: str) -> str:
    """Return the subscription of a customer with that name."""
    return guid(f"microsoft/{source}/{customer_id}/{name}")


def invoice_number(source: str, month: BillingPeriod) -> str:
    """Return the number of the month's invoice."""
    return "G" + digits(f"microsoft/invoice/{source}/{month}", 9)


def round_down(amount: Decimal) -> Decimal:
    """Return an amount cut to two decimals, towards zero, as Microsoft's documented arithmetic does."""
    return amount.quantize(_CENT, ROUND_DOWN, EXACT)


def csv_blocks(records: Iterable[Record], columns: Sequence[str], cost_column: str) -> Iterator[Block]:
    """Yield records as CSV lines without header."""
    return _blocks(records, cost_column, lambda record: piece(columns, _texts(record)) + b"\n")


def json_blocks(records: Iterable[Record], columns: Sequence[str], cost_column: str) -> Iterator[Block]:
    """Yield records as JSON Lines: numbers unquoted with all their digits, days as ISO 8601 at midnight UTC."""
    return _blocks(records, cost_column, lambda record: _json_line(record, columns))


def _blocks(records: Iterable[Record], cost_column: str, write: Callable[[Record], bytes]) -> Iterator[Block]:
    lines: list[bytes] = []
    cost = Decimal(0)
    for record in records:
        lines.append(write(record))
        amount = record[cost_column]
        assert isinstance(amount, Decimal)
        cost = EXACT.add(cost, amount)
        if len(lines) == BLOCK_ROWS:
            yield Block(b"".join(lines), len(lines), cost)
            lines, cost = [], Decimal(0)
    if lines:
        yield Block(b"".join(lines), len(lines), cost)


def _texts(record: Record) -> dict[str, str]:
    texts = {}
    for name, value in record.items():
        if isinstance(value, Decimal):
            texts[name] = plain_decimal(value)
        else:
            texts[name] = f"{value.month}/{value.day}/{value.year}" if isinstance(value, date) else value
    return texts


def _json_line(record: Record, columns: Sequence[str]) -> bytes:
    members = []
    for name in columns:
        value = record.get(name, "")
        if isinstance(value, Decimal):
            text = str(value.normalize(EXACT)) if name in NUMBERS else json.dumps(str(value))
        elif isinstance(value, date):
            text = f'"{value:%Y-%m-%d}T00:00:00Z"'
        else:
            text = json.dumps(value, ensure_ascii=False)
        members.append(f"{json.dumps(name)}:{text}")
    return ("{" + ",".join(members) + "}\n").encode()


def blob_name(month: BillingPeriod, seed: int, number: int) -> str:
    """Return a blob's name as the export writes it; the first number is 0."""
    return f"part-{number:05}-{guid(f'microsoft/blob/{month}/{seed}')}.c000.json.gz"


def manifest(source: str, month: BillingPeriod, seed: int, names: Sequence[str], kind: str, is_final: bool) -> bytes:
    """Return the manifest of an export.

    Args:
        source: whose export.
        names: of the blobs.
        kind: `billedusage` or `billedrecon`, as it stands in the path of the blobs.
        is_final: whether the invoice exists.
    """
    invoice = invoice_number(source, month) if is_final else "unbilled"
    root = (
        f"https://billingexports.blob.example/{kind}/v1/PartnerTenantId={partner_id(source)}"
        f"/BillingMonth={month.first_day:%Y%m}/InvoiceId={invoice}/Fragment=full/PartitionType=default"
    )
    document = {
        "id": guid(f"microsoft/manifest/{kind}/{month}/{seed}"),
        "schemaVersion": "2",
        "dataFormat": "compressedJSON",
        "createdDateTime": f"{month.end_day:%Y-%m-%d}T06:34:34.87Z",
        "eTag": code(f"microsoft/etag/{kind}/{month}/{seed}/{is_final}", 17),
        "partnerTenantId": partner_id(source),
        "rootDirectory": root,
        "sasToken": "sv=sample&sig=sample",
        "partitionType": "default",
        "blobCount": len(names),
        "blobs": [{"name": name, "partitionValue": "default"} for name in names],
    }
    return (json.dumps(document, indent=2) + "\n").encode()
