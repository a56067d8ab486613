"""Contract of the canonical vendor rows: FOCUS 1.2 names in snake_case, `x_` for what FOCUS lacks."""

from typing import Final

from billing_pipeline.schemas.table import Column, Table

AMOUNT: Final = "DECIMAL(38,18)"
PRICE: Final = "DECIMAL(28,9)"
INSTANT: Final = "TIMESTAMP WITH TIME ZONE"

CHARGE_NATURES: Final = (
    "usage",
    "tax",
    "marketplace_fee",
    "credit",
    "rounding",
    "partner_discount",
    "free_tier",
)

VENDOR_CHARGES: Final = Table(
    "vendor_charges",
    "one vendor row",
    (
        Column("delivery_id", "VARCHAR", "The delivery the row came in.", nullable=False),
        Column("source", "VARCHAR", "Id of the source in billing.toml.", nullable=False),
        Column("row_number", "BIGINT", "Data row in its file; 1 is the first below the header.", nullable=False),
        Column("x_file_name", "VARCHAR", "Name of the file in the landing folder.", nullable=False),
        Column("x_file_sha256", "VARCHAR", "SHA-256 of the file's bytes.", nullable=False),
        Column("billing_account_id", "VARCHAR", "FOCUS BillingAccountId; distributor: invoice number.", nullable=False),
        Column("billing_account_name", "VARCHAR", "FOCUS BillingAccountName."),
        Column("sub_account_id", "VARCHAR", "FOCUS SubAccountId: the customer's account; distributor: customer id."),
        Column("sub_account_name", "VARCHAR", "FOCUS SubAccountName; distributor: customer name."),
        Column("billing_period", "VARCHAR", "Calendar month the vendor bills, YYYY-MM.", nullable=False),
        Column("billing_period_start", INSTANT, "FOCUS BillingPeriodStart.", nullable=False),
        Column("billing_period_end", INSTANT, "FOCUS BillingPeriodEnd, exclusive.", nullable=False),
        Column("charge_period_start", INSTANT, "FOCUS ChargePeriodStart.", nullable=False),
        Column("charge_period_end", INSTANT, "FOCUS ChargePeriodEnd, exclusive."),
        Column("charge_category", "VARCHAR", "FOCUS ChargeCategory.", nullable=False),
        Column("charge_class", "VARCHAR", "FOCUS ChargeClass; Correction concerns an earlier, invoiced period."),
        Column("charge_description", "VARCHAR", "FOCUS ChargeDescription."),
        Column("charge_frequency", "VARCHAR", "FOCUS ChargeFrequency."),
        Column("service_name", "VARCHAR", "FOCUS ServiceName; distributor: product name."),
        Column("service_category", "VARCHAR", "FOCUS ServiceCategory; distributor: product type."),
        Column("sku_id", "VARCHAR", "FOCUS SkuId; distributor: product id."),
        Column("sku_price_id", "VARCHAR", "FOCUS SkuPriceId."),
        Column("region_id", "VARCHAR", "FOCUS RegionId."),
        Column("resource_id", "VARCHAR", "FOCUS ResourceId."),
        Column("tags", "VARCHAR", "FOCUS Tags, JSON text."),
        Column("pricing_quantity", AMOUNT, "FOCUS PricingQuantity, in pricing_unit."),
        Column("pricing_unit", "VARCHAR", "FOCUS PricingUnit."),
        Column(
            "billed_cost", AMOUNT, "FOCUS BilledCost: what the vendor charges, in billing_currency.", nullable=False
        ),
        Column("effective_cost", AMOUNT, "FOCUS EffectiveCost, in billing_currency."),
        Column("list_cost", AMOUNT, "FOCUS ListCost: cost at the public price, in billing_currency."),
        Column("contracted_cost", AMOUNT, "FOCUS ContractedCost, in billing_currency."),
        Column("billing_currency", "VARCHAR", "FOCUS BillingCurrency, ISO 4217.", nullable=False),
        Column("invoice_id", "VARCHAR", "FOCUS InvoiceId; empty until the vendor's invoice exists."),
        Column("invoice_issuer_name", "VARCHAR", "FOCUS InvoiceIssuerName."),
        Column("provider_name", "VARCHAR", "FOCUS ProviderName."),
        Column("publisher_name", "VARCHAR", "FOCUS PublisherName."),
        Column("x_row_key", "VARCHAR", "The vendor's row key, unique inside one delivery only."),
        Column("x_line_item_type", "VARCHAR", "AWS lineItem/LineItemType, Azure chargeType, Google cost_type."),
        Column("x_usage_type", "VARCHAR", "AWS lineItem/UsageType, Azure meterName."),
        Column("x_operation", "VARCHAR", "AWS lineItem/Operation, Azure PricingModel, Google project.id."),
        Column("x_billing_entity", "VARCHAR", "AWS bill/BillingEntity, Azure publisherType, Google transaction_type."),
        Column("x_charge_nature", "VARCHAR", "What the row is.", nullable=False, values=CHARGE_NATURES),
        Column("x_invoice_date", "DATE", "Issue date of the distributor's invoice."),
        Column("x_issued_at", INSTANT, "Instant of issue of the distributor's invoice."),
        Column("x_invoice_type", "VARCHAR", "debit or credit."),
        Column("x_invoice_status", "VARCHAR", "issued, pending or proforma."),
        Column("x_order_channel", "VARCHAR", "Where the item was ordered."),
        Column("x_origin", "VARCHAR", "How the invoice came about."),
        Column("x_credits_invoice_number", "VARCHAR", "Invoice that a credit note credits."),
        Column("x_credits_line_number", "VARCHAR", "Line that a credited item credits."),
        Column("x_line_number", "VARCHAR", "Line of the distributor's invoice."),
        Column("x_product_type", "VARCHAR", "Product type in the distributor's file."),
        Column("x_is_pay_per_use", "BOOLEAN", "Pay-per-use flag of the distributor's item."),
        Column("x_installment_number", "INTEGER", "Number of the installment."),
        Column("x_installment_count", "INTEGER", "How many installments there are."),
        Column("x_start_date", "DATE", "Start of the distributor's item."),
        Column("x_end_date", "DATE", "End of the distributor's item."),
        Column("x_unit_cost", PRICE, "Unit cost as in the distributor's file, positive."),
        Column("x_list_price", PRICE, "Distributor's list price per unit (SRP) as in the file."),
        Column("x_order_id", "VARCHAR", "Order of the distributor's item."),
        Column("x_ordered_at", INSTANT, "Instant of the order."),
        Column("x_net_total", AMOUNT, "Net total of the distributor's invoice header."),
        Column("x_tax_total", AMOUNT, "Tax total of the distributor's invoice header."),
        Column(
            "x_rounded_amounts",
            "VARCHAR",
            "Amounts the vendor keeps as doubles with more than 18 decimals, as in the file: name=value; here they are"
            " rounded half away from zero to 18. Null where nothing was rounded.",
        ),
        Column(
            "x_customer_cost", AMOUNT, "Google: what the customer owes by the repricing set up there; not our price."
        ),
        Column(
            "x_expected_cost",
            AMOUNT,
            "What the row's own price and exchange rate make of it, where that is not billed_cost (Microsoft new"
            " commerce, Azure cost details), in billing_currency; null for nearly all rows.",
        ),
        Column("x_note", "VARCHAR", "What is odd about the row, a sentence; null for nearly all rows."),
    ),
)
