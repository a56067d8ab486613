"""Contracts of the documents as analysts see them."""

from typing import Final

from billing_pipeline.schemas.table import Column, Table

LINE_KINDS: Final = ("usage", "subscription", "marketplace", "support", "custom", "credit", "adjustment")

INVOICES: Final = Table(
    "invoices",
    "one document",
    (
        Column("invoice_id", "VARCHAR", "Key: period, customer and currency.", nullable=False, unique=True),
        Column("invoice_number", "VARCHAR", "Number given on approval; empty on drafts."),
        Column("status", "VARCHAR", "draft, open, past due, closed or void.", nullable=False),
        Column("customer_id", "VARCHAR", "The customer.", nullable=False),
        Column("billing_period", "VARCHAR", "Calendar month, YYYY-MM.", nullable=False),
        Column("currency", "VARCHAR", "ISO 4217 code of the amounts.", nullable=False),
        Column("subtotal", "DECIMAL(28,4)", "Net payable sum of the lines, in currency.", nullable=False),
        Column("tax_total", "DECIMAL(28,4)", "Payable tax, in currency.", nullable=False),
        Column("credits_applied", "DECIMAL(28,4)", "Credits taken off, positive, in currency.", nullable=False),
        Column("total", "DECIMAL(28,4)", "subtotal + tax_total - credits_applied, in currency.", nullable=False),
        Column("due_date", "DATE", "Day by which it is to be paid."),
        Column("created_at", "TIMESTAMP WITH TIME ZONE", "When this content was drafted.", nullable=False),
        Column("opened_at", "TIMESTAMP WITH TIME ZONE", "When it was approved."),
        Column("closed_at", "TIMESTAMP WITH TIME ZONE", "When it was paid."),
        Column("content_sha256", "VARCHAR", "Hash of the content; equal content, equal hash.", nullable=False),
        Column("charges_sha256", "VARCHAR", "SHA-256 and name of the snapshot of the charges behind it."),
        Column("document_type", "VARCHAR", "invoice or credit_note.", nullable=False),
        Column("corrects", "VARCHAR", "Number of the document that a credit note corrects."),
        Column("issued_on", "DATE", "Day of approval in the organisation's zone; empty on drafts."),
        Column("paid_on", "DATE", "Day of payment of a closed document."),
        Column("void_reason", "VARCHAR", "Why it was made void."),
    ),
)

INVOICE_LINES: Final = Table(
    "invoice_lines",
    "one line of a document",
    (
        Column("invoice_id", "VARCHAR", "The document.", nullable=False),
        Column("line_number", "INTEGER", "1, 2, ... in the document's order.", nullable=False),
        Column("product_type", "VARCHAR", "Group of the line.", nullable=False),
        Column("description", "VARCHAR", "What the customer reads.", nullable=False),
        Column("quantity", "DECIMAL(38,18)", "Exact quantity in unit."),
        Column("amount_precise", "DECIMAL(38,24)", "Exact amount, in currency.", nullable=False),
        Column("amount", "DECIMAL(28,4)", "Payable amount, in currency; the lines add up to subtotal.", nullable=False),
        Column("tax_category", "VARCHAR", "Tax category of the line.", nullable=False),
        Column("line_kind", "VARCHAR", "What kind of charge it is.", nullable=False, values=LINE_KINDS),
        Column("unit", "VARCHAR", "Unit of measure."),
        Column("currency", "VARCHAR", "ISO 4217 code of the amounts.", nullable=False),
        Column("charged_currency", "VARCHAR", "Currency of the charges, where they were converted."),
        Column("charged_amount", "DECIMAL(38,24)", "Exact amount before it was converted, in charged_currency."),
        Column("service_period", "VARCHAR", "Month of the service, YYYY-MM, of an adjustment of an earlier month."),
        Column("reference", "VARCHAR", "What an adjustment or a credit note's line refers to."),
    ),
)

INVOICE_DRAFTS: Final = Table(
    "invoice_drafts",
    "one line of a draft of the billing period",
    INVOICE_LINES.columns,
)

INVOICE_ERRORS: Final = Table(
    "invoice_errors",
    "one customer that got no draft",
    (
        Column("customer_id", "VARCHAR", "The customer.", nullable=False),
        Column("billing_period", "VARCHAR", "Calendar month, YYYY-MM.", nullable=False),
        Column("reason", "VARCHAR", "Why there is no draft, and what to do.", nullable=False),
    ),
)
