"""`billing_pipeline.reconciliation`: what a difference is made of, and what of it blocks."""

from dataclasses import replace
from decimal import Decimal
from functools import reduce
from operator import add

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.reconciled_accounts import (
    BLOCKING,
    HARMLESS,
    Account,
    Evidence,
    InvoiceRows,
    StatedTotal,
    Verdict,
)
from billing_pipeline.reconciliation import detail_of, is_rounded, judge
from billing_pipeline.schemas.reconciliation import REASONS

D = Decimal


def account(rows: str, *totals: tuple[str | None, str], invoices: dict[str | None, str] | None = None) -> Account:
    """An account in EUR: what its rows add up to without tax, its totals, and its rows by invoice."""
    by_invoice = tuple(InvoiceRows(name, D(net), D(0)) for name, net in (invoices or {}).items())
    stated = tuple(StatedTotal(name, D(net), None) for name, net in totals)
    return Account("EUR", rows_net=D(rows), totals=stated, invoices=by_invoice)


def told(verdict: Verdict) -> list[tuple[str, str]]:
    """Reasons with their amounts."""
    return [(one.reason, f"{one.amount:f}") for one in verdict.findings]


def test_every_reason_has_its_weight_and_stands_in_the_contract() -> None:
    assert set(REASONS) == {*BLOCKING, *HARMLESS}


def test_an_exact_total_has_no_finding() -> None:
    verdict = judge(account("10.00", ("V1", "10.00")))
    assert (verdict.reason, verdict.is_blocking, verdict.difference, verdict.findings) == ("none", False, D(0), ())


def test_an_account_without_any_total_is_nothing_to_complain_about() -> None:
    verdict = judge(account("10.00"))
    assert (verdict.reason, verdict.is_blocking, verdict.difference) == ("no_total", False, None)


@pytest.mark.parametrize(
    ("total", "rows", "is_rounding"),
    [("10.01", "10.005", True), ("10.00", "10.005", True), ("10.01", "10.0049", False), ("10.001", "10.0005", False)],
)
def test_rounding_is_half_a_minor_unit_and_gives_whole_ones(total: str, rows: str, is_rounding: bool) -> None:
    assert is_rounded(D(total), D(rows), "EUR") is is_rounding
    assert (judge(account(rows, ("V1", total))).reason == "rounding") is is_rounding


def test_a_currency_without_decimals_rounds_to_units() -> None:
    assert is_rounded(D(11), D("10.5"), "JPY")
    assert not is_rounded(D("10.51"), D("10.505"), "JPY")


def test_two_invoices_are_rounded_each_on_its_own() -> None:
    rows = {"V1": "10.004", "V2": "20.004"}
    verdict = judge(account("30.008", ("V1", "10.00"), ("V2", "20.00"), invoices=rows))
    assert told(verdict) == [("rounding", "-0.004"), ("rounding", "-0.004")]
    assert not verdict.is_blocking


def test_two_roundings_of_invoices_that_rows_do_not_name_are_not_guessed() -> None:
    verdict = judge(account("30.008", ("A", "10.00"), ("B", "20.00"), invoices={None: "30.008"}))
    assert (verdict.reason, verdict.is_blocking) == ("unexplained", True)


def test_an_invoice_whose_rows_are_missing_is_named_with_its_amount() -> None:
    verdict = judge(account("10.004", ("V1", "10.00"), ("V2", "7.50"), invoices={"V1": "10.004"}))
    assert told(verdict) == [("rounding", "-0.004"), ("missing_rows", "7.50")]
    assert (verdict.reason, verdict.is_blocking) == ("missing_rows", True)
    assert "no row names invoice V2 of 7.5" in str(detail_of(verdict.findings, "EUR"))


def test_invoices_that_deviate_by_as_much_up_as_down_do_not_cancel_out() -> None:
    totals = ("V1", "30"), ("V2", "10")
    verdict = judge(account("40", *totals, invoices={"V1": "20", "V2": "20"}))
    assert (verdict.difference, verdict.is_blocking) == (0, True)
    assert told(verdict) == [("missing_rows", "10"), ("unexplained", "-10")]
    assert not judge(account("40", *totals, invoices={"V1": "30", "V2": "10"})).findings
    # Which rows are of which invoice is not said: only the sum can be compared.
    assert not judge(account("40", *totals, invoices={None: "40"})).findings
    assert not judge(account("40", *totals, invoices={"V1": "30", None: "10"})).findings


