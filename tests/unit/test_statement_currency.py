"""Which currencies a document may be shown in, and at which rate."""

from datetime import date
from decimal import Decimal

import pytest

from billing_pipeline.exchange import RateMissing, RateTable
from resources.statement_currency import CurrencyNotEnabled, StatementCurrency
from tests.documents import an_invoice, line

RATES = RateTable([
    {"base_currency": "EUR", "quote_currency": "USD", "rate": Decimal(rate), "rate_date": day, "source": "ECB"}
    for rate, day in (("1.1", date(2026, 10, 30)), ("1.2", date(2026, 11, 1)))
])  # fmt: skip
ENABLED = {"1001": frozenset({"EUR", "USD", "JPY"})}


def test_the_latest_rate_up_to_the_periods_last_day_counts() -> None:
    shown = StatementCurrency("USD", RATES, ENABLED).show(an_invoice(line(1, "10.00")))
    assert (shown.currency, shown.total) == ("USD", Decimal("11.00"))


def test_a_document_in_its_own_currency_stays_as_it_is() -> None:
    made = an_invoice(line(1, "10.00"))
    assert StatementCurrency("EUR", RATES, ENABLED).show(made) is made


def test_a_currency_that_is_not_enabled_is_refused_by_the_customers_name() -> None:
    with pytest.raises(CurrencyNotEnabled, match=r"customer 1001 \(Acme GmbH\): currency GBP is not enabled"):
        StatementCurrency("GBP", RATES, ENABLED).show(an_invoice(line(1, "10.00")))


def test_a_currency_without_a_rate_is_refused() -> None:
    with pytest.raises(RateMissing, match="no exchange rate from EUR to JPY"):
        StatementCurrency("JPY", RATES, ENABLED).show(an_invoice(line(1, "10.00")))
