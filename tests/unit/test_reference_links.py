"""What rows must find elsewhere: sources and vendors of billing.toml, currencies of the customer."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from billing_pipeline.configuration import Source
from billing_pipeline.errors import ReferenceInvalid
from billing_pipeline.reference import parse_reference, read_reference_rows
from billing_pipeline.reference_links import Surroundings

SOURCES = (
    Source(id="aws", format="aws_cur", vendor="AWS"),
    Source(id="dist", format="distributor_invoice", vendor="Distributor"),
)
CUSTOMERS = "customer_id,name,invoice_currency,enabled_currencies,pricebook_id\n"
ACME = CUSTOMERS + "k1,Acme,EUR,,\nk2,Beta,EUR,USD;GBP,\n"
BOOKS = "pricebook_id,name,currency\neuros,Book,EUR\ndollars,Book,USD\n"
ACCOUNTS = "source,account_id,customer_id,valid_from,valid_to,pricebook_id\n"
RULES = "rule_id,scope,scope_id,method,valid_from,valid_to\n"


def problems(sources: tuple[Source, ...] = SOURCES, **texts: str) -> list[str]:
    files = {"customers": ACME, "pricebooks": BOOKS, **texts}
    rows = {name: read_reference_rows(name, text.encode()) for name, text in files.items()}
    surroundings = Surroundings(sources, date(2026, 10, 5))
    try:
        parse_reference(rows, ZoneInfo("Europe/Athens"), datetime(2026, 1, 1, tzinfo=UTC), surroundings)
    except ReferenceInvalid as refused:
        return list(refused.problems)
    return []


def test_an_account_of_no_source_is_refused_with_the_sources_there_are() -> None:
    accounts = ACCOUNTS + "aws,1,k1,2026-01-01,,\nazure,2,k1,2026-01-01,,\nazure,3,k1,2026-01-01,,\n"
    assert problems(accounts=accounts) == [
        "reference/accounts.csv, rows 2 and 3, column source, value azure: is no source; billing.toml has aws, dist:"
        " name one of them, or bring the source back into billing.toml, or end the row with a valid_to that is over"
    ]
    assert problems((), accounts=ACCOUNTS + "aws,1,k1,2026-01-01,,\n") == [
        "reference/accounts.csv, row 1, column source, value aws: is no source; billing.toml has none: name one of"
        " them, or bring the source back into billing.toml, or end the row with a valid_to that is over"
    ]


def test_an_account_that_ended_may_belong_to_a_source_that_is_no_more() -> None:
    assert problems(accounts=ACCOUNTS + "azure,2,k1,2025-01-01,2026-10-05,\n") == []
    assert len(problems(accounts=ACCOUNTS + "azure,2,k1,2025-01-01,2026-10-06,\n")) == 1


def test_a_product_of_no_source_is_refused_and_one_without_source_is_not() -> None:
    header = "product_id,name,product_type,source,sku\n"
    assert problems(products=header + "p,P,T,aws,x\nq,Q,T,,\n") == []
    assert problems(products=header + "p,P,T,amazon,x\n") == [
        "reference/products.csv, row 1, column source, value amazon: is no source; billing.toml has aws, dist: name"
        " one of them, or bring the source back into billing.toml"
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pricing_rules", RULES + "r,vendor,{},srp,2026-01-01,\n"),
        (
            "pricebook_prices",
            "pricebook_id,scope,scope_id,method,percent,valid_from\neuros,vendor,{},markup,5,2026-01-01\n",
        ),
        ("global_adjustments", "adjustment_id,scope,scope_id,percent,valid_from\na,vendor,{},5,2026-01-01\n"),
    ],
)
def test_a_term_for_a_vendor_that_no_source_has_is_refused(name: str, text: str) -> None:
    assert problems(**{name: text.format("AWS")}) == []
    assert problems(**{name: text.format("aws")}) == [
        f"reference/{name}.csv, row 1, column scope_id, value aws: is no source's vendor; billing.toml has AWS,"
        " Distributor: name one of them as billing.toml writes it, or end the row with a valid_to that is over"
    ]


def test_a_term_for_a_product_or_type_that_is_in_no_file_is_a_vendors_own() -> None:
    rules = RULES + "r,product,BoxUsage:t3.micro,srp,2026-01-01,\ns,product_type,Compute,srp,2026-01-01,\n"
    assert problems(pricing_rules=rules) == []


def test_a_customers_pricebook_is_in_a_currency_of_the_customer() -> None:
    customers = CUSTOMERS + "k1,Acme,EUR,,euros\nk2,Beta,EUR,GBP;USD,dollars\nk3,Gamma,EUR,,dollars\n"
    assert problems(customers=customers) == [
        "reference/customers.csv, row 3, column pricebook_id, value dollars: its currency USD is not a currency of"
        " customer k3: invoice_currency is EUR, enabled_currencies none"
    ]


def test_an_accounts_pricebook_is_in_a_currency_of_its_customer() -> None:
    accounts = (
        ACCOUNTS
        + "aws,1,k2,2026-01-01,,dollars\naws,2,k1,2026-01-01,,dollars\naws,3,k1,2025-01-01,2026-01-01,dollars\n"
    )
    assert problems(accounts=accounts) == [
        "reference/accounts.csv, row 2, column pricebook_id, value dollars: its currency USD is not a currency of"
        " customer k1: invoice_currency is EUR, enabled_currencies none"
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "special_prices",
            "special_price_id,customer_id,product_id,method,unit_price,currency,valid_from\n"
            "a,k1,p,fixed,1,EUR,2026-01-01\nb,k1,q,fixed,1,,2026-01-01\nc,k2,q,fixed,1,CHF,2026-01-01\n",
        ),
        (
            "support_plans",
            "plan_id,customer_id,basis,method,amount,currency,valid_from\n"
            "a,k1,sell,fixed,5,EUR,2026-01-01\nb,k1,sell,fixed,5,,2026-01-01\nc,k2,sell,fixed,5,CHF,2026-01-01\n",
        ),
        (
            "custom_charges",
            "charge_id,customer_id,description,amount,currency,product_type,recurrence,valid_from\n"
            "a,k1,A,5,EUR,T,once,2026-01-01\nb,k2,A,5,USD,T,once,2026-01-01\nc,k2,A,5,CHF,T,once,2026-01-01\n",
        ),
        (
            "credits",
            "credit_id,customer_id,kind,amount,currency,granted_on\n"
            "a,k1,general,5,EUR,2026-01-01\nb,k2,general,5,GBP,2026-01-01\nc,k2,general,5,CHF,2026-01-01\n",
        ),
    ],
)
def test_an_amount_for_a_customer_is_in_a_currency_of_the_customer(name: str, text: str) -> None:
    assert problems(**{name: text}) == [
        f"reference/{name}.csv, row 3, column currency, value CHF: is not a currency of customer k2: invoice_currency"
        " is EUR, enabled_currencies USD;GBP"
    ]


def test_the_currency_of_a_percentage_decides_nothing() -> None:
    text = (
        "special_price_id,customer_id,product_id,method,percent,currency,valid_from\na,k1,p,markup,5,CHF,2026-01-01\n"
    )
    assert problems(special_prices=text) == []


def test_currencies_are_not_judged_against_a_file_that_cannot_be_read() -> None:
    credits_text = "credit_id,customer_id,kind,amount,currency,granted_on\na,k1,general,5,CHF,2026-01-01\n"
    assert problems(customers="", credits=credits_text) == [
        "reference/customers.csv: is empty; its first line must be a header: customer_id,name,invoice_currency,"
        "pricebook_id,email,contact,address,country,region,postal_code,tax_id,tax_category,payment_terms_days,"
        "enabled_currencies,valid_from,valid_to,recorded_at"
    ]