def test_a_tolerance_holds_for_what_invoices_deviate_by_in_either_direction() -> None:
    both = account("40", ("V1", "20.02"), ("V2", "19.98"), invoices={"V1": "20", "V2": "20"})
    assert judge(replace(both, tolerance=D("0.03"))).is_blocking
    assert judge(replace(both, tolerance=D("0.04"))).reason == "tolerance"


def test_rows_of_an_invoice_without_total_are_told_apart_from_a_wrong_total() -> None:
    verdict = judge(account("17.50", ("V1", "10.00"), invoices={"V1": "10.00", "V2": "7.50"}))
    assert told(verdict) == [("missing_total", "-7.50")]


def test_more_than_the_rows_is_missing_rows_and_less_is_unexplained() -> None:
    assert judge(account("10", ("V1", "12"))).reason == "missing_rows"
    assert judge(account("12", ("V1", "10"))).reason == "unexplained"
    # A credit note: the vendor gives back more than its rows say.
    assert judge(account("-10", ("V1", "-12"))).reason == "missing_rows"


def test_identical_rows_that_are_exactly_the_difference_explain_it() -> None:
    case = account("12.003", ("V1", "10.00"))
    (gap,) = judge(case).open
    proven = judge(case, {(gap.part, gap.invoice_id): Evidence(repeated=D("2.003"), repeats=(D("2.003"),))})
    assert told(proven) == [("repeated_rows", "-2.003")]


def test_one_of_several_pairs_of_identical_rows_may_be_the_one_too_much() -> None:
    case = account("12", ("V1", "10"))
    (gap,) = judge(case).open
    evidence = Evidence(repeated=D(7), repeats=(D(2), D(5)))
    assert told(judge(case, {(gap.part, None): evidence})) == [("repeated_rows", "-2")]


def test_a_row_too_many_and_the_rounding_of_the_total_are_two_amounts() -> None:
    case = account("12.003", ("V1", "10.00"))
    (gap,) = judge(case).open
    found = judge(case, {(gap.part, None): Evidence(repeated=D(2), repeats=(D(2),))})
    assert told(found) == [("repeated_rows", "-2"), ("rounding", "-0.003")]


def test_all_pairs_of_identical_rows_together_may_be_too_much() -> None:
    case = account("17", ("V1", "10"))
    (gap,) = judge(case).open
    evidence = Evidence(repeated=D(7), repeats=(D(2),))
    assert told(judge(case, {(gap.part, None): evidence})) == [("repeated_rows", "-7")]


def test_identical_rows_that_are_not_the_difference_explain_nothing() -> None:
    case = account("12", ("V1", "10"))
    (gap,) = judge(case).open
    assert judge(case, {(gap.part, None): Evidence(repeated=D(3), repeats=(D(3),))}).reason == "unexplained"


def test_a_wrong_rate_and_the_rounding_of_the_total_are_two_amounts() -> None:
    case = account("9.1", ("V1", "10.00"))
    (gap,) = judge(case).open
    found = judge(case, {(gap.part, None): Evidence(mispriced=D("0.898"))})
    assert told(found) == [("exchange_rate", "0.898"), ("rounding", "0.002")]


def test_a_wrong_rate_alone_may_be_the_difference_where_identical_rows_are_right() -> None:
    case = account("9", ("V1", "10"))
    (gap,) = judge(case).open
    evidence = Evidence(repeated=D(3), repeats=(D(3),), mispriced=D(1))
    assert told(judge(case, {(gap.part, None): evidence})) == [("exchange_rate", "1")]


def test_a_total_in_a_currency_without_rows_says_where_they_are() -> None:
    verdict = judge(
        Account("USD", has_rows=False, totals=(StatedTotal("V1", D(5), None),), elsewhere="rows are in EUR")
    )
    assert (verdict.reason, verdict.is_blocking) == ("no_rows", True)
    assert "no rows in USD; rows are in EUR" in str(detail_of(verdict.findings, "USD"))


