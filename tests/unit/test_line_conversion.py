"""How a line's charges came into its document's currency, told from the document alone."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from billing_pipeline.exchange import AppliedRate
from billing_pipeline.line_conversion import line_conversion
from tests.documents import an_invoice, line

RATE = AppliedRate("USD", "EUR", Decimal("0.913726"), date(2026, 10, 30), "ECB", False)
INVERSE = AppliedRate("EUR", "USD", Decimal("1.094"), date(2026, 10, 30), "ECB", True)
OTHER = AppliedRate("USD", "EUR", Decimal("0.9"), date(2026, 9, 30), "ECB", False)
CHARGED = Decimal("10.000000000000000001")


def converted(charged: Decimal, amount: Decimal, *rates: AppliedRate) -> Decimal | None:
    """What a charge of 1 of a line is on its document of EUR."""
    foreign = replace(line(1, "0"), amount_precise=amount, charged_currency="USD", charged_amount=charged)
    convert = line_conversion(foreign, replace(an_invoice(foreign), exchange_rates=rates))
    return None if convert is None else convert(Decimal(1))


def test_a_line_in_the_documents_currency_is_not_converted() -> None:
    plain = line(1, "5.00")
    assert line_conversion(plain, an_invoice(plain)) is None


def test_the_rate_is_the_documents() -> None:
    assert converted(CHARGED, RATE.convert(CHARGED), RATE) == Decimal("0.913726")


def test_a_rate_is_used_inversely_as_the_line_did() -> None:
    assert converted(CHARGED, INVERSE.convert(CHARGED), INVERSE) == INVERSE.convert(Decimal(1))


def test_of_several_rates_of_a_document_it_is_the_one_that_makes_the_lines_amount() -> None:
    assert converted(CHARGED, RATE.convert(CHARGED), OTHER, RATE) == Decimal("0.913726")
    assert converted(CHARGED, OTHER.convert(CHARGED), OTHER, RATE) == Decimal("0.9")


def test_without_such_a_rate_a_charge_gets_its_share_of_the_line() -> None:
    assert converted(Decimal(3), Decimal(1), RATE) == Decimal("0.333333333333333333333333")


def test_charges_that_cancel_without_a_rate_come_to_nothing() -> None:
    assert converted(Decimal(0), Decimal(0), RATE) == Decimal("0.913726")
    assert converted(Decimal(0), Decimal(0)) == 0
