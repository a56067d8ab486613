"""`sql/pricing/tiered_prices.sql`: what tiers come to, graduated, by volume and by package."""

from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest

from billing_pipeline.queries import load_sql
from tests.sql.inline import Row, exact, make, output_types, pick, select, session
from tests.sql.pricing_steps import step_types

CHARGE: Row = {
    "situation_id": 1,
    "tier_quantity": Decimal(10),
    "quantity_before": Decimal(0),
    "quantity_after": Decimal(10),
}
TIER: Row = {"situation_id": 1, "from_quantity": Decimal(0)}
GRADUATED: Row = {"method": "graduated"}
# 5 each for the first ten, 4 each up to a hundred, 3 each beyond.
STAIRS: tuple[Row, ...] = (
    {"to_quantity": Decimal(10), "unit_price": Decimal(5)},
    {"from_quantity": Decimal(10), "to_quantity": Decimal(100), "unit_price": Decimal(4)},
    {"from_quantity": Decimal(100), "unit_price": Decimal(3)},
)


def prices(charges: list[Row], tiers: tuple[Row, ...]) -> list[Row]:
    connection = session()
    numbered = [{"charge_id": f"k{number:04}", **row} for number, row in enumerate(charges)]
    make(connection, "tiered_charges", step_types("tiered_charges"), *numbered, defaults=CHARGE)
    ranked = [{"tier_rank": rank, **row} for rank, row in enumerate(tiers, start=1)]
    make(connection, "tier_rows", step_types("tier_rows"), *ranked, defaults=TIER)
    connection.execute(f"create temp view graduated_slices as {load_sql('pricing/graduated_slices')}")
    found = sorted(select(connection, "pricing/tiered_prices"), key=lambda row: str(row["charge_id"]))
    assert pick(found, "charge_id") == pick(numbered, "charge_id")
    return found


def price(charge: Row, *tiers: Row) -> Row:
    (row,) = prices([charge], tiers)
    return row


def up_to(quantity: str, before: str = "0", total: str | None = None, **changes: str) -> Row:
    """A charge from one quantity up to another, of a total."""
    after = exact(quantity)
    return {
        "tier_quantity": after if total is None else exact(total),
        "quantity_before": exact(before),
        "quantity_after": after,
        **changes,
    }


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        ("0", "0"),
        ("1", "5"),
        ("9.5", "47.5"),
        ("10", "50"),
        ("10.000000000000001", "50.000000000000004"),
        ("100", "410"),
        ("101", "413"),
        ("-1", "-5"),
        ("-101", "-413"),
    ],
)
def test_a_graduated_price_takes_every_unit_at_the_price_of_its_own_slice(quantity: str, amount: str) -> None:
    row = price(GRADUATED | up_to(quantity), *STAIRS)
    assert (row["tier_method"], row["tier_amount"], row["tier_problem"]) == ("amount", exact(amount), None)
    assert (row["tier_unit_price"], row["tier_percent"], row["tier_quantity"]) == (None, None, exact(quantity))


@pytest.mark.parametrize(
    ("before", "after", "amount"),
    [("0", "5", "25"), ("5", "20", "65"), ("20", "15", "-20"), ("5", "-5", "-50"), ("-20", "0", "90"), ("7", "7", "0")],
)
def test_a_charge_costs_what_the_whole_quantity_costs_more_with_it_than_before_it(
    before: str, after: str, amount: str
) -> None:
    assert price(GRADUATED | up_to(after, before, total="500"), *STAIRS)["tier_amount"] == exact(amount)


@pytest.mark.parametrize(
    ("quantity", "unit_price"), [("0", 5), ("9.999999999999999999", 5), ("10", 4), ("99", 4), ("100", 3), ("-10", 4)]
)
def test_a_volume_price_takes_every_unit_at_the_price_of_the_tier_that_the_whole_quantity_reaches(
    quantity: str, unit_price: int
) -> None:
    row = price({"method": "volume"} | up_to("1", total=quantity), *STAIRS)
    assert (row["tier_method"], row["tier_unit_price"], row["tier_amount"]) == ("fixed", unit_price, None)
    assert row["tier_problem"] is None


