"""Tiers of one price or plan: what must fit together, on which days, and what a later row may replace."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from billing_pipeline.errors import ReferenceInvalid
from billing_pipeline.reference import parse_reference, read_reference_rows

PRICES = (
    "pricebook_id,scope,scope_id,method,percent,unit_price,from_quantity,to_quantity,package_size,valid_from,valid_to,"
    "recorded_at\n"
)
PLANS = "plan_id,customer_id,basis,method,percent,from_amount,to_amount,minimum,currency,valid_from\n"
OF_P = "for pricebook_id b, scope product, scope_id p"


def problems(**texts: str) -> list[str]:
    books = "pricebook_id,name,currency\nb,Book,EUR\n"
    customers = "customer_id,name,invoice_currency\nk,Acme,EUR\n"
    rows = {
        name: read_reference_rows(name, text.encode())
        for name, text in {"pricebooks": books, "customers": customers, **texts}.items()
    }
    try:
        parse_reference(rows, ZoneInfo("Europe/Athens"), datetime(2026, 1, 1, tzinfo=UTC))
    except ReferenceInvalid as refused:
        return list(refused.problems)
    return []


def tier(
    method: str,
    price: str,
    lower: str,
    upper: str,
    *,
    package: str = "",
    since: str = "2026-01-01",
    until: str = "",
    recorded: str = "2026-01-01",
) -> str:
    percent, unit_price = (price.removesuffix("%"), "") if price.endswith("%") else ("", price)
    return f"b,product,p,{method},{percent},{unit_price},{lower},{upper},{package},{since},{until},{recorded}\n"


def of_prices(*tiers: str) -> list[str]:
    return problems(pricebook_prices=PRICES + "".join(tiers))


@pytest.mark.parametrize("method", ["fixed", "graduated", "volume"])
def test_tiers_that_meet_fit_in_any_order_and_the_last_may_end(method: str) -> None:
    tiers = [tier(method, "3", "", "10"), tier(method, "2", "10", "50.5"), tier(method, "1", "50.5", "100")]
    assert of_prices(*tiers) == []
    assert of_prices(*reversed(tiers)) == []


def test_volume_tiers_may_be_markups_and_graduated_ones_may_not() -> None:
    assert of_prices(tier("volume", "20%", "", "10"), tier("volume", "10%", "10", "")) == []
    assert of_prices(tier("graduated", "20%", "", "10")) == [
        "reference/pricebook_prices.csv, row 1, column unit_price: method graduated needs a unit_price",
        "reference/pricebook_prices.csv, row 1, column percent, value 20: method graduated takes no percent",
    ]


def test_the_first_tier_begins_at_0() -> None:
    assert of_prices(tier("volume", "2", "5", "10"), tier("volume", "1", "10", "")) == [
        f"reference/pricebook_prices.csv, row 1, column from_quantity, value 5: the first tier must begin at 0, {OF_P}"
    ]


def test_a_gap_between_tiers_is_refused() -> None:
    assert of_prices(tier("volume", "2", "", "10"), tier("volume", "1", "12.5", "")) == [
        f"reference/pricebook_prices.csv, row 2, column from_quantity, value 12.5: no tier holds from 10 on, {OF_P}"
    ]


def test_overlapping_tiers_recorded_at_once_are_refused_naming_both_rows() -> None:
    assert of_prices(tier("graduated", "2", "", ""), tier("graduated", "1", "10", "")) == [
        "reference/pricebook_prices.csv, rows 1 and 2, column from_quantity, value 10: their tiers overlap, the lower"
        f" one has no end, {OF_P}"
    ]
    assert of_prices(tier("graduated", "2", "", "20"), tier("graduated", "1", "10", "")) == [
        "reference/pricebook_prices.csv, rows 1 and 2, column from_quantity, value 10: their tiers overlap, the lower"
        f" one ends at 20, {OF_P}"
    ]


def test_tiers_that_begin_alike_are_reported_once() -> None:
    assert of_prices(tier("volume", "2", "0", "10"), tier("volume", "1", "", "20")) == [
        "reference/pricebook_prices.csv, rows 1 and 2: their valid ranges overlap for pricebook_id b, scope product,"
        " scope_id p, from_quantity 0; end the earlier one, or give the one that replaces it a later recorded_at"
    ]


def test_tiers_recorded_at_once_have_one_method_and_one_package_size() -> None:
    mixed = of_prices(tier("volume", "2", "", "10"), tier("graduated", "1", "10", ""))
    assert mixed[0] == (
        "reference/pricebook_prices.csv, rows 1 and 2, column method: the tiers of one price must have one method, not"
        f" graduated and volume, {OF_P}"
    )
    packages = of_prices(tier("package", "2", "", "10", package="5"), tier("package", "1", "10", "", package="6"))
    assert packages[0] == (
        "reference/pricebook_prices.csv, rows 1 and 2, column package_size: the tiers of one price must have one"
        f" package_size, not 5 and 6, {OF_P}"
    )


def test_tiers_of_different_days_need_not_fit() -> None:
    old = [tier("volume", "2", "", "10", until="2026-06-01"), tier("volume", "1", "10", "", until="2026-06-01")]
    new = [tier("graduated", "2", "", "20", since="2026-06-01"), tier("graduated", "1", "20", "", since="2026-06-01")]
    assert of_prices(*old, *new) == []
    assert of_prices(*old, new[1]) == [
        f"reference/pricebook_prices.csv, row 3, column from_quantity, value 20: the first tier must begin at 0, {OF_P}"
    ]


def test_one_tier_may_be_changed_later_and_the_others_stay() -> None:
    kept = [tier("volume", "3", "", "10"), tier("volume", "1", "50", "")]
    assert of_prices(*kept, tier("volume", "2.5", "10", "50", recorded="2026-03-01")) == []
    assert of_prices(*kept, tier("volume", "2.5", "10", "40", recorded="2026-03-01")) == [
        f"reference/pricebook_prices.csv, row 2, column from_quantity, value 50: no tier holds from 40 on, {OF_P}"
    ]


def test_all_tiers_may_be_replaced_later_by_another_method_but_not_some() -> None:
    old = [tier("volume", "3", "", "10"), tier("volume", "1", "10", "")]
    new = [
        tier("graduated", f"{n}", lower, upper, recorded="2026-03-01")
        for n, lower, upper in ((3, "", "8"), (1, "8", ""))
    ]
    assert of_prices(*old, *new) == []
    assert of_prices(old[0], new[1]) == [
        f"reference/pricebook_prices.csv, row 2, column from_quantity, value 8: the first tier must begin at 0, {OF_P}"
    ]


def test_the_tiers_of_a_support_plan_fit_in_amounts() -> None:
    def plan(*rows: str) -> list[str]:
        return problems(support_plans=PLANS + "".join(f"s,k,{row},2026-01-01\n" for row in rows))

    assert plan("sell,tiered,10,,1000,50,EUR", "sell,tiered,7,1000,,,") == []
    assert plan("sell,tiered,10,,1000,,", "sell,tiered,7,1500,,,") == [
        "reference/support_plans.csv, row 2, column from_amount, value 1500: no tier holds from 1000 on, for plan_id s,"
        " customer_id k"
    ]
    assert plan("sell,tiered,10,,1000,,", "cost,tiered,7,1000,,,")[0] == (
        "reference/support_plans.csv, rows 1 and 2, column basis: the tiers of one plan must have one basis, not cost"
        " and sell, for plan_id s, customer_id k"
    )
    assert plan("sell,tiered,10,,1000,50,", "sell,tiered,7,1000,,60,") == [
        "reference/support_plans.csv, rows 1 and 2, column minimum: the tiers of one plan must have one minimum, not 50"
        " and 60, for plan_id s, customer_id k"
    ]
