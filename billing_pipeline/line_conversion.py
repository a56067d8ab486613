"""How the charges of one line were turned into the currency of its document.

What does not belong here: which rate holds on a day (`exchange`); here the document has been made, and says it.
"""

from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal

from billing_pipeline.exchange import AppliedRate
from billing_pipeline.invoicing import Invoice, InvoiceLine
from billing_pipeline.money import EXACT

# What a share of a line is rounded to where no rate of the document makes it: the decimals of precise amounts.
_PRECISE = Decimal(1).scaleb(-24)


def line_conversion(line: InvoiceLine, document: Invoice) -> Callable[[Decimal], Decimal] | None:
    """Return what turns the amount of a charge behind a line into the document's currency; None if it is that already.

    The rate is the one of the document that makes the line's amount of the amount charged. An adjustment of an earlier
    month was converted at that month's rate, which this document need not name: then each charge gets its share of the
    line.

    Args:
        line: a line of `document`.
    """
    charged = line.charged_amount
    if line.charged_currency is None or line.charged_currency == document.currency or charged is None:
        return None
    rate = document_rate(line, document)
    if rate is not None:
        return rate.convert
    share = EXACT.divide(line.amount_precise, charged) if charged else Decimal(0)
    return lambda amount: EXACT.multiply(amount, share).quantize(_PRECISE, rounding=ROUND_HALF_UP, context=EXACT)


def document_rate(line: InvoiceLine, document: Invoice) -> AppliedRate | None:
    """Return the rate of a document that makes a line's amount of what was charged; None if none does."""
    charged, currency = line.charged_amount, line.charged_currency
    if charged is None or currency is None:
        return None
    rates = _rates_between(document.exchange_rates, currency, document.currency)
    return next((rate for rate in rates if rate.convert(charged) == line.amount_precise), None)


def _rates_between(rates: Iterable[AppliedRate], currency: str, into: str) -> list[AppliedRate]:
    return [
        rate
        for rate in rates
        if (rate.quote_currency if rate.is_inverse else rate.base_currency) == currency
        and (rate.base_currency if rate.is_inverse else rate.quote_currency) == into
    ]