def test_a_volume_price_may_be_a_markup() -> None:
    tiers: tuple[Row, ...] = (
        {"to_quantity": Decimal(10), "percent": Decimal(20)},
        {"from_quantity": Decimal(10), "percent": Decimal("12.5")},
    )
    row = price({"method": "volume"}, *tiers)
    assert (row["tier_method"], row["tier_percent"], row["tier_unit_price"]) == ("markup", Decimal("12.5"), None)


@pytest.mark.parametrize("method", ["fixed", "markup", "srp_discount"])
def test_a_plain_price_bounded_by_quantities_keeps_its_method(method: str) -> None:
    tiers: tuple[Row, ...] = (
        {"to_quantity": Decimal(10), "percent": Decimal(1), "unit_price": Decimal(1)},
        {"from_quantity": Decimal(10), "percent": Decimal(2), "unit_price": Decimal(2)},
    )
    row = price({"method": method}, *tiers)
    assert (row["tier_method"], row["tier_percent"], row["tier_unit_price"]) == (method, 2, 2)


@pytest.mark.parametrize(
    ("before", "after", "amount"),
    [
        ("0", "0", "0"),
        ("0", "0.000000000000001", "9.99"),
        ("0", "100", "9.99"),
        ("0", "100.5", "19.98"),
        ("99", "100", "0"),
        ("100", "101", "9.99"),
        ("150", "50", "-9.99"),
        ("0", "-1", "-9.99"),
        ("50", "-50", "-19.98"),
    ],
)
def test_a_package_is_charged_to_the_charge_that_opens_it(before: str, after: str, amount: str) -> None:
    row = price(
        {"method": "package"} | up_to(after, before), {"package_size": Decimal(100), "unit_price": exact("9.99")}
    )
    assert (row["tier_method"], row["tier_amount"], row["tier_problem"]) == ("amount", exact(amount), None)
    assert row["tier_unit_price"] == exact("9.99")


def test_the_package_price_may_depend_on_the_whole_quantity() -> None:
    tiers: tuple[Row, ...] = (
        {"package_size": Decimal(10), "unit_price": Decimal(9), "to_quantity": Decimal(100)},
        {"package_size": Decimal(50), "unit_price": Decimal(30), "from_quantity": Decimal(100)},
    )
    assert price({"method": "package"} | up_to("120"), *tiers)["tier_amount"] == 90
    assert price({"method": "package"} | up_to("99"), *tiers)["tier_amount"] == 90


