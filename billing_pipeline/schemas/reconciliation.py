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

# Why a vendor's total and the rows of its deliveries are not the same; see `billing_pipeline.reconciliation`.
REASONS: Final = (
    "none",
    "no_total",
    "rounding",
    "tolerance",
    "not_yet_final",
    "accepted",
    "missing_rows",
    "no_rows",
    "missing_total",
    "repeated_rows",
    "exchange_rate",
    "contradicting_totals",
    "unattributed",
    "unexplained",
)

VENDOR_DIFFERENCES: Final = Table(
    "vendor_differences",
    "source, billing account, billing period and currency: what the vendor says, its rows, what was attributed",
    (
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("billing_account_id", "VARCHAR", "The vendor's billing account or invoice number.", nullable=False),
        Column("billing_period", "VARCHAR", "Calendar month the vendor bills, YYYY-MM.", nullable=False),
        Column("currency", "VARCHAR", "ISO 4217 code of the amounts.", nullable=False),
        Column(
            "vendor_total",
            "DECIMAL(38,18)",
            "All that the vendor states and that is compared: vendor_net_total, with vendor_tax_total where tax is"
            " compared; empty without a vendor's total.",
        ),
        Column(
            "vendor_net_total", "DECIMAL(38,18)", "Total without tax that the vendor states; empty if it states none."
        ),
        Column(
            "vendor_tax_total",
            "DECIMAL(38,18)",
            "Tax that the vendor states, also inside the total of a detailed billing report; empty if it states none.",
        ),
        Column(
            "rows_total",
            "DECIMAL(38,18)",
            "The rows that vendor_total is compared with: rows_net_total, with rows_tax_total where tax is compared;"
            " cost_total without a vendor's total.",
            nullable=False,
        ),
        Column("rows_net_total", "DECIMAL(38,18)", "Exact sum of the rows that are no tax.", nullable=False),
        Column(
            "rows_tax_total",
            "DECIMAL(38,18)",
            "Exact tax in the rows: of tax rows, and of a tax column beside the cost.",
            nullable=False,
        ),
        Column("cost_total", "DECIMAL(38,18)", "Exact sum of the rows' cost, tax rows among them.", nullable=False),
        Column(
            "attributed_total", "DECIMAL(38,24)", "Exact sum of the buckets of usage_reconciliation.", nullable=False
        ),
        Column("row_count", "BIGINT", "Vendor rows.", nullable=False),
        Column(
            "difference",
            "DECIMAL(38,18)",
            "vendor_total - rows_total, always: net_difference and tax_difference together; empty without a vendor's"
            " total.",
        ),
        Column(
            "net_difference", "DECIMAL(38,18)", "vendor_net_total - rows_net_total; empty without a vendor's total."
        ),
        Column(
            "tax_difference",
            "DECIMAL(38,18)",
            "vendor_tax_total - rows_tax_total; empty where the vendor states no tax, or its rows itemise none.",
        ),
        Column(
            "unattributed", "DECIMAL(38,24)", "cost_total - attributed_total; anything but 0 blocks.", nullable=False
        ),
        Column("reason", "VARCHAR", "The weightiest reason of the difference.", nullable=False, values=REASONS),
        Column(
            "is_blocking",
            "BOOLEAN",
            "Whether customers of the source get no draft for the period until it is explained or accepted.",
            nullable=False,
        ),
        Column("detail", "VARCHAR", "The reasons in words, with amounts; empty where nothing differs."),
        Column(
            "reasons",
            "VARCHAR",
            "JSON list: reason, part (net, tax or buckets) and amount of each; the amounts add up to the differences.",
            nullable=False,
        ),
        Column(
            "first_rows",
            "VARCHAR",
            "JSON list of the first offending rows: file, row, column, value.",
            nullable=False,
        ),
        Column("is_final", "BOOLEAN", "False while the vendor still estimates rows or total.", nullable=False),
        Column("basis_sha256", "VARCHAR", "Hash of the deliveries and totals that were compared.", nullable=False),
        Column("accepted_by", "VARCHAR", "Who accepted the difference as it is."),
        Column("accepted_reason", "VARCHAR", "Why."),
        Column("accepted_at", "TIMESTAMP WITH TIME ZONE", "When."),
    ),
    sorted_by=("source", "billing_account_id", "billing_period", "currency"),
)

