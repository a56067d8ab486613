"""Every reference file, declared once: the parser, the Pandera contracts, the templates and the docs read it here.

The example values form one valid set together, in any workspace, and price nothing: they name an example customer, an
example product and an example source, and every range ended in the year 2000.
"""

from billing_pipeline.schemas.reference_columns import (
    CUSTOMER_ID,
    PRICEBOOK_ID,
    RECORDED_AT,
    TAX_CATEGORY,
    VALID_FROM,
    VALID_TO,
    ZERO,
    choice_column,
    percent_column,
)
from billing_pipeline.schemas.reference_file import Column, ReferenceFile, UniqueKey
from billing_pipeline.schemas.reference_terms import (
    CUSTOM_CHARGES,
    DISTRIBUTOR_PRICE_LISTS,
    GLOBAL_ADJUSTMENTS,
    PRICEBOOK_PRICES,
    PRICING_RULES,
    SPECIAL_PRICES,
    SUPPORT_PLANS,
)

CUSTOMERS = ReferenceFile(
    "customers",
    "One end customer.",
    (
        Column("customer_id", "text", "Our own id of the customer, unique.", "example-customer", True, True),
        Column("name", "text", "Name on documents and lists.", "Example Customer Ltd", True, True),
        Column("invoice_currency", "currency", "Currency of the customer's invoices.", "EUR", True, True),
        PRICEBOOK_ID,
        Column("email", "text", "Where documents are sent.", "billing@customer.example"),
        Column("contact", "text", "Person named on documents.", "Jo Example"),
        Column(
            "address", "text", "Postal address; a quoted cell may hold several lines.", "1 Example Street, Exampletown"
        ),
        Column("country", "country", "ISO 3166-1 alpha-2 code; selects the tax.", "XX"),
        Column("region", "text", "State or province; selects the tax.", "Example Region"),
        Column("postal_code", "text", "Postal code; selects the tax.", "00000"),
        Column("tax_id", "text", "The customer's tax number.", "XX000000000"),
        TAX_CATEGORY,
        Column(
            "payment_terms_days",
            "integer",
            "Days from issue to due date; empty = the organisation's.",
            "30",
            minimum=ZERO,
        ),
        Column("enabled_currencies", "currencies", "Currencies a statement may be shown in, `;`-separated.", "EUR;USD"),
        Column("valid_from", "date", "First day as a customer; empty = always.", "2000-01-01"),
        VALID_TO,
        RECORDED_AT,
    ),
    unique=(UniqueKey(("customer_id",)),),
)

ACCOUNTS = ReferenceFile(
    "accounts",
    "Whose charges a vendor's account holds.",
    (
        Column("source", "text", "Id of the source in billing.toml.", "example-source", True, True),
        Column("account_id", "text", "The vendor's account, subscription or tenant id.", "000000000000", True, True),
        CUSTOMER_ID,
        VALID_FROM,
        VALID_TO,
        Column(
            "pricebook_id",
            "text",
            "Pricebook of this account, before the customer's.",
            "example-book",
            references="pricebooks",
        ),
        RECORDED_AT,
    ),
    overlap_key=("source", "account_id"),
)

PRODUCTS = ReferenceFile(
    "products",
    "One product of the catalogue; vendor products without a row keep the vendor's own names.",
    (
        Column("product_id", "text", "Our own id of the product, unique.", "example-product", True, True),
        Column("name", "text", "Name on documents and lists.", "Example Product", True, True),
        Column("product_type", "text", "Group on documents; rules may name it.", "Example Type", True, True),
        # No example: a source must be one of billing.toml, and a product has no end by which to be over.
        Column("source", "text", "Id of the source in billing.toml whose sku it is."),
        Column("sku", "text", "The vendor's sku that is billed as this product."),
        Column("unit", "text", "Unit of measure.", "Month"),
        Column("pay_per_use", "boolean", "true: billed by use; false: a subscription.", "false"),
        TAX_CATEGORY,
    ),
    unique=(UniqueKey(("product_id",)), UniqueKey(("source", "sku"), skip_empty=True)),
)

