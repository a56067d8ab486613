"""Contracts of the reconciliation tables."""

from typing import Final

from billing_pipeline.schemas.priced_line_items import BUCKETS
from billing_pipeline.schemas.table import Column, Table

USAGE_RECONCILIATION: Final = Table(
    "usage_reconciliation",
    "source, billing account, billing period, currency and bucket of a current delivery",
    (
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("billing_account_id", "VARCHAR", "The vendor's billing account or invoice number.", nullable=False),
        Column("billing_period", "VARCHAR", "Calendar month the vendor bills, YYYY-MM.", nullable=False),
        Column("currency", "VARCHAR", "ISO 4217 code of the amount.", nullable=False),
        Column("bucket", "VARCHAR", "billed, or the reason why not.", nullable=False, values=BUCKETS),
        Column("amount", "DECIMAL(38,24)", "Exact vendor cost in this bucket, in currency.", nullable=False),
        Column("row_count", "BIGINT", "Vendor rows in this bucket.", nullable=False),
        Column("delivery_id", "VARCHAR", "The delivery that was reconciled.", nullable=False),
    ),
    sorted_by=("source", "billing_account_id", "billing_period", "currency", "bucket", "delivery_id"),
)

BILLING_STATUS: Final = Table(
    "billing_status",
    "source and billing period",
    (
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("billing_period", "VARCHAR", "Calendar month the vendor bills, YYYY-MM.", nullable=False),
        Column(
            "state",
            "VARCHAR",
            "open, collecting, settled or locked.",
            nullable=False,
            values=("open", "collecting", "settled", "locked"),
        ),
        Column("is_final", "BOOLEAN", "Whether every current delivery is final.", nullable=False),
        Column("currency", "VARCHAR", "ISO 4217 code of the amounts.", nullable=False),
        Column("vendor_total", "DECIMAL(38,18)", "Net total the vendor states, in currency; empty if it states none."),
        Column("rows_total", "DECIMAL(38,18)", "Exact sum of the rows, in currency.", nullable=False),
        Column("difference", "DECIMAL(38,18)", "vendor_total - rows_total, in currency; empty without a vendor total."),
        Column("expected_settled_on", "DATE", "Day by which the vendor usually settles.", nullable=False),
        Column("last_received_at", "TIMESTAMP WITH TIME ZONE", "Arrival of the newest delivery.", nullable=False),
        Column("delivery_count", "BIGINT", "Current deliveries.", nullable=False),
    ),
)

MARGIN_LEAKS: Final = Table(
    "margin_leaks",
    "one finding of money that is not earned",
    (
        Column(
            "kind",
            "VARCHAR",
            "unmapped_account, unpriced, sold_below_cost, marketplace_fee_not_passed_on, unit_cost_above_price_list or"
            " credited_more_than_charged.",
            nullable=False,
        ),
        Column("customer_id", "VARCHAR", "The customer concerned, if it is known."),
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("billing_period", "VARCHAR", "Calendar month the vendor bills, YYYY-MM.", nullable=False),
        Column(
            "amount",
            "DECIMAL(38,24)",
            "Money lost, in currency: cost that nobody pays for, or what was given away.",
            nullable=False,
        ),
        Column("currency", "VARCHAR", "ISO 4217 code of the amount.", nullable=False),
        Column("detail", "VARCHAR", "What to look at.", nullable=False),
    ),
)
