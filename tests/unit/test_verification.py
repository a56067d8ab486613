"""What must hold inside a document, and a look at the ledger that leaves it as it is, on both databases."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from billing_pipeline.exchange import AppliedRate
from billing_pipeline.ledger.numbers import NumberSeries
from billing_pipeline.verification import LineSum, Series, conversion_problems, line_problems, number_problems
from resources.ledger import LedgerUnusable, open_ledger
from resources.verified_ledger import ledger_to_look_at, verify_documents, verify_numbers
from tests.documents import an_invoice, line
from tests.ledger_documents import draft, put

RATE = AppliedRate("USD", "EUR", Decimal("0.9"), date(2026, 10, 30), "ECB", False)
SERIES = NumberSeries("contoso", "INV", 2026)


def test_a_converted_line_has_a_rate_of_its_document() -> None:
    foreign = replace(line(1, "9.00"), charged_currency="USD", charged_amount=Decimal(10))
    document = replace(an_invoice(foreign), exchange_rates=(RATE,))
    assert conversion_problems(document) == []
    other = replace(document, exchange_rates=(replace(RATE, rate=Decimal("0.91")),))
    (problem,) = conversion_problems(other)
    assert problem == "line 1: no exchange rate of the document makes 9 EUR of 10 USD"


def test_what_belongs_to_an_earlier_month_need_not_have_a_rate() -> None:
    adjusted = replace(line(1, "9.00"), charged_currency="USD", charged_amount=Decimal(10), service_period="2026-09")
    assert conversion_problems(an_invoice(adjusted)) == []


def test_charges_are_compared_in_the_currency_they_were_billed_in() -> None:
    foreign = replace(line(1, "9.00"), charged_currency="USD", charged_amount=Decimal(10), charge_count=2)
    document = an_invoice(foreign)
    assert line_problems(document, {1: LineSum("USD", 2, Decimal(10))}) == []
    (problem,) = line_problems(document, {1: LineSum("EUR", 2, Decimal(10))})
    assert problem == "line 1: its charges add up to 10 EUR, its exact amount is 10 USD"


def test_charges_of_more_lines_or_fewer_charges_are_found() -> None:
    document = an_invoice(replace(line(1, "9.00"), charge_count=2))
    exact = document.lines[0].amount_precise
    found = line_problems(document, {1: LineSum("EUR", 1, exact), 2: LineSum("EUR", 1, exact)})
    assert found == [
        "line 1: the snapshot has 1 charges of it, the document says 2",
        "its snapshot has charges of line 2, which it does not have",
    ]


def test_numbers_of_other_series_and_years_belong_to_those() -> None:
    given = frozenset({"INV-2026-000001", "INV-2025-000009", "INV-B-2026-000003", "INV-2026-000003"})
    assert number_problems(Series(SERIES, 3, given)) == ["number INV-2026-000002 is missing: no document has it"]


def test_a_ledger_is_looked_at_and_cannot_be_changed(ledger_url: str) -> None:
    engine = open_ledger(ledger_url)
    put(engine, draft())
    engine.dispose()
    with ledger_to_look_at(ledger_url, Path()) as looking:
        assert looking is not None
        with looking.connect() as connection:
            assert verify_documents(connection, lambda _: None).problems == ()
            assert verify_numbers(connection, lambda _: None).count == 0
        with looking.connect() as connection, pytest.raises(DBAPIError, match=r"read-?only"):
            connection.execute(text("delete from invoices"))


def test_a_ledger_that_is_none_is_refused(ledger_url: str) -> None:
    engine = open_ledger(ledger_url)
    with engine.begin() as connection:
        connection.execute(text("drop table alembic_version"))
    engine.dispose()
    with pytest.raises(LedgerUnusable, match="schema version None"), ledger_to_look_at(ledger_url, Path()):
        pass
