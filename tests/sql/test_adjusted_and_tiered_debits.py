"""`sql/pricing/priced_debits.sql`: prices with tiers, global adjustments after the price, expected unit costs."""

from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest

from tests.sql.debit_pricing import DISCOUNT, FIXED, ITEM, MARKUP, SHARE, SRP, USAGE, price, prices
from tests.sql.inline import Row, exact, pick

LESS_FIVE: Row = {"adjustment_percent": Decimal(-5), "adjustment_ids": "a1"}
TIERED: Row = {
    "situation_id": 1,
    "price_term": "pricebook",
    "price_term_id": "b1",
    "term_currency": "EUR",
    "has_tiers": True,
    "percent": Decimal(99),
    "unit_price": Decimal(99),
}
VOLUME: Row = TIERED | {"method": "volume"}
GRADUATED: Row = TIERED | {"method": "graduated"}
FIXED_TIER: Row = {"tier_quantity": Decimal(40), "tier_method": "fixed", "tier_unit_price": Decimal(4)}
MARKUP_TIER: Row = {"tier_quantity": Decimal(40), "tier_method": "markup", "tier_percent": Decimal(20)}
AMOUNT: Row = {"tier_quantity": Decimal(40), "tier_method": "amount", "tier_amount": exact("13.50")}
NO_TIER: Row = {"tier_quantity": Decimal(40), "tier_method": "amount", "tier_problem": "no tier holds it"}


@pytest.mark.parametrize(("charge", "total"), [(USAGE, "12"), (ITEM, "12")], ids=["usage", "item"])
def test_a_volume_price_multiplies_the_quantity_of_the_charge_by_the_price_of_the_tier(charge: Row, total: str) -> None:
    row = price(charge, VOLUME, tier=FIXED_TIER)
    assert (row["total_sell"], row["unpriced_reason"]) == (exact(total), None)
    assert (row["method"], row["price_unit_price"], row["percent"], row["tier_quantity"]) == ("volume", 4, None, 40)


@pytest.mark.parametrize(("charge", "total"), [(USAGE, "12"), (ITEM, "36")], ids=["usage", "item"])
def test_a_volume_markup_is_the_one_of_the_tier(charge: Row, total: str) -> None:
    row = price(charge, VOLUME, tier=MARKUP_TIER)
    assert (row["total_sell"], row["percent"], row["price_unit_price"]) == (exact(total), 20, None)


@pytest.mark.parametrize("charge", [USAGE, ITEM], ids=["usage", "item"])
def test_a_graduated_amount_is_the_whole_price_and_has_no_unit_price(charge: Row) -> None:
    row = price(charge, GRADUATED, tier=AMOUNT)
    assert (row["total_sell"], row["unit_sell"], row["tier_quantity"]) == (exact("13.5"), None, 40)
    assert row["total_cost"] == charge["cost"]


@pytest.mark.parametrize("charge", [USAGE, ITEM], ids=["usage", "item"])
def test_what_the_tiers_cannot_price_is_unpriced_and_says_why(charge: Row) -> None:
    row = price(charge, GRADUATED, tier=NO_TIER)
    assert (row["total_sell"], row["unpriced_reason"]) == (None, "no tier holds it")


@pytest.mark.parametrize("charge", [USAGE, ITEM], ids=["usage", "item"])
@pytest.mark.parametrize("tier", [AMOUNT, FIXED_TIER], ids=["amount", "fixed"])
def test_tiers_in_another_currency_price_nothing(charge: Row, tier: Row) -> None:
    row = price(charge, GRADUATED | {"term_currency": "USD"}, tier=tier)
    assert row["total_sell"] is None
    assert "another currency" in row["unpriced_reason"]


def test_an_adjustment_comes_after_the_price_and_both_stay_to_be_seen() -> None:
    row = price(USAGE, MARKUP, adjustment=LESS_FIVE)
    assert (row["total_before_adjustment"], row["total_sell"]) == (15, exact("14.25"))
    assert (row["adjustment_percent"], row["adjustment_ids"], row["note"]) == (-5, "a1", None)
    item = price(ITEM, MARKUP, adjustment=LESS_FIVE)
    assert (item["unit_sell"], item["total_sell"]) == (exact("14.25"), exact("42.75"))
    assert (item["total_before_adjustment"], item["note"]) == (45, None)


@pytest.mark.parametrize(
    "term", [MARKUP, SRP, SHARE, DISCOUNT, FIXED], ids=["markup", "srp", "share", "discount", "fixed"]
)
@pytest.mark.parametrize("charge", [USAGE, ITEM], ids=["usage", "item"])
def test_an_adjustment_changes_the_price_of_every_method_and_never_the_cost(charge: Row, term: Row) -> None:
    plain, uplifted = (
        price(charge, term),
        price(charge, term, adjustment=LESS_FIVE | {"adjustment_percent": Decimal(10)}),
    )
    assert uplifted["total_sell"] == plain["total_sell"] * exact("1.1")
    assert uplifted["total_before_adjustment"] == plain["total_sell"]
    assert (uplifted["total_cost"], uplifted["total_list"]) == (plain["total_cost"], plain["total_list"])


