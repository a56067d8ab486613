"""Sharing out is exact for any lines in any currency."""

from decimal import ROUND_FLOOR, Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.money import allocate_rounded, minor_unit, round_money

currencies = st.sampled_from(["EUR", "JPY", "BHD"])
amounts = st.decimals(
    min_value=Decimal("-1e12"), max_value=Decimal("1e12"), places=24, allow_nan=False, allow_infinity=False
)


def exact_sum(lines: list[Decimal]) -> Decimal:
    with localcontext(prec=80):
        return sum(lines, Decimal(0))


@given(st.lists(amounts, max_size=30), currencies)
def test_payable_lines_add_up_to_the_rounded_exact_sum(lines: list[Decimal], currency: str) -> None:
    assert exact_sum(allocate_rounded(lines, currency)) == round_money(exact_sum(lines), currency)


@given(st.lists(amounts, min_size=1, max_size=30), currencies)
def test_no_line_moves_by_a_whole_minor_unit(lines: list[Decimal], currency: str) -> None:
    unit = minor_unit(currency)
    with localcontext(prec=80):
        for line, payable in zip(lines, allocate_rounded(lines, currency), strict=True):
            assert abs(payable - line) < unit
            assert payable == payable.quantize(unit, rounding=ROUND_FLOOR)


@given(st.lists(amounts, min_size=1, max_size=30), currencies)
def test_a_line_with_a_larger_remainder_is_never_rounded_down_while_a_smaller_one_is_rounded_up(
    lines: list[Decimal], currency: str
) -> None:
    unit = minor_unit(currency)
    with localcontext(prec=80):
        floors = [line.quantize(unit, rounding=ROUND_FLOOR) for line in lines]
        payable = allocate_rounded(lines, currency)
        up = [line - floor for line, floor, paid in zip(lines, floors, payable, strict=True) if paid > floor]
        down = [line - floor for line, floor, paid in zip(lines, floors, payable, strict=True) if paid == floor]
    assert not up or not down or min(up) >= max(down)


@given(amounts, currencies)
def test_rounding_a_debit_and_its_credit_cancels(amount: Decimal, currency: str) -> None:
    assert round_money(amount, currency) + round_money(-amount, currency) == 0
