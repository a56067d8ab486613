"""`sql/pricing/priced_debits.sql`: the price a term gives to a charge."""

from decimal import Decimal

import pytest

from tests.sql.debit_pricing import DISCOUNT, FIXED, INPUTS, ITEM, MARKUP, SHARE, SRP, USAGE, price, prices
from tests.sql.inline import Row, exact, make, output_types, pick, session
from tests.sql.pricing_steps import step_types


@pytest.mark.parametrize(
    ("term", "total_sell"),
    [(MARKUP, "15"), (SRP, "12"), (SHARE, "9.6"), (DISCOUNT, "9"), (FIXED, "34.5")],
    ids=["markup", "srp", "share", "discount", "fixed"],
)
def test_usage_is_priced_on_amounts(term: Row, total_sell: str) -> None:
    row = price(USAGE, term)
    assert row["total_sell"] == exact(total_sell)
    assert (row["total_cost"], row["total_list"]) == (10, 12)
    assert row["unpriced_reason"] is None


@pytest.mark.parametrize(
    ("term", "unit_sell"),
    [(MARKUP, "15"), (SRP, "12"), (SHARE, "9.6"), (DISCOUNT, "9"), (FIXED, "11.5")],
    ids=["markup", "srp", "share", "discount", "fixed"],
)
def test_an_item_is_priced_per_unit_and_its_total_is_unit_times_quantity(term: Row, unit_sell: str) -> None:
    row = price(ITEM, term)
    assert row["unit_sell"] == exact(unit_sell)
    assert row["total_sell"] == exact(unit_sell) * 3
    assert (row["unit_cost"], row["srp"], row["total_cost"], row["total_list"]) == (10, 12, 30, 36)


def test_usage_has_exact_totals_and_no_unit_prices() -> None:
    row = price(USAGE, MARKUP)
    assert (row["unit_cost"], row["unit_sell"], row["srp"]) == (None, None, None)
    assert row["total_cost"] == 10


@pytest.mark.parametrize("quantity", [None, Decimal(0)])
def test_usage_without_a_quantity_is_priced_and_shows_no_unit_price(quantity: Decimal | None) -> None:
    row = price(USAGE | {"quantity": quantity}, MARKUP)
    assert (row["total_sell"], row["unit_sell"], row["unit_cost"], row["srp"]) == (15, None, None, None)


def test_a_markup_on_a_cost_of_18_decimals_is_exact() -> None:
    row = price(USAGE | {"cost": exact("0.000000000000000001")}, MARKUP | {"percent": exact("12.3456")})
    assert row["total_sell"] == exact("0.000000000000000001123456")


def test_a_markup_of_a_negative_cost_takes_the_same_percent_back() -> None:
    assert price(USAGE | {"cost": Decimal(-10)}, MARKUP)["total_sell"] == -15


def test_a_discount_is_a_negative_markup() -> None:
    assert price(ITEM, MARKUP | {"percent": exact("-12.5")})["unit_sell"] == exact("8.75")


def test_unit_and_total_of_an_item_with_nine_decimals_are_exact() -> None:
    item = ITEM | {"quantity": exact("0.000000001"), "file_unit_cost": exact("0.000000001")}
    row = price(item, MARKUP | {"percent": exact("0.0001")})
    assert row["unit_sell"] == exact("0.000000001000001")
    assert row["total_sell"] == exact("0.000000000000000001000001")
    assert row["total_cost"] == exact("0.000000000000000001")


def test_a_million_units_at_a_million_each_do_not_overflow() -> None:
    item = ITEM | {"quantity": Decimal(1_000_000), "file_unit_cost": exact("1000000.123456789")}
    assert price(item, MARKUP)["total_sell"] == exact("1500000185185.1835")


@pytest.mark.parametrize("charge", [USAGE, ITEM], ids=["usage", "item"])
def test_what_no_term_fits_is_unpriced_and_never_sold_at_zero_or_at_cost(charge: Row) -> None:
    row = price(charge)
    assert (row["total_sell"], row["unit_sell"], row["price_term"]) == (None, None, None)
    assert "no special price, no pricebook price and no pricing rule" in row["unpriced_reason"]
    assert row["total_cost"] == charge["cost"]


@pytest.mark.parametrize("term", [SRP, SHARE, DISCOUNT], ids=["srp", "share", "discount"])
@pytest.mark.parametrize("charge", [USAGE, ITEM], ids=["usage", "item"])
def test_a_term_on_the_srp_prices_nothing_where_there_is_none(charge: Row, term: Row) -> None:
    row = price(charge | {"list_cost": None, "file_list_price": None}, term)
    assert (row["total_sell"], row["srp"], row["total_list"]) == (None, None, None)
    assert "needs an SRP" in row["unpriced_reason"]
    assert row["price_term_id"] == "r1"