@pytest.mark.parametrize(
    ("charge", "reason"),
    [
        (GRADUATED | up_to("30"), "no tier of the pricebook holds every unit of a quantity of 30"),
        ({"method": "volume"} | up_to("30.5"), "no tier of the pricebook holds a quantity of 30.5"),
        ({"method": "package"} | up_to("30"), "no tier of the pricebook holds a quantity of 30"),
        ({"method": "fixed"} | up_to("-30"), "no tier of the pricebook holds a quantity of -30"),
        (
            {"method": "volume", "tier_quantity": None},
            "the price has tiers and a charge of the product has no quantity",
        ),
        (GRADUATED | up_to("1.0000000000000001"), "a price with tiers needs quantities of at most 15 decimals"),
        (
            {"method": "package"} | up_to("1", before="0.0000000000000001"),
            "a price with tiers needs quantities of at most 15 decimals",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_tiers_cannot_price_has_no_amount_and_a_reason(charge: Row, reason: str) -> None:
    tiers: tuple[Row, ...] = (
        {"to_quantity": Decimal(10), "unit_price": Decimal(5), "package_size": Decimal(1)},
        {
            "from_quantity": Decimal(10),
            "to_quantity": Decimal(20),
            "unit_price": Decimal(4),
            "package_size": Decimal(1),
        },
    )
    row = price(charge, *tiers)
    assert (row["tier_amount"], row["tier_problem"]) == (None, reason)


@pytest.mark.parametrize("method", ["graduated", "package"])
def test_a_price_of_ten_decimals_prices_nothing_instead_of_being_rounded(method: str) -> None:
    row = price({"method": method}, {"unit_price": exact("0.0000000001"), "package_size": Decimal(1)})
    assert (row["tier_amount"], row["tier_problem"]) == (None, "a price with tiers has at most 9 decimals")


def test_no_charge_of_a_quantity_beyond_the_last_tier_is_priced_however_it_is_cut() -> None:
    tier: Row = {"to_quantity": Decimal(10), "unit_price": Decimal(5)}
    spans = [("8", "0", "30"), ("30", "8", "30"), ("30", "0", "30"), ("11", "0", "5"), ("5", "11", "5")]
    for after, before, total in spans:
        row = price(GRADUATED | up_to(after, before, total), tier)
        reason = f"no tier of the pricebook holds every unit of a quantity of {total}"
        assert (row["tier_amount"], row["tier_problem"]) == (None, reason)
    assert price(GRADUATED | up_to("8", total="10"), tier)["tier_amount"] == 40


def test_an_amount_of_as_many_decimals_as_fit_is_exact() -> None:
    row = price(GRADUATED | up_to("0.000000000000001"), {"unit_price": exact("0.000000001")})
    assert row["tier_amount"] == exact("0.000000000000000000000001")


def whole_price(quantity: Fraction) -> Fraction:
    """Work out what the first units of a graduated price cost, from its stairs."""
    total = Fraction(0)
    for tier in STAIRS:
        start, end = Fraction(tier.get("from_quantity", 0)), tier.get("to_quantity")
        reached = abs(quantity) if end is None else min(abs(quantity), Fraction(end))
        total += max(reached - start, Fraction(0)) * Fraction(tier["unit_price"])
    return -total if quantity < 0 else total


@pytest.mark.parametrize("seed", range(3))
def test_charges_of_any_sizes_and_signs_add_up_to_the_price_of_their_whole_quantity_exactly(seed: int) -> None:
    random = Random(seed)
    with localcontext(prec=60):
        steps = [Decimal(random.randrange(-(10**16), 3 * 10**16)).scaleb(-15) for _ in range(60)]
        bounds = [sum(steps[:count], Decimal(0)) for count in range(len(steps) + 1)]
    packages: Row = {"package_size": exact("2.5"), "unit_price": exact("0.000000001")}
    spans = [
        {"tier_quantity": bounds[-1], "quantity_before": low, "quantity_after": high} for low, high in pairwise(bounds)
    ]
    graduated = prices([GRADUATED | span for span in spans], STAIRS)
    for row, span in zip(graduated, spans, strict=True):
        wanted = whole_price(Fraction(span["quantity_after"])) - whole_price(Fraction(span["quantity_before"]))
        assert Fraction(row["tier_amount"]) == wanted
    assert sum(map(Fraction, pick(graduated, "tier_amount"))) == whole_price(Fraction(bounds[-1]))
    packaged = prices([{"method": "package", **span} for span in spans], (packages,))
    begun = -(-abs(Fraction(bounds[-1])) // Fraction(5, 2)) * (-1 if bounds[-1] < 0 else 1)
    assert sum(map(Fraction, pick(packaged, "tier_amount"))) == begun * Fraction(1, 10**9)


def test_of_two_tiers_that_hold_a_quantity_the_one_that_counts_first_prices_it() -> None:
    tiers = ({"unit_price": Decimal(2), "from_quantity": Decimal(5)}, {"unit_price": Decimal(1)})
    assert price({"method": "volume"}, *tiers)["tier_unit_price"] == 2
    assert price({"method": "volume"}, *tiers[::-1])["tier_unit_price"] == 1
    assert price(GRADUATED, *tiers)["tier_amount"] == 15
    assert price(GRADUATED, *tiers[::-1])["tier_amount"] == 10


def test_tiers_of_another_situation_price_nothing() -> None:
    row = price({"method": "volume"}, {"unit_price": Decimal(2), "situation_id": 2})
    assert "no tier" in row["tier_problem"]


def test_amounts_have_24_decimals_and_nothing_is_floating_point() -> None:
    connection = session()
    for name in ("tiered_charges", "tier_rows", "graduated_slices"):
        make(connection, name, step_types(name))
    types = output_types(connection, "pricing/tiered_prices")
    assert (types["tier_amount"], types["tier_percent"]) == ("DECIMAL(38,24)", "DECIMAL(12,4)")
    assert not {"DOUBLE", "FLOAT"} & set(types.values())
