"""Small deliveries in every carrier, with and without something that their content can be held against."""

import gzip
import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import openpyxl
import pyarrow as pa
from pyarrow import parquet

from tests.vendor_files import INVOICE, csv_text
from tests.vendors.aws_cur2.rows import PLAIN as CUR2
from tests.vendors.aws_dbr import rows as dbr
from tests.vendors.azure_costs import azure_files
from tests.workspaces import aws_manifest

# What the content is held against: every byte against a checksum, amounts against totals, or nothing at all.
Protection = Literal["checksum", "totals", "nothing"]
_PERIOD = "20261001-20261101"
_RANDOM_LOOKING = [Decimal(number * 7919 % 10_007) / 100 for number in range(1, 41)]


@dataclass(frozen=True)
class Delivery:
    """Files that make a delivery.

    Attributes:
        name: carrier and control, for reports.
        file_format: of the source.
        files: content by path in the landing folder.
        damaged: the path of the file that is damaged.
    """

    name: str
    file_format: str
    files: Mapping[str, bytes]
    damaged: str
    protection: Protection = "checksum"

    def with_checksum(self) -> "Delivery":
        """Return the delivery with a checksum file beside the file that is damaged."""
        digest = hashlib.sha256(self.files[self.damaged]).hexdigest()
        line = f"{digest}  {self.damaged.rsplit('/', 1)[-1]}\n".encode()
        files = {**self.files, f"{self.damaged}.sha256": line}
        return replace(self, name=f"{self.name} + sha256", files=files, protection="checksum")

    def with_list(self) -> "Delivery":
        """Return the delivery with one list of checksums of all its files."""
        lines = [f"{hashlib.sha256(content).hexdigest()} *{name}\n" for name, content in sorted(self.files.items())]
        files = {**self.files, "SHA256SUMS": "".join(lines).encode()}
        return replace(self, name=f"{self.name} + SHA256SUMS", files=files, protection="checksum")


def deliveries() -> list[Delivery]:
    """Return all of them."""
    checked = [_workbook(), _cur("cur.csv.gz", _gzip), _azure("csv.gz", _gzip), _dbr(), *_parquets(has_crc=True)]
    csv, json_text = _invoices()
    # Their manifests state sizes and rows, never sums: in plain CSV nothing holds an amount against anything.
    cur, azure = (
        replace(one, protection="nothing") for one in (_cur("cur.csv", str.encode), _azure("csv", str.encode))
    )
    bare = _parquets(has_crc=False)
    beside = [one.with_checksum() for one in (csv, json_text, azure, *bare)]
    listed = cur.with_list()
    manifest = next(name for name in cur.files if name.endswith("Manifest.json"))
    around = [
        replace(beside[0], name="checksum of invoice.csv", damaged=f"{csv.damaged}.sha256"),
        replace(listed, name="SHA256SUMS of cur.csv", damaged="SHA256SUMS"),
        replace(listed, name="manifest of cur.csv + SHA256SUMS", damaged=manifest),
    ]
    return [*checked, *beside, listed, *around, csv, json_text, cur, azure, *bare]


def _gzip(text: str) -> bytes:
    return gzip.compress(text.encode(), mtime=0)


def _invoice_rows() -> list[dict[str, str]]:
    """Two invoices for three customers."""
    rows = []
    for number, count in (("N1", 9), ("N2", 6)):
        amounts = _RANDOM_LOOKING[: 2 * count]
        items = [(amounts[2 * index], int(amounts[2 * index + 1]) + 1) for index in range(count)]
        net_total = sum((cost * quantity for cost, quantity in items), Decimal(0))
        for index, (cost, quantity) in enumerate(items):
            customer = {"customer_id": f"00{index % 3 + 1}", "customer_name": f"Customer {index % 3 + 1}"}
            rows.append({
                **INVOICE, **customer, "invoice_number": number, "line_number": str(index + 1),
                "quantity": str(quantity), "unit_cost": str(cost), "net_total": str(net_total), "tax_total": "1.00",
                "list_price": str(cost * 2), "description": f"Product {index}, a month",
            })  # fmt: skip
    return rows


def _workbook() -> Delivery:
    """The invoices as a workbook."""
    book = openpyxl.Workbook()
    for cells in [list(INVOICE), *(list(row.values()) for row in _invoice_rows())]:
        book.active.append(cells)
    book.save(buffer := io.BytesIO())
    return Delivery("invoice.xlsx", "distributor_invoice", {"invoice.xlsx": buffer.getvalue()}, "invoice.xlsx")