@pytest.mark.parametrize("charge", [USAGE, ITEM], ids=["usage", "item"])
def test_an_adjustment_changes_an_amount_of_tiers(charge: Row) -> None:
    row = price(charge, GRADUATED, tier=AMOUNT, adjustment=LESS_FIVE)
    assert (row["total_sell"], row["unit_sell"]) == (exact("12.825"), None)


@pytest.mark.parametrize("percent", ["-100", "-100.0001", "-250"])
@pytest.mark.parametrize("charge", [USAGE, ITEM], ids=["usage", "item"])
def test_adjustments_that_would_give_it_away_or_pay_the_customer_price_nothing(charge: Row, percent: str) -> None:
    row = price(charge, MARKUP, adjustment=LESS_FIVE | {"adjustment_percent": exact(percent)})
    assert (row["total_sell"], row["unit_sell"]) == (None, None)
    assert row["unpriced_reason"] == f"the global adjustments add up to {percent} %"


def test_a_marketplace_fee_is_not_adjusted() -> None:
    row = price(USAGE | {"charge_nature": "marketplace_fee"}, MARKUP, adjustment=LESS_FIVE)
    assert (row["total_sell"], row["adjustment_percent"]) == (10, None)


@pytest.mark.parametrize("charge", [USAGE, ITEM], ids=["usage", "item"])
def test_an_adjustment_without_a_price_is_no_price(charge: Row) -> None:
    row = price(charge | {"list_cost": None, "file_list_price": None}, SRP, adjustment=LESS_FIVE)
    assert (row["total_sell"], row["total_before_adjustment"], row["note"]) == (None, None, None)
    assert "needs an SRP" in row["unpriced_reason"]


def test_an_adjusted_unit_price_is_kept_to_15_decimals_and_a_note_says_so() -> None:
    half = {"adjustment_percent": exact("-50"), "adjustment_ids": "a1"}
    row = price(ITEM, FIXED | {"unit_price": exact("0.000000000000001")}, adjustment=half)
    assert row["unit_sell"] == exact("0.000000000000001")
    assert row["total_sell"] == exact("0.000000000000003")
    assert row["note"] == "the adjusted unit price is rounded to 15 decimals"


def test_an_adjusted_amount_is_kept_to_24_decimals_and_a_note_says_so() -> None:
    half = {"adjustment_percent": exact("-50"), "adjustment_ids": "a1"}
    term = MARKUP | {"percent": exact("0.0001")}
    for sign in (1, -1):
        row = price(USAGE | {"cost": sign * exact("0.000000000000000001")}, term, adjustment=half)
        assert row["total_sell"] == sign * exact("0.000000000000000000500001")
        assert row["note"] == "the adjusted price is rounded to 24 decimals"
    assert price(USAGE, term, adjustment=half)["note"] is None


def test_what_the_charge_says_itself_stays_in_the_note() -> None:
    half = {"adjustment_percent": exact("-50"), "adjustment_ids": "a1"}
    item = ITEM | {"note": "no instant"}
    assert price(item, MARKUP)["note"] == "no instant"
    row = price(item, FIXED | {"unit_price": exact("0.000000000000001")}, adjustment=half)
    assert row["note"] == "no instant; the adjusted unit price is rounded to 15 decimals"


def test_adjusted_prices_of_any_decimals_are_rounded_once_half_away_from_zero() -> None:
    random = Random(0)
    numbers = range(200)
    charges: list[Row] = [
        USAGE
        | {
            "charge_id": f"k{number:03}",
            "situation_id": number,
            "cost": Decimal(random.randrange(-(10**25), 10**25)).scaleb(-18),
        }
        for number in numbers
    ]
    terms = [
        MARKUP | {"situation_id": number, "percent": Decimal(random.randrange(-999_999, 10**7)).scaleb(-4)}
        for number in numbers
    ]
    adjustments: list[Row] = [
        {"situation_id": number, "adjustment_percent": Decimal(random.randrange(-999_999, 10**7)).scaleb(-4)}
        for number in numbers
    ]
    rows = prices(charges, *terms, adjustments=adjustments)
    for row, charge, term, adjustment in zip(rows, charges, terms, adjustments, strict=True):
        priced = Fraction(charge["cost"]) * (1 + Fraction(term["percent"]) / 100)
        assert Fraction(row["total_before_adjustment"]) == priced
        wanted = priced * (1 + Fraction(adjustment["adjustment_percent"]) / 100)
        units = int(abs(wanted) * 10**24 + Fraction(1, 2)) * (-1 if wanted < 0 else 1)
        assert Fraction(row["total_sell"]) == Fraction(units, 10**24)
        assert (row["note"] is None) == (Fraction(units, 10**24) == wanted)


def test_an_item_carries_what_its_price_list_expects_and_is_priced_on_what_was_invoiced() -> None:
    expected = [{"charge_id": "k1", "price_list_id": "list", "expected_unit_cost": exact("7.5")}]
    rows = prices([ITEM, ITEM | {"charge_id": "k2"}], MARKUP, expected=expected)
    assert pick(rows, "price_list_id", "expected_unit_cost", "unit_cost", "unit_sell") == [
        ("list", exact("7.5"), 10, 15),
        (None, None, 10, 15),
    ]
