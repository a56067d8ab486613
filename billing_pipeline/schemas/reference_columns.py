"""Columns that several reference files have in common."""

from decimal import Decimal

from billing_pipeline.schemas.reference_file import Column

ZERO = Decimal(0)
HUNDRED = Decimal(100)

VALID_FROM = Column("valid_from", "date", "First day on which the row applies.", "2000-01-01", True, True)
VALID_TO = Column("valid_to", "date", "First day on which it no longer applies; empty = open.", "2000-02-01")
RECORDED_AT = Column(
    "recorded_at",
    "instant",
    "When the row became known; a plain day means its start in the organisation's zone; empty = when it arrived.",
    "2000-01-01T00:00:00Z",
)
CUSTOMER_ID = Column(
    "customer_id", "text", "Customer, as in customers.", "example-customer", True, True, references="customers"
)
PRICEBOOK_ID = Column("pricebook_id", "text", "Pricebook, as in pricebooks.", "example-book", references="pricebooks")
TAX_CATEGORY = Column("tax_category", "text", "Tax category, as in tax_rates.", "standard")


def percent_column(
    meaning: str, example: str = "", *, required: bool = False, minimum: Decimal | None = None
) -> Column:
    """Return the percent column; it is always above -100, below which a price would change its sign.

    Args:
        meaning: one sentence.
        example: text of the example cell.
        required: in every header and every row.
        minimum: smallest percentage, where it is larger.
    """
    return Column("percent", "percent", meaning, example, required, required, minimum=minimum, above=-HUNDRED)


def choice_column(name: str, meaning: str, example: str, *choices: str) -> Column:
    """Return a required column that holds one of these values."""
    return Column(name, "choice", meaning, example, True, True, choices)
