"""What rows of reference files must agree on: keys, ranges, methods, and each other's ids."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from billing_pipeline.errors import ReferenceInvalid
from billing_pipeline.reference import ReferenceSet, parse_reference, read_reference_rows

CUSTOMERS = "customer_id,name,invoice_currency\nk1,Acme,EUR\nk2,Beta,USD\n"
RULES = "rule_id,scope,scope_id,method,percent,valid_from,valid_to,recorded_at\n"
BOOKS = "pricebook_id,name,currency\nb1,Book,EUR\n"
PRICES = "pricebook_id,scope,scope_id,method,percent,unit_price,from_quantity,to_quantity,package_size,valid_from\n"
KNOWN = "2026-01-01T00:00:00Z"


def parse(**texts: str) -> ReferenceSet:
    rows = {name: read_reference_rows(name, text.encode()) for name, text in texts.items()}
    return parse_reference(rows, ZoneInfo("Europe/Athens"), datetime(2026, 10, 4, 21, tzinfo=UTC))


def problem(**texts: str) -> str:
    with pytest.raises(ReferenceInvalid) as refused:
        parse(**texts)
    assert len(refused.value.problems) == 1, refused.value.problems
    return refused.value.problems[0]


def test_two_versions_that_meet_at_a_day_do_not_overlap() -> None:
    rules = f"r,product,p,markup,10,2026-01-01,2026-10-16,{KNOWN}\nr,product,p,markup,20,2026-10-16,,{KNOWN}\n"
    assert parse(pricing_rules=RULES + rules).pricing_rules.height == 2


def test_ranges_that_overlap_and_were_recorded_at_once_are_refused_naming_both_rows() -> None:
    rules = (
        f"r1,product,p,markup,10,2026-01-01,,{KNOWN}\nr2,product,q,srp,,2026-01-01,,{KNOWN}\n"
        f"r3,product,p,markup,20,2026-10-16,,2026-01-01T02:00:00+02:00\n"
    )
    assert problem(pricing_rules=RULES + rules) == (
        "reference/pricing_rules.csv, rows 1 and 3: their valid ranges overlap for scope product, scope_id p; end the "
        "earlier one, or give the one that replaces it a later recorded_at"
    )


def test_a_row_recorded_later_may_supersede_an_open_one() -> None:
    rules = f"r,product,p,markup,10,2026-01-01,,{KNOWN}\nr,product,p,markup,20,2026-10-16,,2026-10-01T00:00:00Z\n"
    assert parse(pricing_rules=RULES + rules).pricing_rules.height == 2


def test_an_ended_newer_row_does_not_hide_the_overlap_of_an_older_open_one() -> None:
    rules = (
        f"r1,product,p,srp,,2026-01-01,,{KNOWN}\nr2,product,p,srp,,2026-02-01,2026-02-02,{KNOWN}\n"
        f"r3,product,p,srp,,2026-03-01,,{KNOWN}\n"
    )
    with pytest.raises(ReferenceInvalid) as refused:
        parse(pricing_rules=RULES + rules)
    assert [text.split(":")[0] for text in refused.value.problems] == [
        "reference/pricing_rules.csv, rows 1 and 2",
        "reference/pricing_rules.csv, rows 1 and 3",
    ]


def test_the_same_row_twice_is_an_overlap() -> None:
    accounts = "source,account_id,customer_id,valid_from\naws,0001,k1,2026-01-01\naws,0001,k1,2026-01-01\n"
    assert "rows 1 and 2: their valid ranges overlap for source aws, account_id 0001;" in problem(
        customers=CUSTOMERS, accounts=accounts
    )


def test_tiers_of_one_price_do_not_overlap_each_other_but_an_empty_lower_bound_is_zero() -> None:
    tiers = "b1,product,p,graduated,,2,,10,,2026-01-01\nb1,product,p,graduated,,1,10,,,2026-01-01\n"
    assert parse(pricebooks=BOOKS, pricebook_prices=PRICES + tiers).pricebook_prices.height == 2
    twice = PRICES + tiers + "b1,product,p,graduated,,3,0,10,,2026-01-01\n"
    assert "rows 1 and 3" in problem(pricebooks=BOOKS, pricebook_prices=twice)


def test_an_inactive_price_list_overlaps_nothing() -> None:
    lists = (
        "price_list_id,product_id,method,percent,valid_from,is_active\n"
        "l1,p,percent_of_sell_price,25,2026-01-01,false\nl2,p,percent_of_sell_price,20,2026-01-01,true\n"
    )
    assert parse(distributor_price_lists=lists).distributor_price_lists["is_active"].to_list() == [False, True]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("customers", CUSTOMERS + "k1,Again,EUR\n", "customers.csv, rows 1 and 3: customer_id k1 must be unique"),
        ("products", "product_id,name,product_type\np,P,T\np,Q,T\n", "products.csv, rows 1 and 2: product_id p"),
        (
            "products",
            "product_id,name,product_type,source,sku\np,P,T,aws,x\nq,Q,T,aws,x\nr,R,T,,x\ns,S,T,,x\n",
            "products.csv, rows 1 and 2: source aws, sku x must be unique",
        ),
        (
            "exchange_rates",
            "base_currency,quote_currency,rate,rate_date\nUSD,EUR,0.9,2026-10-05\nUSD,EUR,0.91,2026-10-05\n",
            "rows 1 and 2: base_currency USD, quote_currency EUR, rate_date 2026-10-05 must be unique",
        ),
    ],
)
def test_ids_that_must_be_unique_are_refused_naming_the_rows(name: str, text: str, expected: str) -> None:
    assert expected in problem(**{name: text})


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "accounts",
            "source,account_id,customer_id,valid_from\naws,1,k9,2026-01-01\n",
            "reference/accounts.csv, row 1, column customer_id, value k9: is not in reference/customers.csv",
        ),
        (
            "special_prices",
            "special_price_id,customer_id,product_id,method,percent,valid_from\ns,K1,p,markup,5,2026-01-01\n",
            "column customer_id, value K1: is not in reference/customers.csv",
        ),
        (
            "pricebook_prices",
            PRICES + "b9,product,p,fixed,,1,,,,2026-01-01\n",
            "column pricebook_id, value b9: is not in reference/pricebooks.csv",
        ),
        (
            "global_adjustments",
            "adjustment_id,scope,scope_id,percent,valid_from\na,customer,k9,1,2026-01-01\nb,vendor,k9,1,2026-01-01\n",
            "reference/global_adjustments.csv, row 1, column scope_id, value k9: is not in reference/customers.csv",
        ),
    ],
)
def test_a_row_that_names_what_does_not_exist_is_refused(name: str, text: str, expected: str) -> None:
    assert expected in problem(customers=CUSTOMERS, **{name: text})


def test_a_rule_may_name_a_vendors_own_product() -> None:
    rules = f"r1,product,BoxUsage:t3.micro,markup,10,2026-01-01,,{KNOWN}\n"
    assert parse(pricing_rules=RULES + rules).pricing_rules.height == 1


def test_links_to_a_file_that_cannot_be_read_are_not_judged() -> None:
    accounts = "source,account_id,customer_id,valid_from\naws,1,k1,2026-01-01\n"
    assert "customers.csv: is empty" in problem(customers="", accounts=accounts)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("b1,product,p,fixed,,,,,,2026-01-01", "column unit_price: method fixed needs a unit_price"),
        ("b1,product,p,markup,10,5,,,,2026-01-01", "column unit_price, value 5: method markup takes no unit_price"),
        (
            "b1,product,p,srp_discount,100.5,,,,,2026-01-01",
            "column percent, value 100.5: method srp_discount needs 100 or",
        ),
        (
            "b1,product,p,srp_discount,-5,,,,,2026-01-01",
            "percent, value -5: method srp_discount needs 0 or more",
        ),
        ("b1,product,p,package,,5,,,,2026-01-01", "column package_size: method package needs a package_size"),
        ("b1,product,p,volume,,,,,,2026-01-01", "row 1: method volume needs unit_price or percent, and not both"),
        ("b1,product,p,volume,1,1,,,,2026-01-01", "row 1: method volume needs unit_price or percent, and not both"),
        (
            "b1,product,p,volume,,1,10,10,,2026-01-01",
            "column to_quantity, value 10: must be more than from_quantity (10)",
        ),
        ("b1,product,p,fixed,,-0.01,,,,2026-01-01", "column unit_price, value '-0.01': must be 0 or more"),
    ],
)
def test_a_price_that_its_method_cannot_use_is_refused(row: str, expected: str) -> None:
    assert expected in problem(pricebooks=BOOKS, pricebook_prices=PRICES + row + "\n")


def test_an_adjustment_of_everything_names_nothing() -> None:
    header = "adjustment_id,scope,scope_id,percent,valid_from\n"
    assert parse(global_adjustments=header + "a,all,,-5,2026-01-01\n").global_adjustments.height == 1
    assert "scope all takes no scope_id" in problem(global_adjustments=header + "a,all,x,-5,2026-01-01\n")
    assert "scope vendor needs a scope_id" in problem(global_adjustments=header + "a,vendor,,-5,2026-01-01\n")


def test_a_distributors_percentage_of_cost_needs_the_cost() -> None:
    header = "price_list_id,product_id,method,percent,distributor_cost,from_quantity,valid_from\n"
    breaks = "l,p,percent_of_cost,10,5,,2026-01-01\nl,p,percent_of_cost,8,5,100,2026-01-01\n"
    assert parse(distributor_price_lists=header + breaks).distributor_price_lists.height == 2
    assert problem(distributor_price_lists=header + "l,p,percent_of_cost,10,,,2026-01-01\n") == (
        "reference/distributor_price_lists.csv, row 1, column distributor_cost: method percent_of_cost needs a"
        " distributor_cost"
    )


@pytest.mark.parametrize(("percent", "bound"), [("100.5", "100 or less"), ("-1", "0 or more")])
def test_a_distributors_discount_is_between_nothing_and_everything(percent: str, bound: str) -> None:
    header = "price_list_id,product_id,method,percent,valid_from\n"
    assert problem(distributor_price_lists=header + f"l,p,percent_of_sell_price,{percent},2026-01-01\n") == (
        f"reference/distributor_price_lists.csv, row 1, column percent, value {percent}: method percent_of_sell_price"
        f" needs {bound}"
    )


def test_two_volume_breaks_of_one_product_do_not_begin_at_one_quantity() -> None:
    header = "price_list_id,product_id,method,percent,from_quantity,valid_from\n"
    breaks = "l,p,percent_of_sell_price,10,10,2026-01-01\nl,p,percent_of_sell_price,20,10,2026-02-01\n"
    assert problem(distributor_price_lists=header + breaks) == (
        "reference/distributor_price_lists.csv, rows 1 and 2: their valid ranges overlap for product_id p,"
        " from_quantity 10; end the earlier one, or give the one that replaces it a later recorded_at"
    )


def test_a_currency_has_no_rate_to_itself() -> None:
    rates = "base_currency,quote_currency,rate,rate_date\nEUR,EUR,1,2026-10-05\n"
    assert problem(exchange_rates=rates) == (
        "reference/exchange_rates.csv, row 1, column quote_currency, value EUR: must differ from base_currency"
    )


def test_many_rows_of_one_key_are_counted_not_listed() -> None:
    rows = "".join("p,P,T\n" for _ in range(5))
    assert problem(products="product_id,name,product_type\n" + rows) == (
        "reference/products.csv, rows 1, 2, 3 and 2 more: product_id p must be unique"
    )
