"""Contract of the totals that vendors state beside their files, in `invoice_totals.csv`."""

from typing import Final

from billing_pipeline.schemas.table import Column, Table

VENDOR_TOTALS: Final = Table(
    "vendor_totals",
    "one row of an invoice_totals.csv that arrived: a vendor's invoice, or its estimate of one",
    (
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("billing_account_id", "VARCHAR", "The vendor's billing account.", nullable=False),
        Column("billing_period", "VARCHAR", "Calendar month the vendor bills, YYYY-MM.", nullable=False),
        Column("invoice_id", "VARCHAR", "The vendor's invoice number; empty while there is none."),
        Column("invoice_date", "DATE", "Issue date of the vendor's invoice; empty while there is none."),
        Column("currency", "VARCHAR", "ISO 4217 code of the totals.", nullable=False),
        Column("net_total", "DECIMAL(38,18)", "Total without tax that the vendor states, in currency.", nullable=False),
        Column("tax_total", "DECIMAL(38,18)", "Tax that the vendor states, in currency; empty if it states none."),
        Column("is_final", "BOOLEAN", "False while the vendor may still change the invoice.", nullable=False),
        Column("received_at", "TIMESTAMP WITH TIME ZONE", "Instant of the file's arrival.", nullable=False),
        Column(
            "landed_at",
            "TIMESTAMP WITH TIME ZONE",
            "Modification time of the file; orders arrivals of one instant.",
            nullable=False,
        ),
        Column("seen_at", "TIMESTAMP WITH TIME ZONE", "The clock when the file was first landed.", nullable=False),
        Column("file_name", "VARCHAR", "Name of the file in the source's landing folder.", nullable=False),
        Column("file_sha256", "VARCHAR", "Hash of the file's bytes.", nullable=False),
        Column("row_number", "BIGINT", "Data row, 1 is the first below the header.", nullable=False),
    ),
    sorted_by=("source", "billing_account_id", "billing_period", "currency", "invoice_id", "file_name", "file_sha256",
               "row_number"),
)  # fmt: skip
