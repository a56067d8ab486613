"""Documents as `billing invoices show` prints them."""

from dataclasses import replace

import pytest

from billing_pipeline.cli.statements import print_statement
from billing_pipeline.invoicing import InvoiceLine
from tests.documents import an_invoice, line


def adjusted(number: int, amount: str, reference: str = "INV-2026-000007 line 3") -> InvoiceLine:
    found = line(number, amount, name=f"Machine {number}")
    return replace(found, line_kind="adjustment", service_period="2026-08", reference=reference)


def test_an_adjustment_says_which_month_and_line_it_belongs_to(capsys: pytest.CaptureFixture[str]) -> None:
    print_statement(an_invoice(adjusted(1, "-7.50", "INV[1] line 3"), line(2, "20.00")))
    shown = capsys.readouterr().out
    assert "service period 2026-08, refers to INV[1] line 3" in shown
    assert shown.count("refers to") == 1
    assert "Due 2026-12-01" in shown


def test_an_adjustment_of_nothing_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    print_statement(an_invoice(adjusted(1, "0.00"), line(2, "20.00")))
    shown = capsys.readouterr().out
    assert "Machine 1" not in shown
    assert "Standard_D4s_v5" in shown


def test_a_total_that_the_customer_is_owed_is_called_that_and_nothing_is_due(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_statement(an_invoice(adjusted(1, "-7.50")))
    shown = capsys.readouterr().out
    assert "In favour                 7.50 EUR" in shown
    assert "Due" not in shown