def test_a_total_without_any_delivery_is_missing_rows() -> None:
    assert judge(Account("USD", has_rows=False, totals=(StatedTotal("V1", D(5), None),))).reason == "missing_rows"


def test_a_tolerance_lets_a_difference_pass_up_to_its_amount() -> None:
    case = account("10", ("V1", "10.05"))
    assert judge(Account(**{**vars(case), "tolerance": D("0.05")})).reason == "tolerance"
    assert judge(Account(**{**vars(case), "tolerance": D("0.049")})).reason == "missing_rows"


def test_estimates_differ_and_block_nothing() -> None:
    case = account("10", ("V1", "12"))
    assert judge(Account(**{**vars(case), "is_final": False})).reason == "not_yet_final"
    estimate = (StatedTotal(None, D(12), None, is_final=False),)
    assert judge(Account(**{**vars(case), "totals": estimate})).reason == "not_yet_final"


def test_tax_is_compared_with_tax_and_cost_with_cost() -> None:
    case = Account("EUR", rows_net=D(10), rows_tax=D(2), totals=(StatedTotal("V1", D(10), D("2.40")),))
    verdict = judge(case)
    assert (verdict.difference, verdict.tax_difference) == (D(0), D("0.40"))
    assert [(one.part, one.reason) for one in verdict.findings] == [("tax", "missing_rows")]


def test_a_total_of_tax_that_rows_never_itemise_is_compared_with_nothing() -> None:
    case = Account("EUR", rows_net=D(10), itemises_tax=False, totals=(StatedTotal("V1", D(10), D("2.40")),))
    assert (judge(case).tax_difference, judge(case).reason) == (None, "none")


def test_a_report_total_holds_tax_and_rounding_rows() -> None:
    case = Account(
        "EUR", rows_net=D("10.004"), rows_tax=D(2), file_net=D("12.00"), file_includes_tax=True, is_file_rounded=True
    )
    verdict = judge(case)
    assert (case.vendor_net, case.vendor_tax) == (D("10.00"), D(2))
    assert told(verdict) == [("rounding", "-0.004")]


def test_a_total_beside_the_file_and_another_in_it_block_also_when_one_fits() -> None:
    case = Account("EUR", rows_net=D(10), file_net=D(10), totals=(StatedTotal("V1", D(10), None),))
    assert judge(case).reason == "none"
    verdict = judge(Account(**{**vars(case), "file_net": D(11)}))
    assert (verdict.reason, verdict.is_blocking) == ("contradicting_totals", True)


def test_what_fell_out_of_the_buckets_blocks_and_cannot_be_accepted() -> None:
    verdict = judge(Account("EUR", rows_net=D(10), unattributed=D("0.01")))
    assert (verdict.reason, verdict.accepted().is_blocking) == ("unattributed", True)


def test_an_accepted_difference_blocks_no_longer() -> None:
    verdict = judge(account("10", ("V1", "12"))).accepted()
    assert (verdict.reason, verdict.is_blocking, verdict.difference) == ("accepted", False, D(2))


AMOUNTS = st.decimals(-1000, 1000, places=3)
INVOICES = st.dictionaries(st.sampled_from(["V1", "V2", "V3", None]), AMOUNTS, max_size=4)


@given(stated=INVOICES, rows=INVOICES, tolerance=st.sampled_from([D(0), D("0.01"), D(5)]))
def test_the_findings_add_up_to_the_difference_whatever_it_is(
    stated: dict[str | None, D], rows: dict[str | None, D], tolerance: D
) -> None:
    case = Account(
        "EUR",
        tolerance=tolerance,
        rows_net=reduce(add, rows.values(), D(0)),
        totals=tuple(StatedTotal(name, net, None) for name, net in stated.items()),
        invoices=tuple(InvoiceRows(name, net, D(0)) for name, net in rows.items()),
    )
    verdict = judge(case)
    assert sum((one.amount for one in verdict.findings), D(0)) == (verdict.difference or D(0))
    assert verdict.is_blocking == (verdict.reason in BLOCKING)