ACCEPTED_DIFFERENCES: Final = Table(
    "accepted_differences",
    "one acceptance of a difference, never changed",
    (
        Column("sequence", "BIGINT", "Grows with every acceptance.", nullable=False, unique=True),
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("billing_account_id", "VARCHAR", "The vendor's billing account or invoice number.", nullable=False),
        Column("billing_period", "VARCHAR", "Calendar month the vendor bills, YYYY-MM.", nullable=False),
        Column("currency", "VARCHAR", "ISO 4217 code of the amounts.", nullable=False),
        Column("difference", "DECIMAL(38,18)", "The net_difference that was accepted; see vendor_differences."),
        Column("tax_difference", "DECIMAL(38,18)", "The tax_difference that was accepted."),
        Column(
            "basis_sha256",
            "VARCHAR",
            "Hash of the deliveries and totals that were compared; of others the acceptance does not hold.",
            nullable=False,
        ),
        Column("deliveries", "VARCHAR", "JSON list of the deliveries it was seen with.", nullable=False),
        Column("reason", "VARCHAR", "Why it is accepted.", nullable=False),
        Column("who", "VARCHAR", "Who accepted it.", nullable=False),
        Column("at", "TIMESTAMP WITH TIME ZONE", "When.", nullable=False),
    ),
    sorted_by=("sequence",),
)

BILLING_STATUS: Final = Table(
    "billing_status",
    "source, billing period and currency; one row without currency where nothing has arrived",
    (
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("billing_period", "VARCHAR", "Calendar month the vendor bills, YYYY-MM.", nullable=False),
        Column(
            "state",
            "VARCHAR",
            "open (the month runs), collecting (it has ended, something is awaited), settled or locked (charges of it"
            " stand on a document).",
            nullable=False,
            values=("open", "collecting", "settled", "locked"),
        ),
        Column(
            "is_final",
            "BOOLEAN",
            "Whether there is a delivery and all current ones are final, by their files or by the vendor's totals; a"
            " proforma invoice bills nothing and is not looked at.",
            nullable=False,
        ),
        Column("currency", "VARCHAR", "ISO 4217 code of the amounts; empty where nothing has arrived."),
        Column(
            "vendor_total",
            "DECIMAL(38,18)",
            "Total that the vendor states, in currency: with its tax where it states tax and its rows itemise it, else"
            " without tax; empty as soon as an account has none.",
        ),
        Column(
            "rows_total",
            "DECIMAL(38,18)",
            "Exact sum of the rows vendor_total is compared with, in currency: all rows where it includes tax, or is"
            " empty, else those that are no tax.",
            nullable=False,
        ),
        Column(
            "difference",
            "DECIMAL(38,18)",
            "vendor_total - rows_total, always, in currency; empty without a vendor total.",
        ),
        Column(
            "files_expected",
            "BIGINT",
            "Files of the current deliveries, and those that manifests and checksum files list or that wait.",
            nullable=False,
        ),
        Column("files_received", "BIGINT", "Of these the files that are here and not refused.", nullable=False),
        Column("last_received_at", "TIMESTAMP WITH TIME ZONE", "Arrival of the newest delivery."),
        Column(
            "expected_settled_from",
            "DATE",
            "First day on which the vendor usually has settled: business days of the organisation's country.",
            nullable=False,
        ),
        Column("expected_settled_on", "DATE", "Day by which the vendor usually settles.", nullable=False),
        Column("is_late", "BOOLEAN", "Whether it is still collecting after that day.", nullable=False),
        Column("waits_for", "VARCHAR", "What is awaited, in words; empty if nothing is."),
        Column("delivery_count", "BIGINT", "Current deliveries in this currency.", nullable=False),
    ),
)

LEAK_KINDS: Final = (
    "unmapped_account",
    "unpriced",
    "not_invoiced",
    "sold_below_cost",
    "expired_special_price",
    "marketplace_fee_not_passed_on",
    "unit_cost_above_price_list",
    "credited_more_than_charged",
)

MARGIN_LEAKS: Final = Table(
    "margin_leaks",
    "one finding of money that is not earned",
    (
        Column(
            "kind",
            "VARCHAR",
            "unmapped_account, unpriced, not_invoiced, sold_below_cost, expired_special_price,"
            " marketplace_fee_not_passed_on, unit_cost_above_price_list or credited_more_than_charged.",
            nullable=False,
            values=LEAK_KINDS,
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
