"""Contracts of the tables that say what arrived: deliveries and the quarantine."""

from typing import Final

from billing_pipeline.schemas.table import Column, Table

DELIVERIES: Final = Table(
    "deliveries",
    "one version of (source, billing account, billing period); one row for each currency in it",
    (
        Column("delivery_id", "VARCHAR", "Key: source/account/period/start of the files' SHA-256.", nullable=False),
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("format", "VARCHAR", "File format of the source.", nullable=False),
        Column("vendor", "VARCHAR", "Vendor of the source, the scope of vendor-wide pricing rules.", nullable=False),
        Column(
            "billing_account_id",
            "VARCHAR",
            "The vendor's billing account; for a distributor's invoice its invoice number.",
            nullable=False,
        ),
        Column("billing_period", "VARCHAR", "Calendar month the vendor bills, YYYY-MM.", nullable=False),
        Column(
            "slot",
            "VARCHAR",
            "What a later delivery replaces: source/account/period, for distributor invoices source/number.",
            nullable=False,
        ),
        Column("received_at", "TIMESTAMP WITH TIME ZONE", "Instant of arrival, recorded once.", nullable=False),
        Column(
            "landed_at",
            "TIMESTAMP WITH TIME ZONE",
            "Modification time of the newest file; orders arrivals of one instant.",
            nullable=False,
        ),
        Column(
            "seen_at",
            "TIMESTAMP WITH TIME ZONE",
            "The clock when the last of its files was first landed, recorded once; received_at says when it counts as"
            " arrived.",
            nullable=False,
        ),
        Column("is_final", "BOOLEAN", "False while the vendor still estimates.", nullable=False),
        Column("file_count", "BIGINT", "Number of files the delivery came in.", nullable=False),
        Column("row_count", "BIGINT", "Number of vendor rows.", nullable=False),
        Column("total_cost", "DECIMAL(38,18)", "Exact sum of the rows' billed cost, in currency.", nullable=False),
        Column("currency", "VARCHAR", "ISO 4217 code of the amounts.", nullable=False),
        Column("sha256", "VARCHAR", "Hash of the file, or of the sorted hashes of its files.", nullable=False),
        Column("file_names", "VARCHAR", "JSON list of the files' names in the landing folder.", nullable=False),
        Column("parquet_files", "VARCHAR", "JSON list of the converted files, relative to the lake.", nullable=False),
        Column("invoice_ids", "VARCHAR", "JSON list of the vendor's invoice numbers found in the rows."),
        Column("invoice_status", "VARCHAR", "issued, pending or proforma; distributor invoices only."),
        Column("vendor_net_total", "DECIMAL(38,18)", "Net total the vendor states, in currency, if its file has one."),
        Column("vendor_tax_total", "DECIMAL(38,18)", "Tax the vendor states, in currency, if its file has one."),
        Column("content_sha256", "VARCHAR", "Hash of all that a distributor invoice says; null for other formats."),
        Column(
            "unchanged_since",
            "TIMESTAMP WITH TIME ZONE",
            "When the invoice arrived that this one merely repeats, in which case it is no delivery of its own and is"
            " neither priced nor published; null for every delivery.",
        ),
        Column("converter", "VARCHAR", "Fingerprint of the conversion that made the Parquet files.", nullable=False),
    ),
)

QUARANTINE: Final = Table(
    "quarantine",
    "one refused file",
    (
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("file_name", "VARCHAR", "Name of the file in the source's landing folder.", nullable=False),
        Column("sha256", "VARCHAR", "Hash of its bytes; empty where the file could not be read."),
        Column("reason", "VARCHAR", "What is wrong, one sentence.", nullable=False),
        Column(
            "row_number",
            "BIGINT",
            "Data row with the fault, 1 is the first below the header; of a checksum file the number of the line.",
        ),
        Column("column_name", "VARCHAR", "The vendor's own column name."),
        Column("value", "VARCHAR", "The offending text as it stands in the file."),
        Column("seen_at", "TIMESTAMP WITH TIME ZONE", "Instant at which the file arrived.", nullable=False),
    ),
)