@pytest.mark.parametrize("charge", [USAGE, ITEM], ids=["usage", "item"])
def test_a_markup_needs_no_srp(charge: Row) -> None:
    row = price(charge | {"list_cost": None, "file_list_price": None}, MARKUP)
    assert row["total_sell"] == charge["cost"] * Decimal("1.5")
    assert row["srp"] is None


@pytest.mark.parametrize("charge", [USAGE, ITEM], ids=["usage", "item"])
@pytest.mark.parametrize("currency", ["USD", None])
def test_a_fixed_price_in_another_currency_prices_nothing(charge: Row, currency: str | None) -> None:
    row = price(charge, FIXED | {"term_currency": currency})
    assert row["total_sell"] is None
    assert "another currency" in row["unpriced_reason"]


@pytest.mark.parametrize(
    ("charge", "term"),
    [
        (USAGE | {"quantity": exact("0.0000000000000001")}, FIXED),
        (USAGE | {"quantity": None}, FIXED),
        (USAGE, FIXED | {"unit_price": exact("0.0000000001")}),
        (ITEM, FIXED | {"unit_price": exact("0.0000000000000001")}),
    ],
    ids=["quantity of 16 decimals", "no quantity", "usage price of 10 decimals", "item price of 16 decimals"],
)
def test_a_fixed_price_that_could_not_be_exact_prices_nothing_instead_of_being_rounded(charge: Row, term: Row) -> None:
    row = price(charge, term)
    assert row["total_sell"] is None
    assert row["unit_sell"] is None
    assert "a fixed price" in row["unpriced_reason"]


def test_a_fixed_price_of_as_many_decimals_as_fit_is_exact() -> None:
    usage = price(USAGE | {"quantity": exact("0.000000000000001")}, FIXED | {"unit_price": exact("0.000000001")})
    assert usage["total_sell"] == exact("0.000000000000000000000001")
    item = price(ITEM | {"quantity": exact("0.000000001")}, FIXED | {"unit_price": exact("0.000000000000001")})
    assert item["total_sell"] == exact("0.000000000000000000000001")


@pytest.mark.parametrize("nature", ["tax", "credit", "rounding", "partner_discount", "free_tier"])
def test_what_is_not_usage_gets_no_price_and_no_reason(nature: str) -> None:
    row = price(USAGE | {"charge_nature": nature}, MARKUP)
    assert (row["total_sell"], row["price_term"], row["unpriced_reason"]) == (None, None, None)
    assert row["total_cost"] == 10


def test_a_marketplace_fee_passes_through_at_cost_whatever_the_terms_say() -> None:
    row = price(USAGE | {"charge_nature": "marketplace_fee"}, MARKUP)
    assert row["total_sell"] == row["total_cost"] == 10
    assert row["price_term_id"] is None


def test_a_charge_of_nobody_has_no_price_and_its_reason_is_not_the_price() -> None:
    row = price(USAGE | {"customer_id": None})
    assert (row["total_sell"], row["unpriced_reason"]) == (None, None)


def test_a_term_of_another_situation_is_none_of_the_charges() -> None:
    row = price(USAGE, MARKUP | {"situation_id": 2})
    assert (row["total_sell"], row["price_term"]) == (None, None)


def test_no_charge_is_dropped_or_repeated_whatever_the_order_of_rows() -> None:
    charges = [USAGE | {"charge_id": f"k{number}", "situation_id": number % 3} for number in range(9)]
    terms = (MARKUP, MARKUP | {"situation_id": 2})
    rows = prices(charges, *terms)
    assert pick(rows, "charge_id") == pick(charges, "charge_id")
    assert sum(row["total_sell"] is None for row in rows) == 3
    assert prices(charges[::-1], *terms[::-1]) == rows


def test_unit_prices_have_18_and_totals_24_decimals_and_nothing_is_floating_point() -> None:
    connection = session()
    for name in INPUTS:
        make(connection, name, step_types(name))
    types = output_types(connection, "pricing/priced_debits")
    assert {types[name] for name in ("unit_cost", "unit_sell", "srp")} == {"DECIMAL(38,18)"}
    totals = ("total_cost", "total_sell", "total_list", "total_before_adjustment")
    assert {types[name] for name in totals} == {"DECIMAL(38,24)"}
    assert not {"DOUBLE", "FLOAT"} & set(types.values())