def _invoices() -> list[Delivery]:
    """The invoices as CSV and JSON, whose net totals cover the amounts."""
    rows = _invoice_rows()
    header = list(INVOICE)[: list(INVOICE).index("line_number")]
    invoices = []
    for number in ("N1", "N2"):
        own = [row for row in rows if row["invoice_number"] == number]
        items = [{name: text for name, text in row.items() if name not in header} for row in own]
        invoices.append({**{name: own[0][name] for name in header}, "items": items})
    contents = {
        "invoice.csv": csv_text("distributor_invoice", *rows).encode(),
        "invoice.json": json.dumps({"invoices": invoices}, indent=1).encode(),
    }
    return [
        Delivery(name, "distributor_invoice", {name: content}, name, "totals") for name, content in contents.items()
    ]


def _changes(cost_column: str, **names: str) -> list[dict[str, str]]:
    """Thirty rows of three accounts, with costs that no two rows share."""
    return [
        {names["key"]: f"row{index}", names["account"]: f"00000000000{index % 3}", cost_column: str(cost)}
        for index, cost in enumerate(_RANDOM_LOOKING[:30])
    ]


def _cur(name: str, write: Callable[[str], bytes]) -> Delivery:
    """An AWS report in two chunks with its manifest."""
    changes = _changes("lineItem/UnblendedCost", key="identity/LineItemId", account="lineItem/UsageAccountId")
    folder = f"{_PERIOD}/A"
    chunks = [f"{folder}/c-{number}.{name.split('.', 1)[1]}" for number in (1, 2)]
    files = {
        chunk: write(csv_text("aws_cur", *changes[start : start + 15]))
        for chunk, start in zip(chunks, (0, 15), strict=True)
    }
    manifest = {f"{folder}/c-Manifest.json": aws_manifest("A", [f"b/{key}" for key in chunks], "20261001").encode()}
    return Delivery(f"{name} with manifest", "aws_cur", files | manifest, chunks[0])


def _azure(suffix: str, write: Callable[[str], bytes]) -> Delivery:
    """A part of Azure cost details with the manifest that states its bytes and rows."""
    changes = _changes("costInBillingCurrency", key="meterName", account="SubscriptionId")
    name = f"part_0_0001.{suffix}"
    part = write(azure_files.text_of(azure_files.PARTNER, *changes))
    manifest = azure_files.manifest((name, len(part), 30)).encode()
    files = {f"x/run-1/{name}": part, "x/run-1/manifest.json": manifest}
    return Delivery(f"azure {suffix} with manifest", "azure_costs", files, f"x/run-1/{name}")


def _dbr() -> Delivery:
    """A detailed billing report in a zip, with its total."""
    changes = _changes("UnBlendedCost", key="ResourceId", account="LinkedAccountId")
    total = sum(_RANDOM_LOOKING[:30], Decimal(0))
    text = dbr.text_of(*changes, dbr.control("StatementTotal", str(total)))
    name = dbr.NAME.replace(".csv", ".csv.zip")
    return Delivery("dbr zip with total", "aws_dbr", {name: dbr.zipped((dbr.NAME, text.encode()))}, name)


def _parquets(has_crc: bool) -> list[Delivery]:
    """A Cost and Usage Report 2.0 in Parquet, with or without the CRC that Spark gives every page."""
    changes = _changes("line_item_unblended_cost", key="identity_line_item_id", account="line_item_usage_account_id")
    names = list(CUR2)
    rows = [{**CUR2, **change} for change in changes]
    columns: dict[str, pa.Array] = {name: pa.array([row[name] for row in rows]) for name in names}
    columns["line_item_unblended_cost"] = columns["line_item_unblended_cost"].cast(pa.float64())
    columns["pricing_public_on_demand_cost"] = pa.array(
        [Decimal(row["pricing_public_on_demand_cost"]) for row in rows], pa.decimal128(16, 8)
    )
    table = pa.table(columns)
    found = []
    for compression in ("snappy", "zstd"):
        name = f"parquet {compression} {'with' if has_crc else 'without'} page CRC"
        buffer = io.BytesIO()
        parquet.write_table(table, buffer, compression=compression, write_page_checksum=has_crc, store_schema=False)
        path = "data/BILLING_PERIOD=2026-10/c.parquet"
        manifest = json.dumps({"executionId": "E", "dataFiles": [f"s3://b/p/{path}"]}).encode()
        files = {path: buffer.getvalue(), "metadata/BILLING_PERIOD=2026-10/c-Manifest.json": manifest}
        found.append(Delivery(name, "aws_cur2", files, path, "checksum" if has_crc else "nothing"))
    return found
