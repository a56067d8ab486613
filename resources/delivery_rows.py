"""Rows of the `deliveries` and `quarantine` tables: what a set of files came to, and what was refused."""

import json
from collections.abc import Sequence

import polars as pl

from billing_pipeline.configuration import Organisation, Source
from billing_pipeline.deliveries import FileSet, Refused
from billing_pipeline.identifiers import delivery_id
from billing_pipeline.schemas.deliveries import QUARANTINE
from billing_pipeline.vendors.registry import FORMATS
from resources.conversion import RowGroup
from resources.fingerprint import converter_fingerprint
from resources.intake_checks import is_final


def delivery_row(
    source: Source,
    file_set: FileSet,
    group: RowGroup,
    has_invoice_ids: bool,
    names: Sequence[str],
    organisation: Organisation,
) -> dict[str, object]:
    """Return the row of a delivery.

    Args:
        group: the rows of one account, month and currency in the set.
        has_invoice_ids: whether the vendor's files can say which rows are invoiced.
        names: the converted files, relative to the lake.
        organisation: its zone and business days decide what an estimate is where the files do not say it.

    Returns:
        Values by column of the `deliveries` table.
    """
    is_invoice = source.format == "distributor_invoice"
    slot = [source.id, group.billing_account_id] + ([] if is_invoice else [group.billing_period])
    slot += [group.currency] if FORMATS[source.format].is_invoiced_per_currency else []
    return {
        "delivery_id": delivery_id(source.id, group.billing_account_id, group.billing_period, file_set.sha256),
        "source": source.id,
        "format": source.format,
        "vendor": source.vendor,
        "billing_account_id": group.billing_account_id,
        "billing_period": group.billing_period,
        "slot": "/".join(slot),
        **arrival_facts(file_set),
        "is_final": is_final(source, group, has_invoice_ids, file_set, organisation),
        "file_count": len(file_set.files),
        "row_count": group.row_count,
        "total_cost": group.total_cost,
        "currency": group.currency,
        "sha256": file_set.sha256,
        "parquet_files": json.dumps(list(names)),
        "invoice_ids": json.dumps(list(group.invoice_ids), ensure_ascii=False),
        "invoice_status": group.invoice_status,
        "vendor_net_total": group.net_total,
        "vendor_tax_total": group.tax_total,
        "content_sha256": group.content_sha256,
        "unchanged_since": None,
        "converter": converter_fingerprint(source),
    }


def arrival_facts(file_set: FileSet) -> dict[str, object]:
    """Return what a delivery says of its arrival: the same bytes may turn out to have arrived before, too."""
    return {
        "received_at": file_set.received_at,
        "landed_at": file_set.modified_at,
        "seen_at": file_set.seen_at,
        "file_names": json.dumps([file.name for file in file_set.files], ensure_ascii=False),
    }


def quarantine_frame(refused: Sequence[Refused]) -> pl.DataFrame:
    """Return a frame with the columns of the `quarantine` table, sorted; a file is named once for each reason."""
    rows = {
        (item.arrival.source, item.error.file, item.error.reason): {
            "source": item.arrival.source,
            "file_name": item.error.file,
            "sha256": item.arrival.sha256,
            "reason": item.error.reason,
            "row_number": item.error.row,
            "column_name": item.error.column,
            "value": item.error.value,
            "seen_at": item.arrival.received_at,
        }
        for item in refused
    }
    ordered = [rows[key] for key in sorted(rows)]
    return pl.DataFrame(ordered, schema=QUARANTINE.empty_frame().schema)
