"""The reference files that set what a customer pays: rules, prices, adjustments, fees.

What does not belong here: who the customers are and what the catalogue holds (`schemas.reference`).
"""

from billing_pipeline.schemas.reference_columns import (
    CUSTOMER_ID,
    HUNDRED,
    RECORDED_AT,
    TAX_CATEGORY,
    VALID_FROM,
    VALID_TO,
    ZERO,
    choice_column,
    percent_column,
)
from billing_pipeline.schemas.reference_file import CaseRule, Column, ReferenceFile, Tiers

PRICING_RULES = ReferenceFile(
    "pricing_rules",
    "The reseller's price for a product, a product type or a vendor.",
    (
        Column("rule_id", "text", "Id of the rule; versions of one rule share it.", "example-rule", True, True),
        choice_column("scope", "What scope_id names.", "product", "product", "product_type", "vendor"),
        Column("scope_id", "text", "Product id, product type or a source's vendor.", "example-product", True, True),
        choice_column(
            "method", "markup: percent on unit cost; srp: the suggested retail price.", "markup", "markup", "srp"
        ),
        percent_column("Markup on unit cost; only for markup.", "12.5"),
        VALID_FROM,
        VALID_TO,
        RECORDED_AT,
    ),
    overlap_key=("scope", "scope_id"),
    cases=(
        CaseRule("method", "markup", needs=("percent",)),
        CaseRule("method", "srp", forbids=("percent",)),
    ),
)

PRICEBOOK_PRICES = ReferenceFile(
    "pricebook_prices",
    "One price of a pricebook; a tiered price has a row per tier.",
    (
        Column(
            "pricebook_id", "text", "Pricebook, as in pricebooks.", "example-book", True, True, references="pricebooks"
        ),
        choice_column("scope", "What scope_id names.", "product", "product", "product_type", "vendor"),
        Column("scope_id", "text", "Product id, product type or a source's vendor.", "example-product", True, True),
        choice_column(
            "method",
            "How the price is made: fixed, markup on cost, discount from SRP, or tiered.",
            "fixed",
            "fixed",
            "markup",
            "srp_discount",
            "graduated",
            "volume",
            "package",
        ),
        percent_column("Markup on cost, or discount from SRP; not for fixed, graduated and package."),
        Column(
            "unit_price",
            "amount",
            "Price per unit, or per package, in the pricebook's currency.",
            "10.00",
            minimum=ZERO,
        ),
        Column("from_quantity", "quantity", "First quantity of the tier; empty = 0.", minimum=ZERO),
        Column("to_quantity", "quantity", "Quantity at which the next tier begins; empty = no end.", above=ZERO),
        Column("package_size", "quantity", "Units in a package; only for package.", above=ZERO),
        VALID_FROM,
        VALID_TO,
        RECORDED_AT,
    ),
    overlap_key=("pricebook_id", "scope", "scope_id", "from_quantity"),
    tiers=Tiers(
        "price",
        ("pricebook_id", "scope", "scope_id"),
        "from_quantity",
        "to_quantity",
        ("method", "package_size"),
        ("method", "package_size"),
    ),
    cases=(
        CaseRule("method", "fixed", needs=("unit_price",), forbids=("percent", "package_size")),
        CaseRule("method", "markup", needs=("percent",), forbids=("unit_price", "package_size")),
        CaseRule(
            "method",
            "srp_discount",
            needs=("percent",),
            forbids=("unit_price", "package_size"),
            percent_from=ZERO,
            percent_to=HUNDRED,
        ),
        # A percentage of the cost cannot be split among tiers exactly: usage has no unit cost.
        CaseRule("method", "graduated", needs=("unit_price",), forbids=("percent", "package_size")),
        CaseRule("method", "volume", needs_one_of=("unit_price", "percent"), forbids=("package_size",)),
        CaseRule("method", "package", needs=("unit_price", "package_size"), forbids=("percent",)),
    ),
)

SPECIAL_PRICES = ReferenceFile(
    "special_prices",
    "The price of one product for one customer; it comes before pricebook and rules.",
    (
        Column(
            "special_price_id", "text", "Id; versions of one special price share it.", "example-special", True, True
        ),
        CUSTOMER_ID,
        Column("product_id", "text", "Product id, ours or the vendor's sku.", "example-product", True, True),
        choice_column(
            "method",
            "markup on unit cost, percent of SRP, or a fixed unit price.",
            "fixed",
            "markup",
            "percent_of_srp",
            "fixed",
        ),
        percent_column("Markup on unit cost, or share of SRP."),
        Column("unit_price", "amount", "Price per unit; only for fixed.", "9.00", minimum=ZERO),
        Column("currency", "currency", "Currency of unit_price; empty = the customer's invoice currency.", "EUR"),
        VALID_FROM,
        VALID_TO,
        RECORDED_AT,
    ),
    overlap_key=("customer_id", "product_id"),
    cases=(
        CaseRule("method", "markup", needs=("percent",), forbids=("unit_price",)),
        CaseRule("method", "percent_of_srp", needs=("percent",), forbids=("unit_price",), percent_from=ZERO),
        CaseRule("method", "fixed", needs=("unit_price",), forbids=("percent",)),
    ),
)

