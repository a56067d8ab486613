"""Arithmetic of `sql/macros.sql` that prices are made of, against fractions of any precision."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, localcontext
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from tests.sql.inline import exact, fetch, make, session

SCALE_18, SCALE_24 = "decimal(38, 18)", "decimal(38, 24)"
SMALLEST_18, SMALLEST_24 = exact("0.000000000000000001"), exact("0.000000000000000000000001")


def evaluate(expression: str, types: Mapping[str, str], rows: Iterable[Iterable[Decimal | None]]) -> list[Any]:
    """Return the values of an expression over rows, in their order, and check that it is no floating point."""
    connection = session()
    numbered = [dict(zip(types, row, strict=True)) | {"number": number} for number, row in enumerate(rows)]
    make(connection, "given_rows", {**types, "number": "bigint"}, *numbered)
    found = fetch(
        connection, f"select {expression} as result, typeof({expression}) as kind from given_rows order by number"
    )
    assert not {row["kind"] for row in found} & {"DOUBLE", "FLOAT"}
    return [row["result"] for row in found]


def rounded(value: Fraction, places: int) -> Decimal:
    """Round half away from zero."""
    units = int(abs(value) * 10**places + Fraction(1, 2))
    with localcontext(prec=100):
        return Decimal(-units if value < 0 else units).scaleb(-places)


def decimals(random: Random, digits: int, places: int, *, signed: bool = True) -> Decimal:
    """Draw a decimal of up to so many digits before the point, small and large ones alike."""
    units = random.randrange(10 ** random.randint(1, digits + places))
    with localcontext(prec=100):
        return Decimal(-units if signed and random.random() < 0.5 else units).scaleb(-places)


def drawn(seed: int, count: int, *draws: Callable[[Random], Decimal]) -> list[tuple[Decimal, ...]]:
    """Draw rows, the same ones in every run."""
    random = Random(seed)
    return [tuple(draw(random) for draw in draws) for _ in range(count)]


AMOUNTS = [
    *drawn(1, 400, lambda random: decimals(random, 13, 24)),
    *(
        (sign * value,)
        for sign in (1, -1)
        for value in (Decimal(0), SMALLEST_24, SMALLEST_18, SMALLEST_18 / 2, Decimal(1))
    ),
    *((sign * exact(text),) for sign in (1, -1) for text in ("0.9999999999999999995", "1.000000000000000000999999")),
    (exact("99999999999998.999999999999999999999999"),),
    (exact("-99999999999998.999999999999999999999999"),),
]


def test_an_amount_cut_toward_zero_keeps_18_decimals_and_never_grows() -> None:
    found = evaluate("toward_zero(amount)", {"amount": SCALE_24}, AMOUNTS)
    for (amount,), cut in zip(AMOUNTS, found, strict=True):
        units = int(abs(Fraction(amount)) * 10**18)
        assert Fraction(cut) == Fraction(units, 10**18) * (-1 if amount < 0 else 1)


# The last amounts of every hundred have a tie at the 24th decimal: an odd last decimal times one half.
ADJUSTED = [
    *drawn(2, 400, lambda random: decimals(random, 9, 24), lambda random: decimals(random, 4, 6)),
    *drawn(3, 100, lambda random: decimals(random, 9, 23) + SMALLEST_24 * 5, lambda _: exact("0.5")),
    *drawn(4, 100, lambda random: decimals(random, 9, 24), lambda _: exact("1.5")),
    *((sign * SMALLEST_24, factor) for sign in (1, -1) for factor in map(exact, ("0.5", "0.499999", "0.000001", "0"))),
    (exact("99999999999998.999999999999999999999999"), exact("0.999999")),
    (exact("-99999999999998.999999999999999999999999"), exact("0.000001")),
]


def test_an_adjusted_amount_is_rounded_once_at_the_24th_decimal_half_away_from_zero() -> None:
    types = {"amount": SCALE_24, "multiplier": "decimal(14, 6)"}
    found = evaluate("adjusted(amount, multiplier)", types, ADJUSTED)
    is_exact = evaluate("is_exactly_adjusted(amount, multiplier)", types, ADJUSTED)
    for (amount, multiplier), result, said in zip(ADJUSTED, found, is_exact, strict=True):
        wanted = Fraction(amount) * Fraction(multiplier)
        assert result == rounded(wanted, 24)
        assert said == (Fraction(result) == wanted)
    assert {*is_exact} == {True, False}


def test_an_adjusted_amount_has_24_decimals() -> None:
    query = "select typeof(adjusted(cast(1 as decimal(38, 24)), cast(1 as decimal(14, 6))))"
    assert session().execute(query).fetchone() == ("DECIMAL(38,24)",)


def test_nothing_adjusted_is_nothing() -> None:
    rows = [(None, Decimal(1)), (Decimal(1), None)]
    types = {"amount": SCALE_24, "multiplier": "decimal(14, 6)"}
    assert evaluate("adjusted(amount, multiplier)", types, rows) == [None, None]
    assert evaluate("is_exactly_adjusted(amount, multiplier)", types, rows) == [None, None]


SHARES = [
    *drawn(
        5, 300, lambda random: decimals(random, 8, 9, signed=False), lambda random: decimals(random, 8, 9, signed=False)
    ),
    *drawn(6, 100, lambda random: Decimal(random.randrange(100)), lambda random: Decimal(random.randrange(1, 100))),
    # A tie at the 18th decimal: one part in two to the power of 19, and three.
    *((Decimal(part), Decimal(2) ** 19) for part in (1, 3, 5, 2**19 - 1)),
    *((Decimal(part), Decimal(3)) for part in (1, 2, 3)),
    (exact("0.000000001"), exact("9999999999999999999.999999999")),
    (exact("9999999999999999999.999999998"), exact("9999999999999999999.999999999")),
    (Decimal(0), Decimal(7)),
    (Decimal(7), Decimal(7)),
]


def test_a_share_has_18_places_and_rounds_half_away_from_zero() -> None:
    pairs = [(part, whole) for part, whole in SHARES if whole and part / whole < 10**19]
    assert len(pairs) > 300
    found = evaluate("exact_share(part, whole)", {"part": "decimal(28, 9)", "whole": "decimal(28, 9)"}, pairs)
    for (part, whole), result in zip(pairs, found, strict=True):
        assert result == rounded(Fraction(part) / Fraction(whole), 18)


def test_a_share_of_nothing_is_no_share() -> None:
    types = {"part": "decimal(28, 9)", "whole": "decimal(28, 9)"}
    assert evaluate("exact_share(part, whole)", types, [(Decimal(1), Decimal(0)), (None, Decimal(1))]) == [None, None]


QUANTITIES = [
    *drawn(
        7,
        300,
        lambda random: decimals(random, 6, 18),
        lambda random: decimals(random, 3, 9, signed=False),
        lambda random: decimals(random, 6, 18, signed=False),
    ),
    *((sign * Decimal(quantity), Decimal(10), Decimal(20)) for sign in (1, -1) for quantity in (0, 9, 10, 15, 20, 21)),
    (SMALLEST_18, Decimal(0), Decimal(10)),
    (Decimal(10) + SMALLEST_18, Decimal(10), Decimal(20)),
]
SLICE_TYPES = dict.fromkeys(("quantity", "slice_from", "slice_to"), SCALE_18)


def test_the_part_of_a_quantity_in_a_slice_is_what_lies_between_its_bounds_on_either_side_of_zero() -> None:
    rows = [(quantity, slice_from, slice_from + width) for quantity, slice_from, width in QUANTITIES]
    found = evaluate("slice_quantity(quantity, slice_from, slice_to)", SLICE_TYPES, rows)
    for (quantity, slice_from, slice_to), result in zip(rows, found, strict=True):
        size = max(min(abs(quantity), slice_to) - slice_from, Decimal(0))
        assert result == (-size if quantity < 0 else size)


def test_the_last_slice_has_no_end() -> None:
    rows = [(sign * Decimal(quantity), Decimal(10), None) for sign in (1, -1) for quantity in (9, 10, 11, 10**15)]
    found = evaluate("slice_quantity(quantity, slice_from, slice_to)", SLICE_TYPES, rows)
    assert found == [0, 0, 1, 10**15 - 10, 0, 0, -1, 10 - 10**15]


def test_slices_side_by_side_hold_the_whole_quantity() -> None:
    bounds = [Decimal(0), SMALLEST_18, exact("0.5"), Decimal(7), exact("100.000000000000000001")]
    quantities = [quantity for quantity, *_ in QUANTITIES]
    slices = list(zip(bounds, [*bounds[1:], None], strict=True))
    rows = [(quantity, *ends) for quantity in quantities for ends in slices]
    found = evaluate("slice_quantity(quantity, slice_from, slice_to)", SLICE_TYPES, rows)
    for number, quantity in enumerate(quantities):
        assert sum(found[number * len(slices) : (number + 1) * len(slices)], Decimal(0)) == quantity


PACKAGES = [
    *drawn(
        8,
        300,
        lambda random: decimals(random, 9, 18),
        lambda random: decimals(random, 5, 18, signed=False) + SMALLEST_18,
    ),
    *drawn(9, 100, lambda random: Decimal(random.randrange(-50, 50)), lambda random: Decimal(random.randrange(1, 9))),
    (SMALLEST_18, Decimal(1000)),
    (Decimal(1000), Decimal(1000)),
    (Decimal(1000) + SMALLEST_18, Decimal(1000)),
    (Decimal(0), Decimal(1000)),
    (exact("0.3"), exact("0.1")),
]


def test_a_package_is_paid_as_soon_as_it_is_begun_and_taken_back_the_same_way() -> None:
    types = {"quantity": SCALE_18, "package_size": SCALE_18}
    found = evaluate("packages_begun(quantity, package_size)", types, PACKAGES)
    for (quantity, size), result in zip(PACKAGES, found, strict=True):
        begun = -(-abs(Fraction(quantity)) // Fraction(size))
        assert result == (-begun if quantity < 0 else begun)


@pytest.mark.parametrize(
    ("number", "kind", "text"),
    [
        ("100", "decimal(12, 4)", "100"),
        ("-100", "decimal(12, 4)", "-100"),
        ("0", "decimal(12, 4)", "0"),
        ("10.5", SCALE_18, "10.5"),
        ("-0.05", SCALE_18, "-0.05"),
        ("0.000000000000000001", SCALE_18, "0.000000000000000001"),
        ("1000", "decimal(38, 0)", "1000"),
        ("0", "bigint", "0"),
        ("1200", "bigint", "1200"),
    ],
)
def test_a_number_is_shown_without_the_zeros_of_its_type_and_with_its_own(number: str, kind: str, text: str) -> None:
    assert session().execute(f"select shown_number(cast('{number}' as {kind}))").fetchone() == (text,)