PRICEBOOKS = ReferenceFile(
    "pricebooks",
    "A price list that customers and accounts are assigned to.",
    (
        Column("pricebook_id", "text", "Id of the pricebook, unique.", "example-book", True, True),
        Column("name", "text", "Name for people.", "Example Pricebook", True, True),
        Column("currency", "currency", "Currency of its prices.", "EUR", True, True),
    ),
    unique=(UniqueKey(("pricebook_id",)),),
)

CREDITS = ReferenceFile(
    "credits",
    "A credit granted to one customer; invoices use it up, oldest expiry first.",
    (
        Column(
            "credit_id",
            "text",
            "Id of the credit; a correction is a new row, recorded later.",
            "example-credit",
            True,
            True,
        ),
        CUSTOMER_ID,
        choice_column(
            "kind", "general: any line; marketplace: marketplace fees only.", "general", "general", "marketplace"
        ),
        Column("amount", "amount", "Amount granted.", "25.00", True, True, above=ZERO),
        Column("currency", "currency", "Currency of the amount.", "EUR", True, True),
        Column("granted_on", "date", "First day on which it may be used.", "2000-01-01", True, True),
        Column("expires_on", "date", "First day on which it no longer may; empty = never.", "2000-02-01"),
        Column("vendor", "text", "Vendor that granted it.", "Example Vendor"),
        Column("note", "text", "For people.", "Example row: replace or delete it"),
        RECORDED_AT,
    ),
    unique=(UniqueKey(("credit_id", "recorded_at")),),
)

TAX_RATES = ReferenceFile(
    "tax_rates",
    "One named tax rate of a country, region or postal code and tax category.",
    (
        Column("tax_id", "text", "Id of the rate; versions of one rate share it.", "example-tax", True, True),
        Column("name", "text", "Name on documents.", "Example VAT", True, True),
        Column("country", "country", "ISO 3166-1 alpha-2 code.", "XX", True, True),
        percent_column("The rate.", "20", required=True, minimum=ZERO),
        Column("tax_category", "text", "Category the rate is for.", "standard", True, True),
        VALID_FROM,
        Column("region", "text", "State or province; empty = the whole country."),
        Column("postal_code", "text", "Postal code; empty = the whole region."),
        VALID_TO,
        RECORDED_AT,
    ),
    overlap_key=("tax_id", "country", "region", "postal_code", "tax_category"),
)

EXCHANGE_RATES = ReferenceFile(
    "exchange_rates",
    "One exchange rate: 1 base = rate quote.",
    # Both pounds are pegged to sterling at par, so the example is true and no invoice needs it.
    (
        Column("base_currency", "currency", "Currency that is converted.", "FKP", True, True),
        Column("quote_currency", "currency", "Currency it becomes.", "SHP", True, True),
        Column("rate", "amount", "Quote units for one base unit.", "1.000000", True, True, above=ZERO),
        Column("rate_date", "date", "Day of the rate.", "2000-01-03", True, True),
        Column("source", "text", "Who published it; printed on documents.", "example"),
    ),
    unique=(UniqueKey(("base_currency", "quote_currency", "rate_date", "source")),),
)

REFERENCE_FILES: tuple[ReferenceFile, ...] = (
    CUSTOMERS,
    ACCOUNTS,
    PRODUCTS,
    PRICING_RULES,
    PRICEBOOKS,
    PRICEBOOK_PRICES,
    SPECIAL_PRICES,
    DISTRIBUTOR_PRICE_LISTS,
    GLOBAL_ADJUSTMENTS,
    SUPPORT_PLANS,
    CUSTOM_CHARGES,
    CREDITS,
    TAX_RATES,
    EXCHANGE_RATES,
)
REFERENCE_FILES_BY_NAME = {file.name: file for file in REFERENCE_FILES}