DISTRIBUTOR_PRICE_LISTS = ReferenceFile(
    "distributor_price_lists",
    "How a distributor's list price becomes the reseller's unit cost.",
    (
        Column("price_list_id", "text", "Id of the price list.", "example-list", True, True),
        Column("product_id", "text", "Product id.", "example-product", True, True),
        choice_column(
            "method",
            "percent_of_sell_price p: list x (1 - p/100); percent_of_cost p: distributor_cost x (1 + p/100).",
            "percent_of_sell_price",
            "percent_of_sell_price",
            "percent_of_cost",
        ),
        percent_column("The p of the method.", "25", required=True),
        Column("distributor_cost", "amount", "The distributor's own cost per unit; for percent_of_cost.", minimum=ZERO),
        Column("from_quantity", "quantity", "Volume break: applies from this quantity; empty = 0.", minimum=ZERO),
        VALID_FROM,
        VALID_TO,
        Column("is_active", "boolean", "false: the row is kept but not used; empty = true.", "true"),
        RECORDED_AT,
    ),
    overlap_key=("product_id", "from_quantity"),
    active_column="is_active",
    cases=(
        CaseRule("method", "percent_of_sell_price", percent_from=ZERO, percent_to=HUNDRED),
        CaseRule("method", "percent_of_cost", needs=("distributor_cost",)),
    ),
)

GLOBAL_ADJUSTMENTS = ReferenceFile(
    "global_adjustments",
    "An uplift or discount on everything of a customer, of a vendor, or at all, after the price.",
    (
        Column("adjustment_id", "text", "Id of the adjustment.", "example-adjustment", True, True),
        choice_column("scope", "What scope_id names.", "customer", "customer", "vendor", "all"),
        Column("scope_id", "text", "Customer id or a source's vendor; empty for all.", "example-customer", True),
        percent_column("Positive = uplift, negative = discount.", "-5", required=True),
        VALID_FROM,
        VALID_TO,
        RECORDED_AT,
    ),
    overlap_key=("scope", "scope_id"),
    cases=(
        CaseRule("scope", "customer", needs=("scope_id",), references=("scope_id", "customers")),
        CaseRule("scope", "vendor", needs=("scope_id",)),
        CaseRule("scope", "all", forbids=("scope_id",)),
    ),
)

SUPPORT_PLANS = ReferenceFile(
    "support_plans",
    "A support fee of one customer; a tiered plan has a row per tier.",
    (
        Column("plan_id", "text", "Id of the plan.", "example-plan", True, True),
        CUSTOMER_ID,
        choice_column(
            "basis", "What the percentage is taken of: the customer's price or our cost.", "sell", "sell", "cost"
        ),
        choice_column(
            "method", "percent of the month, fixed amount, or percent by tier.", "percent", "percent", "fixed", "tiered"
        ),
        percent_column("Share of the month, or of the tier.", "3", minimum=ZERO),
        Column("amount", "amount", "Fixed amount a month.", minimum=ZERO),
        Column("from_amount", "amount", "First amount of the tier; empty = 0.", minimum=ZERO),
        Column("to_amount", "amount", "Amount at which the next tier begins; empty = no end.", above=ZERO),
        Column("minimum", "amount", "Fee at least.", "50.00", minimum=ZERO),
        Column("maximum", "amount", "Fee at most.", "500.00", minimum=ZERO),
        Column("currency", "currency", "Of the amounts; empty = the customer's invoice currency.", "EUR"),
        VALID_FROM,
        VALID_TO,
        RECORDED_AT,
    ),
    overlap_key=("plan_id", "customer_id", "from_amount"),
    tiers=Tiers(
        "plan",
        ("plan_id", "customer_id"),
        "from_amount",
        "to_amount",
        ("method", "basis"),
        ("method", "basis", "minimum", "maximum", "currency"),
    ),
    cases=(
        CaseRule("method", "percent", needs=("percent",), forbids=("amount", "from_amount", "to_amount")),
        CaseRule("method", "fixed", needs=("amount",), forbids=("percent", "from_amount", "to_amount")),
        CaseRule("method", "tiered", needs=("percent",), forbids=("amount",)),
    ),
)

CUSTOM_CHARGES = ReferenceFile(
    "custom_charges",
    "A named amount for one customer, once or every month.",
    (
        Column("charge_id", "text", "Id of the charge.", "example-charge", True, True),
        CUSTOMER_ID,
        Column("description", "text", "What the customer reads.", "Example onboarding", True, True),
        Column("amount", "amount", "Amount, net; negative = a reduction.", "100.00", True, True),
        Column("currency", "currency", "Currency of the amount.", "EUR", True, True),
        Column("product_type", "text", "Group on documents.", "Services", True, True),
        choice_column(
            "recurrence", "once: in the month of valid_from; monthly: every month.", "once", "once", "monthly"
        ),
        VALID_FROM,
        VALID_TO,
        TAX_CATEGORY,
        RECORDED_AT,
    ),
    overlap_key=("charge_id",),
)
