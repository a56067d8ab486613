"""Open a landed file in whatever it is carried: its rows, typed as its source's format declares.

What does not belong here: what the rows become (`conversion`), and how each carrier is read (`csv_rows`, `json_rows`,
`json_pages`, `parquet_rows`, `invoice_rows`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from billing_pipeline.configuration import Source
from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.format import VendorFormat
from billing_pipeline.vendors.header import HeaderMatch, match_header
from billing_pipeline.vendors.registry import FORMATS, require_format
from resources import csv_rows, json_rows, parquet_rows
from resources.carriers import LandedFile, carrier_of, read_chunks
from resources.invoice_rows import open_json, open_workbook
from resources.json_pages import open_pages
from resources.typed_rows import TypedRows

# A worksheet's limit; the widest real reports, with a column per tag, have some thousand.
MOST_COLUMNS = 16_384

OpenedRows = tuple[VendorFormat, TypedRows, Iterator[pa.RecordBatch]]


def open_rows(source: Source, file: LandedFile, only: Sequence[str] = ()) -> OpenedRows:
    """Open a file and check that it is one of its source's format.

    Args:
        source: names the expected format, and the currency where the file has none.
        file: what was dropped.
        only: read just these columns; all declared ones if empty.

    Returns:
        The format, what types its rows, and its rows, read as they are asked for.

    Raises:
        BadInput: another format or carrier; while the rows are read: a cell that does not fit, damage, or a bomb.
    """
    expected = FORMATS[source.format]
    carrier = carrier_of(file)
    if carrier == "json" and "json" not in expected.carriers and "jsonl" in expected.carriers:
        # BigQuery writes JSON Lines and lets people call them .json.
        carrier = "jsonl"
    if carrier not in expected.carriers:
        raise BadInput(file.name, f"{expected.title} does not come as {carrier}, but as {', '.join(expected.carriers)}")
    if carrier == "parquet":
        table = parquet_rows.open_parquet(file)
        rows = _typed_rows(source, file, parquet_rows.header_of(table), only)
        return expected, rows, parquet_rows.typed_batches(table, file, rows)
    if carrier in ("jsonl", "jsonl.gz") or (carrier == "json" and expected.name != "distributor_invoice"):
        objects = (
            open_pages(file, expected)
            if carrier == "json"
            else json_rows.open_json_lines(read_chunks(file, carrier), file.name, expected.whole_members)
        )
        rows = _typed_rows(source, file, objects.header, only)
        return expected, rows, json_rows.typed_batches(objects, rows)
    if carrier == "json":
        text = open_json(file)
    elif carrier == "xlsx":
        text = open_workbook(file, expected)
    else:
        text = csv_rows.open_csv(read_chunks(file, carrier), file.name)
    rows = _typed_rows(source, file, text.header, only)
    return expected, rows, csv_rows.typed_batches(text, rows)


def _typed_rows(source: Source, file: LandedFile, header: list[str], only: Sequence[str]) -> TypedRows:
    if len(header) > MOST_COLUMNS:
        raise BadInput(file.name, f"the file has {len(header)} columns; no vendor's file has over {MOST_COLUMNS}")
    vendor_format = require_format(source.format, header, file.name)
    match: HeaderMatch = match_header(vendor_format, header, file.name, source.currency is not None)
    if only:
        vendor_format = replace(vendor_format, columns={name: vendor_format.columns[name] for name in only})
        kept = {name: index for name, index in match.positions.items() if name in only}
        match = replace(match, positions=kept, tags={})
    return TypedRows(file.name, vendor_format, match, len(header), source.currency)


def latest_month(source: Source, files: Sequence[LandedFile]) -> str:
    """Find the month that the files of one delivery bill: the latest in the format's `month_columns`.

    Rows of earlier months are late: they belong to the invoice that holds them.

    Returns:
        `YYYY-MM`.

    Raises:
        BadInput: a file cannot be read, or no row has such a date.
    """
    columns = FORMATS[source.format].month_columns
    latest: datetime | None = None
    for file in files:
        _, _, batches = open_rows(source, file, columns)
        for batch in batches:
            read = [batch.column(name).cast(pa.timestamp("us", "UTC")) for name in columns]
            found: datetime | None = pc.max(pc.coalesce(*read)).as_py()
            if found is not None:
                latest = found if latest is None else max(latest, found)
    if latest is None:
        raise BadInput(files[0].name, f"no row has a date in {' or '.join(columns)}: the billing month is unknown")
    return f"{latest.year:04}-{latest.month:02}"
